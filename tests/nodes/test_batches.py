"""Lists that are worked on item by item: how many at once, what is told, and what is repeated."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field

import pytest

from dipeo_jupyter.app import build_engine, build_services
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.nodes.batches import REPORTS, Batch, Failed
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.settings import Settings
from tests.clock import FakeClock
from tests.running import Outcome, diagram_of, run
from tests.steering import engine

ASK = """
persons: {P: {service: demo}}
nodes:
- {label: start, type: start}
- {label: ask, type: person_batch_job, person: P, prompt: "{{item}}", items: rows, SETTINGS}
- {label: end, type: endpoint}
connections: [{from: start, to: ask}, {from: ask, to: end}]
"""
PARTS = """
nodes:
- {label: start, type: start}
- label: ask
  type: sub_diagram
  props: {batch: true, items: rows, SETTINGS}
  diagram_data:
    persons: {P: {service: demo}}
    nodes:
    - {label: start, type: start}
    - {label: say, type: person_job, person: P, prompt: "{{item}}", memory: goldfish}
    connections: [{from: start, to: say}]
- {label: end, type: endpoint}
connections: [{from: start, to: ask}, {from: ask, to: end}]
"""


def batch(settings="max_concurrency: 2", text=ASK, server=None):
    text = text.replace("SETTINGS", settings)
    return text.replace("service: demo", "service: openai, model: m") if server else text


def rows(count):
    return {"rows": [f"row {number}" for number in range(count)]}


def by_number(item):
    return int(item.split()[1])


def stopping_at(server, number):
    """From this item on the provider waits until the test sets what this returns."""
    go = threading.Event()

    async def step(exchange):
        if by_number(exchange.said) >= number:
            await asyncio.to_thread(go.wait)
        await exchange.stream([exchange.said])

    server._then(step, times=None)
    return go


async def requested(server, count):
    assert await asyncio.to_thread(server.wait, lambda: len(server.requests) == count)


def told(outcome):
    return [x.message for x in outcome.of(e.NodeProgress) if x.node == "ask"]


def asked(server):
    return [each.body["messages"][-1]["content"] for each in server.requests]


# The pool -----------------------------------------------------------------------------------------


@dataclass
class Around:
    """What a batch needs of its context."""

    paused: bool = False
    told: list[str] = field(default_factory=list)

    def progress(self, message):
        self.told.append(message)


def worked(work, count, at_once, around=None):
    return asyncio.run(Batch(range(count), around or Around(), work).run(at_once))


def test_there_are_never_more_tasks_than_items_at_once():
    seen = set()

    async def work(index, item):
        await asyncio.sleep(0)
        seen.add(len(asyncio.all_tasks()))
        return index

    assert [*range(1000)] == worked(work, 1000, 5)
    assert max(seen) <= 1 + 5


def test_a_failed_item_keeps_nothing_alive_but_its_sentence():
    async def work(index, item):
        raise NodeError("is bad", field="prompt")

    assert [Failed("is bad", "prompt")] * 3 == worked(work, 3, 2)


def test_after_a_defect_no_item_is_begun_and_none_is_cut_short():
    begun, done = [], []

    async def work(index, item):
        begun.append(index)
        await asyncio.sleep(0)
        if index == 1:
            raise KeyError("defect")
        await asyncio.sleep(0)
        done.append(index)

    with pytest.raises(KeyError):
        worked(work, 100, 3)
    assert ([0, 1, 2], [0, 2]) == (begun, done)


def test_items_that_are_done_already_do_not_hold_up_the_event_loop():
    turns = []

    async def others():
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    async def known(index, item):
        return index

    async def main():
        beside = asyncio.create_task(others())
        await Batch(range(1000), Around(), known).run(10)
        beside.cancel()

    asyncio.run(main())
    assert len(turns) > 9


def peak(count):
    """Bytes at the most, while as many items as that are worked on whose results are nothing."""

    async def work(index, item):
        await asyncio.sleep(0)

    tracemalloc.start()
    worked(work, count, 10)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_beside_its_results_an_item_takes_no_memory():
    peak(100)
    # A place in the map of results, which doubles when it is full, and one in their list.
    assert (peak(10_000) - peak(1000)) / 9000 < 150


# How far it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ASK, PARTS], ids=["ask", "parts"])
def test_a_short_batch_tells_of_each_item(text):
    outcome = run(batch(text=text), rows(3))
    assert [f"{number} of 3 items done" for number in (1, 2, 3)] == told(outcome)


@pytest.mark.parametrize(("count", "step"), [(100, 1), (101, 2), (250, 3)])
def test_a_long_batch_tells_how_far_it_is_a_hundred_times_at_most(count, step):
    said = told(run(batch(), rows(count)))
    reported = sorted({*range(step, count + 1, step), count})
    assert [f"{number} of {count} items done" for number in reported] == said
    assert len(said) <= REPORTS


def test_it_tells_how_many_items_have_failed(openai_server):
    openai_server.fail(400)
    text = batch("partial: true, parallel: false", server=openai_server)
    outcome = run(text, rows(2), engine=engine(server=openai_server, clock=FakeClock()))
    assert ["1 of 2 items done, 1 of them failed", "2 of 2 items done, 1 of them failed"] == told(
        outcome
    )


# Pausing ------------------------------------------------------------------------------------------


def begun_while_paused(outcome):
    paused, found = False, []
    for event in outcome.events:
        match event:
            case e.ExecutionPaused():
                paused = True
            case e.ExecutionResumed():
                paused = False
            case e.EffectStarted() if paused:
                found.append(event.effect)
    return found


def pausing(after):
    """Pause at a message, and go on when the batch stands still."""
    paused = []

    async def steer(running, entry):
        match entry.event:
            case e.NodeProgress(message=message) if message == after and not paused:
                paused.append(await running.send(c.PauseExecution(execution_id=entry.execution_id)))
            case e.ExecutionPaused(interrupted=("ask",)):
                await running.send(c.ResumeExecution(execution_id=entry.execution_id))

    return steer


def test_a_pause_lets_items_under_way_finish_and_begins_no_other(openai_server):
    text = batch("max_concurrency: 3", server=openai_server)
    steer = pausing("4 of 20 items done")
    outcome = run(text, rows(20), steer=steer, engine=engine(server=openai_server))
    assert outcome.of(e.ExecutionPaused)[-1].interrupted == ("ask",)
    # An item that was taken before may have looked for an earlier answer, which takes a while.
    assert len(begun_while_paused(outcome)) <= 3
    assert outcome.outputs["end"] == rows(20)["rows"] == sorted(asked(openai_server), key=by_number)


INSIDE = """
nodes:
- {label: start, type: start}
- label: whole
  type: sub_diagram
  diagram_data: {persons: {P: {service: demo}}, nodes: NODES, connections: [{from: start, to: ask}]}
