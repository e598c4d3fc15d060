"""A compiled diagram: node types found, settings checked, loops known.

Nodes and edges are numbers from here on, in file order. A `Program` never changes;
`compile.py` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..diagram.model import Diagram, Label
from .loops import OUTSIDE, Graph, Loop, flow_positions
from .node import Node

FIRST = "first"
"""The input handle to which a node listens in its first turn, and never again."""
ERROR = "error"
"""The output handle that is live when a node with `on_error: edge` fails."""


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge, compiled. `held_by` is the outermost loop it leaves (it settles when that ends)."""

    index: int
    source: int
    target: int
    handle: str
    name: str | None
    content_type: str | None
    first: bool
    back: bool
    held_by: int


@dataclass(frozen=True, slots=True)
class Region:
    """A loop as the scheduler needs it.

    `members` are the nodes that are in no inner loop, `children` the inner loops one level down,
    `descendants` all inner ones. `back` wires start the next round, `inside` ones are forgotten
    then, `exits` wait for the end of the loop.
    """

    loop: Loop
    members: tuple[int, ...]
    children: tuple[int, ...]
    descendants: tuple[int, ...]
    back: tuple[Wire, ...]
    inside: tuple[Wire, ...]
    exits: tuple[Wire, ...]


@dataclass(frozen=True)
class Program:
    diagram: Diagram
    nodes: tuple[Node, ...]
    graph: Graph
    loops: tuple[Loop, ...]

    @cached_property
    def text(self) -> str | None:
        """The diagram as JSON, for the journal; None when JSON cannot hold all of it."""
        try:
            return self.diagram.model_dump_json(exclude_defaults=True)
        except (ValueError, TypeError, RecursionError):
            return None

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        return tuple(spec.label for spec in self.diagram.nodes)

    @cached_property
    def index(self) -> Mapping[Label, int]:
        return {label: number for number, label in enumerate(self.labels)}

    @cached_property
    def loops_around(self) -> tuple[tuple[int, ...], ...]:
        """The loops each node is in, outermost first."""
        around: list[list[int]] = [[] for _ in self.nodes]
        for loop in self.loops:  # outer loops come before inner ones
            for node in loop.nodes:
                around[node].append(loop.index)
        return tuple(tuple(each) for each in around)

    @cached_property
    def loop_of(self) -> tuple[int, ...]:
        """The innermost loop of each node, or `OUTSIDE`."""
        return tuple(around[-1] if around else OUTSIDE for around in self.loops_around)

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        wires = []
        for number, edge in enumerate(self.diagram.edges):
            source, target = self.index[edge.source], self.index[edge.target]
            left = [x for x in self.loops_around[source] if x not in self.loops_around[target]]
            wires.append(
                Wire(
                    index=number,
                    source=source,
                    target=target,
                    handle=edge.source_handle,
                    name=edge.label,
                    content_type=edge.content_type,
                    first=edge.target_handle == FIRST,
                    back=number in self.graph.back,
                    held_by=left[0] if left else OUTSIDE,
                )
            )
        return tuple(wires)

    @cached_property
    def outgoing(self) -> tuple[tuple[Wire, ...], ...]:
        return self._by_node(lambda wire: wire.source)

    @cached_property
    def incoming(self) -> tuple[tuple[Wire, ...], ...]:
        return self._by_node(lambda wire: wire.target)

    @cached_property
    def peculiar(self) -> tuple[bool, ...]:
        """Nodes that do not simply wait for every edge: `first` handles and `join: any`."""
        return tuple(
            node.join == "any" or any(wire.first for wire in self.incoming[number])
            for number, node in enumerate(self.nodes)
        )

    @cached_property
    def plain(self) -> tuple[bool, ...]:
        """Nodes that are simply run: without a time limit, once, and with what others have, too."""
        return tuple(
            node.keeps_inputs
            and node.timeout is None
            and node.retry is None
            and node.default_retry is None
            for node in self.nodes
        )

    @cached_property
    def limits(self) -> tuple[int | None, ...]:
        """How many turns each node may have."""
        return tuple(node.max_iteration for node in self.nodes)

    @cached_property
    def members(self) -> Mapping[int, tuple[int, ...]]:
        """The nodes of each loop (or `OUTSIDE`) that are in no inner one."""
        found: dict[int, list[int]] = {OUTSIDE: [], **{loop.index: [] for loop in self.loops}}
        for node, loop in enumerate(self.loop_of):
            found[loop].append(node)
        return {loop: tuple(nodes) for loop, nodes in found.items()}

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        inside: list[list[Wire]] = [[] for _ in self.loops]
        exits: list[list[Wire]] = [[] for _ in self.loops]
        for wire in self.wires:
            for loop in self.loops_around[wire.source]:
                if loop in self.loops_around[wire.target]:
                    inside[loop].append(wire)
            if wire.held_by != OUTSIDE:
                exits[wire.held_by].append(wire)
        return tuple(
            Region(
                loop=loop,
                members=self.members[loop.index],
                children=tuple(x.index for x in self.loops if x.parent == loop.index),
                descendants=self._descendants(loop.index),
                back=tuple(x for x in inside[loop.index] if x.index in loop.back_edges),
                inside=tuple(x for x in inside[loop.index] if x.index not in loop.back_edges),
                exits=tuple(exits[loop.index]),
            )
            for loop in self.loops
        )

    @cached_property
    def flow_path(self) -> tuple[tuple[int, ...], ...]:
        """The position of each node in the flow of each loop around it, outermost first.

        With the rounds of these loops put in between, activations sort in the order of the flow,
        whatever the order in which they happened to finish.
        """
        paths: list[list[int]] = [[] for _ in self.nodes]
        for home, members in self.members.items():  # outer loops come before inner ones
            inner = [loop.nodes for loop in self.loops if loop.parent == home]
            units = [*((node,) for node in members), *inner]
            for unit, position in zip(units, flow_positions(self.graph, units), strict=True):
                for node in unit:
                    paths[node].append(position)
        return tuple(tuple(path) for path in paths)

    @cached_property
    def counters(self) -> Mapping[str, tuple[int, ...]]:
        """Names under which nodes show how often they have run (`expose_index_as`)."""
        found: dict[str, tuple[int, ...]] = {}
        for number, node in enumerate(self.nodes):
            if node.counter:
                found[node.counter] = (*found.get(node.counter, ()), number)
        return found

    def ancestors(self, node: int) -> frozenset[int]:
        """The nodes from which edges lead to `node`, directly or not."""
        found: set[int] = set()
        todo = [node]
        while todo:
            for wire in self.incoming[todo.pop()]:
                if wire.source not in found:
                    found.add(wire.source)
                    todo.append(wire.source)
        return frozenset(found)

    def loop_name(self, loop: int) -> str:
        """How people know a loop: by the nodes that go round in it."""
        labels = [self.labels[node] for node in self.loops[loop].nodes]
        return " → ".join(repr(label) for label in labels)

    def _by_node(self, end: Callable[[Wire], int]) -> tuple[tuple[Wire, ...], ...]:
        found: list[list[Wire]] = [[] for _ in self.nodes]
        for wire in self.wires:
            found[end(wire)].append(wire)
        return tuple(tuple(each) for each in found)

    def _descendants(self, loop: int) -> tuple[int, ...]:
        first = self.loops[loop].nodes
        inside = set(first)
        return tuple(x.index for x in self.loops if x.index != loop and inside.issuperset(x.nodes))
