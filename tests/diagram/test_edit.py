"""What each edit does to a diagram, and which it refuses."""

import pytest
from pydantic import ValidationError

from dipeo_jupyter.diagram.edit import apply, edit_adapter
from dipeo_jupyter.diagram.edit.edits import (
    AddEdge,
    AddNode,
    AddPerson,
    MoveNode,
    RemoveEdge,
    RemoveNode,
    RemovePerson,
    RemovePersonField,
    RemoveProperty,
    RenameNode,
    RenamePerson,
    SetEdge,
    SetName,
    SetPersonField,
    SetProperty,
    SetType,
)
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.errors import DiagramError


def diagram(*nodes, edges=(), persons=()):
    return Diagram(
        nodes=nodes,
        edges=[Edge(source=a, target=b, label=label) for a, b, label in edges],
        persons={label: Person(service="demo") for label in persons},
    )


def node(label, node_type="job", **props):
    return NodeSpec(label=label, type=node_type, props=props)


def props(diagram, label):
    return next(each.props for each in diagram.nodes if each.label == label)


def renamed(text, *, name="prompt", old="draft", new="text", edges=(), others=()):
    """A property after the node that it may name got another label."""
    before = diagram(node(old), node("reader", **{name: text}), *others, edges=edges)
    return props(apply(before, RenameNode(node=old, label=new)), "reader")[name]


TWO = diagram(node("a", tools=["x", "y"], config={"k": 1}), node("b"), edges=[("a", "b", None)])


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("limit",), 0, {"limit": 0}),
        (("tools", 1), "z", {"tools": ["x", "z"]}),
        (("tools", 2), "z", {"tools": ["x", "y", "z"]}),
        (("config", "k"), None, {"config": {"k": None}}),
        (("deep", "er"), 1, {"deep": {"er": 1}}),
    ],
)
def test_properties_are_set_at_any_depth(path, value, expected):
    after = apply(TWO, SetProperty(node="a", path=path, value=value))
    assert props(after, "a") == props(TWO, "a") | expected


@pytest.mark.parametrize(
    ("path", "gone"),
    [(("tools",), {"config": {"k": 1}}), (("tools", 0), {"tools": ["y"], "config": {"k": 1}})],
)
def test_properties_are_removed_at_any_depth(path, gone):
    assert props(apply(TWO, RemoveProperty(node="a", path=path)), "a") == gone


def test_removing_a_node_removes_its_edges():
    after = apply(TWO, RemoveNode(node="b"))
    assert [each.label for each in after.nodes] == ["a"]
    assert after.edges == ()


def test_nodes_are_added_after_another_one():
    after = apply(TWO, AddNode(node=node("c"), after="a"))
    assert [each.label for each in after.nodes] == ["a", "c", "b"]


def test_nodes_move_and_lose_their_places():
    moved = apply(TWO, MoveNode(node="a", position=Position(x=1, y=2)))
    assert moved.nodes[0].position == Position(x=1, y=2)
    assert apply(moved, MoveNode(node="a", position=None)) == TWO


def test_edges_are_added_exchanged_and_removed():
    back = Edge(source="b", target="a", label="again")
    assert apply(TWO, AddEdge(edge=back)).edges == (*TWO.edges, back)
    assert apply(TWO, SetEdge(index=0, edge=back)).edges == (back,)
    assert apply(TWO, RemoveEdge(index=0)).edges == ()


def test_a_renamed_node_keeps_its_edges():
    after = apply(TWO, RenameNode(node="a", label="first"))
    assert [str(edge) for edge in after.edges] == ["first -> b"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{{draft}}", "{{text}}"),
        ("Read {{ draft.pages[0] | upper }}!", "Read {{ text.pages[0] | upper }}!"),
        ("{{draft?}} {{drafts}} {{x.draft}}", "{{text?}} {{drafts}} {{x.draft}}"),
        ("{{#if draft}}{{#each draft}}{{draft}}{{/each}}{{/if}}", None),
        ("{{#if x}}a{{else if draft}}b{{/if}}", "{{#if x}}a{{else if text}}b{{/if}}"),
        (r"\{{draft}} draft", r"\{{draft}} draft"),
        ("{{#if draft}} is no template", "{{#if draft}} is no template"),
    ],
)
def test_templates_name_a_renamed_node_by_its_new_label(before, after):
    expected = before.replace("draft", "text") if after is None else after
    assert renamed(before) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("draft.score > 3 and 'draft' in draft", "text.score > 3 and 'draft' in text"),
        ("iterations('draft') > 2", "iterations('text') > 2"),
        ("é == 'é' and (\n  draft)", "é == 'é' and (\n  text)"),
        ("x.draft", "x.draft"),
    ],
)
def test_expressions_name_a_renamed_node_by_its_new_label(before, after):
    assert renamed(before, name="expression") == after


