"""Find the loops of a diagram: what each holds, which edges go round, what hangs off it.

A loop is a strongly connected part of the graph. Its entries are the nodes that are fed from
outside; an edge that leads from inside back to an entry, and so closes a cycle, is a back edge.
Entries are taken in file order, but first those to which only branches lead back: a loop is closed
by its condition. What is still cyclic without the back edges are the loops inside.

What hangs off a loop belongs to it: parts of the graph fed by the loop alone, and not by a *way
out*, which is a branch of a node of the loop that leads nowhere inside it.

Nodes and edges are numbers here, in file order; the graph is `Graph`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..diagram.model import DEFAULT

Node = int
EdgeIndex = int
Successors = Callable[[int], Iterable[int]]

OUTSIDE = -1
"""Stands for "no loop", where a loop is named by its number."""


@dataclass(frozen=True, slots=True)
class Arc:
    """An edge of the graph; a `handle` that is not the default one is a branch."""

    index: EdgeIndex
    source: Node
    target: Node
    handle: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop. `nodes` is all it holds, inner loops and what hangs off it included.

    `core` is the part that goes round: it keeps the loop going, what hangs off does not.

    `entries` come in the order in which they were taken; `parent` is the loop around it, or
    `OUTSIDE`.
    """

    index: int
    parent: int
    nodes: tuple[Node, ...]
    core: frozenset[Node]
    entries: tuple[Node, ...]
    back_edges: frozenset[EdgeIndex]


@dataclass
class Graph:
    """Arcs by their ends, and which of them have turned out to be back edges."""

    size: int
    arcs: Sequence[Arc]
    outgoing: list[list[Arc]] = field(init=False)
    incoming: list[list[Arc]] = field(init=False)
    back: set[EdgeIndex] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.outgoing = [[] for _ in range(self.size)]
        self.incoming = [[] for _ in range(self.size)]
        for arc in self.arcs:
            self.outgoing[arc.source].append(arc)
            self.incoming[arc.target].append(arc)

    def successors(self, node: Node, inside: Collection[Node]) -> Iterator[Node]:
        """Where forward arcs lead from `node` without leaving `inside`."""
        for arc in self.outgoing[node]:
            if arc.index not in self.back and arc.target in inside:
                yield arc.target

    def is_cyclic(self, part: Sequence[Node]) -> bool:
        """Whether a strongly connected part has a cycle: more than one node, or a self loop."""
        return len(part) > 1 or part[0] in self.successors(part[0], part)


def find_loops(graph: Graph) -> tuple[Loop, ...]:
    """Return every loop, outer ones before the ones inside; `graph.back` gets the back edges."""
    loops: list[Loop] = []
    todo: list[tuple[Collection[Node], int]] = [(range(graph.size), OUTSIDE)]
    while todo:
        region, parent = todo.pop()
        for core, nodes in _loops_of(graph, region):
            entries = _take_entries(graph, core)
            back = frozenset(
                arc.index
                for entry in entries
                for arc in graph.incoming[entry]
                if arc.index in graph.back and arc.source in core
            )
            loops.append(Loop(len(loops), parent, tuple(sorted(nodes)), core, entries, back))
            todo.append((nodes, loops[-1].index))
    return tuple(loops)


def _loops_of(
    graph: Graph, region: Collection[Node]
) -> list[tuple[frozenset[Node], frozenset[Node]]]:
    """The outermost loops in a region: the core of each, and the core with what hangs off it."""
    parts = strongly_connected(region, lambda node: graph.successors(node, region))
    home: dict[Node, int] = {}
    cores: dict[int, frozenset[Node]] = {}
    held: dict[int, set[Node]] = {}
    for number, part in enumerate(reversed(parts)):  # sources first
        owner = _hangs_off(graph, part, home, cores)
        if owner is None and graph.is_cyclic(part):
            owner = number
            cores[owner] = frozenset(part)
        if owner is not None:
            home.update(dict.fromkeys(part, owner))
            held.setdefault(owner, set()).update(part)
    order = sorted(cores, key=lambda owner: min(cores[owner]))
    return [(cores[owner], frozenset(held[owner])) for owner in order]


