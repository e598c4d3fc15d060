"""Edges that bring the same name into one node, so that one value hides the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

from ...diagram.model import Label
from ...errors import Problem
from ..program import Program, Wire

_MOST_PAIRS = 200
"""Pairs of edges into one node that are compared; more is not drawn by hand."""


def check_same_labels(program: Program) -> Iterator[Problem]:
    """Of two edges that can be live together, the later one wins; of two branches, either may."""
    groups = list(_groups(program))
    ways = _Ways(program) if groups else None
    for wires in groups:
        for one, other in islice(combinations(wires, 2), _MOST_PAIRS):
            if ways and ways.can_meet(one, other):
                yield _problem(program, one, other)
                break


def _groups(program: Program) -> Iterator[list[Wire]]:
    """Edges into one node that bear the same name and count at the same time."""
    found: dict[tuple[int, str, bool, bool], list[Wire]] = {}
    for wire in program.wires:
        if wire.name is not None and program.nodes[wire.target].join == "all":
            key = (wire.target, wire.name, wire.first, wire.back)
            found.setdefault(key, []).append(wire)
    yield from (wires for wires in found.values() if len(wires) > 1)


def _problem(program: Program, one: Wire, other: Wire) -> Problem:
    label: Label = program.labels[one.target]
    first, second = program.labels[one.source], program.labels[other.source]
    message = (
        f"Node {label!r} gets {one.name!r} twice, from {first!r} and from {second!r}; "
        "only the later edge counts."
    )
    path = ("edges", other.index, "label")
    return Problem("same_edge_label", message, label, path, "Give one another label.", "warning")


class _Ways:
    """By which ways of each branching node an edge can be reached, forwards.

    A set of branching nodes is a number with a bit for each, so that large graphs stay cheap.
    """

    def __init__(self, program: Program) -> None:
        handles: list[set[str]] = [{wire.handle for wire in out} for out in program.outgoing]
        branching = [node for node, names in enumerate(handles) if len(names) > 1]
        self._bit = {node: 1 << bit for bit, node in enumerate(branching)}
        self._reached: list[dict[str, int]] = [{} for _ in program.nodes]
        waiting = [sum(not wire.back for wire in wires) for wires in program.incoming]
        todo = [node for node, count in enumerate(waiting) if not count]
        while todo:
            node = todo.pop()
            for wire in program.outgoing[node]:
                if wire.back:
                    continue
                mine = self._reached[wire.target]
                for handle, bits in self._of(wire).items():
                    mine[handle] = mine.get(handle, 0) | bits
                waiting[wire.target] -= 1
                if not waiting[wire.target]:
                    todo.append(wire.target)

    def can_meet(self, one: Wire, other: Wire) -> bool:
        """Whether no branching node lies before both that reaches them by different ways alone."""
        if (one.source, one.handle) == (other.source, other.handle):
            return False  # the same value
        first, second = self._of(one), self._of(other)
        shared = 0
        for handle in first.keys() & second.keys():
            shared |= first[handle] & second[handle]
        return not (_union(first) & _union(second) & ~shared)

    def _of(self, wire: Wire) -> dict[str, int]:
        reached = self._reached[wire.source]
        bit = self._bit.get(wire.source)
        if bit is None:
            return reached
        return {**reached, wire.handle: reached.get(wire.handle, 0) | bit}


def _union(ways: dict[str, int]) -> int:
    found = 0
    for bits in ways.values():
        found |= bits
    return found
