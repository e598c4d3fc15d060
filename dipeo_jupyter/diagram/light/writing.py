"""Writes the light format: the same text for the same diagram, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ...errors import DiagramError, Problem
from ..model import Diagram, Edge, Label, NodeSpec, Position
from ..yaml.writer import Flow, write_yaml
from .edges import SECTIONS
from .endpoints import write_endpoint
from .older import NESTED

RESERVED = ("version", "name", "description", "nodes", *SECTIONS, "persons")
"""The top-level entries that have a meaning; all others are kept in `Diagram.extra`."""

_NODE_KEYS = frozenset({"label", "type", "position", "props", *NESTED})
_LARGEST_EXACT = 2**53


def dumps(diagram: Diagram) -> str:
    """The diagram as light YAML; `parse` gives the same diagram back.

    An edge to a node that does not exist is written as it is. Raises `DiagramError` for what no
    YAML text can say (an infinite number), or what would be too large to read.
    """
    for key in diagram.extra:
        if key in RESERVED:
            message = f"The extra entry {key!r} would be read as something else. Rename it."
            raise DiagramError(Problem("bad_value", message, path=(key,)))
    labels = {node.label for node in diagram.nodes}
    persons = {
        label: person.model_dump(exclude_unset=True) for label, person in diagram.persons.items()
    }
    optional = {
        "name": diagram.name,
        "description": diagram.description,
        "nodes": [node_entry(node) for node in diagram.nodes],
        "connections": [edge_entry(edge, labels) for edge in diagram.edges] or None,
        "persons": persons or None,
    }
    written = {key: value for key, value in optional.items() if value is not None}
    try:
        return write_yaml({"version": "light"} | written | diagram.extra)
    except DiagramError as error:
        raise DiagramError(*(_named(problem, diagram) for problem in error.problems)) from None


def _named(problem: Problem, diagram: Diagram) -> Problem:
    match problem.path:
        case ("nodes", int(index), *rest):
            label = diagram.nodes[index].label
            return replace(problem, node=label, path=("nodes", label, *rest))
        case _:
            return problem


def node_entry(node: NodeSpec) -> dict[str, Any]:
    """A node as it stands in the list of `nodes`."""
    written: dict[str, Any] = {"label": node.label, "type": node.type}
    if node.position is not None:
        written["position"] = _position(node.position)
    if any(map(needs_props, node.props)):
        # All of them, so that their order survives.
        return written | {"props": node.props}
    return written | node.props


def needs_props(name: str) -> bool:
    """Whether a property would be read as something else if it stood beside the label."""
    return name in _NODE_KEYS or "." in name or name.startswith("__")


def _position(position: Position) -> Flow:
    return Flow(x=coordinate(position.x), y=coordinate(position.y))


def coordinate(number: float) -> float | int:
    """A coordinate as it is written: whole numbers without a fraction."""
    if number != 0 and abs(number) < _LARGEST_EXACT and number.is_integer():
        return int(number)
    # A zero may have a sign.
    return 0 if repr(number) == "0.0" else number


def edge_entry(edge: Edge, labels: Collection[Label]) -> dict[str, Any]:
    """An edge as it stands in the list of `connections`."""
    written: dict[str, Any] = {
        "from": write_endpoint(edge.source, edge.source_handle, labels),
        "to": write_endpoint(edge.target, edge.target_handle, labels),
    }
    optional = {"label": edge.label, "content_type": edge.content_type, "data": edge.data or None}
    return written | {key: value for key, value in optional.items() if value is not None}
