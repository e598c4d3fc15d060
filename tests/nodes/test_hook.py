"""`hook`: a command, a request, a function or a file, each done as the node of its own does it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.engine.ports import Job, JobResult
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.nodes.hook import Hook
from dipeo_jupyter.services.files import LocalFiles
from dipeo_jupyter.services.web import WebService
from tests.nodes.context import FakeContext, services
from tests.web_server import running


def no_key(name: str, host: str) -> str:
    raise AssertionError("no key is sent")


@dataclass
class Recorder:
    """A sandbox that keeps what it was to run."""

    jobs: list[Job] = field(default_factory=list)

    async def run(self, job: Job, on_output: Any) -> JobResult:
        self.jobs.append(job)
        if "fail" in job.code:
            raise NodeError("it failed", field="code")
        return JobResult("done")


def run(root: Any, inputs: dict[str, Any], /, sandbox: Any = None, **settings: Any) -> Any:
    world = services(files=LocalFiles(root), sandbox=sandbox, web=WebService(no_key, private=True))
    node = Hook.model_validate(settings)
    ctx = FakeContext(services=world, names=inputs)
    return asyncio.run(node.run(Inputs(inputs), ctx)).outputs["default"]


def test_a_command_is_a_job_in_bash(tmp_path):
    sandbox = Recorder()
    inputs = {"default": "$(rm -rf /)", "n": 3}
    assert run(tmp_path, inputs, sandbox, command='echo "$INPUT_n"', args=["a b"]) == "done"
    (job,) = sandbox.jobs
    assert (job.language, job.code, job.inputs) == ("bash", "echo \"$INPUT_n\" 'a b'", inputs)
    assert not job.network


def test_older_files_have_their_settings_inside(tmp_path):
    sandbox = Recorder()
    run(tmp_path, {}, sandbox, config={"command": "post", "args": ["--quiet", "1"], "timeout": 9})
    assert (sandbox.jobs[0].code, sandbox.jobs[0].timeout) == ("post --quiet 1", 9)


def test_a_function_is_called_in_its_file(tmp_path):
    (tmp_path / "tell.py").write_text("def main(n): return n")
    sandbox = Recorder()
    run(tmp_path, {"n": 3}, sandbox, hook_type="python", script="tell.py", function_name="main")
    (job,) = sandbox.jobs
    assert (job.language, job.code, job.function) == (
        "python",
        "def main(n): return n",
        "main",
    )


@pytest.mark.parametrize("name", ["webhook", "http", "HTTP"])
def test_what_arrives_is_sent_as_it_is(tmp_path, name):
    inputs = {"default": {"a": "{{secret}}"}, "n": 3, "secret": "s"}
    with running() as server:
        value = run(tmp_path, inputs, hook_type=name, url=f"{server.url}/done/{{{{n}}}}")
    (asked,) = server.asked
    assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/done/3", inputs)
    assert value["method"] == "POST"


def test_what_arrives_is_written(tmp_path):
    inputs = {"default": {"a": "{{n}}"}, "n": 3}
    settings = {"hook_type": "file", "file_path": "out/{{n}}.json"}
    assert run(tmp_path, inputs, **settings) == "out/3.json"
    assert json.loads((tmp_path / "out" / "3.json").read_text()) == {"a": "{{n}}"}


def test_an_error_names_the_hooks_own_property(tmp_path):
    with pytest.raises(NodeError) as caught:
        run(tmp_path, {}, Recorder(), command="fail")
    assert caught.value.field == "command"


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ({"command": "true"}, "runs_shell", "command"),
        ({"hook_type": "webhook", "url": "https://example.org"}, "uses_network", "url"),
        ({"hook_type": "file", "file_path": "a.json"}, "writes_files", "file_path"),
    ],
)
def test_a_check_says_what_is_run_and_sent(settings, code, field):
    power = next(Hook(**settings).powers())
    assert (power.code, power.field) == (code, field)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "type shell needs `command`"),
        ({"hook_type": "webhook"}, "type webhook needs `url`"),
        ({"hook_type": "python"}, "type python needs `script`"),
        ({"hook_type": "python", "script": "import os\nos.sync()\n"}, "Put code into a job"),
        ({"hook_type": "python", "script": "print(default)"}, "such as scripts/report.py"),
        ({"hook_type": "file"}, "type file needs `file_path`"),
        ({"hook_type": "webhook", "url": "https://{{host}}/"}, "write the host out"),
        ({"hook_type": "smoke"}, "hook_type"),
        ({"config": "no map"}, "must be a map"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, expected):
    with pytest.raises(ValidationError, match=expected):
        Hook.model_validate(settings)


@pytest.mark.parametrize("script", ["tell", "scripts/tell.py", "my scripts/tell (1).py\n"])
def test_the_name_of_a_script_is_not_taken_for_code(script):
    assert Hook(hook_type="python", script=script).script == script
