"""The ends of an arrow: ids of handles, in both grammars, and ids of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from ...errors import DiagramError, Problem
from ..light.endpoints import BRANCHES, Endpoint
from ..model import DEFAULT, Label
from ..report import Report
from ..suggest import did_you_mean
from .entries import Entry, first_of

Side: TypeAlias = Literal["source", "target"]
DIRECTIONS: dict[Side, str] = {"source": "output", "target": "input"}

_LONGEST = 1000
_CANONICAL = {"": DEFAULT, "input": DEFAULT, "output": DEFAULT, **BRANCHES}


class Handle(NamedTuple):
    """A handle as the file has it: the id of its node, its name there, `input` or `output`."""

    node_id: str
    name: str
    direction: str


class Ends:
    """Finds out what the ends of arrows mean, among these nodes and handles."""

    def __init__(self, labels: Mapping[str, Label], handles: Mapping[str, Handle]) -> None:
        self.labels = labels
        self.handles = handles

    def read(self, text: str, side: Side) -> Endpoint:
        """The node and the handle. Raises `DiagramError` when there is no such node or handle."""
        known = self.handles.get(text)
        if known is not None and known.direction not in ("", DIRECTIONS[side]):
            message = f"The {side} of an arrow must be an {DIRECTIONS[side]}, but {text!r} is none."
            raise DiagramError(Problem("bad_connection", message))
        for node_id, name in [known[:2]] if known else _readings(text, DIRECTIONS[side]):
            if node_id in self.labels:
                return Endpoint(self.labels[node_id], canonical(name))
        raise DiagramError(self._unknown(text, side, known))

    def _unknown(self, text: str, side: Side, handle: Handle | None) -> Problem:
        if handle is not None:
            node_id, names = handle.node_id, [*self.labels]
            message = f"The handle {text[:60]!r} is of node {node_id[:60]!r}, which does not exist."
        else:
            node_id, names = text, [*self.handles, *self.labels]
            message = f"The {side} {text[:60]!r} is neither a handle nor a node."
        return Problem("unknown_node", message, hint=did_you_mean(node_id, names))


def read_handles(found: list[Entry], report: Report) -> dict[str, Handle]:
    """The handles by id."""
    handles: dict[str, Handle] = {}
    for entry in found:
        node_id = first_of(entry.fields, "node_id", "nodeId")
        name = first_of(entry.fields, "label", "name")
        if not entry.id or not isinstance(node_id, str):
            missing = "`node_id`" if entry.id else "`id`"
            report.add("bad_value", f"A handle has no {missing}.", entry.path)
        else:
            direction = str(entry.fields.get("direction") or "").lower()
            handles[entry.id] = Handle(node_id, "" if name is None else str(name), direction)
    return handles


def canonical(name: str) -> str:
    """The present name of a handle."""
    return _CANONICAL.get(name, name)


def _readings(text: str, direction: str) -> Iterator[tuple[str, str]]:
    yield text, DEFAULT
    if len(text) > _LONGEST:
        return
    yield from _splits(text, ":")
    if text.endswith(f"_{direction}"):
        yield from _splits(text.removesuffix(f"_{direction}"), "_")


def _splits(text: str, separator: str) -> Iterator[tuple[str, str]]:
    """Every way to split it in two, from the right."""
    at = text.rfind(separator)
    while at > 0:
        yield text[:at], text[at + 1 :]
        at = text.rfind(separator, 0, at)
