"""`endpoint`: the run's result, and the file it leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import NodeError, ServiceError
from dipeo_jupyter.nodes.endpoint import Endpoint
from dipeo_jupyter.services.files import LocalFiles
from tests.nodes.context import FakeContext, services


def run(root: Path, settings: dict[str, Any], inputs: Any, label: str = "end", **names: Any) -> Any:
    ctx = FakeContext(services=services(files=LocalFiles(root)), names=names, node=label)
    result = asyncio.run(Endpoint.model_validate(settings).run(Inputs(inputs), ctx))
    return result.outputs["default"]


def files(root: Path) -> dict[str, str]:
    return {str(each.relative_to(root)): each.read_text() for each in root.rglob("*.*")}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [({"default": 1}, 1), ({"verdict": {"a": 1}}, {"a": 1}), ({"a": 1, "b": 2}, {"a": 1, "b": 2})],
)
def test_the_value_that_arrives_is_the_result(tmp_path: Path, inputs: Any, expected: Any) -> None:
    assert run(tmp_path, {}, inputs) == expected
    assert files(tmp_path) == {}


def test_a_content_format_makes_the_result_and_the_file(tmp_path: Path) -> None:
    settings = {"content_format": "# {{topic}}", "save_to_file": True, "file_path": "a.md"}
    assert run(tmp_path, settings, {"default": 1}, topic="tea") == "# tea"
    assert files(tmp_path) == {"a.md": "# tea"}


def test_an_unknown_name_in_a_content_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="`lost` is not known") as caught:
        run(tmp_path, {"content_format": "{{lost}}"}, {"default": 1})
    assert caught.value.field == "content_format"


def test_no_edge_can_start_at_an_endpoint() -> None:
    assert Endpoint().output_handles() == ()


def test_a_path_alone_saves_nothing(tmp_path: Path) -> None:
    run(tmp_path, {"file_path": "a.txt"}, {"default": "x"})
    assert files(tmp_path) == {}


@pytest.mark.parametrize("name", ["file_path", "file_name", "filePath", "fileName"])
@pytest.mark.parametrize("save", ["save_to_file", "saveToFile"])
def test_older_names_of_properties_are_taken(tmp_path: Path, name: str, save: str) -> None:
    assert run(tmp_path, {save: True, name: "d/a.txt"}, {"default": "x"}) == "x"
    assert files(tmp_path) == {"d/a.txt": "x"}


ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "z"}]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("csv", "a,b\n1,x\n2,z\n"),
        ("yaml", "- a: 1\n  b: x\n- a: 2\n  b: z\n"),
        (
            "json",
            '[\n  {\n    "a": 1,\n    "b": "x"\n  },\n  {\n    "a": 2,\n    "b": "z"\n  }\n]\n',
        ),
    ],
)
def test_the_file_has_the_format_asked_for(tmp_path: Path, form: str, expected: str) -> None:
    run(tmp_path, {"save_to_file": True, "file_path": f"a.{form}"}, {"default": ROWS})
    run(tmp_path, {"saveToFile": True, "file_path": "b.out", "fileFormat": form}, {"x": ROWS})
    assert files(tmp_path) == {f"a.{form}": expected, "b.out": expected}


def test_markdown_holds_an_object_in_a_fence(tmp_path: Path) -> None:
    run(tmp_path, {"save_to_file": True, "file_path": "a.md"}, {"default": {"a": 1}})
    assert files(tmp_path) == {"a.md": '```json\n{\n  "a": 1\n}\n```\n'}


@pytest.mark.parametrize("form", ["text", "csv", "yaml", "markdown"])
def test_text_is_saved_as_it_is(tmp_path: Path, form: str) -> None:
    settings = {"save_to_file": True, "file_path": "a.out", "file_format": form}
    run(tmp_path, settings, {"default": "# a, b"})
    assert files(tmp_path) == {"a.out": "# a, b"}


@pytest.mark.parametrize(
    ("label", "value", "form", "expected"),
    [
        ("report", "x", None, "report.txt"),
        ("report", {"a": 1}, None, "report.json"),
        ("final report", "x", "markdown", "final_report.md"),
        ("rows~1", [[1]], "csv", "rows~1.csv"),
        ("../a/b", "x", None, "a_b.txt"),
        ("…", "x", "yaml", "output.yaml"),
    ],
)
def test_without_a_name_the_label_names_the_file(
    tmp_path: Path, label: str, value: Any, form: str | None, expected: str
) -> None:
    run(tmp_path, {"save_to_file": True, "file_format": form}, {"default": value}, label)
    assert list(files(tmp_path)) == [expected]


def test_names_in_the_path_are_filled_in(tmp_path: Path) -> None:
    settings = {"save_to_file": True, "file_path": "{{who}}.txt"}
    run(tmp_path, settings, {"default": "x"}, who="ann")
    assert list(files(tmp_path)) == ["ann.txt"]


def test_where_it_was_saved_is_shown(tmp_path: Path) -> None:
    ctx = FakeContext(services=services(files=LocalFiles(tmp_path)), node="end")
    node = Endpoint(save_to_file=True, file_path="d/../a.txt")
    asyncio.run(node.run(Inputs(default="x"), ctx))
    assert ctx.progressed == ["saved as a.txt"]


@pytest.mark.parametrize("path", ["../a.txt", "/etc/a.txt", ".git/hooks/post-commit", "a.pth"])
def test_a_forbidden_place_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ServiceError):
        run(tmp_path, {"save_to_file": True, "file_path": path}, {"default": "x"})


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValidationError):
        Endpoint.model_validate({"file_format": "docx"})
