"""Native JSON is written so that the ancestor reads it, and nothing is lost."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.diagram.native import dumps, survey
from dipeo_jupyter.errors import DiagramError

from .strategies import ALIKE, HANDLES, LABELS, TEXTS, VALUES, diagrams

ODD_KEYS = ["label", "branch", "contentType", "dipeo_jupyter", "__typename", "person", "extra"]
TOP = ["nodes", "version", "metadata", "name", "dipeo_jupyter", "handles", "__typename", "edges"]
QUICK = settings(max_examples=60)


def reads_back(diagram):
    text = dumps(diagram)
    again = survey(text).checked().diagram
    assert again == diagram
    assert again.version == diagram.version
    assert dumps(again) == text


def node(label="a", **fields):
    return NodeSpec(label=label, type="job", **fields)


@QUICK
@given(diagrams())
def test_every_diagram_reads_back_as_itself(diagram):
    reads_back(diagram)


@QUICK
@given(
    st.dictionaries(st.sampled_from(ODD_KEYS), VALUES),
    st.dictionaries(st.sampled_from(TOP), VALUES),
)
def test_keys_that_mean_something_elsewhere_read_back(odd, top):
    edge = Edge(source="a", target="a", data=odd)
    person = Person.model_validate({"temperature": {"__typename": odd}})
    reads_back(Diagram(nodes=[node(props=odd)], edges=[edge], persons={"p": person}, extra=top))


@QUICK
@given(
    st.lists(st.sampled_from(ALIKE) | LABELS, unique=True, min_size=1),
    st.sampled_from([*HANDLES, "true", "input", "", "b_default"]) | TEXTS,
)
def test_every_handle_reads_back_among_labels_that_look_alike(labels, handle):
    edges = [
        Edge(source=label, target=labels[0], source_handle=handle, target_handle=handle)
        for label in labels
    ]
    reads_back(Diagram(nodes=[node(label) for label in labels], edges=edges))


@pytest.mark.parametrize(
    "positions",
    [
        [None, None],
        [None, Position(x=0, y=0)],
        [Position(x=0, y=0)],
        [Position(x=-0.0, y=0), Position(x=5, y=0.5)],
        [None, Position(x=1e300, y=-1)],
    ],
)
def test_missing_positions_read_back_as_missing(positions):
    nodes = [node(str(i), position=position) for i, position in enumerate(positions)]
    reads_back(Diagram(nodes=nodes))


@pytest.mark.parametrize("metadata", [{}, {"version": "2.0.0"}, {"name": 1}, 5, {"version": "1"}])
def test_metadata_of_any_kind_reads_back(metadata):
    reads_back(Diagram(name="x", extra={"before": 1, "metadata": metadata, "after": 2}))


def test_text_has_the_shape_that_the_ancestor_demands():
    person = Person(service="demo", model="echo", api_key_id="K")
    edge = Edge(source="is it?", source_handle="condtrue", target="a", label="x")
    check = NodeSpec(label="is it?", type="condition")
    diagram = Diagram(name="d", nodes=[check, node()], edges=[edge], persons={"p": person})
    data = json.loads(dumps(diagram))
    assert data["nodes"][1] == {
        "id": "a",
        "type": "job",
        "position": {"x": 0, "y": 0},
        "data": {"label": "a"},
    }
    assert data["arrows"] == [
        {
            "id": "is it?_condtrue_output->a_default_input",
            "source": "is it?_condtrue_output",
            "target": "a_default_input",
            "label": "x",
            "data": {"branch": "true"},
        }
    ]
    assert [handle["label"] for handle in data["handles"]][:3] == [
        "default",
        "condtrue",
        "condfalse",
    ]
    assert data["persons"][0]["llm_config"] == {
        "service": "demo",
        "model": "echo",
        "api_key_id": "K",
    }
    assert data["metadata"] == {"name": "d", "version": "2.0.0", "created": "", "modified": ""}


def test_inserted_node_changes_no_other_line():
    before = dumps(Diagram(nodes=[node("a"), node("c")])).splitlines()
    after = dumps(Diagram(nodes=[node("a"), node("b"), node("c")])).splitlines()
    assert set(before) <= set(after)


def test_values_of_keys_are_not_written():
    text = dumps(Diagram(extra={"apiKeys": [{"id": "K", "key": "sk-secret"}]}))
    assert "sk-secret" not in text


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_number_that_json_cannot_say_is_refused(value):
    with pytest.raises(DiagramError, match="finite") as caught:
        dumps(Diagram(nodes=[node(props={"x": [value]})]))
    assert caught.value.problems[0].path == ("nodes", "a", "x", 0)
