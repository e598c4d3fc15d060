"""What each edit does to a diagram."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, assert_never

from pydantic import JsonValue, ValidationError

from ...errors import DiagramError, Problem
from ..labels import label_fault
from ..model import Diagram, Edge, Label, NodeSpec, Person
from ..source import Path
from ..suggest import did_you_mean
from ..wrong_values import kind, wrong_values
from .edits import (
    AddEdge,
    AddNode,
    AddPerson,
    Edit,
    MoveNode,
    RemoveEdge,
    RemoveNode,
    RemovePerson,
    RemovePersonField,
    RemoveProperty,
    RenameNode,
    RenamePerson,
    SetDescription,
    SetEdge,
    SetName,
    SetPersonField,
    SetProperty,
    SetType,
)
from .references import Renaming, names_person, rename_person


def apply(diagram: Diagram, edit: Edit) -> Diagram:
    """The diagram after an edit; the parts it does not concern are the same objects.

    Raises `DiagramError` for what cannot be done: an unknown or taken label, a wrong value.
    """
    match edit:
        case SetName():
            return diagram.model_copy(update={"name": edit.name})
        case SetDescription():
            return diagram.model_copy(update={"description": edit.description})
        case AddEdge() | RemoveEdge() | SetEdge():
            return _edges(diagram, edit)
        case AddPerson() | RemovePerson() | RenamePerson() | SetPersonField() | RemovePersonField():
            return _persons(diagram, edit)
        case _:
            return _nodes(diagram, edit)


# --- nodes


def _nodes(
    diagram: Diagram,
    edit: SetProperty | RemoveProperty | RenameNode | SetType | MoveNode | AddNode | RemoveNode,
) -> Diagram:
    match edit:
        case SetProperty():
            _check_property(diagram, edit)
            return _with_props(
                diagram, edit.node, lambda props: _put(props, edit.path, edit.value, edit.node)
            )
        case RemoveProperty():
            _check_property(diagram, edit)
            return _with_props(
                diagram, edit.node, lambda props: _taken(props, edit.path, edit.node)
            )
        case SetType():
            node = diagram.nodes[_index(diagram, edit.node)]
            return _replaced(diagram, node.model_copy(update={"type": edit.node_type}))
        case MoveNode():
            node = diagram.nodes[_index(diagram, edit.node)]
            return _replaced(diagram, node.model_copy(update={"position": edit.position}))
        case RenameNode():
            return _rename_node(diagram, edit.node, edit.label)
        case AddNode():
            _check_label(edit.node.label, [node.label for node in diagram.nodes], "node")
            at = len(diagram.nodes) if edit.after is None else _index(diagram, edit.after) + 1
            nodes = (*diagram.nodes[:at], edit.node, *diagram.nodes[at:])
            return diagram.model_copy(update={"nodes": nodes})
        case RemoveNode():
            gone = diagram.nodes[_index(diagram, edit.node)]
            nodes = tuple(node for node in diagram.nodes if node is not gone)
            ends = gone.label
            edges = tuple(e for e in diagram.edges if ends not in (e.source, e.target))
            return diagram.model_copy(update={"nodes": nodes, "edges": edges})
        case _:
            assert_never(edit)


def _rename_node(diagram: Diagram, old: Label, new: Label) -> Diagram:
    _index(diagram, old)
    if new == old:
        return diagram
    _check_label(new, [node.label for node in diagram.nodes], "node")
    renaming = Renaming(diagram, old, new)
    nodes = tuple(
        _changed(node, label=new if node.label == old else node.label, props=renaming.props(node))
        for node in diagram.nodes
    )
    edges = tuple(
        _changed(
            edge,
            source=new if edge.source == old else edge.source,
            target=new if edge.target == old else edge.target,
        )
        for edge in diagram.edges
    )
    return diagram.model_copy(update={"nodes": nodes, "edges": edges})


def _with_props(
    diagram: Diagram,
    label: Label,
    change: Callable[[dict[str, JsonValue]], JsonValue],
) -> Diagram:
    node = diagram.nodes[_index(diagram, label)]
    return _replaced(diagram, node.model_copy(update={"props": change(node.props)}))


def _replaced(diagram: Diagram, node: NodeSpec) -> Diagram:
    nodes = tuple(node if each.label == node.label else each for each in diagram.nodes)
    return diagram.model_copy(update={"nodes": nodes})


def _index(diagram: Diagram, label: Label) -> int:
    labels = [node.label for node in diagram.nodes]
    if label not in labels:
        _refuse("unknown_node", f"There is no node {label!r}.", hint=did_you_mean(label, labels))
    return labels.index(label)


# --- values inside properties

_NO_PROPERTIES = {
    "label": "Rename the node: `RenameNode`.",
    "type": "Write `SetType`.",
    "position": "Move the node: `MoveNode`.",
}


def _check_property(diagram: Diagram, edit: SetProperty | RemoveProperty) -> None:
    """Refuse names that stand for something else, unless a property has this very name."""
    name, *rest = edit.path
    if not isinstance(name, str) or name in diagram.nodes[_index(diagram, edit.node)].props:
        return
    if hint := _NO_PROPERTIES.get(name):
        message = f"The {name} of node {edit.node!r} is no property."
        _refuse("bad_value", message, node=edit.node, hint=hint)
    parts = name.split(".")
    if len(parts) > 1 and all(parts):
        message = f"Node {edit.node!r} has no property {name!r}, and none is made with dots."
        hint = f"Write path={(*parts, *rest)!r}."
        _refuse("bad_value", message, node=edit.node, hint=hint)


def _put(inside: JsonValue, path: Path, value: JsonValue, node: Label) -> JsonValue:
    """The same map or list with a value at the end of the path."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(inside, list) and isinstance(step, int):
        if not 0 <= step <= len(inside):
            _refuse("bad_value", f"There is no place {step} in a list of {len(inside)}.", node=node)
        old = inside[step] if step < len(inside) else {}
        return [*inside[:step], _put(old, rest, value, node), *inside[step + 1 :]]
    if isinstance(inside, dict) and isinstance(step, str):
        return inside | {step: _put(inside.get(step, {}), rest, value, node)}
    return _refuse("bad_value", f"{step!r} leads into {kind(inside)}.", node=node)


