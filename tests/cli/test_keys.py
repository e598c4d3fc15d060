"""`dipeo keys list|test|set`: seen, tried and put, and never shown."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys

import keyring
import pytest

from dipeo_jupyter.cli import main
from tests.keyring_backend import MemoryKeyring

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def backend():
    before, backend = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch, tmp_path):
    """No keys but those of the test, in a folder of its own."""
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DIPEO_ROOT", str(tmp_path))


def test_without_keys_the_way_to_one_is_said(dipeo):
    assert dipeo("keys list") == (
        0,
        "no keys; `keys set openai`, for instance, asks for one and keeps it\n",
        "",
    )


def test_keys_are_listed_by_name_and_place(dipeo, monkeypatch, folder):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (folder / ".env").write_text(f"GROQ_API_KEY={KEY}\n")
    (folder / ".env").chmod(0o600)
    code, out, _ = dipeo("keys list")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["provider", "name", "place", "note"],
        ["groq", "GROQ_API_KEY", ".env"],
        ["openai", "OPENAI_API_KEY", "environment"],
    ]


def test_keys_are_listed_for_programs_too(dipeo, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (row,) = json.loads(dipeo("keys list --json").out)
    assert row == {
        "provider": "openai",
        "name": "OPENAI_API_KEY",
        "place": "environment",
        "note": "",
    }


def test_a_store_that_does_not_answer_is_said(dipeo, backend):
    backend.locked = True
    assert "does not answer: KeyringLocked" in dipeo("keys list").err


def test_a_trial_says_what_came_and_exits_by_it(dipeo, monkeypatch, openai_server):
    monkeypatch.setenv("DIPEO_OPENAI_API_BASE", openai_server.url)
    assert dipeo("keys test openai").code == 1
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert dipeo("keys test") == (0, "openai  OPENAI_API_KEY  works: The provider takes it.\n", "")
    openai_server.scripted_models = True
    openai_server.fail(401, echo_key=True)
    code, out, err = dipeo("keys test openai")
    assert code == 1
    assert "openai  refused: 127.0.0.1 refused (401)" in out
    assert KEY not in out + err


def test_a_trial_without_keys_fails_with_the_way_to_one(dipeo):
    code, out, err = dipeo("keys test")
    assert (code, out) == (1, "")
    assert "keys set openai" in err


def test_a_key_comes_through_a_pipe_into_the_keyring(dipeo, backend):
    code, out, err = dipeo("keys set openai", stdin=f"{KEY}\n")
    assert (code, out, err) == (0, "OPENAI_API_KEY is kept: keyring.\n", "")
    assert backend.kept["dipeo_jupyter", "OPENAI_API_KEY"] == KEY


def test_a_key_goes_into_the_file_when_asked(dipeo, folder):
    (folder / ".env").write_text("A=1")
    assert dipeo("keys set lab_openai_key --dotenv", stdin=KEY).code == 0
    assert (folder / ".env").read_text() == f"A=1\nLAB_OPENAI_KEY='{KEY}'\n"


@pytest.mark.parametrize(
    "line",
    [
        f"keys set openai {KEY}",
        f"keys set openai --key {KEY}",
        f"keys set openai --dotenv={KEY}",
        f"keys set --key={KEY} openai",
        f"keys list {KEY}",
    ],
)
def test_a_key_on_the_line_is_refused_and_not_repeated(line, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(SystemExit) as caught:
        main(line.split())
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert "if it was on the line, revoke it" in said
    assert KEY not in said


def test_a_key_in_place_of_its_name_is_not_repeated(dipeo):
    code, _, err = dipeo(f"keys set {KEY}")
    assert code == 2
    assert "No provider is named by this" in err
    assert KEY not in err


def test_nothing_typed_is_no_key(dipeo, backend):
    code, _, err = dipeo("keys set openai")
    assert code == 2
    assert "That is no key" in err
    assert backend.kept == {}


def test_a_wrong_setting_is_said(dipeo, monkeypatch):
    monkeypatch.setenv("DIPEO_KEEP_LAST", "many")
    assert "DIPEO_KEEP_LAST is 'many'" in dipeo("keys list").err


def test_what_is_typed_in_a_terminal_is_not_echoed(tmp_path):
    command = [sys.executable, "-m", "dipeo_jupyter.cli", "keys", "set", "openai", "--dotenv"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=tmp_path
    ) as process:
        os.close(theirs)
        shown = read_until(ours, b"(it is not shown): ")
        os.write(ours, f"{KEY}\n".encode())
        shown += read_until(ours, b"is kept: ")
        assert process.wait() == 0
    os.close(ours)
    assert b"Key for OPENAI_API_KEY" in shown
    assert KEY.encode() not in shown
    assert KEY in (tmp_path / ".env").read_text()


def read_until(terminal, words):
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 1000)
    return shown
