"""Peak memory of one run, in a process of its own: `python memory.py WAY GRAPH SIZE`.

What is counted is what Python allocates while the graph runs (tracemalloc), over what there was
before: the compiled program, all imports and an open journal. SQLite's own cache is not in it.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc

from graphs import TYPES, case
from measuring import journal_of, measure, ours

from dipeo_jupyter.engine.compile import compile_diagram


def peak(way: str, name: str, size: int) -> float:
    """Bytes per activation, of a run in a new process."""
    command = [sys.executable, __file__, way, name, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _peak_here(way: str, name: str, size: int) -> float:
    small = case(name, 100)
    measure(way, small, compile_diagram(small.diagram, TYPES))  # imports what is imported late
    large = case(name, size)
    program = compile_diagram(large.diagram, TYPES)

    async def traced() -> int:
        gc.collect()
        tracemalloc.start()
        kept = await (large.raw() if way == "raw" else ours(program, journal))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        del kept
        return found

    with journal_of(way) as journal:
        return asyncio.run(traced()) / size


if __name__ == "__main__":
    print(_peak_here(sys.argv[1], sys.argv[2], int(sys.argv[3])))
