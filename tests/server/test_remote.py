"""The client over the network: nobody can tell it from the engine, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import serve

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.client import Conversation
from dipeo_jupyter.client.address import with_token
from dipeo_jupyter.client.remote import RemoteClient
from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e

from .network import wire_to
from .serving import ASK, QUICK, TOKEN, serving

TALK = load(
    """
version: light
persons: {P: {service: demo}}
nodes:
- {label: start, type: start}
- {label: ask, type: person_job, person: P, prompt: "hello {{name}}"}
- {label: end, type: endpoint}
connections: [{from: start, to: ask}, {from: ask, to: end}]
"""
)
ASKS, QUICKLY = load(ASK), load(QUICK)


@asynccontextmanager
async def remote(served, port=None, **options):
    """Somebody who uses the server, perhaps by another port."""
    client = RemoteClient(
        with_token(f"http://127.0.0.1:{port or served.app.port}/?token={TOKEN}", **options)
    )
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture(params=["engine", "remote"])
def with_client(request, server):
    """Run a test's part with a client: the engine itself, or one over the network."""

    def run(part):
        async def over_the_network(served):
            async with remote(served) as client:
                return await part(client)

        async def here(served):
            engine = build_engine(served.users.settings)
            try:
                return await part(engine)
            finally:
                await engine.close()

        return server(over_the_network if request.param == "remote" else here)

    return run


async def begin(client, diagram=ASKS, **fields):
    return (await client.send(c.ExecuteDiagram(diagram=diagram, **fields))).execution_id


async def follow(client, run, seen, asked):
    async for entry in client.events(run):
        seen.append(entry)
        if isinstance(entry.event, e.InputRequired):
            asked.set()


async def heard(client, run, after=0):
    return [entry async for entry in client.events(run, after)]


def test_a_run_is_followed_to_its_end(with_client):
    async def part(client):
        run = await begin(client, TALK, inputs={"name": "Ann"}, paused=True)
        entries = []
        async for entry in client.events(run):
            entries.append(entry)
            if isinstance(entry.event, e.ExecutionPaused):
                await client.send(c.ResumeExecution(execution_id=run))
        return entries

    entries = with_client(part)
    kept = [entry for entry in entries if not entry.event.ephemeral]

    assert [entry.seq for entry in kept] == list(range(1, len(kept) + 1))
    assert isinstance(entries[-1].event, e.ExecutionCompleted)
    assert any(isinstance(entry.event, e.TokenDelta) for entry in entries)


def test_a_conversation_answers_the_questions_of_a_run(with_client):
    async def part(client):
        talk = Conversation(client, await begin(client), {"name": "Ann"})
        return [entry.event async for entry in talk.entries()]

    assert with_client(part)[-1].outputs == {"end": "Ann"}


def test_several_follow_one_run_from_different_places(with_client):
    async def part(client):
        run = await begin(client)
        async with contextlib.aclosing(client.events(run)) as entries:
            async for entry in entries:
                if isinstance(entry.event, e.InputRequired):
                    break
        followers = [asyncio.ensure_future(heard(client, run, after)) for after in (0, 2, 3, 0)]
        await client.send(c.UserResponse(execution_id=run, node="name", value="Ann"))
        return [[entry.seq for entry in await each] for each in followers]

    first, second, third, fourth = with_client(part)

    assert first == fourth == list(range(1, first[-1] + 1))
    assert (second, third) == (first[2:], first[3:])


def test_what_is_over_is_told_and_ends(with_client):
    async def part(client):
        run = await begin(client, QUICKLY)
        return [len(await heard(client, run)) for _ in range(2)], len(await heard(client, run, 3))

    (one, two), three = with_client(part)

    assert one == two == three + 3