connections: [{from: start, to: whole}]
"""
NODES = """[{label: start, type: start}, {label: ask, type: person_batch_job, person: P,
  items: rows, prompt: "{{item}}", max_concurrency: 2}]"""


def test_a_batch_in_a_part_pauses_and_goes_on_with_the_whole(openai_server):
    go = stopping_at(openai_server, 5)

    async def main():
        running = engine(server=openai_server)()
        drawn = diagram_of(batch(text=INSIDE.replace("NODES", NODES), server=openai_server))
        run_id = (await running.send(c.ExecuteDiagram(diagram=drawn, inputs=rows(12)))).execution_id
        await requested(openai_server, 7)
        await running.send(c.PauseExecution(execution_id=run_id))
        go.set()
        async for entry in running.events(f"{run_id}/whole[1]"):
            if getattr(entry.event, "interrupted", None) == ("ask",):
                break
        assert len(openai_server.requests) == 7
        await running.send(c.ResumeExecution(execution_id=run_id))
        entries = [entry async for entry in running.events(run_id)]
        await running.close()
        return Outcome(entries)

    assert {"whole": rows(12)["rows"]} == asyncio.run(main()).outputs
    assert sorted(rows(12)["rows"]) == sorted(asked(openai_server))


def test_a_pause_now_repeats_only_what_was_under_way(openai_server):
    async def main():
        running = engine(server=openai_server)()
        openai_server.reply("A")
        openai_server.hang()
        text = diagram_of(batch("parallel: false", server=openai_server))
        run_id = (await running.send(c.ExecuteDiagram(diagram=text, inputs=rows(3)))).execution_id
        await requested(openai_server, 2)
        await running.send(c.PauseExecution(execution_id=run_id, now=True))
        await running.send(c.ResumeExecution(execution_id=run_id))
        entries = [entry async for entry in running.events(run_id)]
        await running.close()
        return Outcome(entries)

    assert asyncio.run(main()).outputs["end"] == ["A", "row 1", "row 2"]
    assert ["row 0", "row 1", "row 1", "row 2"] == asked(openai_server)


def test_a_step_lets_a_batch_come_to_its_end():
    async def steer(running, entry):
        if isinstance(entry.event, e.ExecutionPaused):
            await running.send(c.StepExecution(execution_id=entry.execution_id))

    outcome = run(batch(), rows(5), steer=steer, paused=True)
    assert ["start[1]", "ask[1]", "end[1]"] == outcome.order


@pytest.mark.parametrize("text", [ASK, PARTS], ids=["ask", "parts"])
def test_another_process_repeats_no_item_that_is_done(openai_server, tmp_path, text):
    key, bases = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}, {"openai": openai_server.url}
    settings = Settings(root=tmp_path, home=tmp_path / "home", environ=key, api_bases=bases)
    go = stopping_at(openai_server, 5)

    async def begin():
        running = build_engine(settings, build_services(settings))
        drawn = diagram_of(batch(text=text, server=openai_server))
        ack = await running.send(c.ExecuteDiagram(diagram=drawn, inputs=rows(12)))
        await requested(openai_server, 7)
        await running.close()
        return ack.execution_id

    async def end(run_id):
        running = build_engine(settings, build_services(settings))
        await running.send(c.ResumeExecution(execution_id=run_id))
        entries = [entry async for entry in running.events(run_id)]
        await running.close()
        return Outcome(entries)

    run_id = asyncio.run(begin())
    go.set()
    assert rows(12)["rows"] == asyncio.run(end(run_id)).outputs["end"]
    times = Counter(asked(openai_server))
    assert ({"row 5", "row 6"}, 14) == ({x for x in times if times[x] > 1}, times.total())


def test_a_cancelled_batch_begins_no_more_items():
    async def steer(running, entry):
        if isinstance(entry.event, e.NodeProgress):
            await running.send(c.CancelExecution(execution_id=entry.execution_id))

    outcome = run(batch(), rows(1000), steer=steer)
    assert isinstance(outcome.last, e.ExecutionCancelled)
    assert len(outcome.of(e.EffectStarted)) < 100


# Many ---------------------------------------------------------------------------------------------


def test_a_thousand_items_leave_nothing_but_their_entries():
    run(batch(), rows(10))
    tracemalloc.start()
    outcome = run(batch("max_concurrency: 10"), rows(1000))
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(outcome.of(e.EffectCompleted)) == 1000
    # What a run needs while it goes on, and not afterwards.
    assert (most - kept) / 1000 < 1500
