"""What a plan says that a run will cost, and what the run then does cost."""

from __future__ import annotations

from typing import Any

import pytest

from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

from .test_budget import BATCH, CHAIN, PARTS, Paid, spent_in
from .world import World, play


def planned_and_done(text: str, llm: Paid, changed: str, **plan: Any) -> tuple[c.Plan, e.Usage]:
    """The plan of a changed diagram since a run of the first, and what it takes to do it."""

    async def story(world: World) -> Any:
        world.llm = llm
        world.another_engine()
        first = await world.run(diagram_of(text))
        since = first if plan.pop("since", True) else None
        command = c.PlanExecution(diagram=diagram_of(changed), since=since, **plan)
        planned = (await world.send(command)).result
        origin = e.Origin(execution_id=since) if since else None
        run = await world.run(diagram_of(changed), origin=origin, fresh=command.fresh)
        return planned, spent_in([entry.event for entry in world.journal.read(run)]).total

    return play(story)


@pytest.mark.parametrize("text", [CHAIN, BATCH, PARTS], ids=["chain", "batch", "parts"])
def test_doing_all_anew_is_estimated_as_what_it_took(text):
    plan, done = planned_and_done(text, Paid(), text, fresh=True, since=False)
    assert plan.estimate.calls == done.calls
    assert plan.estimate.nano_usd == done.nano_usd
    assert plan.at_least


def test_what_is_reused_costs_nothing_and_the_rest_what_it_took_the_last_time():
    changed = CHAIN.replace("prompt: b", "prompt: B")
    plan, done = planned_and_done(CHAIN, Paid(), changed)
    costs = {each.node: each.cost for each in plan.activations}
    assert costs == {"a": None, "b": "$1.00", "c": None}
    assert (plan.cost, plan.at_least) == ("$1.00", False)
    assert plan.estimate == done


def test_a_price_that_is_not_known_makes_a_least():
    plan, _ = planned_and_done(CHAIN, Paid(price=None), CHAIN.replace("prompt: c", "prompt: C"))
    assert plan.cost == "≥ $0.00"
    assert plan.estimate.unpriced == 1


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ("max_tokens: 7", 7),
        ("max_completion_tokens: 5", 5),
        ("max_tokens: 7, max_completion_tokens: 5", 5),
        ("max_tokens: many", 0),
        ("max_tokens: -3", 0),
        ("max_tokens: true", 0),
    ],
)
def test_only_a_limit_that_is_one_is_in_the_estimate(limits, most):
    """What is none, the provider refuses, in its own words."""
    limited = CHAIN.replace("{service: demo}", f"{{service: demo, {limits}}}")
    plan, _ = planned_and_done(CHAIN, Paid(), limited, fresh=True, since=False)
    assert {each.estimate.output_tokens for each in plan.activations} == {most}
