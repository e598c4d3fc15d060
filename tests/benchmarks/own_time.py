"""Where our time goes for the chain.

A run without a profiler says how much of the wall time the event loop's thread works, how much
other threads do (the journal's), and how much the loop waits (for the disk at the end, or for the
interpreter's lock). A run under cProfile, which makes calls look dearer than they are, then splits
the work of the loop's thread. What built-in functions take is counted to whoever called them.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import time
from collections import Counter
from pathlib import Path

from graphs import TYPES, case
from measuring import Table, journal_of, measure, ours, to_the_end, ways

from dipeo_jupyter.engine.compile import compile_diagram
from dipeo_jupyter.engine.program import Program

TOP = 15
NAME = 44
"""Characters of a function's name."""
REPEAT = 9
Place = tuple[str, int, str]
WAITING = "'select."
"""In the name of what the event loop waits by, whatever the system."""
PARTS: tuple[tuple[str, str, str], ...] = (
    ("~", "", "waiting"),
    ("engine/schedule.py", "", "schedule, state"),
    ("engine/state.py", "", "schedule, state"),
    ("engine/inputs.py", "", "schedule, state"),
    ("engine/moments.py", "", "schedule, state"),
    ("engine/loops.py", "", "schedule, state"),
    ("engine/program.py", "", "schedule, state"),
    ("engine/execution.py", "record", "events, record"),
    ("engine/execution.py", "_as_json", "events, record"),
    ("protocol/events/", "", "events, record"),
    ("engine/clock.py", "", "events, record"),
    ("<string>", "__init__", "events, record"),  # made by `dataclass`
    ("<string>", "__new__", "events, record"),  # made by `NamedTuple`: the entries
    ("services/journal", "", "journal, on the loop"),
    ("sqlite3/", "", "journal, on the loop"),
    ("/asyncio/", "", "asyncio"),
    ("/selectors.py", "", "asyncio"),
    ("tests/benchmarks/", "", "the benchmark's nodes and wait"),
    ("dipeo_jupyter/", "", "calling the nodes"),
)
"""File, function, part: the first that fits counts."""


def part_of(place: Place) -> str:
    """The part that a function belongs to, by its place in the code."""
    file, _, function = place
    for in_file, in_function, part in PARTS:
        if in_file in file and function.startswith(in_function):
            return part
    return "other"


def show(size: int) -> None:
    way = ways()[-1]
    program = compile_diagram(case("chain", size).diagram, TYPES)
    print(f"Chain of {size:,}, journal: {way}\n")
    show_threads(way, size, program)
    stats = profiled(way, size, program)
    shares = split(stats)
    whole = sum(shares.values())
    print("\nThe loop's thread, under cProfile\n")
    table = Table("part", "share", first_width=30)
    for part, seconds in shares.most_common():
        table.row(part, f"{seconds / whole:.0%}")
    print(f"\nThe first {TOP} by own time, under cProfile\n")
    table = Table("function", "calls", "µs/call", "share", first_width=NAME)
    own = sorted(stats.items(), key=lambda item: -item[1][2])[:TOP]
    for place, (_, calls, seconds, _, _) in own:
        each = seconds / calls * 1e6
        table.row(_name(place), f"{calls:,}", f"{each:.2f}", f"{seconds / whole:.1%}")


def show_threads(way: str, size: int, program: Program) -> None:
    """Print who works how long, per activation: the median run of several."""

    async def timed() -> tuple[float, float, float, float]:
        began, cpu, own = time.perf_counter(), time.process_time(), time.thread_time()
        await to_the_end(program, journal)
        over = time.perf_counter() - began
        await journal.written()
        own = time.thread_time() - own
        return time.perf_counter() - began, over, own, time.process_time() - cpu - own

    measure(way, case("chain", size), program)
    found = []
    for _ in range(REPEAT):
        with journal_of(way) as journal:
            found.append(asyncio.run(timed()))
    wall, over, own, others = sorted(found)[REPEAT // 2]
    table = Table("without a profiler", "µs per activation", "of the wall", first_width=24)
    rows = {
        "wall": wall,
        "until the last event": over,
        "then until it is safe": wall - over,
        "the loop's thread works": own,
        "other threads work": others,
        "the loop's thread waits": wall - own,
    }
    for what, seconds in rows.items():
        table.row(what, f"{seconds / size * 1e6:.1f}", f"{seconds / wall:.0%}")


def profiled(way: str, size: int, program: Program) -> dict[Place, tuple]:  # type: ignore[type-arg]
    """What `pstats` knows of one run: calls, own time and callers of every function."""
    profile = cProfile.Profile()

    async def run() -> None:
        profile.enable()
        await ours(program, journal)
        profile.disable()

    with journal_of(way) as journal:
        asyncio.run(run())
    stats: dict[Place, tuple] = pstats.Stats(profile).stats  # type: ignore[attr-defined, type-arg]
    return stats


def split(stats: dict[Place, tuple]) -> Counter[str]:  # type: ignore[type-arg]
    """Seconds of own time by part."""
    shares: Counter[str] = Counter()
    for place, (_, _, own, _, callers) in stats.items():
        if place[0] != "~" or WAITING in place[2]:
            shares[part_of(place)] += own
            continue
        for caller, (_, _, of_it, _) in callers.items():
            shares[part_of(caller)] += of_it
        shares["other"] += own - sum(each[2] for each in callers.values())
    return shares


def _name(place: Place) -> str:
    file, line, function = place
    return function[:NAME] if file == "~" else f"{Path(file).name}:{line} {function}"[:NAME]
