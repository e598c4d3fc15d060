"""Money: what is counted, call by call, and a run that stops before it spends too much."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from dipeo_jupyter.engine.chat import ChatAnswer
from dipeo_jupyter.engine.prices import Price, Rates
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.protocol.spending import Spending
from tests.running import diagram_of

from .world import FakeLLM, World, play

DOLLAR = Price((Rates(1_000_000_000, 0, 0, 0),))
"""A token that goes in costs a dollar; one goes in when up to four characters are said."""


class Paid(FakeLLM):
    """Every call costs a dollar; those whose prompt is among `broken` fail."""

    def __init__(self, *, price: Price | None = DOLLAR, broken: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.dollar, self.broken = price, broken
        self.at_once = self.most_at_once = 0

    def price(self, person: Any) -> Price | None:
        return self.dollar

    async def chat(self, request, on_text) -> ChatAnswer:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            if request.messages[-1].content in self.broken:
                raise ServiceError("no answer", retryable=False)
            await asyncio.sleep(0)
            return await super().chat(request, on_text)
        finally:
            self.at_once -= 1


CHAIN = """
persons: {P: {service: demo}}
nodes:
- {label: a, type: person_job, person: P, prompt: a, memory: GOLDFISH}
- {label: b, type: person_job, person: P, prompt: b, memory: GOLDFISH}
- {label: c, type: person_job, person: P, prompt: c, memory: GOLDFISH}
connections: [{from: a, to: b}, {from: b, to: c}]
"""
BATCH = """
persons: {P: {service: demo}}
nodes:
- {label: start, type: start, custom_data: {items: [1, 2, 3, 4, 5, 6, 7, 8]}}
- {label: ask, type: person_batch_job, person: P, prompt: "{{item}}", max_concurrency: 3}
connections: [{from: start, to: ask}]
"""
PARTS = """
persons: {P: {service: demo}}
nodes:
- {label: start, type: start, custom_data: {names: [x, y, z]}}
- label: each
  type: sub_diagram
  batch: true
  items: names
  diagram_data:
    persons: {P: {service: demo}}
    nodes:
    - {label: s, type: start}
    - {label: one, type: person_job, person: P, prompt: "1{{item}}", memory: GOLDFISH}
    - {label: two, type: person_job, person: P, prompt: "2{{item}}", memory: GOLDFISH}
    connections: [{from: s, to: one}, {from: one, to: two}]
