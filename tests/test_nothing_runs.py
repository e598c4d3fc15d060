"""Whatever is done with a diagram but running it, nothing of it is executed.

The diagram would leave a mark, or call, by each of its nodes and in each of its fields; sandboxes
are off, so that it could.
"""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter.cli import main
from dipeo_jupyter.diagram.edit import Document, SetProperty
from dipeo_jupyter.diagram.mermaid import mermaid
from dipeo_jupyter.diagram.picture import draw
from dipeo_jupyter.errors import UntrustedError
from tests.server.serving import serving

EVIL = """
version: light
nodes:
- {label: start, type: start, custom_data: {x: "{{__import__('os').system('touch MARKS/x')}}"}}
- {label: python, type: job, code: "open('MARKS/python', 'w')"}
- {label: bash, type: job, language: bash, network: true, code: "touch MARKS/bash; curl -m1 CALL;:"}
- {label: script, type: job, file_path: script.py}
- {label: shell, type: hook, command: "touch MARKS/shell"}
- {label: webhook, type: hook, hook_type: webhook, url: "CALL/hook"}
- {label: request, type: api_job, url: "CALL/request", save_to: request.py}
- {label: write, type: db, operation: write, file: written.py, data: x}
- {label: rows, type: db, operation: insert, collection: rows, data: {a: 1}}
- {label: fill, type: template_job, template: "{{x}}", output_path: filled.py}
- {label: patch, type: diff_patch, target_path: script.py, diff: "--- a\\n+++ b\\n"}
- {label: decide, type: condition, expression: "__import__('os').system('touch MARKS/decide')"}
- {label: ask, type: person_job, person: Ada, prompt: "{{x}}", tools: ["mcp:evil", part.light.yaml]}
- {label: part, type: sub_diagram, diagram_name: part.light.yaml}
- {label: save, type: endpoint, save_to_file: true, file_path: saved.py}
connections:
ARROWS
persons:
  Ada: {service: openai, model: gpt-4.1-nano, api_key_id: OPENAI_API_KEY}
"""
STEPS = [
    *("python", "bash", "script", "shell", "webhook", "request", "write", "rows"),
    *("fill", "patch", "ask", "part", "save"),
]
PART = """
version: light
nodes:
- {label: start, type: start}
- {label: kernel, type: job, kernel: true, code: "open('MARKS/part', 'w')"}
connections: [{from: start, to: kernel}]
"""


class Trap:
    """A folder with the diagram, and whatever it would leave behind or call."""

    def __init__(self, folder, calls):
        self.calls = calls
        self.marks, self.root = folder / "marks", folder / "root"
        self.marks.mkdir()
        self.root.mkdir()
        steps = zip(["start", *STEPS], STEPS, strict=False)
        arrows = "".join(f"- {{from: {one}, to: {other}}}\n" for one, other in steps)
        without_fault = "\n".join(each for each in EVIL.splitlines() if "label: decide" not in each)
        self.file = self.write("evil.light.yaml", without_fault.replace("ARROWS\n", arrows))
        self.wrong = self.write("wrong.light.yaml", EVIL.replace("ARROWS\n", arrows))
        self.write("part.light.yaml", PART)
        self.write("script.py", "open('MARKS/script', 'w')")
        server = {"command": "touch", "args": ["MARKS/mcp"]}
        self.write(".mcp.json", json.dumps({"mcpServers": {"evil": server}}))
        self.before = self.files()

    def write(self, name, text):
        port = self.calls.getsockname()[1]
        filled = text.replace("MARKS", str(self.marks)).replace("CALL", f"http://127.0.0.1:{port}")
        (self.root / name).write_text(filled)
        return self.root / name

    def files(self):
        found = (each for each in self.root.rglob("*") if each.is_file())
        return {each: each.read_bytes() for each in found if ".dipeo" not in each.parts}

    def sprung(self):
        """What has been executed."""
        try:
            self.calls.accept()[0].close()
        except BlockingIOError:
            called = []
        else:
            called = ["a call"]
        left = [each.name for each in self.marks.iterdir()]
        return called + left + sorted(set(self.files()) ^ set(self.before))


@pytest.fixture
def trap(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as calls:
        calls.setblocking(False)
        port = calls.getsockname()[1]
        monkeypatch.setenv("DIPEO_SANDBOX", "off")
        monkeypatch.setenv("DIPEO_SANDBOX_PRIVATE_NETWORK", "on")
        monkeypatch.setenv("DIPEO_CONNECT", "embedded")
        monkeypatch.setenv("DIPEO_OPENAI_API_BASE", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
        made = Trap(tmp_path, calls)
        monkeypatch.setenv("DIPEO_ROOT", str(made.root))
        monkeypatch.chdir(made.root)
        yield made


def refused(file):
    with pytest.raises(UntrustedError):
        dipeo.start(file)


def refused_planned(file):
    with pytest.raises(UntrustedError):
        asyncio.run(dipeo.plan(file).run())


def edited(file):
    change = SetProperty(node="ask", path=("prompt",), value="{{y}}")
    return Document(file.read_text()).apply(change)


IN_PYTHON = {
    "load": dipeo.load,
    "check": dipeo.check,
    "convert": lambda file: dipeo.convert(file, "native"),
    "diff": lambda file: dipeo.diff(file, file.with_name("part.light.yaml")),
    "draw": lambda file: draw(dipeo.load(file)),
    "mermaid": lambda file: mermaid(dipeo.load(file)),
    "show": lambda file: dipeo.load(file)._repr_mimebundle_(),
    "edit": edited,
    "plan": dipeo.plan,
    "run, not trusted": refused,
    "a plan's run, not trusted": refused_planned,
}
IN_A_TERMINAL = [
    *("check {}", "convert {} --to readable", "diff {} part.light.yaml", "draw {}", "plan {}"),
    *("trust {}", "run {}", "run {} --no-interactive --json"),
]
OVER_THE_WEBSOCKET = [
    *("check_diagram", "draw_diagram", "convert_diagram", "plan_execution", "trust_diagram"),
    "execute_diagram",
]


@pytest.mark.parametrize("way", IN_PYTHON)
def test_nothing_runs_in_python(trap, way):
    IN_PYTHON[way](trap.file)

    assert trap.sprung() == []


@pytest.mark.parametrize("command", IN_A_TERMINAL)
def test_nothing_runs_in_a_terminal(trap, capsys, command):
    code = main(command.format("evil.light.yaml").split())

    assert code == (2 if command.startswith("run") else code)
    assert trap.sprung() == []


@pytest.mark.parametrize("command", ["check", "draw", "run"])
def test_nothing_runs_of_one_with_mistakes(trap, capsys, command):
    main([command, "wrong.light.yaml"])

    assert trap.sprung() == []


@pytest.mark.parametrize("type_", OVER_THE_WEBSOCKET)
def test_nothing_runs_over_the_websocket(trap, type_):
    more = {"convert_diagram": {"to": "native"}, "execute_diagram": {"foreign": True}}

    async def main():
        async with serving(trap.root) as served, served.client() as client:
            text = trap.file.read_text()
            return await client.ask(type_, diagram=text, **more.get(type_, {}))

    answer = asyncio.run(main())

    assert answer["payload"].get("code") == ("untrusted" if type_ == "execute_diagram" else None)
    assert trap.sprung() == []


def test_the_trap_is_one(trap):
    """Trusted, the same diagram does leave marks."""
    dipeo.start(trap.file, trust=True, breakpoints=["after script"]).wait()

    assert set(trap.sprung()) == {"a call", "python", "bash", "script"}
