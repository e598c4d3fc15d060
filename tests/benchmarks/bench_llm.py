"""What our service costs over bare litellm, and how long it holds up the caller's event loop.

    python tests/benchmarks/bench_llm.py [--calls 100] [--rounds 5]

The provider is a process of its own on loopback, which thinks for 50 ms and answers in 20 pieces.
Both sides stream the same answer over kept connections; single calls alternate in one process, so
that noise hits both. The stall is the longest time for which the caller's loop stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def provider() -> Iterator[str]:
    """The address of a provider in another process."""
    command = [sys.executable, __file__, "--serve"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
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


async def together(call: Call, calls: int, at_once: int) -> tuple[float, list[float]]:
    """Seconds for many calls, and each stall of the loop meanwhile in milliseconds."""
    places, stalls, over = asyncio.Semaphore(at_once), [0.0], False

    async def one() -> None:
        async with places:
            await call()

    async def watch() -> None:
        while not over:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            stalls.append((time.perf_counter() - before) * 1e3 - 1)

    gc.collect()
    watching, began = asyncio.create_task(watch()), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(calls)))
    taken, over = time.perf_counter() - began, True
    await watching
    return taken, stalls


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


async def many(llm: LiteLLM, url: str, rounds: int) -> None:
    print("\n1000 calls, 100 at once:\n")
    table = Table("who", "calls/s", "stall p50 ms", "stall p99 ms", "longest ms", first_width=10)
    ways: dict[str, Call] = {"litellm": bare(url), "ours": lambda: llm.chat(REQUEST, len)}
    for _ in range(rounds):
        for name, call in ways.items():
            taken, stalls = await together(call, 1000, 100)
            cuts = statistics.quantiles(stalls, n=100)
            late = " over budget" if name == "ours" and max(stalls) > STALL else ""
            times = [f"{each:.1f}" for each in (cuts[49], cuts[98], max(stalls))]
            table.row(name, f"{1000 / taken:.0f}", *times, remark=late)


async def measure(url: str, calls: int, rounds: int) -> None:
    llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": url})
    await single(llm, url, calls, rounds)
    await many(llm, url, rounds=2)
    await llm.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    with provider() as url:
        asyncio.run(measure(url, options.calls, options.rounds))


if __name__ == "__main__":
    main()
