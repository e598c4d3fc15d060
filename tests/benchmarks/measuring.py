"""One run of one graph, timed: raw asyncio, ours, and ours with the journal on disk."""

from __future__ import annotations

import asyncio
import gc
import importlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphs import Case

from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.execution import Execution
from dipeo_jupyter.engine.program import Program
from dipeo_jupyter.protocol.events import ExecutionStarted
from dipeo_jupyter.services.journal import MemoryJournal

BUDGET = 3.0
"""How many times raw asyncio an activation may cost."""


def sqlite_journal() -> Callable[[Path], Any] | None:
    """The class of the journal on disk; None in a version that has none."""
    found: Callable[[Path], Any] | None = getattr(
        importlib.import_module("dipeo_jupyter.services.journal"), "SqliteJournal", None
    )
    return found


def ways() -> list[str]:
    """The ways to run a graph here. A journal that keeps nothing durable costs the least."""
    return ["raw", "memory", *(["sqlite"] if sqlite_journal() else [])]


@contextmanager
def journal_of(way: str) -> Iterator[Any]:
    """A new journal; making and closing it belongs to nobody's time."""
    kind = sqlite_journal()
    if way != "sqlite" or kind is None:
        yield MemoryJournal()
        return
    with tempfile.TemporaryDirectory(prefix="dipeo-bench-") as folder:
        journal = kind(Path(folder))
        try:
            yield journal
        finally:
            journal.close()


async def to_the_end(program: Program, journal: Any) -> Execution:
    """Run until the last event; the execution is for looking at."""
    execution = Execution("exec_bench", program, None, journal, SystemClock())  # type: ignore[arg-type]
    execution.start(ExecutionStarted(diagram=program.diagram, text=program.text, max_rounds=10**9))
    while not execution.state.over:  # noqa: ASYNC110 - watching must cost nothing
        await asyncio.sleep(0)
    return execution


async def ours(program: Program, journal: Any) -> Execution:
    """Run to the end, and until all of it is safe."""
    execution = await to_the_end(program, journal)
    await journal.written()
    return execution


def measure(way: str, case: Case, program: Program) -> float:
    """Microseconds per activation. Making the loop, the journal and the program is not in it."""

    async def timed() -> float:
        gc.collect()
        began = time.perf_counter()
        kept = await (case.raw() if way == "raw" else ours(program, journal))
        taken = time.perf_counter() - began
        assert way == "raw" or kept.state.status == "completed"
        return taken / case.activations * 1e6

    with journal_of(way) as journal:
        return asyncio.run(timed())


def ratio(samples: Iterable[float], raw: Iterable[float]) -> float:
    """Each sample is compared with the raw one of its own round, so that noise hits both."""
    return statistics.median(own / base for own, base in zip(samples, raw, strict=True))


def cell(value: float | None, form: str = ".1f") -> str:
    return "–" if value is None else format(value, form)


class Table:
    """A Markdown table whose rows appear as soon as they are known."""

    def __init__(self, first: str, *others: str, first_width: int = 8, width: int = 7) -> None:
        self._widths = [max(len(first), first_width), *(max(len(each), width) for each in others)]
        self._print([first, *others])
        lines = ["-" * (width + 1) for width in self._widths]
        print(f"|{lines[0]}-|" + "".join(f"{line}:|" for line in lines[1:]))

    def row(self, first: str, *others: str, remark: str = "") -> None:
        self._print([first, *others], remark)

    def _print(self, cells: list[str], remark: str = "") -> None:
        sides = ["<", *">" * (len(cells) - 1)]
        padded = (f"{c:{s}{w}}" for c, s, w in zip(cells, sides, self._widths, strict=True))
        print(f"| {' | '.join(padded)} | {remark}".rstrip(), flush=True)
