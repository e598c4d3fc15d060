"""Pause, resume, step, cancel, answer: at activation boundaries, idempotent, from anywhere."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.settings import Settings
from tests.running import diagram_of, run

CHAIN = """
nodes:
- {label: a, type: start}
- {label: b, type: condition, expression: 1 < 2}
- {label: c, type: endpoint}
connections: [{from: a, to: b}, {from: "b[condtrue]", to: c}]
"""
ASK = """
nodes:
- {label: start, type: start}
- {label: human, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: human}, {from: human, to: end}]
"""
HANG = """
nodes:
- {label: start, type: start}
- {label: quick, type: condition, expression: 1 < 2}
- {label: slow, type: job, code: "import time; time.sleep(600)"}
- {label: end, type: endpoint}
connections:
- {from: start, to: quick}
- {from: start, to: slow}
- {from: slow, to: end}
"""


@asynccontextmanager
async def running(text, **options):
    """An engine with one run on it, and the run's id."""
    engine = build_engine(Settings(root=Path()))
    try:
        ack = await engine.send(c.ExecuteDiagram(diagram=diagram_of(text), **options))
        yield engine, ack.execution_id
    finally:
        await engine.close()


async def until(engine, execution_id, kind, after=0):
    """The first event of a kind."""
    async for entry in engine.events(execution_id, after):
        if isinstance(entry.event, kind):
            return entry.event
    raise AssertionError(f"the run ended without {kind.__name__}")


async def status(engine, execution_id):
    return (await engine.send(c.GetExecution(execution_id=execution_id))).result.status


async def collect(engine, execution_id, after=0):
    return [entry async for entry in engine.events(execution_id, after)]


def test_a_run_started_paused_runs_nothing_yet():
    async def main():
        async with running(CHAIN, paused=True) as (engine, run_id):
            assert await status(engine, run_id) == "paused"
            await engine.send(c.ResumeExecution(execution_id=run_id))
            return await collect(engine, run_id)

    kinds = [entry.event.type for entry in asyncio.run(main())]
    assert ["execution_started", "execution_paused", "execution_resumed"] == kinds[:3]
    assert kinds[-1] == "execution_completed"


def test_each_step_lets_one_activation_through():
    seen = []

    async def steer(engine, entry):
        if isinstance(entry.event, e.ExecutionPaused):
            seen.append("pause")
            await engine.send(c.StepExecution(execution_id=entry.execution_id))
        elif isinstance(entry.event, e.NodeStarted):
            seen.append(entry.event.node)

    run(CHAIN, steer=steer, paused=True)

    assert ["pause", "a", "pause", "b", "pause", "c"] == seen


def test_pausing_starts_nothing_new_but_lets_finish():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            await engine.send(c.PauseExecution(execution_id=run_id))
            await engine.send(c.UserResponse(execution_id=run_id, node="human", value="Ada"))
            await until(engine, run_id, e.InputReceived)
            for _ in range(20):
                await asyncio.sleep(0)
            assert await status(engine, run_id) == "paused"
            await engine.send(c.ResumeExecution(execution_id=run_id))
            return await collect(engine, run_id)

    entries = asyncio.run(main())
    assert {"end": "Ada"} == entries[-1].event.outputs


def test_an_answer_to_the_question_of_another_firing_is_refused():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            late = c.UserResponse(execution_id=run_id, node="human", activation=2, value="Ada")
            with pytest.raises(CommandError, match="does not wait"):
                await engine.send(late)
            await engine.send(late.model_copy(update={"activation": 1}))
            return await collect(engine, run_id)

    assert {"end": "Ada"} == asyncio.run(main())[-1].event.outputs


def test_pausing_twice_and_resuming_twice_change_nothing():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            for command in (c.PauseExecution, c.PauseExecution, c.ResumeExecution):
                await engine.send(command(execution_id=run_id))
            ack = await engine.send(c.ResumeExecution(execution_id=run_id))
            assert await status(engine, run_id) == "waiting"
            return ack.seq

    # started, start's two events, human started, its effect begun, asked, paused, resumed
    assert asyncio.run(main()) == 8


def test_pausing_now_stops_what_runs_and_repeats_it():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            await engine.send(c.PauseExecution(execution_id=run_id, now=True))
            with pytest.raises(CommandError, match="does not wait"):
                await engine.send(c.UserResponse(execution_id=run_id, node="human", value="x"))
            ack = await engine.send(c.ResumeExecution(execution_id=run_id))
            await until(engine, run_id, e.InputRequired, ack.seq)
            await engine.send(c.UserResponse(execution_id=run_id, node="human", value="Ada"))
            return await collect(engine, run_id)

    entries = asyncio.run(main())
    starts = [x.event for x in entries if isinstance(x.event, e.NodeStarted)]
    assert ["start", "human", "human", "end"] == [event.node for event in starts]
    assert [1, 1] == [event.activation for event in starts if event.node == "human"]
    assert {"end": "Ada"} == entries[-1].event.outputs


def test_cancelling_reaches_a_sleeping_job_at_once():
    async def main():
        async with running(HANG) as (engine, run_id):
            await until(engine, run_id, e.NodeCompleted)
            async with asyncio.timeout(5):
                await engine.send(c.CancelExecution(execution_id=run_id))
                return await collect(engine, run_id)

    assert isinstance(asyncio.run(main())[-1].event, e.ExecutionCancelled)


