"""A server that is stopped: what is under way may end, nothing begins, and everything goes on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.model_server import say

from .network import wire_to
from .serving import OVER, QUICK, serving
from .test_remote import ASKS, begin, follow, heard, remote
from .test_websocket import seqs

TWICE = load(
    """
version: light
persons: {P: {service: openai, model: m}}
nodes:
- {label: start, type: start}
- {label: first, type: person_job, person: P, prompt: one}
- {label: second, type: person_job, person: P, prompt: two}
- {label: end, type: endpoint}
connections: [{from: start, to: first}, {from: first, to: second}, {from: second, to: end}]
"""
)


class Slow:
    """A model that thinks about its first answer until it is let go on."""

    def __init__(self, server):
        self.server, self._go_on = server, threading.Event()
        server._then(self._answer)

    async def _answer(self, exchange):
        await asyncio.to_thread(self._go_on.wait)
        await say(exchange, "thought", (), "stop")

    async def is_asked(self):
        assert await asyncio.to_thread(self.server.wait, lambda: self.server.requests)

    def go_on(self):
        self._go_on.set()

    @property
    def asked(self):
        return [each.body["messages"][-1]["content"] for each in self.server.requests]


@pytest.fixture
def model(openai_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0")
    monkeypatch.setenv("OPENAI_API_BASE", openai_server.url)
    model = Slow(openai_server)
    yield model
    model.go_on()


async def stops(served):
    """Stop the server, and come back as soon as it begins nothing any more."""
    stopping = asyncio.ensure_future(served.app._cleanup())
    while not all(user._engine._runs.children.closing for user in served.users.known):  # noqa: ASYNC110 - turns of the loop, no time
        await asyncio.sleep(0)
    return stopping


async def kept(served, run):
    """What the next server finds of a run."""
    async with serving(Path(served.app.root_dir)) as again, remote(again) as client:
        listed = (await client.send(c.ListExecutions())).result
        [found] = [each for each in listed if each.execution_id == run]
        return found, [entry.event for entry in await heard(client, run)]


def test_what_is_under_way_when_the_server_stops_ends_and_nothing_follows_it(server, model):
    async def main(served):
        async with remote(served) as client:
            run = await begin(client, TWICE)
            await model.is_asked()
            stopping = await stops(served)
            model.go_on()
            await stopping
        return await kept(served, run)

    summary, events = server(main, drain_seconds=60)

    assert model.asked == ["one"]
    assert (summary.status, summary.live) == ("paused", False)
    assert [each.node for each in events if isinstance(each, e.EffectCompleted)] == ["first"]
    assert [each.reason for each in events if isinstance(each, e.ExecutionPaused)] == ["closed"]


def test_what_does_not_end_in_time_is_cut_short(server, model):
    async def main(served):
        async with remote(served) as client:
            run = await begin(client, TWICE)
            await model.is_asked()
            await served.app._cleanup()
        return await kept(served, run)

    _, events = server(main, drain_seconds=0.1)

    assert [each.interrupted for each in events if isinstance(each, e.ExecutionPaused)] == [
        (),
        ("first",),
    ]


def test_who_stops_the_server_twice_waits_no_longer(server, model):
    async def main(served):
        async with remote(served) as client:
            await begin(client, TWICE)
            await model.is_asked()
            first = await stops(served)
            await served.extension.stop_extension()
            await first

    server(main, drain_seconds=600)


def test_who_follows_hears_what_ends_while_the_server_stops(server, model):
    async def main(served):
        async with served.client() as client, remote(served) as other:
            run = await begin(other, TWICE)
            await client.ask("subscribe", execution_id=run)
            await model.is_asked()
            stopping = await stops(served)
            model.go_on()
            await client.until("node_completed", node="first")
            code = await client.closed()
            await stopping
            return code

    assert server(main, drain_seconds=60) == (1012, "the server stops")


def test_a_server_that_stops_begins_nothing_and_says_so(server, model):
    async def main(served):
        async with served.client() as client, remote(served) as other:
            run = await begin(other, TWICE)
            waits = await begin(other)
            await model.is_asked()
            stopping = await stops(served)
            found = [
                await client.ask(type_, **fields)
                for type_, fields in {
                    "execute_diagram": {"diagram": QUICK},
                    "resume_execution": {"execution_id": run},
                    "user_response": {"execution_id": waits, "node": "name", "value": "Ann"},
                    "get_execution": {"execution_id": run},
                }.items()
            ]
            model.go_on()
            await stopping
            return [each["payload"].get("code", each["type"]) for each in found]

    assert server(main, drain_seconds=60) == ["stopping"] * 3 + ["ack"]


def test_what_is_asked_of_a_server_that_stops_is_done_by_the_next(server, model):
    async def main(served):
        async with wire_to(served.app.port) as wire, remote(served, wire.port) as client:
            await begin(client, TWICE)
            await model.is_asked()
            stopping = await stops(served)
            asking = asyncio.ensure_future(begin(client))
            model.go_on()
            await stopping
            async with serving(Path(served.app.root_dir)) as again:
                wire.target = again.app.port
                run = await asking
                ack = await client.send(c.GetExecution(execution_id=run))
                return ack.result

    assert server(main, drain_seconds=60).live


def test_a_run_that_somebody_paused_stays_paused_when_the_server_comes_back(server, model):
    async def main(served):
        async with remote(served) as client:
            run = await begin(client, TWICE)
            await model.is_asked()
            await client.send(c.PauseExecution(execution_id=run))
            await served.app._cleanup()
        next_one = serving(Path(served.app.root_dir), auto_resume=True)
        async with next_one as again, remote(again) as client:
            return (await client.send(c.GetExecution(execution_id=run))).result

    found = server(main)

    assert (found.status, found.live) == ("paused", False)


def test_ten_clients_find_back_to_a_server_that_was_restarted(server):
    async def main(served):
        async with wire_to(served.app.port) as wire:
            clients = [remote(served, wire.port) for _ in range(10)]
            entered = [await each.__aenter__() for each in clients]
            run = await begin(entered[0], ASKS)
            asked, seen = [asyncio.Event() for _ in clients], [[] for _ in clients]
            following = [
                asyncio.ensure_future(follow(client, run, heard, event))
                for client, heard, event in zip(entered, seen, asked, strict=True)
            ]
            for event in asked:
                await event.wait()
            await served.app._cleanup()
            async with serving(Path(served.app.root_dir), auto_resume=True) as again:
                wire.target = again.app.port
                answer = c.UserResponse(execution_id=run, node="name", value="Ann")
                await entered[3].send(answer)
                await asyncio.gather(*following)
                for each in clients:
                    await each.__aexit__(None, None, None)
            return seen

    seen = server(main)

    for each in seen:
        assert [entry.seq for entry in each] == list(range(1, len(each) + 1))
        assert each[-1].event.outputs == {"end": "Ann"}


def test_a_page_that_is_loaded_again_amid_an_answer_shows_the_same_in_the_end(server, model):
    async def main(served):
        async with served.client() as page, served.client() as again:
            model.go_on()
            model.server.reply("a b c d e f", [*"a b c d e f"])
            run = await begin_there(page)
            await page.until("token_delta", node="second")
            await again.ask("subscribe", execution_id=run)
            frames = [await each.until(*OVER) for each in (page, again)]
            return frames, whole(page), whole(again)

    def whole(client):
        frames = [each for each in client.heard if each["type"] not in ("ack", "token_delta")]
        return [each["seq"] for each in frames if "seq" in each]

    async def begin_there(client):
        diagram = TWICE.model_dump(mode="json", by_alias=True)
        return (await client.ask("execute_diagram", diagram=diagram))["payload"]["execution_id"]

    (one, other), first, second = server(main)

    assert one["payload"]["outputs"] == other["payload"]["outputs"] == {"end": "a b c d e f"}
    assert second == first


@pytest.mark.parametrize("clock", ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
def test_the_clock_of_a_client_is_nobodys_business(server, clock):
    async def main(served):
        async with served.client() as client:
            diagram = ASKS.model_dump(mode="json", by_alias=True)
            ack = await client.ask("execute_diagram", diagram=diagram, timestamp=clock)
            run = ack["payload"]["execution_id"]
            await client.until("input_required")
            answer = {"node": "name", "value": "Ann", "timestamp": clock}
            await client.ask("user_response", execution_id=run, **answer)
            await client.until(*OVER)
            return [each["timestamp"] for each in client.heard], seqs(client)

    times, numbers = server(main)

    assert {time[:2] for time in times} == {"20"}
    assert clock[:4] not in {time[:4] for time in times}
    assert numbers == list(range(1, len(numbers) + 1))
