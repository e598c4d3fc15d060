"""What a plan foresees is what happens, and foreseeing costs nothing."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.errors import DiagramError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e

from .changes import any_change
from .drawings import draw
from .world import World, play

EDITS = 10
"""Of each diagram."""
SEEDS = st.integers(0, 1_000_000)


def foreseen(plan: c.Plan, action: c.PlannedAction) -> set[str]:
    return {f"{x.node}[{x.activation}]" for x in plan.activations if x.action == action}


async def compare(
    world: World, diagram: Diagram, inputs: dict[str, Any], since: str | None
) -> str | None:
    """Plan and run; None for a diagram that is refused, both times."""
    calls, events = world.llm.calls, written(world)
    try:
        plan = await world.plan(diagram, inputs=inputs, since=since)
    except DiagramError:
        return None
    assert (world.llm.calls, written(world)) == (calls, events), "a plan does nothing"
    origin = e.Origin(execution_id=since) if since else None
    run_id = await world.run(diagram, inputs, origin=origin)
    told = world.past(run_id)
    if await world.status(run_id) == "failed":
        # How far the others come before a run fails is a matter of time.
        endless = world.past(run_id).error.type == "LimitExceeded"
        assert endless or foreseen(plan, "fail")
        return None
    assert foreseen(plan, "run") == told.done
    assert foreseen(plan, "reuse") == told.reused
    assert not foreseen(plan, "fail")
    assert sorted(f"{x.node}[{x.activation}]" for x in plan.activations) == sorted(told.fired)
    assert sum(x.calls for x in plan.activations if x.node_type != "job") == world.llm.calls - calls
    return run_id


def written(world: World) -> dict[str, int]:
    return {run.execution_id: run.events for run in world.journal.runs()}


def edits(seed: int, *, with_origin: bool) -> None:
    """Edit a diagram again and again, from what it was at first or from what it has become."""
    dice = random.Random(seed)
    now = first = draw(dice, size=6)

    async def story(world: World) -> None:
        nonlocal now
        latest = run_id = await world.run(first)
        for _ in range(EDITS):
            on_top = dice.random() < 0.5
            _, edited, inputs = any_change(now if on_top else first, dice)
            since = (latest if on_top else run_id) if with_origin else None
            after = await compare(world, edited, inputs, since)
            if after is not None and on_top:
                now, latest = edited, after

    play(story)


@settings(max_examples=80)
@given(SEEDS)
def test_a_plan_since_a_run_foresees_exactly_what_happens(seed):
    edits(seed, with_origin=True)


@settings(max_examples=20)
@given(SEEDS)
def test_a_plan_by_all_that_was_ever_done_foresees_exactly_what_happens(seed):
    edits(seed, with_origin=False)
