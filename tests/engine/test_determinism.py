"""What a run does, says and gives never depends on who finishes first."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import product
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.errors import DiagramError
from dipeo_jupyter.protocol import events as e

from .drawings import draw, inhabited
from .graphs import diagrams
from .world import Turns, World, canonical, play

ORDERS = 20
ROUNDS = 6
"""Some of the random drawings go round for ever."""


def outcomes(diagram: Diagram, orders: Iterable[int], most: Iterable[int] = (20,)) -> set[bytes]:
    """All that runs with these turns are, in an order that is not that of time."""
    turns = Turns(random.Random())

    async def story(world: World) -> set[bytes]:
        found = set()
        for order, at_once in product(orders, most):
            turns.dice.seed(order)
            world.llm.requests.clear()
            run_id = await world.run(
                diagram, fresh=True, max_rounds=ROUNDS, max_concurrency=at_once
            )
            found.add(canonical(essence(world, run_id)))
        return found

    try:
        return play(story, turns=turns)
    except DiagramError:  # loops that overlap, or never end: refused before anything runs
        assume(False)
        raise


def essence(world: World, run_id: str) -> Any:
    told = world.past(run_id)
    last = told.last
    if not isinstance(last, e.ExecutionCompleted):
        # A run that fails starts nothing new, so how far the rest has come is a matter of time.
        return last.type
    return {
        "outputs": last.outputs,
        "effects": sorted([x.node, x.activation, x.effect, x.key, x.value] for x in told.effects),
        "handed on": told.values,
        "said": flow(world, run_id),
        "seen": {name: event.seen for name, event in told.ended.items()},
        "requests": world.llm.shown(),
        "skipped": sorted([x.node, x.reason] for x in told.of(e.NodeSkipped)),
    }


def flow(world: World, run_id: str) -> list[Any]:
    """The whole conversation in the order of the flow."""
    loaded = world.fold(run_id)
    spoken = sorted(loaded.activations.values(), key=loaded.state.flow_key)
    return [message.model_dump() for each in spoken for message in each.messages]


@settings(max_examples=100)
@given(st.randoms(use_true_random=False))
def test_a_run_is_the_same_whoever_finishes_first(dice):
    assert len(outcomes(draw(dice, by_answers=True), range(ORDERS))) == 1


@settings(max_examples=100)
@given(diagrams(), st.randoms(use_true_random=False))
def test_a_run_of_any_drawing_is_the_same_whoever_finishes_first(drawn, dice):
    assert len(outcomes(inhabited(drawn, dice), range(ORDERS))) == 1


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_a_run_is_the_same_however_much_goes_on_at_once(dice):
    assert len(outcomes(draw(dice, by_answers=True), [1], [1, 2, 3, 20])) == 1


def test_the_turns_really_change_who_finishes_first():
    diagram = draw(random.Random(7), size=12)

    async def story(world: World) -> tuple[str, ...]:
        run_id = await world.run(diagram, fresh=True)
        return tuple(f"{x.node}[{x.activation}]" for x in world.past(run_id).of(e.NodeCompleted))

    assert len({play(story, turns=Turns(random.Random(order))) for order in range(ORDERS)}) > 5
