"""Many readers and slow ones: what they cost the run, the server, and one another."""

from __future__ import annotations

import asyncio
import json
import sys

from dipeo_jupyter.client.discovery import servers_for
from dipeo_jupyter.client.remote import RemoteClient

from .serving import OVER, TOKEN
from .test_kernels import kernel_of
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
            while not stuck._telling._all_runs:
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


def test_two_notebooks_a_page_and_two_terminals_see_the_same(server, tmp_path, monkeypatch):
    async def terminal(run, *options):
        command = [sys.executable, "-m", "dipeo_jupyter.cli", "show", run, "--follow", "--json"]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*command, *options, stdout=pipe)

    async def notebook(client, run):
        entries = [entry async for entry in client.events(run) if not entry.event.ephemeral]
        return [entry.to_wire() for entry in entries]

    async def main(served):
        monkeypatch.setenv("JUPYTER_TOKEN", TOKEN)
        monkeypatch.setenv("DIPEO_HOME", str(served.users.settings.home))
        address = f"http://127.0.0.1:{served.app.port}"
        async with served.client() as page, kernel_of(served) as (_, file):
            run = await started(page)
            await page.until("input_required")
            terminals = [await terminal(run), await terminal(run, "--server", address)]
            begun = [await each.stdout.readline() for each in terminals]
            (found,) = servers_for(file, {})
            notebooks = [RemoteClient(found) for _ in range(2)]
            heard = [asyncio.ensure_future(notebook(each, run)) for each in notebooks]
            await page.ask(
                "user_response", execution_id=run, payload={"node": "name", "value": "x"}
            )
            await page.until(*OVER)
            said = await asyncio.gather(*(each.communicate() for each in terminals))
            told = [await each for each in heard]
            for each in notebooks:
                await each.close()
            for first, (rest, _) in zip(begun, said, strict=True):
                told.append([json.loads(each) for each in (first + rest).splitlines()])
            frames = [each for each in page.heard if each.get("execution_id") == run]
            return told, [each for each in frames if "seq" in each and each["type"] != "ack"]

    told, page = server(main)

    assert page[-1]["type"] == "execution_completed"
    for each in told:
        assert each == page
