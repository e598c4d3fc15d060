"""`%dipeo keys` in a kernel: a key is asked for, hidden, and is in nothing that is saved."""

from __future__ import annotations

import json
import os
from contextlib import closing

import nbclient
import nbformat
import pytest
from IPython.core.error import UsageError
from jupyter_client.manager import start_new_kernel

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.notebook.commands import obey
from dipeo_jupyter.notebook.line_completion import complete_command
from tests.openai_server import OpenAIServer

KEY = "sk-canary-0123456789abcdef"
LONG = 60
CHAT = """
persons: {Bot: {model: openai/loopback}}
nodes:
- {label: chat, type: person_job, person: Bot, prompt: Hello}
"""


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def server():
    with closing(OpenAIServer()) as server:
        yield server


@pytest.fixture
def dipeo(kernel, server, monkeypatch):
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", server.url)
    return lambda line: obey(line, {})


def offers(typed):
    return [each.text for each in complete_command(typed, {}).items]


class Kernel:
    """A kernel with `%dipeo`, and everything that it has sent."""

    def __init__(self, folder):
        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder))
        self.sent = []

    def __call__(self, code, answer=None):
        """Run a cell, and give this answer to its question; what it has shown."""
        cell = self.client.execute(code, allow_stdin=True)
        shown = []
        if answer is not None:
            asked = self.client.get_stdin_msg(timeout=LONG)
            assert asked["content"]["password"]
            shown.append(asked["content"]["prompt"])
            self.client.input(answer)
        idle = {"execution_state": "idle"}
        while (message := self.client.get_iopub_msg(timeout=LONG))["content"] != idle or (
            message["parent_header"]["msg_id"] != cell
        ):
            shown.append(json.dumps(message["content"]))
        shown.append(json.dumps(self.client.get_shell_msg(timeout=LONG)["content"]))
        self.sent += shown
        return "\n".join(shown)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def cell(server, tmp_path, monkeypatch):
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", server.url)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    with closing(Kernel(tmp_path)) as kernel:
        yield kernel


def test_a_key_is_asked_for_used_and_exchanged_without_a_restart(cell, server, tmp_path):
    cell("%load_ext dipeo_jupyter")
    assert "Key for OPENAI_API_KEY (it is not shown): " in cell(
        "%dipeo keys set openai --dotenv", KEY
    )
    assert "works" in cell("%dipeo keys test openai")
    cell(f"%%dipeo chat{CHAT}")
    cell("%dipeo keys set openai --dotenv", f"{KEY}-new")
    cell(f"%%dipeo chat --fresh{CHAT}")

    sent = [request.key for request in server.requests if request.body]
    assert sent == [KEY, f"{KEY}-new"]
    assert "OPENAI_API_KEY" in cell("%dipeo keys list")
    history = cell("%history -n\nimport os\nprint(In, Out, dict(os.environ))")
    assert "keys set openai" in history
    assert KEY not in "".join(cell.sent)
    kept = [path for path in (tmp_path / "ipython").rglob("*") if path.is_file()]
    assert any(path.name.startswith("history.sqlite") for path in kept)
    assert not [path for path in kept if KEY.encode() in path.read_bytes()]


def test_where_nobody_can_be_asked_that_is_said(tmp_path):
    notebook = nbformat.v4.new_notebook()
    for source in ("%load_ext dipeo_jupyter", "%dipeo keys set openai --dotenv"):
        notebook.cells.append(nbformat.v4.new_code_cell(source))
    nbclient.execute(notebook, timeout=LONG, allow_errors=True, cwd=str(tmp_path))
    (error,) = notebook.cells[1].outputs
    assert error["traceback"] == [f"CommandError: {error['evalue']}"]
    assert "Set OPENAI_API_KEY in the environment or in .env" in error["evalue"]


def test_keys_are_a_table(dipeo, monkeypatch):
    assert repr(dipeo("keys list")).startswith("no keys")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    table = dipeo("keys list")
    assert table.to_records()[0]["name"] == "OPENAI_API_KEY"
    assert repr(table).splitlines()[1].split() == ["openai", "OPENAI_API_KEY", "environment"]
    assert list(table.to_frame().columns) == ["provider", "name", "place", "note"]


def test_stores_that_cannot_be_read_are_told_beside_the_table(dipeo, tmp_path, capsys):
    (tmp_path / ".env").mkdir()
    dipeo("keys list")
    assert ".env cannot be read: it is no file of text" in capsys.readouterr().out


def test_trials_are_a_table(dipeo, monkeypatch, server):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (row,) = dipeo("keys test").to_records()
    assert (row["name"], row["verdict"]) == ("OPENAI_API_KEY", "works")
    server.scripted_models = True
    server.fail(401, echo_key=True)
    (row,) = dipeo("keys test openai").to_records()
    assert row["verdict"] == "refused"
    assert KEY not in str(row)


@pytest.mark.parametrize("line", [f"set openai {KEY}", f"set openai --key={KEY}", f"list {KEY}"])
def test_a_key_on_the_line_is_refused_and_not_repeated(dipeo, line):
    with pytest.raises(UsageError, match="if it was on the line, revoke it") as caught:
        dipeo(f"keys {line}")
    assert KEY not in str(caught.value)


def test_a_key_in_place_of_its_name_is_not_repeated(dipeo):
    with pytest.raises(CommandError, match="No provider is named by this") as caught:
        dipeo(f"keys set {KEY}")
    assert KEY not in str(caught.value)


def test_the_words_of_keys_are_completed(kernel, monkeypatch):
    monkeypatch.setenv("LAB_OPENAI_KEY", KEY)
    assert "keys" in offers("k")
    assert offers("keys ")[:3] == ["list", "test", "set"]
    assert {"openai", "anthropic", "LAB_OPENAI_KEY"} <= set(offers("keys test "))
    assert offers("keys set open") == ["openai", "openrouter"]
    assert "--dotenv" in offers("keys set openai --")
