"""`%dipeo`: what is done with diagrams in one line of a notebook."""

from __future__ import annotations

import json
import re

import pytest
from IPython.core.error import UsageError

import dipeo_jupyter
from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.notebook.commands import obey

BOTH_MODES = True

ECHO = """
nodes:
- {label: start, type: start}
- {label: text, type: job, code: return default}
- {label: end, type: endpoint}
connections: [{from: start, to: text}, {from: text, to: end}]
"""
OTHER = ECHO.replace("return default", "return 1")
WRONG = ECHO.replace("type: job", "type: jobb")


@pytest.fixture
def dipeo(kernel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "echo.light.yaml").write_text(ECHO)
    variables = {"echo": load(ECHO), "other": OTHER, "wrong": WRONG, "number": 1}
    return lambda line: obey(line, variables)


def test_problems_are_a_table_in_the_notebook(dipeo):
    problems = dipeo("check wrong")

    assert [each.code for each in problems.errors] == ["unknown_type"]
    assert "<table>" in problems._repr_html_()
    assert "Did you mean &#x27;job&#x27;?" in problems._repr_html_()
    assert repr(problems).startswith("error: line 4: ")


@pytest.mark.parametrize("what", ["echo", "other", "echo.light.yaml"])
def test_variables_and_files_are_diagrams(dipeo, what):
    assert repr(dipeo(f"check {what}")) == "no problems"


@pytest.mark.parametrize("what", ["eco", "number", "missing.yaml"])
def test_what_is_no_diagram_is_said(dipeo, what):
    with pytest.raises(CommandError, match="neither a diagram in a variable"):
        dipeo(f"check {what}")


def test_a_diff_is_what_the_second_does_differently(dipeo):
    assert "text.code" in str(dipeo("diff echo other"))
    assert not dipeo("diff echo echo.light.yaml")


def test_a_conversion_is_printed_or_written(dipeo, tmp_path, capsys):
    dipeo("convert echo --to native")
    assert {"nodes", "arrows"} <= json.loads(capsys.readouterr().out).keys()

    dipeo("convert echo copy.readable.yaml")
    assert load(tmp_path / "copy.readable.yaml").nodes == load(ECHO).nodes


def test_a_file_is_not_overwritten_unless_asked_for(dipeo, tmp_path):
    with pytest.raises(CommandError, match="--force"):
        dipeo("convert other echo.light.yaml")
    assert (tmp_path / "echo.light.yaml").read_text() == ECHO


def test_a_diagram_is_drawn_as_picture_or_mermaid(dipeo, tmp_path, capsys):
    bundle = dipeo("draw other")._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg ")
    assert bundle["text/plain"] == "<Diagram: 3 nodes, 2 edges, 0 persons>"

    dipeo("draw echo --as mermaid")
    assert capsys.readouterr().out.startswith("flowchart ")
    dipeo("draw echo echo.svg")
    assert (tmp_path / "echo.svg").read_text().startswith("<svg ")


def test_a_wrong_diagram_cannot_be_converted(dipeo):
    with pytest.raises(DiagramError, match="edn"):
        dipeo_jupyter.convert(ECHO.replace("to: end", "to: edn"))


def test_codes_are_explained_and_the_schema_is_printed(dipeo, capsys):
    dipeo("explain unknown_type")
    assert "unknown_type" in capsys.readouterr().out
    dipeo("schema")
    assert "properties" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("line", ["chek echo", "check", "check echo --fast", "check 'echo"])
def test_wrong_use_is_said_in_one_sentence(dipeo, line):
    with pytest.raises(UsageError, match="%dipeo"):
        dipeo(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("run tea.light.yaml", "no command 'run'. A cell that begins with %%dipeo"),
        ("trust tea.light.yaml", "You are asked when a file is run"),
        ("chek tea.light.yaml", "no command 'chek'. Did you mean 'check'?"),
    ],
)
def test_a_command_that_is_none_says_what_to_do_instead(dipeo, line, words):
    with pytest.raises(UsageError) as caught:
        dipeo(line)
    assert words in str(caught.value)


def test_help_lists_all_commands(dipeo, capsys):
    dipeo("help")

    said = capsys.readouterr().out
    for command in ("check", "convert", "diff", "draw", "explain", "schema"):
        assert re.search(rf"^    {command}\b", said, re.MULTILINE)


def test_the_picture_of_a_run_shows_how_its_nodes_ended(kernel, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = dipeo_jupyter.run_sync(ECHO, {"n": 1})

    obey("draw run run.svg", {"run": run})
    obey("draw run --as mermaid", {"run": run})

    assert (tmp_path / "run.svg").read_text() == run.picture()
    assert "completed" in run.picture()
    assert capsys.readouterr().out == run.mermaid()
    assert "✓" in run.mermaid()


KEEP = """
nodes:
- {label: start, type: start}
- {label: keep, type: db, operation: upsert, collection: cities, keys: name, data: {name: A, n: 3}}
connections: [{from: start, to: keep}]
"""


def test_show_lists_collections_with_their_columns(dipeo):
    assert repr(dipeo("show collections")) == "no collections"
    dipeo_jupyter.run_sync(KEEP)

    shown = dipeo("show collections")

    assert repr(shown).splitlines() == [
        "collection  column  holds   key",
        "cities      name    text    ✓",
        "            n       bigint",
    ]
    assert "<table>" in shown._repr_mimebundle_()["text/html"]


def test_show_says_what_is_wrong_with_a_database(dipeo):
    with pytest.raises(CommandError, match="There is no database 'sales'"):
        dipeo("show collections sales")
    with pytest.raises(CommandError, match="takes one run"):
        dipeo("show exec_1 sales")
