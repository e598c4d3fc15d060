"""Many readers and slow ones: what they cost the run, the server, and one another."""

from __future__ import annotations

import asyncio
import json

from .serving import OVER
from .test_limits import handshake
from .test_websocket import seqs, started

ROUNDS = 60
LARGE = f"""
version: light
nodes:
- {{label: start, type: start, custom_data: {{text: {"x" * 100_000}}}}}
- {{label: work, type: condition, expression: "iterations('work') >= {ROUNDS}"}}
- {{label: end, type: endpoint}}
connections:
- {{from: start, to: work}}
- {{from: "work[condfalse]", to: work}}
- {{from: "work[condtrue]", to: end}}
"""


async def to_the_end(client):
    await client.until(*OVER)
    return client.types()[-1]


async def crawl(client):
    """Read a thousand bytes a second."""
    while True:
        frame = await client._next()
        client._passed_over.append(frame)
        await asyncio.sleep(len(json.dumps(frame)) / 1000)


def test_a_reader_that_never_reads_costs_the_run_and_the_server_nothing(server):
    async def main(served):
        _, deaf = await handshake(served)
        deaf.write(masked({"type": "subscribe_monitor"}))
        async with served.client() as client:
            user = served.users.known[0]
            stuck = next(
                each for each in user.connections if each.id != client.hello["payload"]["client_id"]
            )
            while not stuck._all_runs:
                await client.ask("ping")
            most = 0
            for _ in range(4):
                await started(client, LARGE)
                while (frame := await client.hear())["type"] not in OVER:
                    most = max(most, stuck.held)
                assert frame["type"] == "execution_completed"
            await asyncio.wait({stuck._writing})
            deaf.close()
            return most, len(user.connections)

    most, connections = server(main, held_bytes=300_000, write_timeout=1.0)

    assert most < 900_000
    assert connections == 1


def masked(message):
    """A text frame as a client sends it."""
    data = json.dumps(message).encode()
    return b"\x81" + bytes([0x80 | len(data)]) + bytes(4) + data


def test_a_slow_reader_misses_nothing_and_holds_up_nobody(server):
    async def main(served):
        async with served.client(max_queue=1) as slow, served.client() as client:
            await slow.ask("subscribe_monitor")
            await started(client, LARGE)
            begun = asyncio.get_running_loop().time()
            crawling = asyncio.ensure_future(crawl(slow))
            await to_the_end(client)
            took = asyncio.get_running_loop().time() - begun
            held = max(each.held for each in served.users.known[0].connections)
            crawling.cancel()
            await slow.until("end_of_events")
            return took, held, seqs(client), seqs(slow)

    took, held, quick, slow = server(main, held_bytes=300_000)

    assert took < 10
    assert held < 900_000
    assert slow == quick
