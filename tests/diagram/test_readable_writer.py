"""How a readable file looks when it is written."""

import math

import pytest

from dipeo_jupyter.diagram.files import detect
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.diagram.readable import dumps, survey
from dipeo_jupyter.diagram.yaml.events import MAX_TEXT
from dipeo_jupyter.errors import DiagramError


def node(label="a", **props):
    return NodeSpec(label=label, type="job", props=props)


def lines(*nodes, **rest):
    return dumps(Diagram(nodes=nodes, **rest)).splitlines()


DEBATE = Diagram(
    name="debate",
    nodes=(
        NodeSpec(label="Start", type="start", position=Position(x=40, y=-2.5)),
        node("Pro and con", prompt="Pro:\n{{topic}}\n", retries=0),
        NodeSpec(label="Done?", type="condition"),
        node("odd [x]", type="y"),
    ),
    edges=(
        Edge(source="Start", target="Pro and con", target_handle="first", label="topic"),
        Edge(source="Pro and con", target="Done?", content_type="raw_text"),
        Edge(source="Done?", target="Pro and con", source_handle="condfalse"),
        Edge(source="Done?", target="odd [x]", source_handle="condtrue", data={"why": 1}),
        Edge(source="Start", target="Done?", label='say "hi"'),
    ),
    persons={"Ann Lee": Person.model_validate({"service": "demo", "top_p": 0.0})},
    extra={"metadata": {"tags": ["x"]}},
)
WRITTEN = """\
version: readable
name: debate

persons:
  - Ann Lee:
      service: demo
      top_p: 0.0

nodes:
  - Start @(40,-2.5):
      type: start
  - Pro and con:
      type: job
      prompt: |
        Pro:
        {{topic}}
      retries: 0
  - Done?:
      type: condition
  - '"odd [x]"':
      type: job
      props:
        type: "y"

flow:
  - Start: to "Pro and con" in "_first" naming "topic"
  - Pro and con: to "Done?" as "raw_text"
  - Done?:
      - from "_condfalse" to "Pro and con"
      - from: _condtrue
        to: odd [x]
        data:
          why: 1
  - Start: to "Done?" naming "say \\"hi\\""

metadata:
  tags:
    - x
"""


def test_diagram_is_written_for_people_to_read():
    assert dumps(DEBATE) == WRITTEN
    assert survey(WRITTEN).checked().diagram == DEBATE


def test_what_is_written_says_that_it_is_readable():
    assert detect(dumps(DEBATE)) == "readable"


def test_connections_are_grouped_only_while_their_order_survives():
    edges = [Edge(source=source, target="a") for source in "aabab"]
    written = lines(node("a"), node("b"), edges=edges)
    assert [line for line in written if line.startswith("  - ")][2:] == [
        "  - a:",
        '  - b: to "a"',
        '  - a: to "a"',
        '  - b: to "a"',
    ]


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("a b", "a b"),
        ("a @(1,2)", "'\"a @(1,2)\"'"),
        ("a @(x)", "'\"a @(x)\"'"),
        ("a [job]", "'\"a [job]\"'"),
        ('"a"', r"""'"\"a\""'"""),
        (" a", "'\" a\"'"),
        ('"Now" she said', "'\"Now\" she said'"),
    ],
)
def test_label_that_says_more_than_itself_is_quoted(label, key):
    assert f"  - {key}:" in lines(node(label))
    assert survey("\n".join(lines(node(label)))).diagram.nodes == (node(label),)


def test_person_that_would_be_read_as_an_id_is_written_exactly():
    diagram = Diagram(nodes=(node(person="person_Ann"),), persons={"Ann": Person()})
    assert "        person: person_Ann" in dumps(diagram).splitlines()
    assert survey(dumps(diagram)).diagram == diagram


@pytest.mark.parametrize("key", ["flow", "workflow", "config", "format", "edges", "extra"])
def test_extra_entry_with_a_name_of_the_format_stands_in_extra(key):
    diagram = Diagram(extra={"a": 1, key: {"persons": {}}})
    assert "extra:" in dumps(diagram).splitlines()
    assert survey(dumps(diagram)).checked().diagram == diagram


def test_edge_to_a_missing_node_is_written_as_it_is():
    reading = survey(dumps(Diagram(nodes=(node(),), edges=(Edge(source="a", target="gone"),))))
    assert [problem.code for problem in reading.problems] == ["unknown_node"]
    assert "'gone'" in reading.problems[0].message


@pytest.mark.parametrize(
    ("diagram", "code", "path"),
    [
        (Diagram(nodes=(node(x=math.inf),)), "bad_value", ("nodes", "a", "x")),
        (Diagram(nodes=(node(x="\ud800"),)), "bad_value", ("nodes", "a", "x")),
        (Diagram(extra={"text": "x" * MAX_TEXT}), "too_large", ()),
        (Diagram(nodes=(node("a"),), edges=(Edge(source="a", target="\ud800"),)), "bad_value", ...),
    ],
)
def test_what_no_text_can_say_is_refused(diagram, code, path):
    with pytest.raises(DiagramError) as caught:
        dumps(diagram)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert path in (..., problem.path)


def test_infinite_position_is_refused():
    far = NodeSpec(label="a", type="job", position=Position(x=math.inf, y=0))
    with pytest.raises(DiagramError, match="finite"):
        dumps(Diagram(nodes=(far,)))
