"""How long the event loop of a Jupyter server stands still while it has a lot to do.

Ten runs of a thousand activations each, jobs, outputs of 20 MB, a diagram of 1 MB of YAML, and
somebody who asks Jupyter itself meanwhile. A watchdog on the loop counts every stall; an idle
process beside it shows how long the machine itself keeps somebody waiting who has nothing to do.

    python tests/benchmarks/bench_loop.py [--only runs|jobs|outputs|yaml|wrong]
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

import websockets

from tests.server.serving import TOKEN, serving

HEADERS = {"Authorization": f"token {TOKEN}"}
TICK = 0.002
LONG = 0.05
"""Seconds: a stall that is worth looking at."""
LARGE = 20_000_000


def line(nodes: int, words: int = 0) -> str:
    """Nodes one after the other; and beside them, two that hand on so many words."""
    labels = [f"n{number}" for number in range(nodes)]
    drawn = "".join(
        f"- {{label: {each}, type: condition, condition_type: expression, expression: 'True'}}\n"
        for each in labels
    )
    edges = "".join(
        f"- {{from: {a}{'_condtrue' if a != 'start' else ''}, to: {b}}}\n"
        for a, b in zip(["start", *labels], [*labels, "end"], strict=False)
    )
    return (
        "version: light\nnodes:\n- {label: start, type: start}\n- {label: said, type: endpoint}\n"
        "- label: words\n  type: start\n  custom_data:\n    x: 1\n"
        f"{''.join(f'    word{number}: lorem ipsum dolor{chr(10)}' for number in range(words))}"
        f"{drawn}- {{label: end, type: endpoint}}\nconnections:\n"
        f"- {{from: words, to: said}}\n{edges}"
    )


def job(code: str) -> str:
    return f"""version: light
