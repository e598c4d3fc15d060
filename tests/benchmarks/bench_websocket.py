"""How late a reader of the WebSocket hears of what happens, while others sit there or listen too.

A run records a thousand events a second for some seconds; the readers are processes of their own.

    python tests/benchmarks/bench_websocket.py [--seconds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import websockets

from dipeo_jupyter.protocol.events import Broadcast
from tests.server.serving import TOKEN, serving
from tests.server.test_websocket import started

RATE = 1000
HEADERS = {"Authorization": f"token {TOKEN}"}


def reader(url, run, count, results):
    """Hears `count` events; how many milliseconds each took."""

    async def main():
        async with websockets.connect(url, additional_headers=HEADERS, proxy=None) as socket:
            await socket.send(json.dumps({"type": "subscribe", "execution_id": run}))
            late = []
            while len(late) < count:
                frame = json.loads(await socket.recv())
                if frame["type"] == "broadcast":
                    late.append((time.time() - frame["payload"]["data"]) * 1000)
                elif frame["type"] == "input_required":
                    results.put("ready")
            results.put(sorted(late))

    asyncio.run(main())


def listeners(url, run, number, results):
    """`number` connections that follow a run until they are ended."""

    async def main():
        async with AsyncExitStack() as stack:
            for _ in range(number):
                one = websockets.connect(url, additional_headers=HEADERS, proxy=None)
                socket = await stack.enter_async_context(one)
                await socket.send(json.dumps({"type": "subscribe", "execution_id": run}))
                stack.callback(asyncio.ensure_future(swallow(socket)).cancel)
            results.put("ready")
            await asyncio.get_running_loop().create_future()

    async def swallow(socket):
        async for _ in socket:
            pass

    asyncio.run(main())


async def measure(seconds, idle, busy, *, journal):
    count, results = round(RATE * seconds), multiprocessing.Queue()
    with tempfile.TemporaryDirectory() as folder:
        async with serving(
            Path(folder), connections_per_user=1000, freeze=True, switch_interval=0.0005
        ) as served:
            home = Path(folder) / "home" if journal else None
            served.users.settings = replace(served.users.settings, home=home)
            async with served.client() as client:
                run = await started(client, follow=False)
                other = await started(client, follow=False)
            processes = [
                multiprocessing.Process(target=target, args=(served.url, *rest, results))
                for target, *rest in (
                    (reader, run, count),
                    *([(listeners, other, idle)] if idle else []),
                    *([(listeners, run, busy)] if busy else []),
                )
            ]
            for each in processes:
                each.start()
            for _ in processes:
                assert await asyncio.to_thread(results.get) == "ready"
            execution = served.users.known[0]._engine._runs.held[run]
            begun = time.perf_counter()
            for number in range(count):
                due = begun + number / RATE - time.perf_counter()
                if due > 0:
                    await asyncio.sleep(due)
                execution.record(Broadcast(name="tick", data=time.time()))
            late = await asyncio.to_thread(results.get)
            for each in processes:
                each.kill()
            return late


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    seconds = parser.parse_args().seconds
    print(f"{RATE} events a second, {seconds:g} s, {os.cpu_count()} cores; milliseconds late")
    print(f"{'':36}{'p50':>8}{'p99':>8}{'most':>8}")
    for journal in (False, True):
        for idle, busy in ((0, 0), (200, 0), (0, 10)):
            late = asyncio.run(measure(seconds, idle, busy, journal=journal))
            name = f"{'file' if journal else 'memory'}, {idle} idle, {busy} who listen too"
            p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
            print(f"{name:36}{p50:8.1f}{p99:8.1f}{late[-1]:8.1f}", flush=True)


if __name__ == "__main__":
    main()
