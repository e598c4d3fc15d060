"""Engine overhead against raw asyncio (one task per node) on the same graphs, in one process.

    python tests/benchmarks/bench_engine.py [--nodes 1000,10000,100000] [--repeat 9]
    python tests/benchmarks/bench_engine.py --resume | --peers | --profile

All sides run trivial nodes; ours with typed events, nobody watching, and the journal in memory or
on disk (`sqlite`, until the last entry is safe). Rounds of them alternate, so that a noisy machine
hits all; figures are medians, a ratio is the median of the ratios within a round. Time goes by the
wall, memory is the peak of what Python allocates during a run in a process of its own. The garbage
collector is set for all of them as the server sets it.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from dataclasses import dataclass, field

import memory
import own_time
import peers
import resume
from graphs import SHAPES, TYPES, case
from measuring import BUDGET, Table, cell, measure, ratio, ways

from dipeo_jupyter.engine.compile import compile_diagram
from dipeo_jupyter.server.extension import SELDOM

LEAST_ROUNDS = 3
WARM_UP = 100
"""Nodes of a run that is not counted: it imports what is imported late."""


@dataclass
class Found:
    """What was measured of one graph of one size, by way of running it."""

    times: dict[str, float]
    ratios: dict[str, float]
    compiling: float
    bytes: dict[str, float] = field(default_factory=dict)


def look_at(name: str, size: int, repeat: int) -> Found:
    """Time one graph, in rounds that alternate between the ways to run it."""
    this = case(name, size)
    began = time.perf_counter()
    program = compile_diagram(this.diagram, TYPES)
    assert program.text  # it is a part of compiling that is put off
    compiling = (time.perf_counter() - began) / len(this.diagram.nodes) * 1e6
    samples: dict[str, list[float]] = {way: [] for way in ways()}
    warm_up = case(name, WARM_UP)
    warm_program = compile_diagram(warm_up.diagram, TYPES)
    for way in samples:
        measure(way, warm_up, warm_program)
    for _ in range(repeat):
        for way, each in samples.items():
            each.append(measure(way, this, program))
    return Found(
        {way: statistics.median(each) for way, each in samples.items()},
        {way: ratio(each, samples["raw"]) for way, each in samples.items()},
        compiling,
    )


def rounds(repeat: int, size: int, sizes: list[int]) -> int:
    """Fewer of the larger ones: they are steadier, and the sum of their time counts."""
    return max(LEAST_ROUNDS, repeat - 3 * sorted(sizes).index(size))


def show_overhead(sizes: list[int], repeat: int) -> dict[tuple[str, int], Found]:
    """Print the times as they come; return all that was found."""
    print("Time per activation\n")
    table = Table(
        "graph", "nodes", "raw µs", "memory µs", "ratio", "sqlite µs", "ratio", "compile µs/node"
    )
    found = {}
    for size in sizes:
        for name in SHAPES:
            found[name, size] = one = look_at(name, size, rounds(repeat, size, sizes))
            ours = [one.times.get("memory"), one.ratios.get("memory")]
            ours += [one.times.get("sqlite"), one.ratios.get("sqlite")]
            late = max(one.ratios.values()) > BUDGET
            table.row(
                name,
                f"{size:,}",
                cell(one.times["raw"]),
                *map(cell, ours),
                cell(one.compiling),
                remark="over budget" if late else "",
            )
    return found


def show_memory(found: dict[tuple[str, int], Found]) -> None:
    """Print the peaks, and put them beside the times."""
    print("\nPeak bytes per activation (tracemalloc, a process each)\n")
    table = Table("graph", "nodes", "raw", "memory", "sqlite")
    for (name, size), one in found.items():
        one.bytes = {way: memory.peak(way, name, size) for way in ways()}
        cells = [cell(one.bytes.get(way), ",.0f") for way in ("raw", "memory", "sqlite")]
        table.row(name, f"{size:,}", *cells)


def show_growth(found: dict[tuple[str, int], Found], sizes: list[int]) -> None:
    """Print how much more an activation costs in the largest graph: 1.0 is linear growth."""
    least, most = min(sizes), max(sizes)
    if least == most:
        return
    print(f"\nAn activation at {most:,} nodes over one at {least:,} (1.0: linear growth)\n")
    table = Table("graph", *(f"{way} {what}" for way in ways() for what in ("µs", "bytes")))
    for name in SHAPES:
        small, large = found[name, least], found[name, most]
        cells = []
        for way in ways():
            cells.append(cell(large.times[way] / small.times[way], ".2f"))
            cells.append(cell(large.bytes[way] / small.bytes[way], ".2f"))
        table.row(name, *cells)


def _sizes(text: str) -> list[int]:
    return [int(each) for each in text.replace("_", "").split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=_sizes, default=[1000, 10_000])
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--resume", action="store_true", help="what going on after a kill takes")
    parser.add_argument("--peers", action="store_true", help="LangGraph, installed for the purpose")
    parser.add_argument("--venv", help="with --peers: use and keep this environment")
    parser.add_argument("--profile", action="store_true", help="where our time goes for the chain")
    options = parser.parse_args()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], SELDOM)
    if options.resume:
        resume.show(options.repeat)
    elif options.peers:
        peers.show(options.nodes[0], options.repeat, options.venv)
    elif options.profile:
        own_time.show(options.nodes[0])
    else:
        found = show_overhead(options.nodes, options.repeat)
        show_memory(found)
        show_growth(found, options.nodes)


if __name__ == "__main__":
    main()
