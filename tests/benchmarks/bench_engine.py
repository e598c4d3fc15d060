"""Engine overhead against raw asyncio (one task per node) on the same graphs, in one process.

    python tests/benchmarks/bench_engine.py [--nodes 1000] [--repeat 9]

Both sides run trivial nodes; ours with typed events, the journal in memory, and nobody watching.
Rounds of the two alternate, so that a noisy machine hits both; figures are medians.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.compile import compile_diagram
from dipeo_jupyter.engine.execution import Execution, Limits
from dipeo_jupyter.engine.node import Context, Inputs, Node, Result
from dipeo_jupyter.engine.program import Program
from dipeo_jupyter.services.journal import MemoryJournal

BUDGET = 3.0
"""How many times raw asyncio an activation may cost."""


class Nop(Node):
    type: ClassVar[str] = "nop"

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result({"default": 1})


class Again(Nop):
    """Goes back until it has run `rounds` times."""

    type: ClassVar[str] = "again"
    handles: ClassVar[tuple[str, ...]] = ("condtrue", "condfalse")

    rounds: int

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result.branch("condtrue" if ctx.activation >= self.rounds else "condfalse", 1)


def _diagram(size: int, edges: list[tuple[int, int]]) -> Diagram:
    return Diagram(
        nodes=tuple(NodeSpec(label=f"n{i}", type="nop") for i in range(size)),
        edges=tuple(Edge(source=f"n{a}", target=f"n{b}") for a, b in edges),
    )


def chain(size: int) -> Diagram:
    return _diagram(size, [(i, i + 1) for i in range(size - 1)])


def fan(size: int) -> Diagram:
    middle = range(1, size - 1)
    return _diagram(size, [*((0, i) for i in middle), *((i, size - 1) for i in middle)])


def layered(size: int, width: int = 20) -> Diagram:
    """Each node is fed by two of the layer before."""
    edges = []
    for node in range(width, size):
        layer = (node // width - 1) * width
        edges += [(layer + node % width, node), (layer + (node + 1) % width, node)]
    return _diagram(size, edges)


def loop(rounds: int) -> Diagram:
    return Diagram(
        nodes=(
            NodeSpec(label="n0", type="nop"),
            NodeSpec(label="n1", type="nop"),
            NodeSpec(label="n2", type="again", props={"rounds": rounds}),
        ),
        edges=(
            Edge(source="n0", target="n1"),
            Edge(source="n1", target="n2"),
            Edge(source="n2", target="n1", source_handle="condfalse"),
        ),
    )


TYPES: dict[str, type[Node]] = {"nop": Nop, "again": Again}


async def ours(program: Program) -> None:
    execution = Execution("bench", program, None, MemoryJournal(), SystemClock())  # type: ignore[arg-type]
    execution.start({}, Limits(max_rounds=10**9))
    while not execution.state.over:  # noqa: ASYNC110 - watching must cost nothing
        await asyncio.sleep(0)


async def nop() -> int:
    return 1


async def raw_graph(diagram: Diagram) -> None:
    """Every node is a task; the one that settles a node's last edge starts it."""
    index = {spec.label: i for i, spec in enumerate(diagram.nodes)}
    following: list[list[int]] = [[] for _ in diagram.nodes]
    waiting = [0] * len(diagram.nodes)
    for edge in diagram.edges:
        following[index[edge.source]].append(index[edge.target])
        waiting[index[edge.target]] += 1
    done = asyncio.get_running_loop().create_future()
    left = len(diagram.nodes)

    async def run(node: int) -> None:
        nonlocal left
        await nop()
        left -= 1
        if not left:
            done.set_result(None)
        for target in following[node]:
            waiting[target] -= 1
            if not waiting[target]:
                tasks.append(asyncio.create_task(run(target)))

    tasks = [asyncio.create_task(run(n)) for n, count in enumerate(waiting) if not count]
    await done


async def raw_loop(rounds: int) -> None:
    for _ in range(rounds):
        await asyncio.create_task(nop())
        await asyncio.create_task(nop())


def measure(work: Callable[[], Awaitable[None]], activations: int) -> float:
    """Microseconds per activation."""
    gc.collect()
    began = time.perf_counter()
    asyncio.run(work())  # type: ignore[arg-type]
    return (time.perf_counter() - began) / activations * 1e6


def compare(
    name: str, diagram: Diagram, raw: Callable[[], Awaitable[None]], activations: int, repeat: int
) -> None:
    """Print a row: raw asyncio, ours, the ratio, and what compiling costs once, per node."""
    began = time.perf_counter()
    program = compile_diagram(diagram, TYPES)
    compiling = (time.perf_counter() - began) / len(diagram.nodes) * 1e6
    pairs = [
        (measure(raw, activations), measure(lambda: ours(program), activations))
        for _ in range(repeat)
    ]
    base, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(own / base for base, own in pairs)
    mark = "" if ratio <= BUDGET else " over budget"
    row = f"| {name:<16} | {activations:>7} | {base:>7.1f} | {own:>7.1f} | {ratio:>4.1f}× "
    print(f"{row}| {compiling:>10.1f} |{mark}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    size, repeat = options.nodes, options.repeat
    print("| graph            |   nodes |  raw µs | ours µs | ratio | compile µs |")
    print("|------------------|---------|---------|---------|-------|------------|")
    for name, make in (("chain", chain), ("fan-out + join", fan), ("layered, 20 wide", layered)):
        diagram = make(size)
        compare(name, diagram, lambda d=diagram: raw_graph(d), size, repeat)  # type: ignore[misc]
    rounds = size // 2
    compare("loop of 2", loop(rounds), lambda: raw_loop(rounds), size, repeat)


if __name__ == "__main__":
    main()
