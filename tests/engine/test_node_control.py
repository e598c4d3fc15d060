"""One node is held, let go or left out, while the others go on; and nothing of it is forgotten."""

from __future__ import annotations

import asyncio
import random
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.engine.moments import Activation, Moment
from dipeo_jupyter.engine.state import ExecutionState
from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

from .changes import any_change
from .drawings import draw
from .world import Turns, World, play

FORKED = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: left, type: person_job, person: Ann, prompt: "Left.", memory: GOLDFISH}
- {label: right, type: person_job, person: Ann, prompt: "Right.", memory: GOLDFISH}
- {label: later, type: person_job, person: Ann, prompt: "Later.", memory: GOLDFISH}
- {label: end, type: endpoint}
connections:
- {from: start, to: left}
- {from: start, to: right}
- {from: left, to: later}
- {from: later, to: end}
- {from: right, to: end, label: right}
""")
LOOP = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: argue, type: person_job, person: Ann, prompt: "{{topic}}", max_iteration: 3}
- {label: side, type: person_job, person: Ann, prompt: "Side.", memory: GOLDFISH}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: argue}
- {from: argue, to: enough}
- {from: argue, to: side}
- {from: "enough[condfalse]", to: argue}
- {from: "enough[condtrue]", to: end}
""")


async def tell(world: World, kind: type[Any], run_id: str, node: str) -> None:
    """Send a command about a node, twice: the second time changes nothing."""
    for _ in range(2):
        await world.send(kind(execution_id=run_id, node=node))
    heard = [x for x in world.past(run_id).events if isinstance(x, e.NodePaused | e.NodeResumed)]
    assert all(type(one) is not type(other) for one, other in pairwise(heard))


@pytest.mark.parametrize("anew", [False, True], ids=["same process", "new process"])
@pytest.mark.parametrize("node", ["left", "later", "end"])
def test_a_held_node_waits_while_all_others_go_on(node, anew):
    async def story(world: World) -> Any:
        run_id = await world.start(FORKED, paused=True)
        await tell(world, c.PauseNode, run_id, node)
        if anew:
            await world.engine.close()
            world.another_engine()
        await world.send(c.ResumeExecution(execution_id=run_id))
        await world.stopped(run_id)
        held = world.past(run_id).fired
        assert f"{node}[1]" not in held
        assert "right[1]" in held
        await tell(world, c.ResumeNode, run_id, node)
        await world.stopped(run_id)
        return world.past(run_id)

    told = play(story)
    assert isinstance(told.last, e.ExecutionCompleted)
    assert sorted(told.fired) == ["end[1]", "later[1]", "left[1]", "right[1]", "start[1]"]


def test_a_node_that_runs_is_held_from_its_next_turn_on():
    async def story(world: World) -> Any:
        world.llm.gate = asyncio.Event()
        run_id = await world.start(LOOP)
        await world.until(run_id, e.EffectStarted)
        await tell(world, c.PauseNode, run_id, "argue")
        world.llm.gate.set()
        await world.stopped(run_id)
        first = world.past(run_id).fired
        await tell(world, c.ResumeNode, run_id, "argue")
        await world.stopped(run_id)
        return first, world.past(run_id)

    first, told = play(story)
    assert "argue[1]" in first
    assert "argue[2]" not in first
    assert isinstance(told.last, e.ExecutionCompleted)
    assert [x for x in told.fired if x.startswith("argue")] == [f"argue[{i}]" for i in (1, 2, 3)]


@pytest.mark.parametrize("anew", [False, True], ids=["same process", "new process"])
def test_a_node_that_is_left_out_fires_not_and_its_edges_die(anew):
    async def story(world: World) -> Any:
        run_id = await world.start(FORKED, paused=True)
        for _ in range(2):
            await world.send(c.SkipNode(execution_id=run_id, node="left"))
        if anew:
            await world.engine.close()
            world.another_engine()
        await world.send(c.ResumeExecution(execution_id=run_id))
        await world.stopped(run_id)
        return world.past(run_id)

    told = play(story)
    assert sorted(told.fired) == ["end[1]", "right[1]", "start[1]"]
    assert [(x.node, x.reason) for x in told.of(e.NodeSkipped)] == [
        ("left", "asked"),
        ("later", "no_live_input"),
    ]