@pytest.mark.parametrize("name", ["items", "over", "batch_input_key"])
def test_items_name_a_renamed_node_by_its_new_label(name):
    assert renamed("draft.rows", name=name) == "text.rows"


def test_lists_of_nodes_name_a_renamed_node_by_its_new_label():
    assert renamed(["a", "draft"], name="node_indices") == ["a", "text"]


def test_paths_of_files_name_a_renamed_node_in_single_braces():
    assert renamed("out/{draft.id}_{drafts}.txt", name="file") == "out/{text.id}_{drafts}.txt"


def test_code_never_changes_with_a_label():
    assert renamed("print(f'{{draft}}')", name="code") == "print(f'{{draft}}')"


def test_labels_with_spaces_are_written_as_they_are():
    assert renamed("{{my draft.x}}", old="my draft", new="the text") == "{{the text.x}}"


def test_names_that_edges_give_are_not_labels():
    edges = [("draft", "reader", "draft")]
    assert renamed("{{draft}}", edges=edges) == "{{draft}}"
    assert renamed("draft > 1", name="expression", edges=edges) == "draft > 1"


def test_names_that_loops_give_are_not_labels():
    text = "{{this}}{{#each xs}}{{this}}{{/each}}"
    assert renamed(text, old="this") == "{{text}}{{#each xs}}{{this}}{{/each}}"


@pytest.mark.parametrize(
    "other",
    [node("s", "start", custom_data={"draft": 1}), node("c", "condition", expose_index_as="draft")],
)
def test_names_of_counters_and_start_data_are_not_labels(other):
    assert renamed("{{draft}}", others=[other]) == "{{draft}}"


@pytest.mark.parametrize(
    ("name", "text", "new"),
    [
        ("prompt", "{{draft.x}}", "a.b"),
        ("prompt", "{{draft}}", "a }} b"),
        ("prompt", "{{draft}}", "#if"),
        ("prompt", "{{draft}}", "pro: yes [x]"),
        ("prompt", "{{#each draft}}{{this}}{{/each}}", "pro: yes [x]"),
        ("prompt", "{{draft?}}", "[x]"),
        ("expression", "'a' in draft", "pro: yes [x]"),
        ("expression", "draft > 1", "two words"),
        ("expression", "draft > 1", "true"),
        ("file", "{draft}", "two words"),
    ],
)
def test_labels_that_cannot_be_written_are_refused_with_the_place(name, text, new):
    with pytest.raises(DiagramError) as caught:
        renamed(text, name=name, new=new)
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("bad_label", ("nodes", "reader", name))


def test_the_refusal_of_a_label_names_node_and_property():
    with pytest.raises(DiagramError) as caught:
        renamed("Say {{ draft }}.", new="pro: yes [x]")
    assert str(caught.value) == (
        "Node 'reader' names 'draft' in `prompt`, where 'pro: yes [x]' cannot be written "
        "between {{ and }}. Choose another label."
    )


def test_labels_that_no_template_can_say_are_free_where_none_does():
    edges = [("draft", "reader", None)]
    assert renamed("draft", new="pro: yes [x]", edges=edges) == "draft"
    calls = renamed("iterations('draft') > 2", name="expression", new="pro: yes [x]")
    assert calls == "iterations('pro: yes [x]') > 2"


def test_templates_that_were_wrong_before_take_any_label():
    assert renamed("{{draft}} {{x [}}", new="pro: yes [x]") == "{{pro: yes [x]}} {{x [}}"


def test_labels_that_would_mean_something_else_are_refused():
    edges = [("draft", "reader", "text")]
    with pytest.raises(DiagramError, match="'text' means another value already"):
        renamed("{{draft}}", edges=edges)


def test_a_renamed_person_keeps_its_place_and_its_nodes():
    before = diagram(
        node("a", person="Kim", ignore_person=["Kim", "Lu"]),
        node("b", personId="Kim", ignore_person="Lu, Kim"),
        node("c", person="Lu", memory_person="Kim"),
        persons=["Kim", "Lu"],
    )
    after = apply(before, RenamePerson(person="Kim", label="Kai"))
    assert list(after.persons) == ["Kai", "Lu"]
    assert props(after, "a") == {"person": "Kai", "ignore_person": ["Kai", "Lu"]}
    assert props(after, "b") == {"personId": "Kai", "ignore_person": "Lu, Kai"}
    assert props(after, "c") == {"person": "Lu", "memory_person": "Kai"}