def _taken(inside: JsonValue, path: Path, node: Label) -> JsonValue:
    """The same map or list without what is at the end of the path."""
    step, rest = path[0], path[1:]
    if isinstance(inside, list) and isinstance(step, int) and 0 <= step < len(inside):
        kept = [_taken(inside[step], rest, node)] if rest else []
        return [*inside[:step], *kept, *inside[step + 1 :]]
    if isinstance(inside, dict) and isinstance(step, str) and step in inside:
        if rest:
            return inside | {step: _taken(inside[step], rest, node)}
        return {key: value for key, value in inside.items() if key != step}
    known = inside if isinstance(inside, dict) else ()
    hint = did_you_mean(str(step), known)
    return _refuse("bad_value", f"Node {node!r} has no {step!r} there.", node=node, hint=hint)


# --- edges


def _edges(diagram: Diagram, edit: AddEdge | RemoveEdge | SetEdge) -> Diagram:
    edges = diagram.edges
    if isinstance(edit, AddEdge):
        return diagram.model_copy(update={"edges": (*edges, _checked(diagram, edit.edge))})
    if edit.index >= len(edges):
        many = f"there are {len(edges)}" if edges else "there are none"
        _refuse("bad_value", f"There is no edge {edit.index}: {many}, counted from 0.")
    here = () if isinstance(edit, RemoveEdge) else (_checked(diagram, edit.edge),)
    return diagram.model_copy(
        update={"edges": (*edges[: edit.index], *here, *edges[edit.index + 1 :])}
    )


def _checked(diagram: Diagram, edge: Edge) -> Edge:
    for label in (edge.source, edge.target):
        _index(diagram, label)
    return edge


# --- persons


def _persons(
    diagram: Diagram,
    edit: AddPerson | RemovePerson | RenamePerson | SetPersonField | RemovePersonField,
) -> Diagram:
    persons = diagram.persons
    match edit:
        case AddPerson():
            _check_label(edit.label, persons, "person")
            return _with_persons(diagram, persons | {edit.label: edit.person})
        case RemovePerson():
            _person(diagram, edit.person)
            speakers = [node.label for node in diagram.nodes if names_person(node, edit.person)]
            if speakers:
                message = f"{edit.person!r} is still the person of node {speakers[0]!r}."
                _refuse("unknown_person", message, node=speakers[0])
            return _with_persons(diagram, {k: v for k, v in persons.items() if k != edit.person})
        case RenamePerson():
            return _rename_person(diagram, edit.person, edit.label)
        case SetPersonField():
            fields = _fields(_person(diagram, edit.person)) | {edit.field: edit.value}
        case RemovePersonField():
            fields = _fields(_person(diagram, edit.person))
            if edit.field not in fields:
                message = f"Person {edit.person!r} has no {edit.field!r}."
                _refuse("bad_value", message, hint=did_you_mean(edit.field, fields))
            del fields[edit.field]
        case _:
            assert_never(edit)
    person = _built(edit.person, fields)
    return _with_persons(diagram, persons | {edit.person: person})


def _rename_person(diagram: Diagram, old: Label, new: Label) -> Diagram:
    _person(diagram, old)
    if new == old:
        return diagram
    _check_label(new, diagram.persons, "person")
    persons = {new if label == old else label: each for label, each in diagram.persons.items()}
    nodes = tuple(_changed(node, props=rename_person(node, old, new)) for node in diagram.nodes)
    return diagram.model_copy(update={"persons": persons, "nodes": nodes})


def _with_persons(diagram: Diagram, persons: dict[Label, Person]) -> Diagram:
    return diagram.model_copy(update={"persons": persons})


def _person(diagram: Diagram, label: Label) -> Person:
    if label not in diagram.persons:
        hint = did_you_mean(label, diagram.persons)
        _refuse("unknown_person", f"There is no person {label!r}.", hint=hint)
    return diagram.persons[label]


def _fields(person: Person) -> dict[str, JsonValue]:
    return person.model_dump(exclude_unset=True)


def _built(label: Label, fields: dict[str, JsonValue]) -> Person:
    try:
        return Person.model_validate(fields)
    except ValidationError as error:
        raise DiagramError(
            *(
                Problem("bad_value", wrong.message, path=("persons", label, *wrong.path))
                for wrong in wrong_values(error)
            )
        ) from None


# --- for all of them


def _changed(part: Any, **fields: Any) -> Any:
    """The part with these fields; itself when it has them already."""
    new = {name: value for name, value in fields.items() if getattr(part, name) != value}
    return part.model_copy(update=new) if new else part


def _check_label(label: Label, taken: Iterable[Label], what: str) -> None:
    if fault := label_fault(label):
        _refuse("bad_label", f"The label {label[:40]!r} of a {what} {fault}.")
    if label in taken:
        _refuse("duplicate_label", f"The label {label!r} is taken by another {what}.")


def _refuse(
    code: str, message: str, *, node: Label | None = None, hint: str | None = None
) -> NoReturn:
    path: Sequence[str] = () if node is None else ("nodes", node)
    raise DiagramError(Problem(code, message, node, tuple(path), hint))
