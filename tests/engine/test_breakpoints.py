"""A run stands still at a breakpoint, says where and why, and goes on exactly once."""

from __future__ import annotations

from typing import Any

import pytest

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

from .world import World, play

LOOP = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: argue, type: person_job, person: Ann, prompt: "{{topic}}", max_iteration: 3}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: argue}
- {from: argue, to: enough}
- {from: "enough[condfalse]", to: argue}
- {from: "enough[condtrue]", to: end}
""")


def stops(*breakpoints: e.Breakpoint, anew: bool = False) -> list[Any]:
    """Resume at every stop; where the run stood, with `anew` in a new process each time."""

    async def story(world: World) -> list[Any]:
        run_id = await world.run(LOOP, breakpoints=breakpoints)
        found = []
        while await world.status(run_id) == "paused":
            pause = world.past(run_id).of(e.ExecutionPaused)[-1]
            found.append(pause.at)
            if anew:
                await world.engine.close()
                await world.another_engine().send(c.GetExecution(execution_id=run_id))
                ack = await world.send(c.ResumeExecution(execution_id=run_id))
                await world.stopped(run_id, ack.seq)
            else:
                await world.resume(run_id)
        told = world.past(run_id)
        assert isinstance(told.last, e.ExecutionCompleted)
        assert world.llm.calls == 3
        assert sorted(told.fired) == sorted(set(told.fired))
        return found

    return play(story)


def at(node: str, **fields: Any) -> e.Breakpoint:
    return e.Breakpoint(node=node, **fields)


CASES: dict[str, tuple[tuple[e.Breakpoint, ...], list[str]]] = {
    "before": ((at("argue"),), [f"before argue[{i}]" for i in (1, 2, 3)]),
    "after": ((at("argue", when="after"),), [f"after argue[{i}]" for i in (1, 2, 3)]),
    "the first node": ((at("start"),), ["before start[1]"]),
    "after the last node": ((at("end", when="after"),), ["after end[1]"]),
    "one visit": ((at("argue", visit=2),), ["before argue[2]"]),
    "after one visit": ((at("argue", when="after", visit=3),), ["after argue[3]"]),
    "a visit that never comes": ((at("argue", visit=9),), []),
    "an expression": ((at("argue", condition="topic == 'tea'", visit=2),), ["before argue[2]"]),
    "an expression that does not hold": ((at("argue", condition="topic == 'coffee'"),), []),
    "the output": ((at("argue", when="after", condition="len(output) > 99"),), []),
    "both sides": (
        (at("argue", visit=1), at("argue", when="after", visit=1)),
        ["before argue[1]", "after argue[1]"],
    ),
    "two at one place": ((at("end"), at("end")), ["before end[1]"]),
    "a condition": ((at("enough", when="after", visit=3),), ["after enough[3]"]),
}


@pytest.mark.parametrize("anew", [False, True], ids=["same process", "new process"])
@pytest.mark.parametrize("name", CASES)
def test_a_run_stands_where_it_shall_and_goes_on_once(name, anew):
    breakpoints, expected = CASES[name]

    assert expected == stops(*breakpoints, anew=anew)


@pytest.mark.parametrize("condition", ["nothing > 3", "topic +", "topic > 3"])
def test_a_condition_that_cannot_be_evaluated_stops_and_says_so(condition):
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP, breakpoints=(at("end", condition=condition),))
        return world.past(run_id).last

    pause = play(story)
    assert isinstance(pause, e.ExecutionPaused)
    assert pause.at == "before end[1]"
    assert condition in (pause.message or "")


def test_nothing_has_started_before_a_node_at_which_a_run_stands():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP, breakpoints=(at("argue"),))
        return world.past(run_id).fired, world.llm.calls

    assert play(story) == (["start[1]"], 0)


def test_nothing_starts_after_a_node_behind_which_a_run_stands():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP, breakpoints=(at("argue", when="after"),))
        return world.past(run_id).fired

    assert play(story) == ["start[1]", "argue[1]"]


def test_a_step_from_a_breakpoint_lets_that_activation_through():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP, breakpoints=(at("argue"),))
        await world.step(run_id)
        told = world.past(run_id)
        return told.fired, told.of(e.ExecutionPaused)[-1].reason

    assert play(story) == (["start[1]", "argue[1]"], "steps")


def test_a_breakpoint_stops_a_run_that_takes_many_steps():
    async def story(world: World) -> Any:
        run_id = await world.start(LOOP, breakpoints=(at("enough"),), paused=True)
        await world.step(run_id, 50)
        return world.past(run_id).of(e.ExecutionPaused)[-1].at

    assert play(story) == "before enough[1]"


def test_breakpoints_are_replaced_as_a_whole_and_twice_is_once():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP, breakpoints=(at("argue"),))
        command = c.SetBreakpoints(execution_id=run_id, breakpoints=(at("end"),))
        await world.send(command)
        count = len(world.journal.read(run_id))
        await world.send(command)
        assert len(world.journal.read(run_id)) == count
        await world.resume(run_id)
        return world.past(run_id).of(e.ExecutionPaused)[-1].at

    assert play(story) == "before end[1]"


def test_a_breakpoint_at_a_node_that_is_not_there_is_refused():
    async def story(world: World) -> None:
        with pytest.raises(CommandError, match="no node 'argu'"):
            await world.start(LOOP, breakpoints=(at("argu"),))
        run_id = await world.start(LOOP, paused=True)
        with pytest.raises(CommandError, match="no node 'argu'"):
            await world.send(c.SetBreakpoints(execution_id=run_id, breakpoints=(at("argu"),)))

    play(story)


def test_breakpoints_stay_through_an_edit():
    async def story(world: World) -> Any:
        run_id = await world.start(LOOP, breakpoints=(at("end"),), paused=True)
        await world.step(run_id)
        await world.edit(run_id, LOOP.model_copy(update={"name": "other"}))
        return world.past(run_id).of(e.ExecutionPaused)[-1].at

    assert play(story) == "before end[1]"
