"""The settings of one node: its type, its properties, and whom they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from ...diagram.model import Diagram, NodeSpec
from ...diagram.suggest import did_you_mean
from ...diagram.wrong_values import WrongValue, wrong_values
from ...errors import DiagramError, Problem
from ..node import Context, Inputs, Node, NodeTypes, Result, node_type_named

ANCESTORS_TYPES = {
    "integrated_api": "DiPeO's `integrated_api` is not here: for Notion there is `notion`.",
    "typescript_ast": "DiPeO's `typescript_ast` is not here: it was for building DiPeO itself.",
    "ir_builder": "DiPeO's `ir_builder` is not here: it was for building DiPeO itself.",
}
"""What to do about types of the ancestor that are not done here; files keep them."""


_PROPERTY = 2
"""Where in a problem's path the property's name stands."""


class Unsound(Node):
    """Stands in for a node whose settings are wrong, so that the rest can be looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str] = "?"

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        raise NotImplementedError("a diagram with such a node is not run")


def duplicates(diagram: Diagram) -> Iterator[Problem]:
    """Labels that two nodes have."""
    seen: set[str] = set()
    for spec in diagram.nodes:
        if spec.label in seen:
            message = f"Two nodes are called {spec.label!r}."
            hint = f"Rename one, for instance to {spec.label + '~1'!r}."
            yield Problem("duplicate_label", message, spec.label, ("nodes", spec.label), hint)
        seen.add(spec.label)


def build(spec: NodeSpec, node_types: NodeTypes) -> Node:
    """The node that a spec describes; raises `DiagramError` with all that is wrong with it."""
    path = ("nodes", spec.label)
    known = node_type_named(spec.type, node_types)
    if known is None:
        message = f"Node {spec.label!r} has the unknown type {spec.type!r}."
        hint = ANCESTORS_TYPES.get(spec.type.lower()) or did_you_mean(spec.type, node_types)
        raise DiagramError(Problem("unknown_type", message, spec.label, (*path, "type"), hint))
    node_type = known.for_settings(spec.props)
    try:
        return node_type.model_validate(node_type.settings_in(spec.props))
    except ValidationError as error:
        # A property that is an alias of two is wrong twice.
        problems = dict.fromkeys(
            _property_problem(spec, node_type, detail, wrong)
            for detail, wrong in zip(error.errors(), wrong_values(error), strict=True)
        )
        raise DiagramError(*problems) from None


def without_faults(spec: NodeSpec, node_types: NodeTypes, faults: Iterable[Problem]) -> Node:
    """The node as it would be without its wrong settings, if it can be without them."""
    known = node_type_named(spec.type, node_types)
    faulty = {problem.path[_PROPERTY] for problem in faults if len(problem.path) > _PROPERTY}
    kept = {name: value for name, value in spec.props.items() if name not in faulty}
    if known is None or len(kept) == len(spec.props):
        return Unsound()
    node_type = known.for_settings(kept)
    try:
        return node_type.model_validate(node_type.settings_in(kept))
    except ValidationError:
        return Unsound()


def check_node(spec: NodeSpec, node: Node, diagram: Diagram) -> Iterator[Problem]:
    """What the node's type finds, at the properties as they are called in the diagram."""
    for problem in node.check(spec.label, diagram):
        yield as_written(spec, node, problem)


def check_named_persons(spec: NodeSpec, node: Node, diagram: Diagram) -> Iterator[Problem]:
    """Persons whom a setting names and who do not exist."""
    for field, name in _named(node, node.names_persons):
        if name not in diagram.persons:
            message = f"Node {spec.label!r} names {name!r}, who is none of the persons."
            hint = did_you_mean(name, diagram.persons) or "Add it under `persons:`."
            yield at_field(spec, node, Problem("unknown_person", message, hint=hint), field)


def check_named_nodes(
    spec: NodeSpec, node: Node, labels: Mapping[str, object]
) -> Iterator[Problem]:
    """Nodes that a setting names and that do not exist."""
    for field, name in _named(node, node.names_nodes):
        if name not in labels:
            message = f"Node {spec.label!r} looks at {name!r}, which does not exist."
            problem = Problem("unknown_node", message, hint=did_you_mean(name, labels))
            yield at_field(spec, node, problem, field)


def check_effect(spec: NodeSpec, node: Node) -> Iterator[Problem]:
    """Settings that have no effect beside the others."""
    for field, why in node.without_effect().items():
        name = node.as_written(field, spec.props)
        value = getattr(node, field)
        if name in spec.props and value not in (
            None,
            "",
            (),
            type(node).model_fields[field].default,
        ):
            message = f"Node {spec.label!r}: `{name}` {why}."
            problem = Problem("unused_setting", message, severity="warning")
            yield at_field(spec, node, problem, field)


def persons_of(node: Node) -> set[str]:
    """Everybody whom a node names."""
    return {name for _, name in _named(node, node.names_persons)}


def at_field(spec: NodeSpec, node: Node, problem: Problem, field: str, *rest: str | int) -> Problem:
    """The problem with its place: a field of the node, by the name that the diagram uses."""
    path = ("nodes", spec.label, node.as_written(field, spec.props), *rest)
    return replace(problem, node=spec.label, path=path)


def as_written(spec: NodeSpec, node: Node, problem: Problem) -> Problem:
    """The problem with its field looked for under the name that the diagram uses."""
    match problem.path:
        case ("nodes", spec.label, str(field), *rest):
            return at_field(spec, node, problem, field, *rest)
        case _:
            return problem


def _named(node: Node, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for field in fields:
        value: Any = getattr(node, field)
        names = [value] if isinstance(value, str) else value or ()
        yield from ((field, name) for name in dict.fromkeys(names))


def _property_problem(
    spec: NodeSpec, node_type: type[Node], error: ErrorDetails, wrong: WrongValue
) -> Problem:
    name = str(error["loc"][0]) if error["loc"] else ""
    path = ("nodes", spec.label, *error["loc"]) if name in spec.props else ("nodes", spec.label)
    where = f"Node {spec.label!r}"
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        if name in node_type.refused:
            message = f"{where} ({node_type.type}): {name!r} is not done by this version."
            instead = node_type.refused[name].hint
            return Problem("unsupported_property", message, spec.label, path, instead)
        if name in node_type.property_names():
            message = f"{where} has {name!r} and another name for the same."
            return Problem("bad_property", message, spec.label, path, "Leave one of them out.")
        message = f"{where} ({node_type.type}) has no property {name!r}."
        hint = did_you_mean(name, node_type.property_names())
        return Problem("unknown_property", message, spec.label, path, hint)
    if error["type"] == "missing" and len(error["loc"]) == 1:
        message = f"{where} ({node_type.type}) needs the property {name!r}."
        return Problem("missing_property", message, spec.label, path)
    return Problem("bad_property", f"{where}: {wrong.message}", spec.label, path, wrong.hint)
