"""The graphs that engines are compared on, with trivial nodes, and raw asyncio doing the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec
from dipeo_jupyter.engine.node import Context, Inputs, Node, Result

WIDTH = 20


class Nop(Node):
    type: ClassVar[str] = "nop"
    keeps_inputs: ClassVar[bool] = True

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result({"default": 1})


class Again(Nop):
    """Goes back until it has run `rounds` times."""

    type: ClassVar[str] = "again"
    handles: ClassVar[tuple[str, ...]] = ("condtrue", "condfalse")

    rounds: int

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result.branch("condtrue" if ctx.activation >= self.rounds else "condfalse", 1)


TYPES: dict[str, type[Node]] = {"nop": Nop, "again": Again}


@dataclass(frozen=True, slots=True)
class Case:
    """One graph of one size: for us, and for raw asyncio."""

    name: str
    activations: int
    diagram: Diagram
    raw: Callable[[], Awaitable[None]]


def case(name: str, size: int) -> Case:
    """A graph by its name in `SHAPES`, of so many activations."""
    diagram = SHAPES[name](size)
    raw = raw_loop(size // 2) if name == "loop" else raw_graph(diagram)
    return Case(name, size, diagram, raw)


def _diagram(size: int, edges: list[tuple[int, int]]) -> Diagram:
    return Diagram(
        nodes=tuple(NodeSpec(label=f"n{i}", type="nop") for i in range(size)),
        edges=tuple(Edge(source=f"n{a}", target=f"n{b}") for a, b in edges),
    )


def chain(size: int) -> Diagram:
    return _diagram(size, [(i, i + 1) for i in range(size - 1)])


def fan(size: int) -> Diagram:
    """One node feeds all others but the last, and they all feed that one."""
    middle = range(1, size - 1)
    return _diagram(size, [*((0, i) for i in middle), *((i, size - 1) for i in middle)])


def layered(size: int) -> Diagram:
    """Each node is fed by two of the layer before."""
    edges = []
    for node in range(WIDTH, size):
        layer = (node // WIDTH - 1) * WIDTH
        edges += [(layer + node % WIDTH, node), (layer + (node + 1) % WIDTH, node)]
    return _diagram(size, edges)


def loop(size: int) -> Diagram:
    """Two nodes that go round until they have run `size` times together."""
    return Diagram(
        nodes=(
            NodeSpec(label="n0", type="nop"),
            NodeSpec(label="n1", type="nop"),
            NodeSpec(label="n2", type="again", props={"rounds": size // 2}),
        ),
        edges=(
            Edge(source="n0", target="n1"),
            Edge(source="n1", target="n2"),
            Edge(source="n2", target="n1", source_handle="condfalse"),
        ),
    )


SHAPES: dict[str, Callable[[int], Diagram]] = {
    "chain": chain,
    "fan": fan,
    "loop": loop,
    "layered": layered,
}


async def nop(inputs: dict[int, int]) -> int:
    return 1


def raw_graph(diagram: Diagram) -> Callable[[], Awaitable[None]]:
    """Every node is a task; the one that settles a node's last edge starts it.

    A node is given the values of those before it, as a diagram's edges carry them.
    """

    async def whole() -> None:
        index = {spec.label: i for i, spec in enumerate(diagram.nodes)}
        following: list[list[int]] = [[] for _ in diagram.nodes]
        before: list[list[int]] = [[] for _ in diagram.nodes]
        for edge in diagram.edges:
            following[index[edge.source]].append(index[edge.target])
            before[index[edge.target]].append(index[edge.source])
        waiting = [len(sources) for sources in before]
        values = [0] * len(diagram.nodes)
        done = asyncio.get_running_loop().create_future()
        left = len(diagram.nodes)

        async def run(node: int) -> None:
            nonlocal left
            values[node] = await nop({source: values[source] for source in before[node]})
            left -= 1
            if not left:
                done.set_result(None)
            for target in following[node]:
                waiting[target] -= 1
                if not waiting[target]:
                    tasks.append(asyncio.create_task(run(target)))

        tasks = [asyncio.create_task(run(n)) for n, count in enumerate(waiting) if not count]
        await done

    return whole


def raw_loop(rounds: int) -> Callable[[], Awaitable[None]]:
    async def whole() -> None:
        value = 0
        for _ in range(rounds):
            value = await asyncio.create_task(nop({2: value}))
            value = await asyncio.create_task(nop({1: value}))

    return whole
