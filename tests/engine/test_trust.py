"""Diagrams that may come from elsewhere do nothing beyond their walls before it is granted."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from dipeo_jupyter.app import Folders, build_engine
from dipeo_jupyter.diagram.files import load, survey
from dipeo_jupyter.errors import CommandError, UntrustedError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.trust import Trusted
from dipeo_jupyter.settings import Settings

SCAN = """
version: light
nodes:
- {label: start, type: start}
- {label: greet, type: person_job, person: Ada, prompt: Hello}
- label: scan
  type: job
  kernel: true
  code: done.append(1)
- {label: end, type: endpoint}
connections: [{from: start, to: greet}, {from: greet, to: scan}, {from: scan, to: end}]
persons: {Ada: {service: demo}}
"""
SCRIPT = SCAN.replace("code: done.append(1)", "file_path: scan.txt\n  language: python")
WITH_PART = """
version: light
nodes:
- {label: start, type: start}
- {label: part, type: sub_diagram, diagram_name: part.light.yaml}
- {label: end, type: endpoint}
connections: [{from: start, to: part}, {from: part, to: end}]
"""
WITH_TOOL = """
version: light
nodes:
- {label: start, type: start}
- {label: ask, type: person_job, person: Ada, prompt: Hello, tools: [part.light.yaml]}
connections: [{from: start, to: ask}]
persons: {Ada: {service: demo}}
"""
WRITES = """
version: light
nodes:
- {label: start, type: start, custom_data: {text: %s}}
- {label: write, type: db, operation: write, file: %s, data: "{{text}}", format: text}
"""


def node(**props):
    """A diagram of a start and one node more."""
    nodes = [{"label": "start", "type": "start"}, {"label": "it", **props}]
    return json.dumps(
        {
            "version": "light",
            "nodes": nodes,
            "connections": [{"from": "start", "to": "it"}],
            "persons": {"Ada": {"service": "demo"}},
        }
    )


class Place:
    """A folder with diagrams, and engines that know what was trusted in it."""

    def __init__(self, folder):
        self.root = folder / "root"
        self.root.mkdir()
        self.settings = Settings(
            root=self.root, home=folder / "home", trust_file=folder / "config" / "trusted.json"
        )
        self.done: list[int] = []

    def write(self, name, text):
        (self.root / name).write_text(text)

    @asynccontextmanager
    async def engine(self, **settings):
        chosen = self.settings if not settings else replace(self.settings, **settings)
        names = {"done": self.done}
        engine = build_engine(chosen, Folders(chosen, namespace=lambda: names))
        try:
            yield engine
        finally:
            await engine.close()

    def run(self, text, *, foreign=True, granted=(), remember=False, **settings):
        """What the last event of a run is."""
        return asyncio.run(self._run(text, foreign, granted, remember, settings))

    async def _run(self, text, foreign, granted, remember, settings):
        command = c.ExecuteDiagram(
            diagram=load(text), foreign=foreign, granted=tuple(granted), remember=remember
        )
        async with self.engine(**settings) as engine:
            ack = await engine.send(command)
            return [each.event async for each in engine.events(ack.execution_id)][-1]

    def refused(self, text, **options):
        """The powers for which a run was refused."""
        with pytest.raises(UntrustedError) as refusal:
            self.run(text, **options)
        assert refusal.value.code == "untrusted"
        return refusal.value.powers

    def trust(self, text, **options):
        """Run it, and trust it for good; what it asked for."""
        powers = self.refused(text, **options)
        digests = [each.digest for each in powers]
        assert isinstance(
            self.run(text, granted=digests, remember=True, **options), e.ExecutionCompleted
        )
        return powers


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_what_people_write_themselves_runs_without_a_question(place):
    assert isinstance(place.run(SCAN, foreign=False), e.ExecutionCompleted)
    assert place.done == [1]


def test_what_comes_from_elsewhere_is_refused_and_nothing_of_it_runs(place):
    (power,) = place.refused(SCAN)

    assert (power.code, power.node, power.file) == ("runs_in_kernel", "scan", None)
    assert str(power) == ("Node 'scan' runs in the notebook's own process, with all its rights.")
    assert place.done == []


def test_no_run_is_begun_that_is_refused(place):
    place.refused(SCAN)

    async def runs():
        async with place.engine() as engine:
            return (await engine.send(c.ListExecutions())).result

    assert asyncio.run(runs()) == []


def test_what_is_granted_once_is_asked_for_again(place):
    powers = place.refused(SCAN)
    ended = place.run(SCAN, granted=[each.digest for each in powers])

    assert isinstance(ended, e.ExecutionCompleted)
    assert place.done == [1]
    assert place.refused(SCAN) == powers


def test_what_is_trusted_for_good_is_not_asked_for_again(place):
    place.trust(SCAN)

    assert isinstance(place.run(SCAN), e.ExecutionCompleted)
    assert place.done == [1, 1]


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("prompt: Hello", "prompt: Good morning"),
        ("label: scan", "label: look"),
        ("service: demo", "service: demo, system_prompt: Be kind"),
    ],
)
def test_a_change_of_something_else_asks_nothing(place, now, then):
    place.trust(SCAN)
    changed = (
        SCAN.replace(now, then).replace("to: scan", "to: look").replace("from: scan", "from: look")
    )
    changed = changed if "look" in then else SCAN.replace(now, then)

    assert isinstance(place.run(changed), e.ExecutionCompleted)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("code: done.append(1)", "code: done.append(2)"),
        ("code: done.append(1)", "code: done.append(1)\n  function_name: scan"),
        ("kernel: true", "network: true"),
    ],
)
def test_a_change_of_what_is_done_asks_again(place, now, then):
    place.trust(SCAN)

    assert len(place.refused(SCAN.replace(now, then))) == 1


@pytest.mark.parametrize(
    "props",
    [
        {"type": "job", "code": "return 1"},
        {"type": "person_job", "person": "Ada", "prompt": "Hello"},
        {"type": "db", "operation": "write", "file": "out/{{day}}.json", "data": "x"},
        {"type": "db", "operation": "read", "file": "x.py"},
        {"type": "db", "query": "SELECT 1"},
        {"type": "endpoint", "save_to_file": True, "file_path": "report.md"},
        {"type": "endpoint", "save_to_file": True},
        {"type": "endpoint", "save_to_file": False, "file_path": "report.py"},
        {"type": "db", "operation": "insert", "collection": "c", "data": {}},
    ],
    ids=str,
)
def test_these_ask_for_nothing(place, props):
    async def asked():
        async with place.engine() as engine:
            return (await engine.send(c.TrustDiagram(diagram=load(node(**props))))).result

    assert asyncio.run(asked()) == []


@pytest.mark.parametrize(
    ("code", "props"),
    [
        ("uses_network", {"type": "job", "code": "return 1", "network": True}),
        ("uses_network", {"type": "job", "file_path": "nowhere.py", "network": True}),
        ("uses_network", {"type": "api_job", "url": "https://example.org/x"}),
        ("uses_network", {"type": "hook", "hook_type": "webhook", "url": "https://example.org/x"}),
        ("runs_shell", {"type": "hook", "command": "echo done"}),
        ("writes_files", {"type": "hook", "hook_type": "file", "file_path": "a.sh"}),
        ("writes_files", {"type": "template_job", "template": "x", "output_path": "a.js"}),
        ("writes_files", {"type": "diff_patch", "target_path": "a.py", "diff": "x"}),
        (
            "changes_notion",
            {"type": "notion", "operation": "create_page", "parent": {}, "properties": {}},
        ),
        (
            "uses_database",
            {
                "type": "db",
                "operation": "insert",
                "collection": "c",
                "data": {},
                "database": "sales",
            },
        ),
        ("uses_database", {"type": "db", "query": "SELECT 1", "database": "sales"}),
        ("writes_files", {"type": "db", "operation": "write", "file": "a.py", "data": "x"}),
        ("writes_files", {"type": "db", "operation": "append", "file": "Makefile", "data": "x"}),
        ("writes_files", {"type": "db", "operation": "write", "file": "a.{{b}}", "data": "x"}),
        ("writes_files", {"type": "db", "operation": "write", "file": "{{a}}", "data": "x"}),
        ("writes_files", {"type": "endpoint", "save_to_file": True, "file_path": "a.ipynb"}),
        (
            "uses_mcp_server",
            {"type": "person_job", "person": "Ada", "prompt": "Hello", "tools": ["mcp:files"]},
        ),
    ],
    ids=str,
)
def test_these_ask_first(place, code, props):
    assert [each.code for each in place.refused(node(**props))] == [code]


def test_all_code_asks_where_there_is_no_sandbox(place):
    text = node(type="job", code="return 1")

    assert [each.code for each in place.refused(text, sandbox="off")] == ["runs_code"]


def test_nothing_asks_where_every_diagram_is_trusted(place):
    assert isinstance(place.run(SCAN, trust="all"), e.ExecutionCompleted)


def test_a_script_that_has_changed_asks_again(place):
    place.write("scan.txt", "done.append(1)")
    place.trust(SCRIPT)
    assert isinstance(place.run(SCRIPT), e.ExecutionCompleted)

    place.write("scan.txt", "done.append(2)")

    assert len(place.refused(SCRIPT)) == 1
    assert place.done == [1, 1]


def test_an_mcp_server_whose_command_has_changed_asks_again(place):
    tools = node(type="person_job", person="Ada", prompt="Hello", tools=["mcp:files"])
    known = set()
    for command in ("one", "two"):
        place.write(".mcp.json", json.dumps({"mcpServers": {"files": {"command": command}}}))
        known |= {each.digest for each in place.refused(tools)}

    assert len(known) == 2


@pytest.mark.parametrize("whole", [WITH_PART, WITH_TOOL], ids=["sub_diagram", "tool"])
@pytest.mark.parametrize("foreign", [True, False])
def test_diagrams_in_files_are_a_part_of_it(place, whole, foreign):
    place.write("part.light.yaml", SCAN)
    (power,) = place.refused(whole, foreign=foreign)

    assert (power.code, power.file, power.line) == ("runs_in_kernel", "part.light.yaml", 8)
    assert str(power).startswith("part.light.yaml, line 8: Node '")
    assert power.node.endswith("/scan")
    assert isinstance(
        place.run(whole, foreign=foreign, granted=[power.digest]), e.ExecutionCompleted
    )


def test_a_diagram_within_the_diagram_is_whose_the_whole_is(place):
    part = {
        "version": "light",
        "nodes": [{"label": "scan", "type": "job", "kernel": True, "code": "done.append(1)"}],
    }
    whole = node(type="sub_diagram", diagram_data=part)

    assert isinstance(place.run(whole, foreign=False), e.ExecutionCompleted)
    assert [each.node for each in place.refused(whole)] == ["it/scan"]


def test_a_diagram_that_is_in_itself_comes_to_an_end(place):
    place.write("part.light.yaml", WITH_PART.replace("start}", "start, custom_data: {a: 1}}"))

    async def asked():
        async with place.engine() as engine:
            return (await engine.send(c.TrustDiagram(diagram=load(WITH_PART)))).result

    assert asyncio.run(asked()) == []


def test_a_diagram_that_the_run_itself_has_written_is_not_trusted(place):
    """As a model may write one that was told to by a page."""
    whole = WRITES % (json.dumps(SCAN), "part.light.yaml")
    whole += "- {label: part, type: sub_diagram, diagram_name: part.light.yaml}\n"
    whole += "connections: [{from: start, to: write}, {from: write, to: part}]\n"

    ended = place.run(whole, foreign=False)

    assert isinstance(ended, e.ExecutionFailed)
    assert ended.error.node == "part"
    assert "Node 'scan' runs in the notebook's own process" in ended.error.message
    assert place.done == []


def test_a_script_that_the_run_itself_has_changed_is_not_trusted(place):
    place.write("scan.txt", "done.append(1)")
    whole = WRITES % ("done.append(2)", "scan.txt")
    whole += "- {label: scan, type: job, kernel: true, language: python, file_path: scan.txt}\n"
    whole += "connections: [{from: start, to: write}, {from: write, to: scan}]\n"
    powers = place.refused(whole)

    ended = place.run(whole, granted=[each.digest for each in powers])

    assert isinstance(ended, e.ExecutionFailed)
    assert "'scan.txt' is not what was trusted" in ended.error.message
    assert place.done == []


# -- runs that go on ------------------------------------------------------------------------------

WAITS = SCAN.replace(
    "type: person_job, person: Ada, prompt: Hello", "type: user_response, prompt: Go?"
)


async def waiting(place, engine, **options):
    """A run from elsewhere that was granted what it asks for, and waits for an answer."""
    with pytest.raises(UntrustedError) as refusal:
        await engine.send(c.ExecuteDiagram(diagram=load(WAITS), foreign=True))
    granted = tuple(each.digest for each in refusal.value.powers)
    command = c.ExecuteDiagram(diagram=load(WAITS), foreign=True, granted=granted, **options)
    return (await engine.send(command)).execution_id


async def answered(engine, run):
    """The last event of a run, whose question is answered."""
    async for entry in engine.events(run):
        if isinstance(entry.event, e.InputRequired):
            with contextlib.suppress(CommandError):  # it is told again of a run that goes on
                await engine.send(c.UserResponse(execution_id=run, node="greet", value="yes"))
    return entry.event


def test_a_run_that_was_trusted_is_gone_on_with_unasked_by_another_process(place):
    async def main():
        async with place.engine() as engine:
            run = await waiting(place, engine)
        async with place.engine() as engine:
            await engine.send(c.ResumeExecution(execution_id=run))
            return await answered(engine, run)

    assert isinstance(asyncio.run(main()), e.ExecutionCompleted)
    assert place.done == [1]


def test_a_fork_of_a_run_that_was_trusted_is_not_asked_for_again(place):
    async def main():
        async with place.engine() as engine:
            run = await waiting(place, engine)
            fork = await engine.send(c.ForkExecution(execution_id=run))
            return await answered(engine, fork.execution_id)

    assert isinstance(asyncio.run(main()), e.ExecutionCompleted)


@pytest.mark.parametrize("command", [c.EditExecution, c.ForkExecution])
def test_an_edit_from_elsewhere_asks_for_what_it_adds(place, command):
    more = survey(WAITS.replace("append(1)", "append(2)")).diagram
    same = survey(WAITS.replace("Go?", "Ready?")).diagram

    async def main():
        async with place.engine() as engine:
            run = await waiting(place, engine)
            await engine.send(command(execution_id=run, diagram=same, foreign=True))
            with pytest.raises(UntrustedError):
                await engine.send(command(execution_id=run, diagram=more, foreign=True))

    asyncio.run(main())


def test_what_people_change_themselves_in_a_run_from_elsewhere_is_theirs(place):
    more = survey(WAITS.replace("append(1)", "append(2)")).diagram

    async def main():
        async with place.engine() as engine:
            run = await waiting(place, engine)
            await engine.send(c.EditExecution(execution_id=run, diagram=more))
            await engine.send(c.ResumeExecution(execution_id=run))
            return await answered(engine, run)

    assert isinstance(asyncio.run(main()), e.ExecutionCompleted)
    assert place.done == [2]


# -- a journal that came along with a folder ------------------------------------------------------


def come_along(place):
    """The same folder and journal, as another user has them who has got them somewhere."""
    place.settings = replace(
        place.settings, trust_file=place.root.parent / "other" / "trusted.json"
    )


GOING_ON = [
    lambda run: c.ResumeExecution(execution_id=run),
    lambda run: c.StepExecution(execution_id=run),
    lambda run: c.UserResponse(execution_id=run, node="greet", value="yes"),
    lambda run: c.EditExecution(execution_id=run, inputs={"x": 1}),
    lambda run: c.ForkExecution(execution_id=run),
]


@pytest.mark.parametrize("command", GOING_ON, ids=lambda make: make("x").type)
@pytest.mark.parametrize("foreign", [True, False])
def test_nobody_goes_on_with_a_run_of_somebody_else_that_asks_for_something(
    place, command, foreign
):
    async def main():
        async with place.engine() as engine:
            if foreign:
                run = await waiting(place, engine)
            else:
                ack = await engine.send(c.ExecuteDiagram(diagram=load(WAITS)))
                run = ack.execution_id
        come_along(place)
        async with place.engine() as engine:
            with pytest.raises(UntrustedError, match="scan"):
                await engine.send(command(run))
            await engine.send(c.GetExecution(execution_id=run))

    asyncio.run(main())
    assert place.done == []


def test_a_run_of_somebody_else_that_asks_for_nothing_is_gone_on_with(place):
    text = node(type="user_response", prompt="Go?").replace('"it"', '"greet"')

    async def main():
        async with place.engine() as engine:
            run = (await engine.send(c.ExecuteDiagram(diagram=load(text)))).execution_id
        come_along(place)
        async with place.engine() as engine:
            await engine.send(c.ResumeExecution(execution_id=run))
            return await answered(engine, run)

    assert isinstance(asyncio.run(main()), e.ExecutionCompleted)


def test_a_run_that_is_trusted_by_its_id_is_ones_own(place):
    async def main():
        async with place.engine() as engine:
            run = await waiting(place, engine)
        come_along(place)
        Trusted(place.settings.trust_file).remember_run(run)
        async with place.engine() as engine:
            await engine.send(c.ResumeExecution(execution_id=run))
            return await answered(engine, run)

    assert isinstance(asyncio.run(main()), e.ExecutionCompleted)
