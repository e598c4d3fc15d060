"""What a batch costs, by the number of its items: time, and memory that is not kept.

    python tests/benchmarks/bench_batch.py [--sizes 100 1000 10000]

The model is `demo`, ten items are under way at once, and somebody reads along. `resumed` runs the
batch up to half of it, pauses, and goes on in another engine. `parts` runs a diagram for each item.
Kept is what is there afterwards: entries, state, results. More is what was there at the most
beside that (tracemalloc, in a run of its own); both are per item. SQLite's own cache is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Table

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.notebook.history import History
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.settings import Settings

SPREAD = 2.0
"""How many times longer an item of the largest batch may take than one of the smallest."""
MORE = 2.0
"""KiB per item; on disk most of it is what the writer knows of contents, which has a limit."""

ASK = """
persons: {P: {service: demo}}
nodes:
- {label: start, type: start}
- {label: ask, type: person_batch_job, person: P, prompt: "{{item}}", items: rows}
connections: [{from: start, to: ask}]
"""
PARTS = """
nodes:
- {label: start, type: start}
- label: ask
  type: sub_diagram
  props: {batch: true, items: rows}
  diagram_data:
    persons: {P: {service: demo}}
    nodes:
    - {label: start, type: start}
    - {label: say, type: person_job, person: P, prompt: "{{item}}"}
    connections: [{from: start, to: say}]
connections: [{from: start, to: ask}]
"""
WAYS = {"memory": ASK, "sqlite": ASK, "resumed": ASK, "parts": PARTS, "parts, sqlite": PARTS}


@contextmanager
def home(way: str) -> Iterator[Settings]:
    """A new place for the journal, or none."""
    with tempfile.TemporaryDirectory(prefix="dipeo-bench-") as folder:
        on_disk = way in ("sqlite", "resumed", "parts, sqlite")
        yield Settings(root=Path(folder), home=Path(folder, "home") if on_disk else None)


async def followed(engine: Engine, run: str, until: str | None = None) -> History:
    """Read along to the end, or to some message."""
    history = History()
    async for entry in engine.events(run):
        history.apply(entry)
        if isinstance(entry.event, e.NodeProgress) and entry.event.message == until:
            break
    return history


async def played(way: str, settings: Settings, items: int) -> History:
    engine = build_engine(settings)
    rows = [f"row {number}" for number in range(items)]
    command = c.ExecuteDiagram(diagram=light.loads(WAYS[way]), inputs={"rows": rows})
    run = (await engine.send(command)).execution_id
    assert run
    if way == "resumed":
        await followed(engine, run, f"{items // 2} of {items} items done")
        await engine.send(c.PauseExecution(execution_id=run, now=True))
        await engine.close()
        engine = build_engine(settings)
        await engine.send(c.ResumeExecution(execution_id=run))
    history = await followed(engine, run)
    assert history.status == "completed", history.error
    await engine.close()
    return history


def seconds(way: str, items: int) -> float:
    with home(way) as settings:
        gc.collect()
        began = time.perf_counter()
        asyncio.run(played(way, settings, items))
        return time.perf_counter() - began


def memory(way: str, items: int) -> tuple[float, float]:
    """KiB per item that are kept, and that are needed beside that."""
    with home(way) as settings:
        gc.collect()
        tracemalloc.start()
        history = asyncio.run(played(way, settings, items))
        kept, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del history
    return kept / items / 1024, (most - kept) / items / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    options = parser.parse_args()
    table = Table("way", "items", "s", "µs/item", "kept KiB", "more KiB", first_width=13)
    for way in options.ways:
        seconds(way, 100)  # imports, caches
        base = None
        for items in sorted(options.sizes):
            taken = seconds(way, items)
            kept, more = memory(way, items)
            base = base or taken / items
            over = taken / items > SPREAD * base or (more > MORE and items >= 1000)
            cells = [f"{taken:.2f}", f"{taken / items * 1e6:.0f}", f"{kept:.1f}", f"{more:.2f}"]
            table.row(way, f"{items:,}", *cells, remark="over budget" if over else "")


if __name__ == "__main__":
    main()
