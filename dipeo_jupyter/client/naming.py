"""What people call parts of a run: places to stop at, and things to change.

argue            before every firing of the node       argue[2]        before its second one
after argue[2]   behind it                             after argue if len(output) > 3

verdict.prompt   a property of a node                  Optimist.model  a field of a person
argue[2]         what an activation handed on
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from ..diagram import expression
from ..diagram.model import Diagram, Label, NodeSpec, Person
from ..diagram.suggest import CLEARLY, did_you_mean, nearest
from ..errors import CommandError, ExpressionError
from ..protocol.events import Breakpoint, label_and_visit

Place = str | Breakpoint
_FIXED = ("label", "type")


def when(place: str, condition: str | None = None, *, after: bool = False) -> Breakpoint:
    """A breakpoint with a condition: an expression that sees what the node sees.

    Behind the node (`after=True`) it sees its `output` too.

    >>> when("argue", "len(output) > 3", after=True).condition
    'len(output) > 3'
    """
    label, visit = label_and_visit(place)
    side: Literal["before", "after"] = "after" if after else "before"
    return _checked(Breakpoint(node=label, when=side, visit=visit, condition=condition))


def breakpoints(places: Place | Iterable[Place], diagram: Diagram) -> tuple[Breakpoint, ...]:
    """The breakpoints that people name; raises `CommandError` for a node that is not there."""
    labels = [spec.label for spec in diagram.nodes]
    several = (places,) if isinstance(places, str | Breakpoint) else places
    return tuple(_breakpoint(each, labels) for each in several)


def place_of(point: Breakpoint) -> str:
    """A breakpoint as people write it."""
    side = "after " if point.when == "after" else ""
    visit = f"[{point.visit}]" if point.visit else ""
    condition = f" if {point.condition}" if point.condition else ""
    return f"{side}{point.node}{visit}{condition}"


def changed(diagram: Diagram, changes: Mapping[str, Any]) -> tuple[Diagram, dict[str, Any]]:
    """The diagram with these changes, and the outputs of activations that are among them.

    Raises `CommandError` for a name that does not exist. Whether a node can have such a property,
    its type knows.
    """
    values: dict[str, Any] = {}
    for path, value in changes.items():
        label, visit = label_and_visit(path)
        if visit is not None and label in (spec.label for spec in diagram.nodes):
            values[path] = value
        else:
            diagram = _with(diagram, path, value)
    return diagram, values


def _breakpoint(place: Place, labels: Collection[Label]) -> Breakpoint:
    point = place if isinstance(place, Breakpoint) else _read(place, labels)
    if point.node not in labels:
        hint = did_you_mean(point.node, labels)
        message = f"There is no node {point.node!r} to stop at."
        raise CommandError(message, code="unknown_node", hint=hint)
    return _checked(point)


def _read(text: str, labels: Collection[Label]) -> Breakpoint:
    if text in labels:
        return Breakpoint(node=text)
    side, _, rest = text.partition(" ")
    place, _, condition = (rest if side in ("after", "before") else text).partition(" if ")
    return when(place.strip(), condition.strip() or None, after=side == "after")


def _checked(point: Breakpoint) -> Breakpoint:
    try:
        if point.condition is not None:
            expression.check(point.condition)
    except ExpressionError as error:
        message = f"The condition {point.condition!r} cannot be: {error}"
        raise CommandError(message, code="bad_expression") from None
    return point


def _with(diagram: Diagram, path: str, value: Any) -> Diagram:
    nodes = {spec.label: spec for spec in diagram.nodes}
    owner, fields = _owner(path, [*nodes, *diagram.persons])
    person = diagram.persons.get(owner)
    if person and (owner not in nodes or fields[0] in {*Person.model_fields, *person.parameters}):
        changed_person = _with_field(owner, person, fields, value)
        return diagram.model_copy(update={"persons": {**diagram.persons, owner: changed_person}})
    changed_node = _with_property(nodes[owner], fields, value)
    specs = tuple(changed_node if spec.label == owner else spec for spec in diagram.nodes)
    return diagram.model_copy(update={"nodes": specs})


def _owner(path: str, known: Collection[str]) -> tuple[str, list[str]]:
    """The node or person that a path begins with, and the fields behind it."""
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        owner = ".".join(parts[:end])
        if owner in known and all(parts[end:]):
            return owner, parts[end:]
    if path in known or not all(parts):
        message = f"{path!r} does not say what to change: write for instance {parts[0]}.prompt."
        raise CommandError(message, code="bad_change")
    wrong = label_and_visit(parts[0])[0]
    message = f"{path!r} names no node, person or activation."
    raise CommandError(message, code="unknown_node", hint=did_you_mean(wrong, known))


def _with_field(owner: str, person: Person, fields: list[str], value: Any) -> Person:
    now = person.model_dump(exclude_unset=True)
    known = {*Person.model_fields, *person.parameters}
    meant = nearest(fields[0], known, CLEARLY)
    if fields[0] not in known and meant is not None:
        message = f"The person {owner!r} has no field {fields[0]!r}."
        raise CommandError(message, code="unknown_field", hint=f"Did you mean {meant!r}?")
    return Person.model_validate(_put(now, fields, value))


def _with_property(spec: NodeSpec, fields: list[str], value: Any) -> NodeSpec:
    if fields[0] in _FIXED:
        message = f"The {fields[0]} of a node cannot be set; give the changed diagram instead."
        raise CommandError(message, code="bad_change")
    return spec.model_copy(update={"props": _put(spec.props, fields, value)})


def _put(data: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A copy of nested maps with one value replaced."""
    first, *rest = path
    inner = data.get(first)
    if rest:
        value = _put(inner if isinstance(inner, Mapping) else {}, rest, value)
    return {**data, first: value}