def test_what_is_asked_for_comes_as_the_same_things(with_client):
    async def part(client):
        run = await begin(client, TALK, inputs={"name": "Ann"})
        await heard(client, run)
        wrong = ASKS.model_copy(update={"edges": ASKS.edges[:1]})
        commands = [
            c.GetExecution(execution_id=run[:20]),
            c.ListExecutions(),
            c.ListCollections(),
            c.GetConversation(execution_id=run),
            c.PlanExecution(diagram=TALK, since=run, inputs={"name": "Ann"}),
            c.CheckDiagram(diagram=wrong),
            c.Describe(),
            c.PruneExecutions(keep_last=0),
        ]
        return [(await client.send(each)).result for each in commands], run

    (one, all_, tables, said, plan, problems, described, pruned), run = with_client(part)

    assert one.status == "completed"
    assert (one.usage.calls, all_) == (1, [one])
    assert tables == []
    assert said[0].message.recipient == "P"
    assert [each.action for each in plan.activations] == ["compute", "reuse", "compute"]
    assert all(problem.path is not None and problem.message for problem in problems)
    assert described
    assert pruned == [run]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.GetExecution(execution_id="exec_none"), "unknown_execution"),
        (c.SetBreakpoints(execution_id="exec_none"), "unknown_execution"),
        (c.ExecuteDiagram(diagram=ASKS, values={"name": 1}), "unknown_activation"),
    ],
)
def test_refusals_are_the_same_errors(with_client, command, code):
    async def part(client):
        with pytest.raises(CommandError) as caught:
            await client.send(command)
        return caught.value

    assert with_client(part).code == code


def test_a_wrong_diagram_is_the_same_error_with_the_same_problems(with_client):
    wrong = load(ASK.replace('prompt: "Who?"', 'prmpt: "Who?"'))

    async def part(client):
        with pytest.raises(DiagramError) as caught:
            await begin(client, wrong)
        return caught.value.problems

    assert with_client(part)[0].path[:2] == ("nodes", "name")


LONG = load(
    """
version: light
nodes:
- {label: start, type: start}
- {label: count, type: condition, expression: "iterations('count') >= 2500"}
- {label: end, type: endpoint}
connections:
- {from: start, to: count}
- {from: "count[condfalse]", to: count}
- {from: "count[condtrue]", to: end}
"""
)


def test_a_connection_that_is_cut_again_and_again_loses_and_doubles_nothing(server):
    async def main(served):
        async with (
            wire_to(served.app.port) as wire,
            remote(served, wire.port) as client,
            remote(served) as steady,
        ):
            run = await begin(steady, LONG, max_rounds=3000, paused=True)
            seen = []
            async with contextlib.aclosing(client.events(run)) as entries:
                async for entry in entries:
                    seen.append(entry.seq)
                    if isinstance(entry.event, e.ExecutionPaused):
                        await steady.send(c.ResumeExecution(execution_id=run))
                    elif entry.seq % 10 == 0 and wire.cuts < 50:
                        wire.cut()
            return seen, wire.cuts

    seen, cuts = server(main)

    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) > 5000
    assert cuts == 50


def test_what_is_asked_while_the_connection_is_cut_is_done_once(server):
    async def main(served):
        async with wire_to(served.app.port) as wire, remote(served, wire.port) as client:
            run = await begin(client)
            for number in range(40):
                note = c.BroadcastEvent(execution_id=run, name="note", data=number)
                asking = asyncio.ensure_future(client.send(note))
                for _ in range(number % 5):  # at another moment each time
                    await asyncio.sleep(0)
                wire.cut()
                await asking
            await client.send(c.CancelExecution(execution_id=run))
            entries = await heard(client, run)
            return [x.event.data for x in entries if isinstance(x.event, e.Broadcast)], wire.cuts

    notes, cuts = server(main)

    assert notes == list(range(40))
    assert cuts > 20