connections: [{from: start, to: each}]
"""
PARALLEL = "persons: {P: {service: demo}}\nnodes:\n- {label: start, type: start}\n" + "".join(
    f"- {{label: n{i}, type: person_job, person: P, prompt: 'p{i}'}}\n" for i in range(20)
)
PARALLEL += "connections:\n" + "".join(f"- {{from: start, to: n{i}}}\n" for i in range(20))


def spent_in(events: list[e.AnyEvent]) -> Spending:
    spending = Spending()
    for event in events:
        spending.follow(event)
    return spending


async def until_it_stands(
    world: World, run: str, before: Sequence[e.AnyEvent] = ()
) -> list[e.AnyEvent]:
    """All events up to the end, or to the next pause after which nothing runs."""
    seen = list(before)
    running: set[str] = set()
    paused = False
    entries = world.engine.events(run, len(seen))
    while not (paused and not running):
        try:
            entry = await asyncio.wait_for(anext(entries), 10)
        except StopAsyncIteration:
            break
        seen.append(entry.event)
        match entry.event:
            case e.NodeStarted(node=node):
                running.add(node)
            case e.NodeCompleted(node=node) | e.NodeFailed(node=node):
                running.discard(node)
            case e.ExecutionPaused(interrupted=labels):
                running -= set(labels)
                paused = True
            case e.ExecutionResumed():
                paused = False
    return seen


def played(text: str, budget: e.Budget, llm: FakeLLM, more: e.Budget | None = None):
    """The events until the run stands, and after going on with another budget."""

    async def story(world: World) -> Any:
        world.llm = llm
        world.another_engine()
        run = await world.start(diagram_of(text), budget=budget)
        before = await until_it_stands(world, run)
        calls = world.llm.calls
        if more is None:
            return before, calls, None
        await world.send(c.ResumeExecution(execution_id=run, budget=more))
        after = await until_it_stands(world, run, before)
        return before, calls, after

    return play(story)


@pytest.mark.parametrize(
    ("budget", "made"),
    [
        (e.Budget(calls=2), 2),
        (e.Budget(usd=2.0), 2),
        (e.Budget(usd=2.2), 2),
        (e.Budget(usd=0), 0),
        (e.Budget(calls=0), 0),
        (e.Budget(calls=1, usd=100), 1),
    ],
)
@pytest.mark.parametrize("text", [CHAIN, BATCH, PARTS], ids=["chain", "batch", "parts"])
def test_a_run_stops_before_the_call_that_is_too_much_and_goes_on_with_more(text, budget, made):
    before, calls, after = played(text, budget, Paid(), e.Budget())
    stop = before[-1]
    assert isinstance(stop, e.ExecutionPaused)
    assert stop.reason == "budget"
    assert calls == made
    assert isinstance(after[-1], e.ExecutionCompleted)
    whole = {CHAIN: 3, BATCH: 8, PARTS: 6}[text]
    assert spent_in(after).total == e.Usage(
        input_tokens=whole, output_tokens=whole, calls=whole, nano_usd=whole * 10**9
    )


def test_of_many_calls_at_once_none_is_too_much():
    llm = Paid()
    before, calls, _ = played(PARALLEL, e.Budget(usd=7), llm)
    assert (calls, spent_in(before).total.nano_usd) == (7, 7 * 10**9)
    assert llm.most_at_once > 1


def test_what_is_dearer_than_expected_is_too_much_by_the_calls_under_way_at_most():
    dear = Price((Rates(1_000_000_000, 3_000_000_000, 0, 0),))  # nobody knows what comes out
    llm = Paid(price=dear)
    before, calls, _ = played(PARALLEL, e.Budget(usd=7), llm)
    assert before[-1].reason == "budget"
    assert spent_in(before).total.usd <= 7 + 4 * llm.most_at_once
    assert calls == spent_in(before).total.calls


def test_with_an_unknown_price_calls_are_counted_and_dollars_are_a_least():
    before, calls, _ = played(PARALLEL, e.Budget(usd=1, calls=5), Paid(price=None))
    total = spent_in(before).total
    assert (calls, total.unpriced, total.cost) == (5, 5, "≥ $0.00")


def test_the_answers_of_a_node_that_waits_are_not_paid_twice():
    _, calls, after = played(BATCH, e.Budget(calls=5), Paid(), e.Budget(calls=8))
    assert calls == 5
    assert spent_in(after).total.calls == 8
    assert after[-1].type == "execution_completed"


def test_too_little_more_stops_it_again():
    _, _, after = played(CHAIN, e.Budget(calls=1), Paid(), e.Budget(calls=2))
    assert after[-1].reason == "budget"
    assert spent_in(after).total.calls == 2


def test_the_reason_says_how_much_is_missing():
    before, _, _ = played(CHAIN, e.Budget(usd=1.5), Paid())
    assert before[-1].message == (
        "The run may cost $1.5 and has cost $1.00; the next call costs about $1.00."
    )


def test_people_are_warned_once_before():
    before, _, _ = played(PARALLEL, e.Budget(calls=10), Paid())
    (warning,) = [each for each in before if isinstance(each, e.BudgetWarning)]
    assert warning.used.calls == 8


def test_a_budget_holds_in_another_process():
    async def story(world: World) -> Any:
        world.llm = Paid()
        world.another_engine()
        run = await world.start(diagram_of(CHAIN), budget=e.Budget(calls=1))
        before = await until_it_stands(world, run)
        await world.engine.close()
        world.another_engine()
        await world.send(c.ResumeExecution(execution_id=run))
        again = await until_it_stands(world, run, before)
        return world.llm.calls, again[-1].reason

    assert play(story) == (1, "budget")


def test_sums_agree_at_every_event():
    _, _, after = played(PARTS, e.Budget(calls=4), Paid(), e.Budget())
    spending = Spending()
    for event in after:
        earlier = spending.total
        spending.follow(event)
        parts = sum(spending.by_activation.values(), e.Usage())
        assert parts == spending.total
        assert spending.total.nano_usd >= earlier.nano_usd


def test_what_a_failing_node_has_taken_counts():
    llm = Paid(broken=("5",))
    before, calls, _ = played(BATCH, e.Budget(), llm)
    failed = next(each for each in before if isinstance(each, e.NodeFailed))
    assert failed.usage is not None
    assert spent_in(before).total.calls == failed.usage.calls == calls


def test_what_is_reused_costs_nothing():
    async def story(world: World) -> Any:
        world.llm = Paid()
        world.another_engine()
        await world.run(diagram_of(CHAIN))
        again = await world.run(diagram_of(CHAIN), budget=e.Budget(usd=0))
        return [entry.event for entry in world.journal.read(again)]

    events = play(story)
    assert isinstance(events[-1], e.ExecutionCompleted)
    assert spent_in(events).total == e.Usage()
