"""How long a job takes behind each kind of walls, what one that waits costs, and many at once.

    python tests/benchmarks/bench_sandbox.py [--repeat 40]

Warm is a job for which a process waits already, with a pause between jobs; cold is one for which
all has to be started. Fifty jobs at once are timed with the lag of the event loop meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dipeo_jupyter.engine.ports import Job, JobLanguage
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.services.sandbox.limits import Limits
from dipeo_jupyter.services.sandbox.pool import Pool
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.walls import Walls
from dipeo_jupyter.services.sandbox.watch import _own_memory, tree
from dipeo_jupyter.settings import SANDBOX_MODES, SandboxMode

WARM, COLD, IDLE = 5.0, 60.0, 10.0
"""Milliseconds, milliseconds, and MB: the budgets."""
AT_ONCE = 50
PAUSE = 0.15
CODE: dict[JobLanguage, str] = {
    "python": "return default + 1",
    "javascript": "return inputs.default + 1",
    "bash": "echo $((INPUT_default + 1))",
}


@dataclass
class Lag:
    """The longest that the loop was late."""

    worst: float = 0.0

    async def watch(self) -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.005)
            self.worst = max(self.worst, time.perf_counter() - asked - 0.005)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


async def run(sandbox: ProcessSandbox, language: JobLanguage = "python") -> None:
    job = Job(language, CODE[language], {"default": 1})
    assert str((await sandbox.run(job, lambda _: None)).value) == "2"


async def idle_megabytes(walls: Walls) -> float:
    """What a process that waits for a job takes of the memory, its walls included."""
    sandbox = ProcessSandbox(walls=walls, warm=1)
    await run(sandbox)
    await asyncio.sleep(0.5)
    pool = sandbox._pool
    assert isinstance(pool, Pool)
    process = pool._idle[0][1]._process
    assert process is not None
    size = sum(map(_own_memory, tree(process.get_pid()))) / 1024**2
    await sandbox.aclose()
    return size


def row(what: str, times: list[float], budget: float | None = None, unit: str = "ms") -> None:
    median, late = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
    verdict = "" if budget is None or median <= budget else "over budget"
    print(f"| {what:<44} | {min(times):>7.1f} | {median:>7.1f} | {late:>7.1f} | {unit} {verdict}")


async def measure(mode: SandboxMode, repeat: int) -> None:
    walls = Walls(mode, Limits())
    try:
        await walls.find()
    except NodeError:
        print(f"| {mode:<44} | does not hold here: {walls.reasons}")
        return
    if mode == "deno" and not os.environ.get("DIPEO_PYODIDE"):
        sandbox = ProcessSandbox(walls=walls)
        times = [await timed(lambda: run(sandbox, "javascript")) for _ in range(repeat)]
        row(f"{mode}: javascript, cold", times)
        return
    warm = ProcessSandbox(walls=walls, warm=2)
    await run(warm)
    times = []
    for _ in range(repeat):
        await asyncio.sleep(PAUSE)
        times.append(await timed(lambda: run(warm)))
    row(f"{mode}: Python, warm", times, WARM)
    await warm.aclose()
    sandbox = ProcessSandbox(walls=walls)
    for language in CODE:
        times = [await timed(lambda each=language: run(sandbox, each)) for _ in range(repeat)]
        row(f"{mode}: {language}, cold", times, COLD if language == "python" else None)
    row(f"{mode}: a Python process that waits", [await idle_megabytes(walls)], IDLE, "MB")
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    jobs = [timed(lambda: run(sandbox)) for _ in range(AT_ONCE)]
    row(f"{mode}: each of {AT_ONCE} Python jobs at once", await asyncio.gather(*jobs))
    watching.cancel()
    row(f"{mode}: longest lag of the loop meanwhile", [lag.worst * 1000])


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=40)
    repeat = parser.parse_args().repeat
    print(f"| {'what':<44} | {'least':>7} | {'median':>7} | {'p95':>7} |")
    print(f"|-{'-' * 44}-|-{'-' * 7}-|-{'-' * 7}-|-{'-' * 7}-|")
    for mode in SANDBOX_MODES[1:]:
        await measure(mode, repeat)


if __name__ == "__main__":
    asyncio.run(main())
