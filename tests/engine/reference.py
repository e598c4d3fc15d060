"""The slow, obviously right scheduler: one node after the other, in the order of the flow.

It follows the sentences of the design, shares no code with the engine, and cares for nothing but
being readable: loops are found by asking which nodes reach each other, and everything inside a
loop is simply done again for every round.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from dipeo_jupyter.diagram.model import Diagram, Edge

DEAD = object()


class OverrunError(Exception):
    """A loop went round too often."""


@dataclass
class Reference:
    diagram: Diagram
    behave: Callable[[str, int, dict[str, Any]], dict[str, Any]]
    max_rounds: int
    log: dict[str, list[Any]] = field(default_factory=dict)
    value: dict[int, Any] = field(default_factory=dict)
    carried: dict[int, Any] = field(default_factory=dict)
    coming: dict[int, Any] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    back: set[int] = field(default_factory=set)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.labels = [node.label for node in self.diagram.nodes]
        self.limit = {node.label: node.props.get("max_iteration") for node in self.diagram.nodes}
        self.edges = list(enumerate(self.diagram.edges))

    def run(self) -> dict[str, list[Any]]:
        self.log = {label: [] for label in self.labels}
        self.region(set(self.labels), [])
        return self.log

    # -- loops ---------------------------------------------------------------------------------

    def reaches(self, inside: set[str]) -> dict[str, set[str]]:
        """Which nodes each node leads to by forward edges that stay inside."""
        ahead: dict[str, set[str]] = {
            label: {
                e.target
                for n, e in self.edges
                if n not in self.back and e.source == label and e.target in inside
            }
            for label in inside
        }
        for via in inside:
            for label in inside:
                if via in ahead[label]:
                    ahead[label] |= ahead[via]
        return ahead

    def parts(self, inside: set[str]) -> list[set[str]]:
        ahead = self.reaches(inside)
        found: list[set[str]] = []
        for label in (label for label in self.labels if label in inside):
            if not any(label in part for part in found):
                mutual = {o for o in inside if o in ahead[label] and label in ahead[o]}
                found.append({label} | mutual)
        return found

    def loops(self, inside: set[str]) -> list[tuple[set[str], set[str]]]:
        """The loops of a region: the core of each, and the core with what hangs off it."""
        ahead = self.reaches(inside)
        parts = self.parts(inside)

        def part_of(label: str) -> set[str]:
            return next(part for part in parts if label in part)

        def owner(part: set[str]) -> set[str] | None:
            into = [
                (n, e)
                for n, e in self.edges
                if e.target in part and (e.source not in part or n in self.back)
            ]
            owners = []
            for n, e in into:
                feeder = (
                    owner(part_of(e.source)) if e.source in inside and n not in self.back else None
                )
                if feeder is None or self.way_out(e, feeder):
                    owners.append(None)
                else:
                    owners.append(frozenset(feeder))
            if owners and None not in owners and len(set(owners)) == 1:
                return set(owners[0] or ())
            return part if any(label in ahead[label] for label in part) else None

        cores = [part for part in parts if owner(part) == part]
        return [
            (core, set().union(*(part for part in parts if owner(part) == core))) for core in cores
        ]

    def way_out(self, edge: Edge, core: set[str]) -> bool:
        same = [
            e
            for _, e in self.edges
            if e.source == edge.source and e.source_handle == edge.source_handle
        ]
        branch = edge.source_handle != "default" and edge.source in core
        return branch and all(e.target not in core for e in same)

    def take_back_edges(self, core: set[str]) -> set[int]:
        entries = [
            label
            for label in self.labels
            if label in core
            and any(e.target == label and e.source not in core for _, e in self.edges)
        ] or [label for label in self.labels if label in core][:1]
        by_branches = [
            label
            for label in entries
            if all(
                e.source_handle != "default"
                for _, e in self.edges
                if e.target == label and e.source in core
            )
        ]
        taken: set[int] = set()
        for label in [*by_branches, *(label for label in entries if label not in by_branches)]:
            ahead = self.reaches(core)[label] | {label}
            new = {
                n
                for n, e in self.edges
                if n not in self.back
                and e.target == label
                and e.source in ahead
                and (label in self.reaches(core)[e.source])
            }
            self.back |= new
            taken |= new
        return taken

    # -- running -------------------------------------------------------------------------------

    def region(self, nodes: set[str], around: list[set[str]]) -> None:
        """Do everything in a region once, in the order of the flow."""
        units: list[tuple[set[str], set[str] | None]] = []
        for core, held in self.loops(nodes):
            units.append((held, core))
        inside = set().union(*(held for held, _ in units))
        units += [({label}, None) for label in nodes - inside]
        units.sort(key=lambda unit: min(self.labels.index(label) for label in unit[0]))
        while units:
            unit = next(
                u
                for u in units
                if not any(
                    e.source in other[0] and e.target in u[0] and n not in self.back
                    for n, e in self.edges
                    for other in units
                    if other is not u
                )
            )
            units.remove(unit)
            if unit[1] is None:
                self.node(next(iter(unit[0])), around)
            else:
                self.loop(unit[0], unit[1], around)

    def loop(self, nodes: set[str], core: set[str], around: list[set[str]]) -> None:
        outer_back = set(self.back)
        self.forget(nodes)
        self.turns |= dict.fromkeys(nodes, 0)
        back = self.take_back_edges(core)
        rounds = 1
        while True:
            before = self.fired_in(core)
            self.region(nodes, [*around, nodes])
            self.value |= {n: self.coming.pop(n) for n in back}
            again = [n for n in back if self.value.get(n, DEAD) is not DEAD]
            out_of_turns = all(
                self.limit[x] is not None and self.turns.get(x, 0) >= self.limit[x] for x in core
            )
            if not again or out_of_turns or self.fired_in(core) == before:
                break
            if rounds >= self.max_rounds:
                raise OverrunError
            rounds += 1
            self.forget(nodes, back)
            self.back = outer_back | back
        for n, e in self.edges:
            if e.source in nodes and e.target not in nodes:
                leaves = [loop for loop in around if e.target not in loop]
                if not leaves:
                    self.settle(n, self.carried.pop(n, DEAD))
        self.back = outer_back

    def fired_in(self, nodes: set[str]) -> int:
        """How many times these have really run so far."""
        return sum(isinstance(each, tuple) for label in nodes for each in self.log[label])

    def forget(self, nodes: set[str], but: Collection[int] = ()) -> None:
        for n, e in self.edges:
            if e.source in nodes and e.target in nodes and n not in but:
                self.value.pop(n, None)
                self.carried.pop(n, None)

    def settle(self, edge: int, result: Any) -> None:
        """What goes back shows only in the next round."""
        (self.coming if edge in self.back else self.value)[edge] = result

    def node(self, label: str, around: list[set[str]]) -> None:
        into = [(n, e) for n, e in self.edges if e.target == label]
        first = [(n, e) for n, e in into if e.target_handle == "first"]
        turn = self.turns.get(label, 0)
        live_first = [n for n, _ in first if self.value.get(n, DEAD) is not DEAD]
        if not (turn == 0 and live_first):
            first_numbers = {n for n, _ in first}
            listened = [(n, e) for n, e in into if n not in first_numbers]
        else:
            listened = first
        inputs = {
            e.label: self.value[n] for n, e in listened if self.value.get(n, DEAD) is not DEAD
        }
        limit = self.limit[label]
        if not inputs and any(n in self.value for n, _ in into):
            outputs: dict[str, Any] = {}
            self.log[label].append("skipped")
        elif limit is not None and turn >= limit:
            outputs = self.said[label]
            self.log[label].append("passed")
        else:
            number = sum(isinstance(each, tuple) for each in self.log[label]) + 1
            outputs = self.behave(label, number, inputs)
            self.turns[label] = turn + 1
            self.said[label] = outputs
            self.log[label].append((number, inputs, outputs))
        for n, e in self.edges:
            if e.source == label:
                result = outputs.get(e.source_handle, DEAD)
                if all(e.target in loop for loop in around):
                    self.settle(n, result)
                elif result is not DEAD:
                    self.carried[n] = result