def test_cancelling_twice_is_the_same_as_once():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            await engine.send(c.CancelExecution(execution_id=run_id))
            first = await collect(engine, run_id)
            await engine.send(c.CancelExecution(execution_id=run_id))
            return first, await collect(engine, run_id)

    first, second = asyncio.run(main())
    assert first == second


@pytest.mark.parametrize("command", [c.PauseExecution, c.ResumeExecution, c.StepExecution])
def test_a_run_that_is_over_cannot_be_steered(command):
    async def main():
        async with running(CHAIN) as (engine, run_id):
            await collect(engine, run_id)
            await engine.send(command(execution_id=run_id))

    with pytest.raises(CommandError, match="The run is completed"):
        asyncio.run(main())


def test_the_first_answer_wins_and_the_second_is_refused():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            answers = [
                engine.send(c.UserResponse(execution_id=run_id, node="human", value=value))
                for value in ("first", "second")
            ]
            results = await asyncio.gather(*answers, return_exceptions=True)
            return results, (await collect(engine, run_id))[-1].event.outputs

    results, outputs = asyncio.run(main())
    assert isinstance(results[1], CommandError)
    assert {"end": "first"} == outputs


def test_an_answer_after_the_end_is_refused():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            await engine.send(c.CancelExecution(execution_id=run_id))
            await engine.send(c.UserResponse(execution_id=run_id, node="human", value="x"))

    with pytest.raises(CommandError, match="does not wait for an answer"):
        asyncio.run(main())


def test_a_run_that_was_paused_while_it_asked_says_that_it_asks_again():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            await engine.send(c.PauseExecution(execution_id=run_id, now=True))
            await until(engine, run_id, e.ExecutionPaused)
            await engine.send(c.UserResponse(execution_id=run_id, node="human", value="x"))

    with pytest.raises(CommandError, match="once it is resumed, it asks again"):
        asyncio.run(main())


def test_two_runs_go_on_at_the_same_time():
    async def main():
        async with running(ASK) as (engine, one):
            ack = await engine.send(c.ExecuteDiagram(diagram=diagram_of(ASK)))
            for run_id in (one, ack.execution_id):
                await until(engine, run_id, e.InputRequired)
            listed = (await engine.send(c.ListExecutions())).result
            return one, ack.execution_id, [(each.status, each.waiting_for) for each in listed]

    one, other, listed = asyncio.run(main())
    assert one != other
    assert [("waiting", ("human",))] * 2 == listed


def test_an_id_may_be_shortened_while_it_is_clear():
    async def main():
        async with running(CHAIN) as (engine, run_id):
            ack = await engine.send(c.GetExecution(execution_id=run_id[:-4]))
            return run_id, ack.execution_id

    assert len(set(asyncio.run(main()))) == 1


def test_an_unknown_run_is_refused_with_a_code():
    async def main():
        async with running(CHAIN) as (engine, _):
            await engine.send(c.PauseExecution(execution_id="nowhere"))

    with pytest.raises(CommandError, match="no run 'nowhere'") as caught:
        asyncio.run(main())
    assert caught.value.code == "unknown_execution"


def test_a_late_watcher_sees_everything_once():
    async def main():
        async with running(CHAIN) as (engine, run_id):
            early = await collect(engine, run_id)
            return early, await collect(engine, run_id), await collect(engine, run_id, after=3)

    early, late, tail = asyncio.run(main())
    assert early == late
    assert early[3:] == tail
    assert list(range(1, len(early) + 1)) == [entry.seq for entry in early]


def test_a_broadcast_reaches_everyone_who_watches():
    async def main():
        async with running(ASK) as (engine, run_id):
            await until(engine, run_id, e.InputRequired)
            watchers = [asyncio.create_task(until(engine, run_id, e.Broadcast)) for _ in range(2)]
            await engine.send(c.BroadcastEvent(execution_id=run_id, name="note", data={"n": 1}))
            return await asyncio.gather(*watchers)

    assert [("note", {"n": 1})] * 2 == [(event.name, event.data) for event in asyncio.run(main())]


def test_at_most_so_many_activations_run_at_once():
    text = (
        "nodes: [{label: s, type: start}, "
        + ", ".join(f"{{label: q{i}, type: user_response, prompt: '?'}}" for i in range(5))
        + "]\nconnections: ["
        + ", ".join(f"{{from: s, to: q{i}}}" for i in range(5))
        + "]"
    )
    asked = []

    async def steer(engine, entry):
        summary = (await engine.send(c.GetExecution(execution_id=entry.execution_id))).result
        asked.append(len(summary.waiting_for))

    run(text, answers={f"q{i}": "x" for i in range(5)}, steer=steer, max_concurrency=2)

    assert max(asked) == 2


def test_nodes_that_never_wait_leave_the_loop_to_others():
    nodes = ", ".join(f"{{label: n{i}, type: condition, expression: 1 < 2}}" for i in range(2000))
    edges = ", ".join(f'{{from: "n{i}[condtrue]", to: n{i + 1}}}' for i in range(1999))

    async def main():
        async with running(f"nodes: [{nodes}]\nconnections: [{edges}]") as (engine, run_id):
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    await asyncio.sleep(0)
                    ticks += 1

            ticking = asyncio.create_task(tick())
            while await status(engine, run_id) != "completed":
                pass
            ticking.cancel()
            return ticks

    assert asyncio.run(main()) > 5
