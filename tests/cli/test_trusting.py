"""The terminal asks before a file does more than a sandbox gives, and never waits for nobody."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

WRITES = """
version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: end, type: endpoint, save_to_file: true, file_path: made.py, content_format: "x = 1"}
connections: [{from: start, to: end}]
"""
ASKS = "writes.light.yaml"


@pytest.fixture(autouse=True)
def asked(monkeypatch, folder):
    monkeypatch.delenv("DIPEO_TRUST")
    monkeypatch.delenv("DIPEO_SANDBOX")
    (folder / ASKS).write_text(WRITES)


def test_without_anybody_to_ask_it_is_refused_and_told_what_to_do(dipeo, folder):
    called = dipeo(f"run {ASKS}")

    assert called.code == 2
    assert "- line 5: Node 'end' writes the file 'made.py'." in called.err
    assert "--trust" in called.err
    assert "dipeo trust FILE" in called.err
    assert not (folder / "made.py").exists()


def test_it_runs_once_when_that_is_said(dipeo, folder):
    assert dipeo(f"run {ASKS} --trust").code == 0
    assert (folder / "made.py").read_text() == "x = 1"
    assert dipeo(f"run {ASKS}").code == 2


def test_it_runs_whenever_it_is_trusted_until_it_changes(dipeo, folder):
    trusted = dipeo(f"trust {ASKS}")
    assert trusted.code == 0
    assert "line 5: Node 'end' writes the file 'made.py'." in trusted.err
    assert dipeo(f"run {ASKS}").code == 0

    (folder / ASKS).write_text(WRITES.replace("made.py", "setup.py"))

    assert dipeo(f"run {ASKS}").code == 2


def test_what_is_trusted_is_listed_and_forgotten(dipeo):
    dipeo(f"trust {ASKS}")
    line = dipeo("trust --list").out
    known, says = line.split()[0], line.partition("  Node ")[2]
    assert says == "'end' writes the file 'made.py'.\n"

    assert dipeo(f"trust --forget {known}").err == "1 trusted no more\n"

    assert dipeo("trust --list").out == ""
    assert dipeo(f"run {ASKS}").code == 2


def test_a_diagram_that_asks_for_nothing_needs_no_trust(dipeo):
    called = dipeo("trust ask.light.yaml")

    assert (called.code, called.out) == (0, "")
    assert called.err == "ask.light.yaml: it asks for nothing, and needs no trust\n"


def test_what_comes_by_standard_input_comes_from_elsewhere(dipeo, folder):
    assert dipeo("run -", stdin=WRITES).code == 2
    assert not (folder / "made.py").exists()


@pytest.mark.parametrize("word", ["edit", "fork"])
def test_a_file_for_a_run_is_asked_for_too(dipeo, word):
    run = dipeo("run ask.light.yaml --no-interactive").err.split()[1]

    assert dipeo(f"{word} {run} {ASKS} --paused").code == 2
    assert dipeo(f"{word} {run} {ASKS} --paused --trust").code == 0


def test_checking_and_planning_it_ask_nothing_and_do_nothing(dipeo, folder):
    assert dipeo(f"check {ASKS}").code == 0
    assert dipeo(f"plan {ASKS}").code == 0
    assert not (folder / "made.py").exists()


@pytest.mark.parametrize(
    ("typed", "codes"), [("y", [0, 2]), ("o", [0, 2]), ("a", [0, 0]), ("n", [2, 2]), ("", [2, 2])]
)
def test_somebody_at_a_terminal_is_asked(folder, dipeo, typed, codes):
    code, said = at_a_terminal(folder, typed)

    assert "- line 5: Node 'end' writes the file 'made.py'." in said
    assert [code, dipeo(f"run {ASKS}").code] == codes


def at_a_terminal(folder, typed):
    """The program in a terminal, where this is typed when it asks; its exit code and its words."""
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "dipeo_jupyter.cli", "run", ASKS]
    with subprocess.Popen(command, cwd=folder, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        said = b""
        while b"don't run) " not in said:
            said += os.read(mine, 1000)
        os.write(mine, f"{typed}\n".encode())
        while piece := read_some(mine):
            said += piece
        code = process.wait()
    os.close(mine)
    return code, said.decode()


def read_some(terminal):
    try:
        return os.read(terminal, 1000)
    except OSError:  # the program has ended
        return b""


def test_the_words_of_a_refusal_are_the_same_for_programs(dipeo):
    assert dipeo(f"run {ASKS} --json").out == ""
    events = dipeo(f"run {ASKS} --json --trust").out.splitlines()

    assert json.loads(events[0])["payload"]["foreign"] is True
