"""Where the parts of a diagram stand in its text, however they are spelled there."""

import pytest

from dipeo_jupyter.diagram.light import survey
from dipeo_jupyter.errors import Problem

TEXT = """\
version: light
nodes:
  - label: start
    type: start
  -
  - label: argue
    type: person_job
    position: {x: 1, y: 2}
    props:
      prompt: below
      max_iteration: 1
    max_iteration: 2
    memory.mode: all
    code: |
      one
      two
    deep: {list: [1, {key: value}]}
  - {label: done?, type: condition}
connections:
  - from: start
    to: argue
    type: raw_text
  -
  - {from: argue, to: done?}
edges:
  - done?.false -> argue
persons:
  Ann:
    service: demo
  Bob: {model: demo}
extra: {a: 1}
"""


@pytest.fixture(scope="module")
def source():
    return survey(TEXT, "debate").source


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("nodes",), 2),
        (("nodes", "start"), 3),
        (("nodes", "start", "type"), 4),
        (("nodes", "argue"), 6),
        (("nodes", 2), 6),
        (("nodes", "argue", "position", "y"), 8),
        (("nodes", "argue", "prompt"), 10),
        (("nodes", "argue", "max_iteration"), 12),
        (("nodes", "argue", "memory"), 13),
        (("nodes", "argue", "memory", "mode"), 13),
        (("nodes", "argue", "code"), 14),
        (("nodes", "argue", "deep", "list", 1, "key"), 17),
        (("nodes", "done?"), 18),
        (("edges",), 19),
        (("edges", 0), 20),
        (("edges", 0, "target"), 21),
        (("edges", 0, "content_type"), 22),
        (("edges", 1, "source"), 24),
        (("edges", 2), 26),
        (("persons", "Ann", "service"), 29),
        (("persons", "Bob"), 30),
        (("extra", "a"), 31),
    ],
)
def test_part_of_the_diagram_has_its_line(source, path, line):
    assert source.line_of(*path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("nodes", "argue", "temperature"), 6),
        (("nodes", "argue", "memory", "mode", "deeper"), 13),
        (("nodes", "ghost", "prompt"), 2),
        (("edges", 0, "label"), 20),
        (("edges", 9), 19),
        (("nothing",), None),
        ((), None),
    ],
)
def test_unknown_part_has_the_line_around_it(source, path, line):
    assert source.line_of(*path) == line


@pytest.mark.parametrize(
    ("problem", "place"),
    [
        (Problem("x", "…", path=("nodes", "argue", "code")), (14, 5)),
        (Problem("x", "…", path=("nodes", "argue", "code"), node="start"), (14, 5)),
        (Problem("x", "…", node="done?"), (18, 5)),
        (Problem("x", "…", node="done?", path=("nowhere",)), (18, 5)),
        (Problem("x", "…", node="ghost"), (2, 1)),
        (Problem("x", "…", path=("persons", "Bob", "model")), (30, 9)),
        (Problem("x", "…", path=("persons", "Bob"), line=7, column=3), (7, 3)),
        (Problem("x", "…"), (None, None)),
    ],
)
def test_problem_is_located_by_path_then_by_node(source, problem, place):
    located = source.locate(problem)
    assert (located.line, located.column) == place


def test_edge_among_edges_has_its_own_place():
    source = survey("nodes: [{label: a, type: b}]\nconnections: []\nedges: [a -> a]").source
    assert source.place_of("edges", 0) == (3, 9)