def test_a_node_that_runs_is_stopped_when_it_is_left_out():
    async def story(world: World) -> Any:
        world.llm.gate = asyncio.Event()
        run_id = await world.start(FORKED)
        await world.until(run_id, e.EffectStarted)
        await world.send(c.SkipNode(execution_id=run_id, node="left"))
        world.llm.gate.set()
        await world.stopped(run_id)
        return world.past(run_id)

    told = play(story)
    assert isinstance(told.last, e.ExecutionCompleted)
    assert "left[1]" not in told.ended
    assert "later[1]" not in told.fired


def test_a_held_node_can_be_left_out():
    async def story(world: World) -> Any:
        run_id = await world.start(FORKED, paused=True)
        await world.send(c.PauseNode(execution_id=run_id, node="left"))
        await world.send(c.ResumeExecution(execution_id=run_id))
        await world.stopped(run_id)
        await world.send(c.SkipNode(execution_id=run_id, node="left"))
        await world.stopped(run_id)
        return world.past(run_id)

    told = play(story)
    assert isinstance(told.last, e.ExecutionCompleted)
    assert "left[1]" not in told.fired


def test_only_one_firing_in_a_loop_is_left_out():
    async def story(world: World) -> Any:
        run_id = await world.start(LOOP, paused=True)
        await world.send(c.SkipNode(execution_id=run_id, node="side"))
        await world.resume(run_id)
        return world.past(run_id)

    told = play(story)
    assert isinstance(told.last, e.ExecutionCompleted)
    assert [x for x in told.fired if x.startswith("side")] == ["side[1]", "side[2]"]


def test_a_node_that_the_one_before_has_just_started_is_stopped_with_the_rest():
    async def story(world: World) -> Any:
        run_id = await world.start(LOOP)
        async for entry in world.engine.events(run_id):
            if isinstance(entry.event, e.NodeStarted) and entry.event.node == "argue":
                break
        await world.send(c.PauseExecution(execution_id=run_id, now=True))
        for _ in range(20):
            await asyncio.sleep(0)
        assert world.fold(run_id).state.status == "paused"
        assert isinstance(world.past(run_id).last, e.ExecutionPaused)
        await world.resume(run_id)
        return world.past(run_id).last

    assert isinstance(play(story), e.ExecutionCompleted)


def test_what_a_human_told_a_node_that_is_left_out_is_no_answer_to_its_next_question():
    asking = diagram_of("""
    nodes:
    - {label: start, type: start}
    - {label: ask, type: user_response, prompt: "Turn?"}
    - {label: again, type: condition, expression: "iterations('again') >= 1"}
    - {label: end, type: endpoint}
    connections:
    - {from: start, to: ask}
    - {from: ask, to: end}
    - {from: start, to: again}
    - {from: "again[condfalse]", to: again}
    """)

    async def story(world: World) -> Any:
        run_id = await world.run(asking)
        await world.send(c.UserResponse(execution_id=run_id, node="ask", value="old"))
        await world.send(c.SkipNode(execution_id=run_id, node="ask"))
        await world.stopped(run_id)
        state = world.engine._runs.held[run_id].state
        return state.answers, state.effects, state.begun

    assert play(story) == ({}, {}, {})


@pytest.mark.parametrize("kind", [c.PauseNode, c.ResumeNode])
def test_a_node_of_a_finished_run_may_be_held_without_effect(kind):
    async def story(world: World) -> Any:
        run_id = await world.run(FORKED)
        count = len(world.journal.read(run_id))
        await tell(world, kind, run_id, "left")
        return await world.status(run_id), len(world.journal.read(run_id)) - count

    assert play(story) == ("completed", 0)


