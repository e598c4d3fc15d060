"""Writes the native format: the same text for the same diagram, and nothing lost on the way.

A label is its own id, so that a new node changes no other one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from ...errors import DiagramError, Problem
from ..light.writing import coordinate
from ..model import Diagram, Edge, Label, NodeSpec, Person
from ..report import Map
from ..source import Path
from .arrows import DERIVED, MEANT
from .ends import canonical
from .entries import OURS, free, has_typenames
from .handles import Handles
from .nodes import is_corner
from .reading import FILLERS, METADATA, RESERVED
from .text import MAX_JSON, MOST_LEVELS

_BRANCHES = {"condtrue": "true", "condfalse": "false"}


def dumps(diagram: Diagram) -> str:
    """The diagram as native JSON; `survey` gives the same diagram back.

    Values of API keys are left out. An edge to a node that does not exist is written as it is.
    Raises `DiagramError` for what JSON cannot say (an infinite number), or what would be too large
    to read.
    """
    handles = Handles(diagram)
    placed = any(node.position and not _in_corner(node) for node in diagram.nodes)
    data: Map = {
        "nodes": [_node(node, placed=placed) for node in diagram.nodes],
        "handles": handles.entries(),
        "arrows": _arrows(diagram, handles),
        "persons": [_person(label, person) for label, person in diagram.persons.items()],
    }
    written = data | _rest(diagram)
    for path, message, code in _faults(written, ()):
        raise DiagramError(_named(Problem(code, message, path=path), diagram))
    text = json.dumps(written, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if len(text) > MAX_JSON:
        message = f"The diagram has more than {MAX_JSON:,} characters as JSON."
        raise DiagramError(Problem("too_large", message))
    return text


def _named(problem: Problem, diagram: Diagram) -> Problem:
    match problem.path:
        case ("nodes", int(index), *rest):
            label = diagram.nodes[index].label
            inside = [key for key in rest if key != "data"]
            return replace(problem, node=label, path=("nodes", label, *inside))
        case _:
            return problem


def _node(node: NodeSpec, *, placed: bool) -> JsonValue:
    position = {"x": 0.0, "y": 0.0} if node.position is None else node.position.model_dump()
    marks: Map = {}
    if is_corner(position) and placed is (node.position is None):
        marks["placed"] = not placed
    props = node.props
    if has_typenames(props) or props.keys() & {"label", OURS}:
        # All of them, so that their order survives.
        marks["props"], props = props, {}
    return {
        "id": node.label,
        "type": node.type,
        "position": {axis: coordinate(number) for axis, number in position.items()},
        "data": {"label": node.label} | props | _marked(marks),
    }


def _in_corner(node: NodeSpec) -> bool:
    return node.position is not None and is_corner(node.position.model_dump())


def _arrows(diagram: Diagram, handles: Handles) -> list[JsonValue]:
    ids: dict[str, int] = {}
    return [_arrow(edge, handles, ids) for edge in diagram.edges]


def _arrow(edge: Edge, handles: Handles, ids: dict[str, int]) -> JsonValue:
    source = handles.id_of(edge.source, edge.source_handle, "output")
    target = handles.id_of(edge.target, edge.target_handle, "input")
    written: Map = {"id": free(f"{source}->{target}", ids), "source": source, "target": target}
    if edge.content_type is not None:
        written["content_type"] = edge.content_type
    if edge.label is not None:
        written["label"] = edge.label
    if data := _arrow_data(edge):
        written["data"] = data
    return written


def _arrow_data(edge: Edge) -> Map:
    marks: Map = {
        field: handle
        for field, handle in (
            ("source_handle", edge.source_handle),
            ("target_handle", edge.target_handle),
        )
        if canonical(handle) != handle
    }
    data = edge.data
    if has_typenames(data) or data.keys() & MEANT:
        marks["data"], data = data, {}
    branch = _BRANCHES.get(edge.source_handle)
    derived: Map = {DERIVED[0]: branch} if branch else {}
    return derived | data | _marked(marks)


def _person(label: Label, person: Person) -> JsonValue:
    fields = person.model_dump(exclude_unset=True)
    config: Map = {OURS: fields} if has_typenames(fields) else {"llm_config": fields}
    return {"id": label, "label": label, **config, "type": "person"}


def _rest(diagram: Diagram) -> Map:
    extra = diagram.extra
    about = {"name": diagram.name, "description": diagram.description}
    known: Map = {key: value for key, value in about.items() if value is not None}
    if extra.keys() & RESERVED or has_typenames(extra) or not _fits_in(extra):
        # All of them, so that their order survives.
        return _metadata(known) | _marked(extra)
    inside = extra.get(METADATA, {})
    assert isinstance(inside, dict)
    metadata = _metadata(known | inside)
    return extra | metadata if METADATA in extra else metadata | extra


def _fits_in(extra: Map) -> bool:
    """Whether what the extra entry `metadata` holds can stand where the format has its own."""
    if METADATA not in extra:
        return True
    inside = extra[METADATA]
    if not isinstance(inside, dict) or not inside or inside.keys() & {"name", "description"}:
        return False
    return all(inside.get(key) != filler for key, filler in FILLERS.items())


def _metadata(known: Map) -> Map:
    missing = {key: filler for key, filler in FILLERS.items() if key not in known}
    return {METADATA: known | missing} if known else {}


def _marked(marks: Map) -> Map:
    return {OURS: marks} if marks else {}


def _faults(value: Any, path: Path) -> Iterator[tuple[Path, str, str]]:
    """What of this JSON could not be read back."""
    if isinstance(value, dict | list) and len(path) >= MOST_LEVELS:
        yield path, f"This is nested more than {MOST_LEVELS} levels deep.", "too_large"
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _faults(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _faults(inner, (*path, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "JSON can hold only finite numbers.", "bad_value"