def test_a_server_that_comes_back_is_followed_from_where_it_stopped(server):
    async def main(served):
        async with wire_to(served.app.port) as wire, remote(served, wire.port) as client:
            run = await begin(client)
            asked, seen = asyncio.Event(), []
            following = asyncio.ensure_future(follow(client, run, seen, asked))
            await asked.wait()
            await served.app._cleanup()
            async with serving(Path(served.app.root_dir), auto_resume=True) as again:
                wire.target = again.app.port
                answer = c.UserResponse(execution_id=run, node="name", value="Ann")
                await client.send(answer)
                await following
            return seen

    seen = server(main)

    assert [entry.seq for entry in seen] == list(range(1, len(seen) + 1))
    assert any(isinstance(entry.event, e.ExecutionRecovered) for entry in seen)
    assert seen[-1].event.outputs == {"end": "Ann"}


def test_who_has_no_token_is_told_so_at_once(server):
    async def main(served):
        client = RemoteClient(with_token(served.url, "wrong"))
        with pytest.raises(CommandError, match="does not let you in") as caught:
            await client.send(c.ListExecutions())
        await client.close()
        return caught.value.code

    assert server(main) == "forbidden"


def test_a_server_that_is_not_there_is_given_up_after_a_while():
    async def main():
        client = RemoteClient(with_token("http://127.0.0.1:9", "x", patience=0.2))
        with pytest.raises(CommandError, match="cannot be reached") as caught:
            await client.send(c.ListExecutions())
        await client.close()
        return caught.value.code

    assert asyncio.run(main()) == "no_server"


def test_what_the_server_would_not_take_is_not_sent(server):
    async def main(served):
        async with remote(served) as client:
            with pytest.raises(CommandError) as caught:
                await begin(client, inputs={"text": "x" * 3000})
            return caught.value, await client.send(c.ListExecutions())

    error, _ = server(main, frame_bytes=2000)

    assert error.code == "too_large"
    assert "DipeoApp.frame_bytes" in error.hint


def test_who_asks_too_much_at_once_asks_again_later(server):
    async def main(served):
        served.users.limits = replace(served.users.limits, message_burst=20)
        async with remote(served) as client:
            asked = [client.send(c.ListExecutions()) for _ in range(40)]
            return len(await asyncio.gather(*asked))

    assert server(main, messages_per_second=20.0) == 40


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:8888/?token=a", "ws://localhost:8888/dipeo/ws"),
        ("http://localhost:8888/lab?token=a", "ws://localhost:8888/dipeo/ws"),
        ("https://hub.example/user/ann/lab", "wss://hub.example/user/ann/dipeo/ws"),
        ("ws://localhost:1/x/dipeo/ws", "ws://localhost:1/x/dipeo/ws"),
    ],
)
def test_an_address_is_taken_as_jupyter_prints_it(given, url):
    assert with_token(given).url == url


def test_what_is_no_address_is_refused_and_its_token_not_repeated():
    with pytest.raises(CommandError) as caught:
        with_token("localhost:8888/?token=secret")

    assert "secret" not in f"{caught.value}{caught.value.hint}"


HELLO = '{"type": "connected", "payload": {"most_bytes": 1000000}}'


@pytest.mark.parametrize(
    "frames",
    [
        ["no JSON"],
        ["{}"],
        ["[]"],
        [HELLO, "no JSON"],
        [HELLO, '{"type": "ack", "correlation_id": "NUMBER"}'],
        [HELLO, '{"type": "ack", "correlation_id": "NUMBER", "payload": 3}'],
        [HELLO, '{"type": "ack", "correlation_id": "NUMBER", "payload": {"result": 3}}'],
    ],
)
def test_who_is_told_what_nobody_understands_does_not_wait_for_ever(frames):
    async def talk(socket):
        for frame in frames[:1]:
            await socket.send(frame)
        async for asked in socket:
            number = json.loads(asked)["correlation_id"]
            for frame in frames[1:]:
                await socket.send(frame.replace("NUMBER", number))

    async def main():
        async with serve(talk, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            client = RemoteClient(with_token(f"http://127.0.0.1:{port}"))
            try:
                async with asyncio.timeout(10):
                    await client.send(c.ListExecutions())
            finally:
                await client.close()

    with pytest.raises(CommandError) as refused:
        asyncio.run(main())
    assert refused.value.code == "bad_server"
