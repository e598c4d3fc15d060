"""What our service costs over bare litellm, and how long it holds up the caller's event loop.

    python tests/benchmarks/bench_llm.py [--calls 100] [--rounds 5]

The provider is a process of its own on loopback, which thinks for 50 ms and answers in 20 pieces.
Both sides stream the same answer over kept connections; single calls alternate in one process, so
that noise hits both. The stall is the longest time for which the caller's loop stood still; who
asks then is a process of its own, since litellm, once it is imported, fills everybody's garbage
collector. What an idle process meanwhile stands still is the machine's, and beside it. The first
call is that of such a process, with all that it has to import or start.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from measuring import Table, ratio

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, ChatRequest
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.services.llm.loading import load_litellm
from tests.openai_server import OpenAIServer

OVERHEAD = 5.0
"""Per cent over bare litellm."""
STALL = 50.0
"""Milliseconds."""

CALLS, AT_ONCE = 1000, 100
LATENCY = 0.05
MODEL, KEY, SAID = "gpt-4.1-nano", "sk-0123456789", "hello"
PIECES = [f"word{number} " for number in range(20)]
REQUEST = ChatRequest(Person(service="openai", model=MODEL), [ChatMessage("user", SAID)], 60.0)

Call = Callable[[], Awaitable[object]]


def serve() -> None:
    """Be the provider, until standard input ends."""
    server = OpenAIServer(LATENCY)
    server.usage(prompt_tokens=1, completion_tokens=20, total_tokens=21)
    server.reply("", pieces=PIECES, times=None)
    print(server.url, flush=True)
    sys.stdin.read()


def program(role: str) -> subprocess.Popen[str]:
    """This program in another role, until its standard input ends."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, __file__, role], stdin=pipe, stdout=pipe, text=True)


@contextmanager
def provider() -> Iterator[str]:
    """The address of a provider in another process."""
    with program("--serve") as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


def bare(url: str) -> Call:
    """The same by litellm alone."""
    litellm = load_litellm()

    async def call() -> str:
        stream = await litellm.acompletion(
            model=f"openai/{MODEL}",
            messages=[{"role": "user", "content": SAID}],
            api_key=KEY,
            api_base=url,
            timeout=60.0,
            stream=True,
            stream_options={"include_usage": True},
            num_retries=0,
            max_retries=0,
        )
        chunks = [chunk async for chunk in stream]
        return "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)

    return call


async def alternate(ways: dict[str, Call], calls: int) -> dict[str, list[float]]:
    """Milliseconds of each call, one after the other; who is first changes from pair to pair."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(calls):
        for name, call in sorted(ways.items(), reverse=number % 2 == 0):
            began = time.perf_counter()
            await call()
            spent[name].append((time.perf_counter() - began) * 1e3)
    return spent


async def stalls_until(over: Callable[[], bool]) -> list[float]:
    """Each stall of the loop, in milliseconds."""
    stalls = [0.0]
    while not over():
        before = time.perf_counter()
        await asyncio.sleep(0.001)
        stalls.append((time.perf_counter() - before) * 1e3 - 1)
    return stalls


async def together(call: Call, calls: int, at_once: int) -> tuple[float, list[float]]:
    """Seconds for many calls, and each stall of the loop meanwhile."""
    places, over = asyncio.Semaphore(at_once), False

    async def one() -> None:
        async with places:
            await call()

    gc.collect()
    watching, began = asyncio.create_task(stalls_until(lambda: over)), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(calls)))
    taken, over = time.perf_counter() - began, True
    return taken, await watching


def be_idle() -> None:
    """Do nothing but watch, until standard input ends."""
    reading = threading.Thread(target=sys.stdin.read)
    reading.start()
    print(json.dumps(asyncio.run(stalls_until(lambda: not reading.is_alive()))))


async def single(llm: LiteLLM, url: str, calls: int, rounds: int) -> None:
    ways = {"litellm": bare(url), "ours": lambda: llm.chat(REQUEST, len)}
    await alternate(ways, 20)  # imports, connections, caches
    print(f"{rounds} rounds of {calls} calls each, one after the other:\n")
    table = Table("round", "litellm ms", "ours ms", "more µs", "more %")
    every: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        spent = await alternate(ways, calls)
        for name, samples in spent.items():
            every[name] += samples
        table.row(f"{number}", *figures(spent)[0])
    cells, share = figures(every)
    table.row("all", *cells, remark=" over budget" if share > OVERHEAD else "")


def figures(spent: dict[str, list[float]]) -> tuple[list[str], float]:
    """Cells of the table: medians of both, of the differences, and of the ratios, in per cent."""
    bases, owns = spent["litellm"], spent["ours"]
    more = statistics.median(own - base for own, base in zip(owns, bases, strict=True)) * 1e3
    share = (ratio(owns, bases) - 1) * 100
    medians = [f"{statistics.median(each):.2f}" for each in (bases, owns)]
    return [*medians, f"{more:.0f}", f"{share:.1f}"], share


def ours(url: str) -> LiteLLM:
    return LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": url})


async def alone(way: str, url: str) -> dict[str, Any]:
    """The first call, and then a thousand, in a process that knows nothing of the other way."""
    llm, began = ours(url), time.perf_counter()
    call: Call = (lambda: llm.chat(REQUEST, len)) if way == "ours" else bare(url)
    await call()
    first = time.perf_counter() - began
    await asyncio.gather(*(call() for _ in range(20)))
    taken, stalls = await together(call, CALLS, AT_ONCE)
    sizes = [resident("self"), *([resident(await worker_of(llm))] if way == "ours" else [])]
    await llm.aclose()
    return {"first": first, "taken": taken, "stalls": stalls, "sizes": sizes}


async def worker_of(llm: LiteLLM) -> int:
    return (await llm._aside.start(llm._helper.worker())).pid


def resident(pid: int | str) -> int:
    """Megabytes of memory that a process has; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


def many(url: str, rounds: int) -> None:
    print(f"\n{CALLS} calls, {AT_ONCE} at once; stalls are in ms, with their percentiles:\n")
    columns = ("first call s", "calls/s", "50 %", "99 %", "longest", "idle's", "MB")
    table = Table("who", *columns, first_width=10)
    longest = []
    for way in ("litellm", "ours") * rounds:
        with program("--idle") as idle:
            command = [sys.executable, __file__, "--alone", way, "--url", url]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            machine = max(json.loads(idle.communicate()[0]))
        found = json.loads(done.stdout)
        stalls = found["stalls"]
        longest += [max(stalls)] if way == "ours" else []
        cuts = statistics.quantiles(stalls, n=100)
        cells = [found["first"], CALLS / found["taken"], cuts[49], cuts[98], max(stalls), machine]
        table.row(way, *[f"{each:.1f}" for each in cells], " + ".join(map(str, found["sizes"])))
    median = statistics.median(longest)
    late = " over budget" if median > STALL else ""
    print(f"\nOurs stalls for {median:.1f} ms at most (median); {STALL:.0f} are allowed{late}")


async def measure(url: str, calls: int, rounds: int) -> None:
    llm = ours(url)
    await single(llm, url, calls, rounds)
    await llm.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--alone", choices=["litellm", "ours"])
    parser.add_argument("--url")
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    if options.idle:
        be_idle()
        return
    if options.alone:
        print(json.dumps(asyncio.run(alone(options.alone, options.url))))
        return
    with provider() as url:
        asyncio.run(measure(url, options.calls, options.rounds))
        many(url, rounds=2)


if __name__ == "__main__":
    main()
