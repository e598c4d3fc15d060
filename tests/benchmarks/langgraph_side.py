"""LangGraph's side of the comparison: runs in an environment of its own, and is asked by lines.

It says its versions first (one line of JSON). `chain 1000 plain` then makes it run that graph and
answer with the microseconds per activation; `sqlite` instead of `plain` turns on its checkpointer
(`AsyncSqliteSaver`, a file). Compiling the graph is in nobody's time.
"""

from __future__ import annotations

import asyncio
import gc
import json
import operator
import platform
import sys
import tempfile
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

WIDTH = 20


class State(TypedDict):
    total: Annotated[int, operator.add]
    """How many nodes have run: each adds one, so that parallel ones do not clash."""


async def nop(state: State) -> dict[str, int]:
    return {"total": 1}


def _nodes(size: int) -> StateGraph[Any]:
    builder = StateGraph(State)
    for number in range(size):
        builder.add_node(f"n{number}", nop)
    return builder


def chain(size: int) -> StateGraph[Any]:
    builder = _nodes(size)
    builder.add_edge(START, "n0")
    for number in range(1, size):
        builder.add_edge(f"n{number - 1}", f"n{number}")
    return builder


def fan(size: int) -> StateGraph[Any]:
    builder = _nodes(size)
    builder.add_edge(START, "n0")
    middle = [f"n{number}" for number in range(1, size - 1)]
    for label in middle:
        builder.add_edge("n0", label)
    builder.add_edge(middle, f"n{size - 1}")
    return builder


def layered(size: int) -> StateGraph[Any]:
    builder = _nodes(size)
    for number in range(WIDTH):
        builder.add_edge(START, f"n{number}")
    for number in range(WIDTH, size):
        layer = (number // WIDTH - 1) * WIDTH
        feeders = [f"n{layer + number % WIDTH}", f"n{layer + (number + 1) % WIDTH}"]
        builder.add_edge(feeders, f"n{number}")
    return builder


def loop(size: int) -> StateGraph[Any]:
    builder = _nodes(3)
    builder.add_edge(START, "n0")
    builder.add_edge("n0", "n1")
    builder.add_edge("n1", "n2")

    def onward(state: State) -> str:
        return END if state["total"] > size // 2 * 2 else "n1"

    builder.add_conditional_edges("n2", onward, ["n1", END])
    return builder


SHAPES = {"chain": chain, "fan": fan, "loop": loop, "layered": layered}


@cache
def build(name: str, size: int) -> StateGraph[Any]:
    return SHAPES[name](size)


async def run(name: str, size: int, saver: AsyncSqliteSaver | None) -> float:
    """Microseconds per activation."""
    graph = build(name, size).compile(checkpointer=saver)
    config: Any = {"recursion_limit": 2 * size + 10, "configurable": {"thread_id": "bench"}}
    gc.collect()
    began = time.perf_counter()
    result = await graph.ainvoke({"total": 0}, config)
    taken = time.perf_counter() - began
    activations = size // 2 * 2 + 1 if name == "loop" else size
    assert result["total"] == activations, f"{name}: {result['total']} of {activations} ran"
    return taken / size * 1e6


async def measure(name: str, size: int, how: str) -> float:
    if how == "plain":
        return await run(name, size, None)
    with tempfile.TemporaryDirectory(prefix="langgraph-bench-") as folder:
        path = str(Path(folder) / "checkpoints.sqlite")
        async with AsyncSqliteSaver.from_conn_string(path) as saver:
            await saver.setup()
            return await run(name, size, saver)


async def main() -> None:
    packages = ("langgraph", "langgraph-checkpoint-sqlite")
    versions = {name: version(name) for name in packages}
    print(json.dumps({**versions, "python": platform.python_version()}), flush=True)
    for line in sys.stdin:
        name, size, how = line.split()
        print(await measure(name, int(size), how), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
