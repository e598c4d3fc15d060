"""The node `job`: its properties, where its code comes from, what reaches the sandbox."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine import ports
from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import NodeError, NodeTimeoutError, ServiceError
from dipeo_jupyter.nodes.job import Job
from dipeo_jupyter.services.files import LocalFiles
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.walls import Walls

from .context import FakeContext, services

WALLS = Walls()


class Recorder:
    """A sandbox that runs nothing and keeps the jobs it was handed."""

    def __init__(self) -> None:
        self.jobs: list[ports.Job] = []

    async def run(self, job: ports.Job, on_output: Any) -> ports.JobResult:
        self.jobs.append(job)
        return ports.JobResult("done")


@pytest.fixture
def context(tmp_path) -> FakeContext:
    return FakeContext(services(files=LocalFiles(tmp_path), sandbox=ProcessSandbox(walls=WALLS)))


@pytest.fixture
def handed(tmp_path):
    """What a job hands to the sandbox."""

    def handed(inputs: dict[str, Any] | None = None, **properties: Any) -> ports.Job:
        sandbox = Recorder()
        ctx = FakeContext(services(files=LocalFiles(tmp_path), sandbox=sandbox))
        asyncio.run(Job(**properties).run(Inputs(inputs or {}), ctx))
        return sandbox.jobs[0]

    return handed


def value(context: FakeContext, inputs: dict[str, Any] | None = None, **properties: Any) -> Any:
    return asyncio.run(Job(**properties).run(Inputs(inputs or {}), context)).outputs["default"]


def test_value_goes_on_and_prints_are_shown(context):
    assert value(context, {"a": 2}, code="print('working')\nreturn a + 1") == 3
    assert context.progressed == ["working"]


def test_code_that_returns_nothing_hands_on_none(context):
    assert value(context, code="x = 1") is None


def test_bash_hands_on_what_it_prints(context):
    assert value(context, {"who": "$(id)"}, code='echo "hi $INPUT_who"', language="bash") == (
        "hi $(id)"
    )


@pytest.mark.parametrize(
    ("inputs", "variables"),
    [
        ({"default": {"a": 1}}, {"default": {"a": 1}, "a": 1}),
        ({"default": {"a": 1}, "a": 2}, {"default": {"a": 1}, "a": 2}),
        ({"default": [1]}, {"default": [1]}),
        ({"label": {"a": 1}}, {"label": {"a": 1}}),
        ({"default": {"default": 1}}, {"default": {"default": 1}}),
    ],
)
def test_keys_of_an_unlabelled_object_are_names(handed, inputs, variables):
    assert handed(inputs, code="return 1").inputs == variables


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("python", "python"),
        ("py", "python"),
        ("JavaScript", "javascript"),
        ("js", "javascript"),
        ("shell", "bash"),
        (None, "python"),
    ],
)
def test_languages_have_the_names_people_use(handed, written, language):
    assert handed(code="1", language=written).language == language


@pytest.mark.parametrize(
    ("written", "words"),
    [("typescript", "compile it"), ("pyhton", "Did you mean 'python'"), ("cobol", "python,")],
)
def test_other_languages_are_refused_with_a_hint(written, words):
    with pytest.raises(ValidationError, match=words):
        Job(code="1", language=written)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({}, "needs `code`"),
        ({"code": "  \n", "file_path": ""}, "needs `code`"),
        ({"code": "1", "file_path": "a.py"}, "not both"),
    ],
)
def test_exactly_one_source_of_code_is_wanted(properties, words):
    with pytest.raises(ValidationError, match=words):
        Job(**properties)


def test_names_of_older_files_are_understood(handed, tmp_path):
    (tmp_path / "work.sh").write_text("echo 1")
    job = Job(code_type="shell", filePath="work.sh", functionName="go", maxIteration=2)
    assert (job.language, job.file_path, job.function_name) == ("bash", "work.sh", "go")
    assert "code_job" in Job.aliases


@pytest.mark.parametrize(("timeout", "seconds"), [(None, 30), (2.5, 2.5), (90, 90)])
def test_code_has_thirty_seconds_or_the_nodes_timeout(handed, timeout, seconds):
    assert handed(code="1", timeout=timeout).timeout == seconds


def test_endless_code_is_stopped_in_time(context):
    with pytest.raises(NodeTimeoutError):
        value(context, code="while True: pass", timeout=0.2)


@pytest.mark.parametrize(
    ("name", "language"), [("a.py", "python"), ("a.js", "javascript"), ("a.sh", "bash")]
)
def test_language_of_a_file_follows_its_suffix(handed, tmp_path, name, language):
    (tmp_path / name).write_text("code of the file")
    job = handed(file_path=name)
    assert (job.code, job.language) == ("code of the file", language)


def test_code_that_is_only_a_path_is_read(handed, tmp_path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "old one.py").write_text("return 1")
    job = handed(code="scripts/old one.py\n", function_name="main")
    assert (job.code, job.function) == ("return 1", "main")


@pytest.mark.parametrize("code", ["missing.py", "/bin/run.sh", "../run.sh", "a = 1 # see b.py"])
def test_code_that_names_no_file_stays_code(handed, code):
    assert handed(code=code).code == code


def test_function_of_a_file_gets_the_inputs(context, tmp_path):
    (tmp_path / "lib.py").write_text("def double(a):\n    return a * 2\n")
    assert value(context, {"a": 4}, file_path="lib.py", function_name="double") == 8


def test_main_of_older_inline_code_may_be_missing(context):
    assert value(context, {"a": 4}, code="result = a", function_name="main") == 4
    code = "def main(inputs):\n    return inputs['a']"
    assert value(context, {"a": 4}, code=code, function_name="main") == 4


def test_missing_file_is_the_error_of_the_files(context):
    with pytest.raises(ServiceError, match=r"no\.py"):
        value(context, file_path="no.py")


@pytest.mark.parametrize("field", ["code", "file_path"])
def test_error_points_at_the_property_with_the_code(context, tmp_path, field):
    (tmp_path / "bad.py").write_text("1 / 0")
    with pytest.raises(NodeError, match=r"ZeroDivisionError.*line 1") as caught:
        value(context, **{field: "1 / 0" if field == "code" else "bad.py"})
    assert caught.value.field == field
