"""What one connection, and one user, may ask for; and what becomes of those who ask for more."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
from dataclasses import replace

import pytest
import websockets

from dipeo_jupyter.server.limits import Bucket

from .serving import ASK, OVER, QUICK, TOKEN
from .test_defects import asleep
from .test_websocket import started


def test_a_bucket_gives_its_size_at_once_and_then_its_rate():
    now = 0.0
    bucket = Bucket(rate=10, size=5, now=lambda: now)

    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    now = 0.1
    assert [bucket.take(), bucket.take()] == [True, False]
    assert bucket.empty_for == pytest.approx(0.1)
    now = 10.0
    assert bucket.take()
    assert bucket.empty_for == 0


def test_bytes_are_not_taken(server):
    async def main(served):
        async with served.client() as client:
            await client.socket.send(b"\x00\x01")
            return (await client.closed())[0]

    assert server(main) == 1003


def test_a_frame_that_is_too_large_ends_the_connection(server):
    async def main(served):
        async with served.client() as client:
            await client.say("ping", data="x" * 3000)
            return client.hello["payload"]["most_bytes"], (await client.closed())[0]

    assert server(main, frame_bytes=2000) == (2000, 1009)


def test_a_frame_in_pieces_without_end_is_too_large(server):
    async def main(served):
        async with served.client() as client:
            with pytest.raises(websockets.ConnectionClosed):
                await client.socket.send("x" * 500 for _ in iter(int, 1))
            return (await client.closed())[0]

    assert server(main, frame_bytes=2000) == 1009


def test_the_header_of_a_huge_frame_is_enough_to_refuse_it(server):
    async def main(served):
        reader, writer = await handshake(served)
        await reader.readuntil(b"connected")
        writer.write(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"mask")
        heard = await reader.read()
        writer.close()
        return heard

    assert (1009).to_bytes(2, "big") in server(main)


async def handshake(served):
    """A connection on which nobody answers by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.app.port)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {served.app.base_url}dipeo/ws HTTP/1.1",
        f"Host: 127.0.0.1:{served.app.port}",
        f"Authorization: token {TOKEN}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert b" 101 " in await reader.readline()
    return reader, writer


def test_nothing_is_compressed(server):
    async def main(served):
        async with served.client(compression="deflate") as client:
            return client.socket.protocol.extensions

    assert server(main) == []


def test_hostile_frames_leave_the_connection_and_others_as_they_were(server):
    frames = ["{", "[]", "5", '{"type": 5}', '{"a":' * 50_000, '{"type":"ping","a":"\\ud800"}']

    async def main(served):
        async with served.client() as hostile, served.client() as other:
            for frame in frames:
                await hostile.socket.send(frame)
                await hostile.until("error")
            await started(other, QUICK)
            await other.until(*OVER)
            return (await hostile.ask("ping"))["type"], other.types()[-1]

    assert server(main) == ("ack", "execution_completed")


def test_too_many_messages_are_refused_and_then_the_connection_ends(server):
    async def main(served):
        served.users.limits = replace(served.users.limits, patience=0.2)
        async with served.client() as flood, served.client() as other:
            flooding = asyncio.ensure_future(pour(flood))
            code, _ = await flood.closed()
            await asyncio.wait({flooding})
            told = [each for each in flood.heard if each["type"] == "error"]
            return code, told[0], (await other.ask("ping"))["type"]

    async def pour(client):
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await client.say("ping", correlation_id="7")

    code, told, other = server(main, messages_per_second=20.0)

    assert (code, other) == (1008, "ack")
    assert told["payload"]["code"] == "rate_limited"
    assert told["correlation_id"] == "7"


def test_one_user_has_so_many_connections_and_others_theirs(server):
    async def main(served):
        async with served.client(), served.client() as second:
            with pytest.raises(websockets.ConnectionClosed) as refused:
                async with served.client():
                    pass
            await second.socket.close()
            return refused.value.rcvd.code

    assert server(main, connections_per_user=2) == 1013


