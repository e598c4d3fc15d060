"""What is said about two diagrams that differ."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.diff import ABSENT, Change, Diff, compare
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position

from .strategies import diagrams

steady = settings(max_examples=50)
PROMPT = "Argue for the motion as well as you can, and be polite to whoever disagrees."
MIRRORED = {"added": "removed", "removed": "added"}


def node(label: str, type_: str = "job", **props: Any) -> NodeSpec:
    return NodeSpec(label=label, type=type_, props=props)


def flow(*nodes: NodeSpec, **fields: Any) -> Diagram:
    """The nodes, each joined to the next."""
    labels = [each.label for each in nodes]
    edges = [Edge(source=source, target=target) for source, target in pairwise(labels)]
    return Diagram(**{"nodes": nodes, "edges": edges} | fields)


def props(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return lines(flow(node("a", **before)), flow(node("a", **after)))


def lines(before: Diagram, after: Diagram, **options: bool) -> list[str]:
    return list(map(str, compare(before, after, **options)))


def mirrored(change: Change, diff: Diff) -> tuple[Any, ...]:
    """What the change is for somebody who compares the other way round."""
    words = change.kind.split("_")
    kind = "_".join(MIRRORED.get(word, word) for word in words)
    subject = change.subject
    if words[0] in {"node", "person"}:
        sort = f"{words[0]}_renamed"
        former = {each.subject: each.before for each in diff if each.kind == sort}
        subject = former.get(subject, subject) if words[1] != "removed" else subject
    if kind == "edge_changed":  # its ends may have been renamed
        subject = ""
    return kind, subject, change.path, repr(change.after), repr(change.before)


def plain(change: Change) -> tuple[Any, ...]:
    subject = "" if change.kind == "edge_changed" else change.subject
    return change.kind, subject, change.path, repr(change.before), repr(change.after)


@st.composite
def two(draw) -> tuple[Diagram, Diagram]:
    """A diagram and what became of it: some nodes renamed, some parts of another diagram."""
    before, other = draw(diagrams()), draw(diagrams())
    part = st.sampled_from(list(Diagram.model_fields))
    updates = {name: getattr(other, name) for name in draw(st.sets(part, max_size=3))}
    nodes = list(updates.get("nodes", before.nodes))
    if nodes and draw(st.booleans()):
        at = draw(st.integers(0, len(nodes) - 1))
        nodes[at] = nodes[at].model_copy(update={"label": "another name"})
        updates["nodes"] = tuple(draw(st.permutations(nodes)))
    return before, before.model_copy(update=updates)


@steady
@given(diagrams())
def test_diagram_compared_with_itself_shows_no_changes(diagram):
    copy = Diagram.model_validate_json(diagram.model_dump_json())
    assert not compare(diagram, copy, positions=True)


@steady
@given(two())
def test_there_are_changes_exactly_when_diagrams_differ(pair):
    before, after = pair
    assert bool(compare(before, after, positions=True)) is (before != after)


@steady
@given(two())
def test_comparing_the_other_way_mirrors_every_change(pair):
    before, after = pair
    there, back = compare(before, after, positions=True), compare(after, before, positions=True)
    assert Counter(mirrored(each, there) for each in there) == Counter(map(plain, back))


@steady
@given(two())
def test_every_change_is_one_line_and_json(pair):
    diff = compare(*pair, positions=True)
    assert len(str(diff).splitlines()) == max(1, len(diff))
    assert json.loads(json.dumps(diff.to_dict()))["changed"] is bool(diff)
    assert all(str(change) in diff.details() for change in diff)


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("name", "debate", "name none → debate"),
        ("description", "on tea", 'description none → "on tea"'),
        ("nodes", (), "node removed a (job)"),
        ("edges", (), "edge removed a → b"),
        ("persons", {"Ann": Person()}, "person added Ann"),
        ("extra", {"budget": 2}, "entry budget added: 2"),
    ],
)
def test_a_change_in_any_field_of_a_diagram_is_told(field, value, line):
    before = flow(node("a"), node("b"))
    after = before.model_copy(update={field: value})
    assert line in lines(before, after)


def test_all_fields_of_a_diagram_have_their_test():
    (mark,) = test_a_change_in_any_field_of_a_diagram_is_told.pytestmark
    assert {case[0] for case in mark.args[1]} == set(Diagram.model_fields)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (0.2, 0.7, "a.x 0.2 → 0.7"),
        ("tea", "coffee", "a.x tea → coffee"),
        ("two words", "a b", 'a.x "two words" → "a b"'),
        (True, None, "a.x true → none"),
        ("1", 1.5, 'a.x "1" → 1.5'),
        ("", " ", 'a.x "" → " "'),
        ("none", None, 'a.x "none" → none'),
        ([1, 2], [1, 3], "a.x[1] 2 → 3"),
        ([1], [1, 2], "a.x [1] → [1, 2]"),
        ({"y": {"z": 1}}, {"y": {"z": 2}}, "a.x.y.z 1 → 2"),
        ({"a.b": 1}, {"a.b": 2}, 'a.x["a.b"] 1 → 2'),
        (list(range(30)), list(range(31)), "a.x [30 items] → [31 items]"),
        ({"y": 1}, {}, "a.x.y removed (was 1)"),
        ({}, {"y": "z"}, "a.x.y added: z"),
        ("b c d " * 9, "b c d " * 8 + "e c d", "a.x changed (−1 +1 words)"),
        ("one\ntwo", "two\none two", "a.x changed (−0 +1 words)"),
        ("one\ntwo", "one\n two", "a.x changed (spaces only)"),
    ],
)
def test_value_that_changed_is_shown_as_short_as_can_be(before, after, line):
    assert props({"x": before}, {"x": after}) == [line]


def test_property_that_came_or_went_is_told_from_null():
    assert props({}, {"x": None}) == ["a.x added: none"]
    assert props({"x": "y" * 50}, {}) == ["a.x removed (was 1 word)"]


def test_nested_maps_are_compared_by_dotted_path():
    before, after = {"retry": {"max_attempts": 3}}, {"retry": {"max_attempts": 5}}
    assert props(before, after) == ["a.retry.max_attempts 3 → 5"]


def test_renamed_node_takes_edges_and_templates_along():
    before = flow(node("start"), node("argue", prompt=PROMPT), node("end", prompt="{{argue.x}}!"))
    after = flow(node("start"), node("claim", prompt=PROMPT), node("end", prompt="{{claim.x}}!"))
    assert lines(before, after) == ["renamed argue → claim"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"prompt": "{{#if argue}}{{ argue | upper }}{{/if}}"},) * 2,
        ({"expression": "len(argue.text) > 3 and iterations('argue') < 2"},) * 2,
        ({"node_indices": ["argue", "start"]},) * 2,
        ({"prompt": "{{argue?}} to argue"}, {"prompt": "{{claim?}} to argue"}),
    ],
    ids=["blocks", "expression", "list", "prose stays"],
)
def test_new_name_is_no_change_wherever_it_is_a_reference(old, new):
    if old == new:
        new = json.loads(json.dumps(old).replace("argue", "claim"))
    before = flow(node("argue", prompt=PROMPT), node("end", **old))
    after = flow(node("claim", prompt=PROMPT), node("end", **new))
    assert lines(before, after) == ["renamed argue → claim"]


def test_renamed_and_changed_a_bit_is_both():
    before = flow(node("argue", prompt=PROMPT, temperature=0.2), node("end"))
    after = flow(node("claim", prompt=PROMPT + " Now!", temperature=0.7), node("end"))
    expected = ["renamed argue → claim", "claim.prompt changed (−0 +1 words)"]
    assert lines(before, after) == [*expected, "claim.temperature 0.2 → 0.7"]


def test_neighbours_renamed_together_are_told_apart():
    before = flow(node("a", "start"), node("b"), node("c"), node("d", "endpoint"))
    after = flow(node("w", "start"), node("x"), node("y"), node("z", "endpoint"))
    expected = ["renamed a → w", "renamed b → x", "renamed c → y", "renamed d → z"]
    assert lines(before, after) == expected


def test_quite_another_node_is_not_a_renamed_one():
    before = flow(node("a"), node("b", code="print(1)"))
    after = flow(node("a"), node("c", "db", file="x.json"))
    expected = ["node added c (db)", "node removed b (job)"]
    assert lines(before, after) == [*expected, "edge added a → c", "edge removed a → b"]


def test_likest_of_several_is_the_renamed_one():
    before = flow(node("one", prompt=PROMPT), node("two", prompt="Sum up what was said so far."))
    after = flow(
        node("new", prompt="Sum up all that was said so far."), node("uno", prompt=PROMPT), edges=()
    )
    assert {"renamed one → uno", "renamed two → new"} <= set(lines(before, after))


def test_change_of_type_keeps_the_node():
    assert lines(flow(node("a")), flow(node("a", "db"))) == ["a type job → db"]


def test_moved_nodes_are_told_only_when_asked_for():
    before = Diagram(nodes=(NodeSpec(label="a", type="job", position=Position(x=1, y=2)),))
    after = Diagram(nodes=(NodeSpec(label="a", type="job", position=Position(x=3, y=4.5)),))
    assert lines(before, after) == []
    assert lines(before, after, positions=True) == ["a position (1, 2) → (3, 4.5)"]


def test_new_order_of_nodes_is_told_once():
    nodes = [node(label) for label in "abcdef"]
    before, after = (flow(*each, edges=()) for each in (nodes, nodes[::-1]))
    assert lines(before, after) == ["order of nodes changed"]


def test_added_node_does_not_change_the_order():
    before, after = (flow(*map(node, labels), edges=()) for labels in ("ab", "xayb"))
    assert lines(before, after) == ["node added x (job)", "node added y (job)"]


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("label", "topic", "edge a → b label none → topic"),
        ("content_type", "object", "edge a → b content_type none → object"),
        ("source_handle", "condtrue", "edge a → b source_handle default → condtrue"),
        ("target_handle", "first", "edge a → b target_handle default → first"),
        ("data", {"x": 1}, "edge a → b data.x added: 1"),
    ],
)
def test_edge_between_the_same_nodes_is_changed(field, value, line):
    before = flow(node("a"), node("b"))
    edge = before.edges[0].model_copy(update={field: value})
    assert lines(before, before.model_copy(update={"edges": (edge,)})) == [line]


def test_edges_side_by_side_are_matched_by_likeness():
    edges = [Edge(source="a", target="b", label=label) for label in ("x", "y", "z")]
    before = flow(node("a"), node("b"), edges=edges)
    after = before.model_copy(update={"edges": (edges[0], edges[2])})
    assert lines(before, after) == ["edge removed a → b as y"]


def test_edge_is_named_with_its_handles():
    edge = Edge(source="a", target="b", source_handle="condtrue", target_handle="first", label="x")
    before = flow(node("a"), node("b"), edges=())
    after = before.model_copy(update={"edges": (edge,)})
    assert lines(before, after) == ["edge added a [condtrue] → b [first] as x"]


def test_person_is_compared_field_by_field():
    before = flow(persons={"Judge": Person(model="a", system_prompt="Be fair. " * 9)})
    after = flow(persons={"Judge": Person(model="b", system_prompt="Be fair. " * 8, top_p=1)})
    expected = ["person Judge model a → b", "person Judge system_prompt changed (−2 +0 words)"]
    assert lines(before, after) == [*expected, "person Judge top_p added: 1"]


def test_renamed_person_is_followed_into_the_nodes():
    before = flow(node("a", "person_job", person="Ann"), persons={"Ann": Person(model="m")})
    after = flow(node("a", "person_job", person="Bea"), persons={"Bea": Person(model="m")})
    assert lines(before, after) == ["person renamed Ann → Bea"]


def test_equal_persons_are_told_apart_by_their_jobs():
    jobs = [node("a", person="Ann"), node("b", person="Bob")]
    before = flow(*jobs, persons={"Ann": Person(), "Bob": Person()})
    jobs = [node("a", person="Anne"), node("b", person="Bert")]
    after = flow(*jobs, persons={"Bert": Person(), "Anne": Person()})
    expected = {"person renamed Ann → Anne", "person renamed Bob → Bert"}
    assert set(lines(before, after)) == expected


def test_details_mark_the_words_that_went_and_came():
    diff = compare(
        flow(node("a", prompt=PROMPT)), flow(node("a", prompt=PROMPT.replace("for", "against")))
    )
    marked = "    Argue [-for-]{+against+} the motion as well as you …"
    assert diff.details() == f"a.prompt changed (−1 +1 words)\n{marked}"


def test_html_marks_words_and_lets_none_of_them_act():
    evil = PROMPT + "<script>"
    html = compare(flow(node("<b>", prompt=PROMPT)), flow(node("<b>", prompt=evil)))._repr_html_()
    assert "&lt;b&gt;.prompt changed" in html
    assert "<ins" in html
    assert "<script>" not in html
    assert "<b>" not in html


def test_no_changes_are_said_in_words():
    diff = compare(flow(), flow())
    assert (str(diff), diff.details(), diff._repr_html_()) == (
        "No changes.",
        "No changes.",
        "<p>No changes.</p>",
    )


def test_machines_get_values_only_where_there_are_some():
    (change,) = compare(flow(node("a")), flow(node("a", x=None))).to_dict()["changes"]
    assert change == {
        "kind": "node_property_changed",
        "subject": "a",
        "path": ["x"],
        "after": None,
        "text": "a.x added: none",
    }
    assert Change("node_added").before is ABSENT


def large(count: int, name: str, seed: int) -> Diagram:
    numbers = random.Random(seed)
    nodes = [
        node(f"{name}{at}", "person_job", prompt=f"{PROMPT} {at} {numbers.random()} {PROMPT}")
        for at in range(count)
    ]
    return flow(*nodes)


@pytest.mark.parametrize(("name", "seed"), [("a", 1), ("a", 2), ("b", 1), ("b", 2)])
def test_ten_thousand_nodes_are_compared_within_seconds(name, seed):
    before, after = large(10_000, "a", 1), large(10_000, name, seed)
    begin = time.process_time()
    changes = len(compare(before, after))
    assert time.process_time() - begin < 15  # two or three on a machine of today
    assert changes == 10_000 * ((name != "a") + (seed != 1))
