"""Where the parts of a diagram stand in readable text, however they are spelled there."""

import pytest

from dipeo_jupyter.diagram.readable import survey

TEXT = """\
version: readable
persons:
  - Ann:
      service: demo
nodes:
  - start @(1,2):
      type: start
  -
  - argue [person_job]:
      label: odd
      position: {x: 1, y: 2}
      memory.mode: all
      props:
        prompt: below
  - end
flow:
  - start: to "argue"
  - argue:
      - to "end"
      - to: start
        in: _first
        data: {note: 1}
  - start -> end
"""
NESTED = """\
workflow:
  a:
    type: job
    connections:
      -
      - to: b
        contentType: raw_text
  b: {type: job}
config:
  persons:
    Ann: {}
"""


def place(text, *path):
    return survey(text).source.marks.get(path)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("nodes",), 5),
        (("nodes", "start"), 6),
        (("nodes", "start", "position"), 6),
        (("nodes", "start", "type"), 7),
        (("nodes", "argue"), 9),
        (("nodes", "argue", "type"), 9),
        (("nodes", "argue", "label"), 10),
        (("nodes", "argue", "position", "y"), 11),
        (("nodes", "argue", "memory", "mode"), 12),
        (("nodes", "argue", "prompt"), 14),
        (("nodes", "end"), 15),
        (("edges",), 16),
        (("edges", 0), 17),
        (("edges", 0, "source"), 17),
        (("edges", 1), 19),
        (("edges", 1, "source"), 18),
        (("edges", 2), 20),
        (("edges", 2, "target"), 20),
        (("edges", 2, "target_handle"), 21),
        (("edges", 2, "data", "note"), 22),
        (("edges", 3, "source"), 23),
        (("persons", "Ann"), 3),
        (("persons", "Ann", "service"), 4),
    ],
)
def test_every_part_is_found_under_its_name(path, line):
    assert place(TEXT, *path)[0] == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("nodes", "a", "type"), 3),
        (("edges", 0), 6),
        (("edges", 0, "source"), 2),
        (("edges", 0, "content_type"), 7),
        (("nodes", "b", "type"), 8),
        (("persons", "Ann"), 11),
    ],
)
def test_parts_of_the_oldest_files_are_found_too(path, line):
    assert place(NESTED, *path)[0] == line


def test_problem_points_at_line_and_column():
    text = 'nodes:\n- a:\n    type: job\n    position: {x: 1, y: down}\nflow:\n- a: to "b"'
    first, second = survey(text).problems
    assert (first.node, first.path) == ("a", ("nodes", "a", "position", "y"))
    assert (first.line, first.column) == (4, 22)
    assert (second.path, second.line, second.column) == (("edges", 0, "target"), 6, 3)
