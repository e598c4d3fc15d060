"""What the journal in a file costs: room, time on the event loop, time in its thread, waiting.

python tests/benchmarks/bench_journal.py [--entries 20000]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import SqliteJournal

WORDS = [f"{a}{b}" for a in ("rea", "thi", "cou", "por", "vel") for b in ("son", "ng", "nter", "t")]
TURNS = (10, 100, 1000)


def words(count: int, rng: random.Random) -> str:
    return " ".join(f"{rng.choice(WORDS)}{rng.randrange(1000)}" for _ in range(count // 8))


def conversation(turns: int) -> Iterator[e.AnyEvent]:
    """Two persons, each prompt quoting the last answer: four entries for every turn."""
    rng, said, views = random.Random(1), "Begin.", {"Ann": [], "Bo": []}
    yield e.ExecutionStarted(diagram=Diagram(name="debate"))
    for turn in range(turns):
        person, other = ("Ann", "Bo") if turn % 2 == 0 else ("Bo", "Ann")
        node, activation = f"ask_{person}", turn // 2 + 1
        prompt, answer = f"Answer this: {said}", words(500, rng)
        at = {"node": node, "activation": activation}
        call = {**at, "effect": "chat", "key": f"{rng.getrandbits(256):064x}"}
        name = f"{node}[{activation}]"
        usage = {"input_tokens": 900 + turn, "output_tokens": 120}
        yield e.NodeStarted(**at, inputs={"default": said})
        yield e.EffectStarted(**call)
        yield e.EffectCompleted(**call, value={"text": answer, "usage": usage})
        views[person].append(f"{name}.0")
        messages = (
            e.Message(id=f"{name}.0", recipient=person, content=prompt),
            e.Message(id=f"{name}.1", sender=person, content=answer),
        )
        yield e.NodeCompleted(
            **at,
            outputs={"default": answer},
            person=person,
            messages=messages,
            seen=tuple(views[person]),
            usage=e.Usage(**usage),
            duration_ms=rng.random() * 1000,
        )
        views[person].append(f"{name}.1")
        views[other].append(f"{name}.1")
        said = answer


def distinct(events: list[e.AnyEvent]) -> int:
    """Bytes of the different texts in messages and outputs."""
    done = [event for event in events if isinstance(event, e.NodeCompleted)]
    texts = {message.content for event in done for message in event.messages}
    texts |= {value for event in done for value in event.outputs.values()}
    return sum(len(text.encode()) for text in texts)


def entries(events: list[e.AnyEvent]) -> list[e.Entry]:
    return [
        e.Entry("exec_01J0000000000000000000BENCH", seq, 1.7e9 + seq / 7, event)
        for seq, event in enumerate(events, 1)
    ]


async def keep(journal: SqliteJournal, found: list[e.Entry]) -> None:
    for entry in found:
        journal.append(entry)
    await journal.written()


def sizes(folder: Path) -> None:
    print(f"{'turns':>6} {'content':>10} {'file':>10} {'ratio':>6} {'read ms':>8} {'µs/entry':>9}")
    for turns in TURNS:
        home, found = folder / str(turns), entries([*conversation(turns)])
        journal = SqliteJournal(home)
        asyncio.run(keep(journal, found))
        started = time.perf_counter()
        same = journal.read(found[0].execution_id) == found
        took = time.perf_counter() - started
        assert same
        journal.close()
        content = distinct([entry.event for entry in found])
        file = (home / "journal.db").stat().st_size
        print(
            f"{turns:6} {content:10,} {file:10,} {file / content:6.2f}"
            f" {took * 1e3:8.1f} {took / len(found) * 1e6:9.1f}"
        )


def plain(count: int) -> list[e.Entry]:
    """Started and completed, as small as they come."""
    events: list[e.AnyEvent] = [e.ExecutionStarted(diagram=Diagram())]
    for number in range(count // 2):
        at = {"node": f"n{number}", "activation": 1}
        events.append(e.NodeStarted(**at, inputs={"default": 1}))
        events.append(e.NodeCompleted(**at, outputs={"default": 1}, duration_ms=number / 7))
    return entries(events)


async def hot(journal: SqliteJournal, found: list[e.Entry]) -> tuple[float, float, list[float]]:
    """Append from a busy loop: seconds in `append`, seconds in all, and the lag of each turn."""
    inside, lags, started = 0.0, [], time.perf_counter()
    for place in range(0, len(found), 20):
        before = time.perf_counter()
        for entry in found[place : place + 20]:
            journal.append(entry)
        inside += time.perf_counter() - before
        asked = time.perf_counter()
        await asyncio.sleep(0)
        lags.append(time.perf_counter() - asked)
    await journal.written()
    return inside, time.perf_counter() - started, lags


def speed(folder: Path, count: int) -> None:
    found = plain(count)
    for name, journal in (("hot loop", SqliteJournal(folder / "hot")),):
        inside, whole, lags = asyncio.run(hot(journal, found))
        lags.sort()
        print(
            f"{name}: {len(found) / whole:,.0f} appends/s, {inside / len(found) * 1e6:.2f} µs per"
            f" entry in append, loop lag p50 {lags[len(lags) // 2] * 1e3:.2f}"
            f" p99 {lags[len(lags) * 99 // 100] * 1e3:.2f} max {lags[-1] * 1e3:.2f} ms"
        )
        journal.close()


def thread(folder: Path, count: int) -> None:
    """Time of the thread alone: one batch, in a transaction, measured from within."""
    found, spent = plain(count), []
    journal = SqliteJournal(
        folder / "thread", group=500, failpoint=lambda *_: spent.append(time.thread_time())
    )
    asyncio.run(keep(journal, found))
    journal.close()
    print(f"thread: {(spent[-1] - spent[0]) / (len(found) - 500) * 1e6:.2f} µs per entry")


async def waits(journal: SqliteJournal, found: list[e.Entry]) -> list[float]:
    spent = []
    for entry in found:
        started = time.perf_counter()
        journal.append(entry)
        await journal.written()
        spent.append(time.perf_counter() - started)
    return spent


def latency(folder: Path) -> None:
    journal = SqliteJournal(folder / "latency")
    spent = asyncio.run(waits(journal, plain(1000)))
    journal.close()
    cuts = statistics.quantiles(spent, n=100)
    print(f"commit: p50 {cuts[49] * 1e3:.2f} p99 {cuts[98] * 1e3:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000)
    count = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as folder:
        sizes(Path(folder))
        thread(Path(folder), count)
        speed(Path(folder), count)
        latency(Path(folder))


if __name__ == "__main__":
    main()