def test_a_node_of_a_finished_run_cannot_be_left_out():
    async def story(world: World) -> None:
        run_id = await world.run(FORKED)
        with pytest.raises(CommandError, match="completed"):
            await world.send(c.SkipNode(execution_id=run_id, node="left"))

    play(story)


@pytest.mark.parametrize("kind", [c.PauseNode, c.ResumeNode, c.SkipNode])
def test_a_node_that_is_not_there_cannot_be_steered(kind):
    async def story(world: World) -> None:
        run_id = await world.start(FORKED, paused=True)
        with pytest.raises(CommandError, match="no node 'lef'"):
            await world.send(kind(execution_id=run_id, node="lef"))

    play(story)


def test_a_step_in_a_new_process_after_a_crash_lets_one_activation_start():
    async def story(world: World) -> Any:
        run_id = await world.start(FORKED, paused=True)
        await world.step(run_id)
        await world.send(c.ResumeExecution(execution_id=run_id))
        # The process dies with the wish in its journal: nothing of the old engine goes on.
        old = world.engine._runs.held[run_id]
        await old.stop()
        count = len(world.past(run_id).fired)
        world.journal.close()
        world.another_engine()
        await world.step(run_id)
        return count, world.past(run_id)

    count, told = play(story)
    assert len(set(told.fired)) <= count + 1


def plain(value: Any) -> Any:
    """A state as something that can be compared; moments are what they say, not who they are."""
    match value:
        case Activation():
            facts = (value.node, value.number, value.turn, value.rounds, value.messages)
            return [*facts, dict(value.inputs), dict(value.outputs)]
        case Moment():
            return type(value).__name__
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def facts(state: ExecutionState) -> dict[str, Any]:
    names = {each.name for each in fields(state)} - {"program"}
    return {name: plain(getattr(state, name)) for name in names}


async def some_command(world: World, run_id: str, dice: random.Random, now: Any) -> Any:
    """Send any command about a run; the diagram that it has then."""
    node = dice.choice(now.nodes).label
    kind = dice.choice([*STEERING, c.SetBreakpoints, c.EditExecution, c.PauseExecution])
    diagram, command = now, None
    match kind:
        case c.SetBreakpoints:
            when = dice.choice(["before", "after"])
            point = e.Breakpoint(node=node, when=when, visit=dice.choice([None, 1, 2]))
            command = kind(execution_id=run_id, breakpoints=(point,))
        case c.EditExecution:
            diagram = any_change(now, dice)[1]
            command = kind(execution_id=run_id, diagram=diagram, keep=dice.random() < 0.3)
        case c.PauseExecution:
            command = kind(execution_id=run_id, now=dice.random() < 0.5)
        case c.PauseNode | c.ResumeNode | c.SkipNode:
            command = kind(execution_id=run_id, node=node)
        case _:
            command = kind(execution_id=run_id)
    try:
        await world.send(command)
    except (CommandError, DiagramError):
        return now
    return diagram


STEERING = (
    *(c.PauseNode, c.ResumeNode, c.ResumeNode, c.SkipNode),
    *(c.StepExecution, c.ResumeExecution, c.ResumeExecution),
)


@settings(max_examples=100)
@given(st.integers(0, 1_000_000))
def test_the_entries_of_a_run_tell_its_state_whatever_was_commanded(seed):
    dice = random.Random(seed)
    now = draw(dice, size=6)

    async def story(world: World) -> None:
        nonlocal now
        run_id = await world.start(now, paused=dice.random() < 0.5)
        for _ in range(12):
            now = await some_command(world, run_id, dice, now)
            for _ in range(dice.randint(0, 20)):
                await asyncio.sleep(0)
            live = world.engine._runs.held[run_id].state
            assert facts(world.fold(run_id).state) == facts(live)
            if dice.random() < 0.15 and not live.over:
                await world.engine.close()
                world.another_engine()
                await world.send(c.ResumeExecution(execution_id=run_id))

    play(story, turns=Turns(random.Random(seed)))