nodes:
- {{label: start, type: start}}
- {{label: work, type: job, code: "{code}"}}
- {{label: end, type: endpoint}}
connections: [{{from: start, to: work}}, {{from: work, to: end}}]
"""


READ = """version: light
nodes:
- {label: start, type: start}
- {label: read, type: db, operation: read, file: large.txt}
- {label: end, type: endpoint}
connections: [{from: start, to: read}, {from: read, to: end}]
"""
WORK = {
    "runs": [line(1000)] * 10,
    "jobs": [job("return 1")] * 20,
    "outputs": [READ] * 3,
    "yaml": [line(500, words=30_000)],
    "wrong": [line(1500).replace("expression: 'True'", "expresion: 'True'")],
}


class Watchdog:
    """Notes each stall, and where the loop was when it was as long as that."""

    def __init__(self) -> None:
        self.stalls: list[float] = []
        self.turns: list[float] = []
        """Seconds of processor time that the loop has taken between two looks."""
        self.seen: dict[str, float] = {}
        self._at = time.perf_counter()
        self._over = False
        self._thread = threading.get_ident()

    async def watch(self) -> None:
        threading.Thread(target=self._look, daemon=True).start()
        while True:
            due, worked = time.perf_counter() + TICK, time.thread_time()
            self._at = due
            await asyncio.sleep(TICK)
            self.stalls.append(max(0.0, time.perf_counter() - due))
            self.turns.append(time.thread_time() - worked)

    def _look(self) -> None:
        while not self._over:
            time.sleep(LONG / 5)
            late = time.perf_counter() - self._at
            if late > LONG:
                frame = sys._current_frames().get(self._thread)
                place = "".join(traceback.format_stack(frame)[-16:]) if frame else ""
                self.seen[place] = max(late, self.seen.get(place, 0.0))

    def close(self) -> None:
        self._over = True


def idle(stop, results) -> None:
    """The same watch in a process that has nothing to do."""
    longest = 0.0
    while not stop.is_set():
        due = time.perf_counter() + TICK
        time.sleep(TICK)
        longest = max(longest, time.perf_counter() - due)
    results.put(("idle", longest))


def asker(port, stop, results) -> None:
    """Asks Jupyter for what its page asks for."""
    took = []
    while not stop.is_set():
        for path in ("api/contents", "api/kernels", "api/status", "api/sessions"):
            begun = time.perf_counter()
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            asked.request("GET", f"/{path}", headers=HEADERS)
            asked.getresponse().read()
            asked.close()
            took.append(time.perf_counter() - begun)
        time.sleep(0.02)
    results.put(("asked", sorted(took)))


def user(url, diagrams, results) -> None:
    """Starts all diagrams at once, and follows each to its end."""

    async def main():
        options = {"additional_headers": HEADERS, "proxy": None, "max_size": None}
        async with websockets.connect(url, **options) as socket:
            await asyncio.gather(
                *(
                    socket.send(json.dumps({"type": "execute_diagram", "payload": {"diagram": d}}))
                    for d in diagrams
                )
            )
            ended, events = [], 0
            while len(ended) < len(diagrams):
                frame = json.loads(await socket.recv())
                events += "seq" in frame
                if frame["type"] in ("error", "execution_completed", "execution_failed"):
                    ended.append(frame["type"])
                if frame["type"] in ("error", "execution_failed"):
                    print(str(frame["payload"])[:300])
        results.put(("user", set(ended), events))

    asyncio.run(main())


async def measure(work: dict[str, list[str]]) -> None:
    results, stop = multiprocessing.Queue(), multiprocessing.Event()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "root").mkdir()  # noqa: ASYNC240 - nothing else goes on
        Path(folder, "root", "large.txt").write_text("word " * (LARGE // 5))  # noqa: ASYNC240 - as above
        async with serving(Path(folder, "root"), freeze=True, switch_interval=0.0005) as served:
            async with served.client() as client:
                await client.ask("describe")
            others = [
                multiprocessing.Process(target=idle, args=(stop, results), daemon=True),
                multiprocessing.Process(
                    target=asker, args=(served.app.port, stop, results), daemon=True
                ),
            ]
            users = [
                multiprocessing.Process(
                    target=user, args=(served.url, diagrams, results), daemon=True
                )
                for diagrams in work.values()
            ]
            for each in others:
                each.start()
            await asyncio.sleep(1)
            dog = Watchdog()
            watching = asyncio.create_task(dog.watch())
            begun = time.perf_counter()
            for each in users:
                each.start()
            said = [await asyncio.to_thread(results.get) for _ in users]
            took = time.perf_counter() - begun
            watching.cancel()
            dog.close()
            stop.set()
            told = dict([await asyncio.to_thread(results.get) for _ in others])
            for each in (*users, *others):
                each.join()
    stalls, turns = sorted(dog.stalls), sorted(dog.turns)
    asked = told["asked"]
    events = sum(each[2] for each in said)
    print(f"{', '.join(work)}: {took:.1f} s, {events:,} events told, ended as {[*said]}"[:160])
    print(
        f"  loop: longest stall {stalls[-1] * 1000:.1f} ms, p99 {at(stalls, 99):.1f}; "
        f"an idle process beside it: {told['idle'] * 1000:.1f}\n"
        f"  its own work at one go: p99 {at(turns, 99):.1f} ms, longest {turns[-1] * 1000:.1f}\n"
        f"  Jupyter's REST: p50 {at(asked, 50):.1f} ms, p99 {at(asked, 99):.1f}, "
        f"longest {asked[-1] * 1000:.1f}, {len(asked)} times",
        flush=True,
    )
    for place, late in sorted(dog.seen.items(), key=lambda each: -each[1])[:6]:
        print(f"  {late * 1000:.0f} ms in\n{place}")


def at(values: list[float], percent: int) -> float:
    """A percentile, in milliseconds."""
    return values[min(len(values) - 1, len(values) * percent // 100)] * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=[*WORK], action="append")
    only = parser.parse_args().only
    print(f"{os.cpu_count()} cores")
    if only is None:
        for name, diagrams in WORK.items():
            asyncio.run(measure({name: diagrams}))
    asyncio.run(measure({name: WORK[name] for name in only or WORK}))


if __name__ == "__main__":
    main()
