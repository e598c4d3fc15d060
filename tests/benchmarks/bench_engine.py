"""Engine overhead against raw asyncio (one task per node) on the same graphs, in one process.

    python tests/benchmarks/bench_engine.py [--nodes 1000] [--repeat 7]

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
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.node import Context, Inputs, Node, Result
from dipeo_jupyter.protocol.commands import ExecuteDiagram
from dipeo_jupyter.protocol.events import ExecutionCompleted
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


async def ours(diagram: Diagram) -> None:
    engine = Engine({"nop": Nop, "again": Again}, None, MemoryJournal(), SystemClock())  # type: ignore[arg-type]
    command = ExecuteDiagram(diagram=diagram, max_rounds=10**9)
    ack = await engine.send(command)
    assert ack.execution_id
    last = None
    while not isinstance(last, ExecutionCompleted):  # nobody watches: only the end is awaited
        await asyncio.sleep(0)
        entries = engine._journal.read(ack.execution_id, -1)
        last = entries[-1].event


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
    name: str, mine: Callable[[], Awaitable[None]], raw: Callable[[], Awaitable[None]],
    activations: int, repeat: int,
) -> float:  # fmt: skip
    pairs = [(measure(raw, activations), measure(mine, activations)) for _ in range(repeat)]
    base, own = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(own / base for base, own in pairs)
    mark = "" if ratio <= BUDGET else "  over budget"
    print(f"| {name:<22} | {activations:>7} | {base:>8.1f} | {own:>8.1f} | {ratio:>6.1f}× |{mark}")
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    size, repeat = options.nodes, options.repeat
    print(f"| {'graph':<22} | {'nodes':>7} | {'raw µs':>8} | {'ours µs':>8} | {'ratio':>7} |")
    print(f"|{'-' * 24}|{'-' * 9}|{'-' * 10}|{'-' * 10}|{'-' * 9}|")
    for name, make in (("chain", chain), ("fan-out + join", fan), ("layered, 20 wide", layered)):
        diagram = make(size)
        compare(name, lambda d=diagram: ours(d), lambda d=diagram: raw_graph(d), size, repeat)
    diagram = loop(size // 2)
    compare(
        "loop of 2", lambda: ours(diagram), lambda: raw_loop(size // 2), size // 2 * 2, repeat
    )


if __name__ == "__main__":
    main()