def _hangs_off(
    graph: Graph, part: Sequence[Node], home: dict[Node, int], cores: dict[int, frozenset[Node]]
) -> int | None:
    """The loop that alone feeds this part of the graph, if there is one."""
    inside = frozenset(part)
    owner: int | None = None
    for node in part:
        for arc in graph.incoming[node]:
            if arc.source in inside and arc.index not in graph.back:
                continue
            feeder = home.get(arc.source)
            if feeder is None or arc.index in graph.back or owner not in (None, feeder):
                return None
            if _is_way_out(graph, arc, cores[feeder]):
                return None
            owner = feeder
    return owner


def _is_way_out(graph: Graph, arc: Arc, core: frozenset[Node]) -> bool:
    if arc.handle == DEFAULT or arc.source not in core:
        return False
    return not any(
        other.handle == arc.handle and other.target in core for other in graph.outgoing[arc.source]
    )


def _take_entries(graph: Graph, core: frozenset[Node]) -> tuple[Node, ...]:
    """Take the entries one by one, marking the arcs that go back to each, while any goes back."""
    candidates = [
        node for node in core if any(arc.source not in core for arc in graph.incoming[node])
    ] or [min(core)]
    taken: list[Node] = []
    candidates.sort(key=lambda node: (not _closed_by_branches(graph, node, core), node))
    for entry in candidates:
        closing = _closing(graph, entry, core)
        if closing:
            taken.append(entry)
            graph.back.update(closing)
    return tuple(taken)


def _closed_by_branches(graph: Graph, node: Node, core: frozenset[Node]) -> bool:
    return all(arc.handle != DEFAULT for arc in graph.incoming[node] if arc.source in core)


def _closing(graph: Graph, entry: Node, core: frozenset[Node]) -> list[EdgeIndex]:
    """The forward arcs that lead back to `entry` from what it reaches."""
    ahead = _reach([entry], lambda node: graph.successors(node, core))
    return [
        arc.index
        for arc in graph.incoming[entry]
        if arc.index not in graph.back and arc.source in ahead
    ]


def _reach(starts: Iterable[Node], successors: Successors) -> set[Node]:
    seen = set(starts)
    todo = list(seen)
    while todo:
        for node in successors(todo.pop()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return seen


def strongly_connected(nodes: Iterable[Node], successors: Successors) -> list[list[Node]]:
    """Tarjan's algorithm without recursion: the parts, each before those that lead to it."""
    number: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    path: list[Node] = []
    on_path: set[Node] = set()
    parts: list[list[Node]] = []
    for root in nodes:
        if root in number:
            continue
        walk = [(root, iter((root,)))]
        while walk:
            node, ahead = walk[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                path.append(node)
                on_path.add(node)
                ahead = iter(successors(node))
                walk[-1] = (node, ahead)
            following = next(ahead, None)
            if following is None:
                walk.pop()
                if walk:
                    above = walk[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == number[node]:
                    parts.append(_cut(path, on_path, node))
            elif following not in number:
                walk.append((following, iter(())))
            elif following in on_path:
                lowest[node] = min(lowest[node], number[following])
    return parts


def _cut(path: list[Node], on_path: set[Node], node: Node) -> list[Node]:
    at = path.index(node) if path[-1] != node else len(path) - 1
    part = path[at:]
    del path[at:]
    on_path.difference_update(part)
    return part


def flow_positions(graph: Graph, units: Sequence[Sequence[Node]]) -> list[int]:
    """Number the units of one region so that forward arcs lead upwards; ties in file order.

    A unit is a node by itself or a whole loop. Returns the position of each unit.
    """
    unit_of = {node: unit for unit, nodes in enumerate(units) for node in nodes}
    waiting = [0] * len(units)
    leads_to: list[list[int]] = [[] for _ in units]
    for node, unit in unit_of.items():
        for following in graph.successors(node, unit_of):
            if unit_of[following] != unit:
                leads_to[unit].append(unit_of[following])
                waiting[unit_of[following]] += 1
    free = [(min(units[unit]), unit) for unit in range(len(units)) if not waiting[unit]]
    heapq.heapify(free)
    positions = [0] * len(units)
    for position in range(len(units)):
        _, unit = heapq.heappop(free)
        positions[unit] = position
        for following in leads_to[unit]:
            waiting[following] -= 1
            if not waiting[following]:
                heapq.heappush(free, (min(units[following]), following))
    return positions
