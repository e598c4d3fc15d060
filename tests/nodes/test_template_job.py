"""`template_job`: a text filled in, from the diagram or a file, and written if it shall be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.nodes.template_job import TemplateJob
from dipeo_jupyter.services.files import LocalFiles
from tests.nodes.context import FakeContext, services
from tests.running import run as run_diagram


@pytest.fixture
def root(tmp_path):
    (tmp_path / "letter.md").write_text("Dear {{name}},\n{{text}}\n")
    return tmp_path


def run(root: Any, names: dict[str, Any], **settings: Any) -> str:
    ctx = FakeContext(services=services(files=LocalFiles(root)), names=names)
    return asyncio.run(TemplateJob(**settings).run(Inputs(), ctx)).outputs["default"]


def test_a_text_is_filled_in(root):
    text = "{{topic | upper}}{{#each xs}}\n- {{this}}{{/each}}"
    assert run(root, {"topic": "tea", "xs": [1, 2]}, template_content=text) == "TEA\n- 1\n- 2"


def test_what_is_put_in_is_not_filled_in_again(root):
    assert run(root, {"a": "{{b}}", "b": "secret"}, template_content="{{a}}") == "{{b}}"


def test_a_file_may_hold_the_text_and_another_gets_it(root):
    names = {"name": "Ann", "text": "hi", "which": "letter"}
    files = {"templatePath": "{{which}}.md", "outputPath": "out/{{name}}.md"}
    assert run(root, names, **files) == "Dear Ann,\nhi\n"
    assert (root / "out" / "Ann.md").read_text() == "Dear Ann,\nhi\n"


def test_further_names_have_values_as_they_are(root):
    text = "{{language}} {{code}} {{default}}"
    variables = {"language": "en", "code": "{{x}}", "default": "other"}
    ctx = FakeContext(services=services(), named_inputs={"default": "mine"})
    node = TemplateJob(template_content=text, variables=variables)
    assert asyncio.run(node.run(Inputs(), ctx)).outputs["default"] == "en {{x}} mine"


@pytest.mark.parametrize(
    ("settings", "field", "expected"),
    [
        ({"template_content": "a\n{{nmae}}"}, "template_content", "`nmae` is not known here"),
        ({"template_path": "letter.md"}, "template_path", "line 2 of letter.md"),
    ],
)
def test_a_name_that_is_not_there_is_said_with_its_place(root, settings, field, expected):
    with pytest.raises(NodeError, match=expected) as caught:
        run(root, {"name": "Ann"}, **settings)
    assert caught.value.field == field


@pytest.mark.parametrize("settings", [{}, {"template_content": "a", "template_path": "b"}])
def test_there_is_one_text(settings):
    with pytest.raises(ValidationError, match="one of them"):
        TemplateJob(**settings)


def test_its_own_names_are_no_inputs_of_the_run(tmp_path):
    outcome = run_diagram(
        """
        nodes:
        - {label: start, type: start, custom_data: {topic: tea}}
        - label: write
          type: template_job
          engine: jinja2
          template_content: "{{language}}: {{topic}}"
          variables: {language: en}
          output_path: "{{topic}}.md"
        - {label: end, type: endpoint}
        edges: [start -> write -> end]
        """,
        root=tmp_path,
    )
    assert outcome.outputs["end"] == "en: tea"
    assert (tmp_path / "tea.md").read_text() == "en: tea"
