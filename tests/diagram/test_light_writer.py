"""How a light file looks when it is written."""

import math

import pytest

from dipeo_jupyter.diagram.light import dumps, loads
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.errors import DiagramError


def node(label="a", **props):
    return NodeSpec(label=label, type="job", props=props)


def lines(diagram):
    return dumps(diagram).splitlines()


DEBATE = Diagram(
    name="debate",
    description="Two sides.\nOne judge.",
    nodes=(
        NodeSpec(label="start", type="start", position=Position(x=40, y=-2.5)),
        node("argue", prompt="Pro:\n{{topic}}\n", retries=0, note="", tags=[], stop=None, say="no"),
        node("odd", **{"position": 1, "a.b": [1, [2, {"k": "v", "w": 1}], {}]}),
    ),
    edges=(
        Edge(source="start", target="argue", target_handle="first", label="topic"),
        Edge(source="argue", target="odd", content_type="object", data={"packing": "pack"}),
    ),
    persons={"Ann Lee": Person.model_validate({"service": "demo", "model": None, "top_p": 0.0})},
    extra={"metadata": {"tags": ["x"]}, "handles": []},
)
WRITTEN = """\
version: light
name: debate

description: |-
  Two sides.
  One judge.

nodes:
  - label: start
    type: start
    position: {x: 40, y: -2.5}
  - label: argue
    type: job
    prompt: |
      Pro:
      {{topic}}
    retries: 0
    note: ""
    tags: []
    stop: null
    say: "no"
  - label: odd
    type: job
    props:
      position: 1
      a.b:
        - 1
        - - 2
          - k: v
            w: 1
        - {}

connections:
  - from: start
    to: argue[first]
    label: topic
  - from: argue
    to: odd
    content_type: object
    data:
      packing: pack

persons:
  Ann Lee:
    service: demo
    model: null
    top_p: 0.0

metadata:
  tags:
    - x

handles: []
"""


def test_diagram_is_written_in_one_way():
    assert dumps(DEBATE) == WRITTEN


def test_empty_diagram_has_a_version_and_no_nodes():
    assert dumps(Diagram()) == "version: light\nnodes: []\n"


@pytest.mark.parametrize("name", ["label", "type", "position", "props", "a.b", ".", "__hidden"])
def test_properties_with_other_meanings_go_below_props(name):
    spec = NodeSpec(label="a", type="job", props={"first": 1, name: 2})
    diagram = Diagram(nodes=(spec,))
    assert "    props:" in lines(diagram)
    assert list(loads(dumps(diagram)).nodes[0].props) == ["first", name]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words", "plain words"),
        ("{{x}}", '"{{x}}"'),
        ("Say {{x}}, please!", "Say {{x}}, please!"),
        ("a: b", '"a: b"'),
        ("yes", '"yes"'),
        ("2024-01-01", '"2024-01-01"'),
        ('"quoted"', "'\"quoted\"'"),
        ("""it's "so": yes""", "'it''s \"so\": yes'"),
        ("ends with space ", '"ends with space "'),
        (" \n", '" \\n"'),
        ("tab\there", '"tab\\there"'),
        ("a\u2028b\x7f", '"a\\u2028b\\u007f"'),
        ("größer 日本 👩‍🚀", "größer 日本 👩‍🚀"),
    ],
)
def test_text_is_quoted_only_where_it_must_be(text, written):
    assert f"    key: {written}" in lines(Diagram(nodes=(node(key=text),)))


@pytest.mark.parametrize("text", ["a\n\nb", "a\n  b\n", "- a\n# b\n---\n", "a \nb\n", "a\n   \nb"])
def test_text_of_several_lines_is_written_as_a_block(text):
    diagram = Diagram(nodes=(node(key=text),))
    assert any(line.startswith("    key: |") for line in lines(diagram))
    assert loads(dumps(diagram)) == diagram


def test_very_long_keys_are_read_back():
    diagram = Diagram(nodes=(node(**{"k" * 3000: {"l" * 3000: ["m" * 3000]}}),))
    assert loads(dumps(diagram)) == diagram


def test_handle_is_told_apart_from_labels_that_look_like_it():
    labels = ("a", "a[first]", "a[first ]", "a_first")
    edge = Edge(source="a_first", target="a", target_handle="first")
    diagram = Diagram(nodes=tuple(node(label) for label in labels), edges=(edge,))
    assert "    to: a[first  ]" in lines(diagram)
    assert loads(dumps(diagram)) == diagram


def test_edge_to_nowhere_is_written_and_then_refused():
    text = dumps(Diagram(nodes=(node(),), edges=(Edge(source="a", target="a_first"),)))
    with pytest.raises(DiagramError, match="'a_first', but no node"):
        loads(text)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (math.inf, "bad_value"),
        (math.nan, "bad_value"),
        (10**400, "bad_value"),
        ("x" * 10_000_001, "too_large"),
    ],
)
def test_what_could_not_be_read_is_not_written(value, code):
    with pytest.raises(DiagramError) as caught:
        dumps(Diagram(nodes=(node(), node("b", key=value))))
    assert caught.value.problems[0].code == code


def test_refusal_to_write_names_the_node_and_property():
    with pytest.raises(DiagramError) as caught:
        dumps(Diagram(nodes=(node(), node("b", key=[math.inf]))))
    (problem,) = caught.value.problems
    assert (problem.node, problem.path) == ("b", ("nodes", "b", "key", 0))


def test_values_nested_too_deeply_are_not_written():
    value = []
    for _ in range(40):
        value = [value]
    with pytest.raises(DiagramError, match="40 levels"):
        dumps(Diagram(extra={"deep": value}))


def test_python_objects_in_a_person_are_not_written():
    person = Person.model_validate({"stop": {1, 2}})
    with pytest.raises(DiagramError, match="Python set"):
        dumps(Diagram(persons={"Ann": person}))


@pytest.mark.parametrize("key", ["version", "nodes", "connections", "arrows", "persons", "name"])
def test_extra_entry_cannot_take_a_known_name(key):
    with pytest.raises(DiagramError, match=f"'{key}' would be read as something else"):
        dumps(Diagram(extra={key: 1}))