def test_persons_are_added_changed_and_removed():
    some = apply(Diagram(), AddPerson(label="Kim", person=Person(service="demo")))
    warm = apply(some, SetPersonField(person="Kim", field="temperature", value=0))
    assert warm.persons["Kim"].parameters == {"temperature": 0}
    assert apply(warm, RemovePersonField(person="Kim", field="temperature")) == some
    assert apply(some, RemovePerson(person="Kim")) == Diagram()


@pytest.mark.parametrize(
    ("edit", "code", "said"),
    [
        (RemoveNode(node="B"), "unknown_node", "Did you mean 'b'?"),
        (AddNode(node=node("c"), after="d"), "unknown_node", "no node 'd'"),
        (RenameNode(node="a", label="b"), "duplicate_label", "'b' is taken"),
        (RenameNode(node="a", label=" "), "bad_label", "is empty"),
        (RenameNode(node="a", label="x\n"), "bad_label", "control character"),
        (AddNode(node=node("a")), "duplicate_label", "'a' is taken"),
        (AddEdge(edge=Edge(source="a", target="c")), "unknown_node", "no node 'c'"),
        (RemoveEdge(index=1), "bad_value", "There is no edge 1: there are 1"),
        (SetProperty(node="a", path=("tools", 3), value=1), "bad_value", "no place 3"),
        (SetProperty(node="a", path=("tools", "x"), value=1), "bad_value", "leads into a list"),
        (RemoveProperty(node="a", path=("tool",)), "bad_value", "Did you mean 'tools'?"),
        (RemovePerson(person="Kim"), "unknown_person", "no person 'Kim'"),
        (SetType(node="B", node_type="job"), "unknown_node", "Did you mean 'b'?"),
    ],
)
def test_edits_that_cannot_be_made_are_refused(edit, code, said):
    with pytest.raises(DiagramError, match=said) as caught:
        apply(TWO, edit)
    assert caught.value.problems[0].code == code


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("label", "The label of node 'a' is no property. Rename the node: `RenameNode`."),
        ("type", "The type of node 'a' is no property. Write `SetType`."),
        (("position", "x"), "The position of node 'a' is no property. Move the node: `MoveNode`."),
        (
            "retry.max_attempts",
            (
                "Node 'a' has no property 'retry.max_attempts', and none is made with dots. "
                "Write path=('retry', 'max_attempts')."
            ),
        ),
        (
            ("config.deep", "k", 0),
            (
                "Node 'a' has no property 'config.deep', and none is made with dots. "
                "Write path=('config', 'deep', 'k', 0)."
            ),
        ),
    ],
)
def test_what_is_no_property_is_neither_set_nor_removed(path, said):
    for edit in (SetProperty(node="a", path=path, value=5), RemoveProperty(node="a", path=path)):
        with pytest.raises(DiagramError) as caught:
            apply(TWO, edit)
        assert str(caught.value) == said


@pytest.mark.parametrize("name", ["label", "type", "position", "x.y"])
def test_properties_that_have_odd_names_already_are_edited(name):
    odd = diagram(node("a").model_copy(update={"props": {name: 1}}))
    assert props(apply(odd, SetProperty(node="a", path=name, value=2)), "a") == {name: 2}
    assert props(apply(odd, RemoveProperty(node="a", path=name)), "a") == {}


def test_a_node_of_another_type_keeps_all_else():
    after = apply(TWO, SetType(node="a", node_type="db"))
    assert after.nodes[0] == TWO.nodes[0].model_copy(update={"type": "db"})
    assert (after.nodes[1:], after.edges) == (TWO.nodes[1:], TWO.edges)


def test_a_type_has_a_name():
    with pytest.raises(ValidationError, match="at least 1 character"):
        SetType(node="a", node_type="")


def test_a_person_in_use_is_not_removed():
    used = diagram(node("a", person="Kim"), persons=["Kim"])
    with pytest.raises(DiagramError, match="still the person of node 'a'"):
        apply(used, RemovePerson(person="Kim"))


def test_wrong_fields_of_persons_are_refused():
    some = diagram(persons=["Kim"])
    with pytest.raises(DiagramError, match="`model` must be text"):
        apply(some, SetPersonField(person="Kim", field="model", value=3))


def test_edits_travel_as_json():
    edit = SetProperty(node="a", path=("tools", 0), value={"x": [1, None]})
    assert edit_adapter.validate_json(edit_adapter.dump_json(edit)) == edit
    assert edit_adapter.validate_python({"type": "set_name", "name": "n"}) == SetName(name="n")


def test_parts_that_an_edit_does_not_concern_stay_the_same_objects():
    after = apply(TWO, RenameNode(node="b", label="c"))
    assert after.nodes[0] is TWO.nodes[0]
