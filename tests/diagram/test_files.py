"""Diagrams from wherever they are: a text, a file, or one that is there already."""

from __future__ import annotations

import pytest

from dipeo_jupyter.diagram.files import load, survey
from dipeo_jupyter.errors import DiagramError

TEXT = "nodes:\n- {label: start, type: start}\n"


def test_a_text_of_several_lines_is_a_diagram():
    assert [node.label for node in load(TEXT).nodes] == ["start"]


def test_a_diagram_is_given_back_as_it_is():
    diagram = load(TEXT)

    assert survey(diagram).diagram is diagram


@pytest.mark.parametrize("name", ["debate.light.yaml", "debate.dipeo.yaml", "debate.yaml"])
def test_a_file_gives_its_name_to_a_diagram_without_one(tmp_path, name):
    (tmp_path / name).write_text(TEXT)

    assert load(tmp_path / name).name == "debate"


def test_a_name_in_the_file_goes_before_the_file_s(tmp_path):
    (tmp_path / "a.light.yaml").write_text(f"name: debate\n{TEXT}")

    assert load(str(tmp_path / "a.light.yaml")).name == "debate"


def test_a_mark_of_utf8_at_the_beginning_is_no_text(tmp_path):
    (tmp_path / "a.light.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())

    assert load(tmp_path / "a.light.yaml").nodes


@pytest.mark.parametrize(
    ("source", "reason"),
    [("nowhere.yaml", "No such file"), ("", "it is a directory"), ("a\0b", "null byte")],
)
def test_what_cannot_be_read_is_a_diagram_error(tmp_path, monkeypatch, source, reason):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DiagramError, match=reason) as caught:
        load(source)
    assert caught.value.problems[0].code == "unreadable"


def test_bytes_that_are_no_text_are_a_diagram_error(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")

    with pytest.raises(DiagramError, match="no UTF-8 text"):
        load(tmp_path / "latin.yaml")


def test_a_mistake_has_the_line_of_the_file(tmp_path):
    (tmp_path / "a.light.yaml").write_text(f"\n\n{TEXT}connections: [{{from: strat, to: start}}]")

    with pytest.raises(DiagramError, match=r"line 5: .*'start'"):
        load(tmp_path / "a.light.yaml")
