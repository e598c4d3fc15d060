"""The `handles` that a native file lists: those of each node's type, and all that edges use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from ..model import DEFAULT, Diagram, Label, NodeSpec
from .entries import free

_USUAL: Sequence[tuple[str, str]] = (("input", DEFAULT), ("output", DEFAULT))
_SPEAKING = (("input", "first"), *_USUAL)
_BY_TYPE: dict[str, Sequence[tuple[str, str]]] = {
    "start": _USUAL[1:],
    "endpoint": _USUAL[:1],
    "condition": (_USUAL[0], ("output", "condtrue"), ("output", "condfalse")),
    "person_job": _SPEAKING,
    "person_batch_job": _SPEAKING,
}


class _Handle(NamedTuple):
    node: Label
    direction: str
    name: str


class Handles:
    """Gives each handle of a diagram an id."""

    def __init__(self, diagram: Diagram) -> None:
        self._labels = {node.label for node in diagram.nodes}
        self._used: defaultdict[Label, set[tuple[str, str]]] = defaultdict(set)
        for edge in diagram.edges:
            self._used[edge.source].add(("output", edge.source_handle))
            self._used[edge.target].add(("input", edge.target_handle))
        taken: dict[str, int] = {}
        self._ids: dict[_Handle, str] = {}
        for handle in self._all(diagram.nodes):
            plain = f"{handle.node}_{handle.name}_{handle.direction}"
            if handle not in self._ids:
                self._ids[handle] = free(plain, taken)

    def id_of(self, node: Label, name: str, direction: str) -> str:
        """The id that an arrow uses for this end."""
        return self._ids[_Handle(node, direction, name)]

    def entries(self) -> list[JsonValue]:
        """The list of handles, node by node."""
        return [
            {
                "id": id_,
                "node_id": handle.node,
                "label": handle.name,
                "direction": handle.direction,
                "data_type": "any",
            }
            for handle, id_ in self._ids.items()
            if handle.node in self._labels
        ]

    def _all(self, nodes: Sequence[NodeSpec]) -> Iterator[_Handle]:
        for node in nodes:
            usual = _BY_TYPE.get(node.type, _USUAL)
            others = sorted(self._used[node.label] - set(usual))
            yield from (_Handle(node.label, *each) for each in (*usual, *others))
        for label in sorted(self._used.keys() - self._labels):
            yield from (_Handle(label, *each) for each in sorted(self._used[label]))
