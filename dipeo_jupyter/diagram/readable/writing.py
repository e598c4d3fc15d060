"""Writes the readable format: the same text for the same diagram, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from ...errors import DiagramError, Problem
from ..light.endpoints import write_endpoint
from ..light.writing import needs_props
from ..model import DEFAULT, Diagram, Edge, Label, NodeSpec
from ..yaml.writer import write_yaml
from .connections import DATA
from .keys import write_key
from .nodes import means_another_person
from .reading import RESERVED
from .sentences import write_sentence


def dumps(diagram: Diagram) -> str:
    """The diagram as readable YAML; `survey` gives the same diagram back.

    An edge to a node that does not exist is written as it is. Raises `DiagramError` for what no
    YAML text can say (an infinite number), or what would be too large to read.
    """
    labels = {node.label for node in diagram.nodes}
    persons = [
        {label: person.model_dump(exclude_unset=True)} for label, person in diagram.persons.items()
    ]
    optional = {
        "name": diagram.name,
        "description": diagram.description,
        "persons": persons or None,
        "nodes": [_node(node, diagram.persons) for node in diagram.nodes],
        "flow": _flow(diagram.edges, labels) or None,
    }
    written = {key: value for key, value in optional.items() if value is not None}
    # All or none, so that their order survives.
    natural = RESERVED.isdisjoint(diagram.extra)
    extra = diagram.extra if natural else {"extra": diagram.extra}
    try:
        return write_yaml({"version": "readable"} | written | extra)
    except DiagramError as error:
        raise DiagramError(*(_named(problem, diagram) for problem in error.problems)) from None


def _named(problem: Problem, diagram: Diagram) -> Problem:
    match problem.path:
        case ("nodes", int(index), _, *rest):
            label = diagram.nodes[index].label
            return replace(problem, node=label, path=("nodes", label, *rest))
        case _:
            return problem


def _node(node: NodeSpec, persons: Collection[Label]) -> dict[str, Any]:
    aside = any(map(needs_props, node.props)) or means_another_person(node.props, persons)
    # All of them, so that their order survives.
    props = {"props": node.props} if aside else node.props
    return {write_key(node.label, node.position): {"type": node.type} | props}


def _flow(edges: tuple[Edge, ...], labels: Collection[Label]) -> list[dict[str, Any]]:
    """One entry for the connections that leave a node one after the other."""
    flow = []
    for source, group in groupby(edges, attrgetter("source")):
        written = [_connection(edge, labels) for edge in group]
        key = write_endpoint(source, DEFAULT, labels)
        flow.append({key: written[0] if len(written) == 1 else written})
    return flow


def _connection(edge: Edge, labels: Collection[Label]) -> str | dict[str, Any]:
    optional = {
        "from": _handle(edge.source_handle),
        "to": write_endpoint(edge.target, DEFAULT, labels),
        "in": _handle(edge.target_handle),
        "as": edge.content_type,
        "naming": edge.label,
    }
    words = {word: text for word, text in optional.items() if text is not None}
    return words | {DATA: edge.data} if edge.data else write_sentence(words)


def _handle(handle: str) -> str | None:
    return None if handle == DEFAULT else f"_{handle}"
