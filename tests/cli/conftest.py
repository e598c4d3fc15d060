"""A folder with diagrams, and the program called in it."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from dipeo_jupyter.cli import main

ECHO = """
nodes:
- {label: start, type: start}
- {label: text, type: job, code: return default}
- {label: end, type: endpoint}
connections: [{from: start, to: text}, {from: text, to: end}]
"""
ASK = """
nodes:
- {label: start, type: start}
- {label: name, type: user_response, prompt: "Who?"}
- {label: age, type: user_response, prompt: "How old?", schema: {type: integer}}
- {label: end, type: endpoint}
connections: [{from: start, to: name}, {from: name, to: age}, {from: age, to: end}]
"""
FAIL = """
nodes:
- {label: start, type: start}
- label: boom
  type: job
  code: |
    x = 1
    raise ValueError("no tea")
connections: [{from: start, to: boom}]
"""
WRONG = """
nodes:
- {label: start, type: start}
- {label: end, type: endpiont}
connections: [{from: start, to: edn}]
"""


class Called(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_walls(monkeypatch):
    """Jobs here tell the tests how far they are, by files outside of any sandbox."""
    monkeypatch.setenv("DIPEO_SANDBOX", "off")
    monkeypatch.setenv("DIPEO_TRUST", "all")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    diagrams = {"echo": ECHO, "ask": ASK, "fail": FAIL, "wrong": WRONG}
    for name, text in diagrams.items():
        (tmp_path / f"{name}.light.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def dipeo(folder, capsys, monkeypatch):
    """Call the program in this process, with this text to be read from standard input."""

    def call(command, *more, stdin=""):
        (folder / "stdin").write_text(stdin)
        with (folder / "stdin").open() as typed:
            monkeypatch.setattr(sys, "stdin", typed)
            code = main([*command.split(), *more])
        return Called(code, *capsys.readouterr())

    return call