def test_one_user_has_so_many_runs_at_once_paused_ones_not_counted(server):
    async def main(served):
        async with served.client() as client:
            first, second = await started(client), await started(client)
            refused = await client.ask("execute_diagram", diagram=ASK)
            await client.ask("pause_execution", execution_id=first)
            await client.ask("cancel_execution", execution_id=second)
            await client.until("execution_cancelled")
            await asyncio.sleep(0)
            more = [await client.ask("execute_diagram", diagram=ASK) for _ in range(2)]
            return refused, [each["type"] for each in more]

    refused, more = server(main, runs_at_once=2)

    assert refused["payload"]["code"] == "too_many_runs"
    assert "DipeoApp.runs_at_once" in refused["payload"]["hint"]
    assert more == ["ack", "ack"]


def test_who_does_not_answer_signs_of_life_is_gone(server):
    async def main(served):
        _, writer = await handshake(served)
        async with served.client() as lively:
            await lively.ask("ping")
            user = served.users.known[0]
            dead = next(
                each for each in user.connections if each.id != lively.hello["payload"]["client_id"]
            )
            await asyncio.wait({dead._writing})
            writer.close()
            return len(user.connections), (await lively.ask("ping"))["type"]

    config = {"ServerApp": {"tornado_settings": {"ws_ping_interval": 200}}}

    assert server(main, config=config) == (1, "ack")


def test_a_job_that_works_does_not_hold_up_what_is_asked_meanwhile(server):
    async def main(served):
        async with served.client() as client:
            run = await asleep(client)
            begun = asyncio.get_running_loop().time()
            await client.ask("pause_execution", execution_id=run)
            took = asyncio.get_running_loop().time() - begun
            await client.ask("cancel_execution", execution_id=run)
            return took

    assert server(main) < 0.5


@pytest.mark.parametrize("seed", range(3))
def test_steering_in_any_order_from_many_sides_leaves_a_run_that_can_be_ended(server, seed):
    chance = random.Random(seed)
    words = ["pause_execution", "resume_execution", "step_execution"]

    async def main(served):
        async with served.client() as one, served.client() as two, served.client() as three:
            run = await started(one)
            for number in range(120):
                who = chance.choice([one, two, three])
                await who.say(chance.choice(words), execution_id=run, correlation_id=str(number))
            for each in (one, two, three):
                await each.ask("get_execution", execution_id=run)
            await one.ask("resume_execution", execution_id=run)
            answered = await one.ask("user_response", execution_id=run, node="name", value="x")
            end = await one.until(*OVER)
            codes = [f["payload"].get("code") for f in two.heard + three.heard]
            return answered["type"], end["type"], "internal" in codes

    assert server(main) == ("ack", "execution_completed", False)


def test_two_who_answer_at_once_are_one_answer_and_one_refusal(server):
    async def main(served):
        async with served.client() as one, served.client() as two:
            outcomes = []
            for _ in range(30):
                run = await started(one)
                await one.until("input_required")
                answer = {"execution_id": run, "node": "name"}
                both = await asyncio.gather(
                    one.ask("user_response", value="one", **answer),
                    two.ask("user_response", value="two", **answer),
                )
                end = await one.until(*OVER)
                winner = "one" if both[0]["type"] == "ack" else "two"
                assert end["payload"]["outputs"] == {"end": winner}
                outcomes.append(sorted(each["type"] for each in both))
            return outcomes

    assert server(main) == [["ack", "error"]] * 30


def test_a_huge_diagram_does_not_hold_up_the_loop(server):
    nodes = "".join(f"- {{label: n{i}, type: endpoint}}\n" for i in range(3000))
    links = "".join(f"- {{from: start, to: n{i}}}\n" for i in range(3000))
    large = f"version: light\nnodes:\n- {{label: start, type: start}}\n{nodes}connections:\n{links}"

    async def main(served):
        async with served.client() as one, served.client() as two:
            checking = asyncio.ensure_future(one.ask("check_diagram", diagram=large))
            slowest = 0.0
            while not checking.done():
                begun = asyncio.get_running_loop().time()
                await two.ask("ping")
                slowest = max(slowest, asyncio.get_running_loop().time() - begun)
                await asyncio.sleep(0.02)
            return json.dumps(checking.result())[:40], slowest

    answer, slowest = server(main)

    assert answer.startswith('{"type": "ack"')
    assert slowest < 0.5
