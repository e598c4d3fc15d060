"""A fork shares the past of a run up to a point, for nothing, and goes its own way from there."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.engine.loading import behind, lineage
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

from .drawings import draw
from .world import World, canonical, changed, named, play

SEEDS = st.integers(0, 1_000_000)
DEBATE = diagram_of("""
persons:
  Ann: {service: openai, model: m, system_prompt: You are Ann.}
  Bob: {service: openai, model: m}
  Cat: {service: openai, model: m}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: before, type: person_job, person: Cat, prompt: "Begin with {{topic}}."}
- {label: argue, type: person_job, person: Ann, prompt: "For: {{default}}", max_iteration: 3}
- {label: answer, type: person_job, person: Bob, prompt: "Against: {{default}}", max_iteration: 3}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: apart, type: person_job, person: Cat, prompt: "Meanwhile {{topic}}."}
- {label: verdict, type: person_job, person: Cat, prompt: "So?", memory: ALL_MESSAGES}
- {label: end, type: endpoint}
connections:
- {from: start, to: before}
- {from: before, to: argue}
- {from: argue, to: answer}
- {from: answer, to: enough}
- {from: "enough[condfalse]", to: argue}
- {from: "enough[condtrue]", to: verdict}
- {from: start, to: apart}
- {from: verdict, to: end}
""")


def past_names(world: World, run_id: str, name: str) -> set[str]:
    """All that happened before an activation."""
    loaded = world.fold(run_id)
    return behind([loaded.activations[name]], loaded.state.program)


def memory(world: World, run_id: str, name: str) -> bytes:
    """The whole conversation before an activation, in the order of the flow."""
    loaded = world.fold(run_id)
    spoken = [each for each in loaded.activations[name].past() if each.messages]
    spoken.sort(key=loaded.state.flow_key)
    return canonical([message.model_dump() for each in spoken for message in each.messages])


def sent(world: World, run_id: str, name: str) -> dict[str, str]:
    """The keys of what an activation did, here or where it was taken over from."""
    entries = lineage(world.journal, e.Origin(execution_id=run_id))
    done = [x.event for x in entries if isinstance(x.event, e.EffectCompleted)]
    return {x.effect: x.key for x in done if named(x) == name}


async def some_run(world: World, diagram: Diagram, dice: random.Random) -> str:
    """A run that is completed, paused, or failed."""
    state = dice.choice(["completed", "paused", "failed"])
    if state == "failed":
        world.llm.broken = {f"Prompt {dice.randint(1, 6)} "}
    run_id = await world.start(diagram, fresh=True, paused=state == "paused")
    if state == "paused":
        await world.step(run_id, dice.randint(2, 12))
    else:
        await world.stopped(run_id)
    world.llm.broken = set()
    return run_id


def asked(world: World, run_id: str) -> list[str]:
    """Activations of a run in which a person was asked, and answered."""
    told = world.past(run_id)
    return [name for name, event in told.ended.items() if event.person is not None]


async def check_fork(world: World, run_id: str, name: str) -> str:
    """Fork a run, with nothing changed, and look at everything that must be as it was."""
    original = world.past(run_id)
    before = past_names(world, run_id, name)
    before_it = sent(world, run_id, name)
    fork_id = await world.fork(run_id, name)
    told = world.past(fork_id)
    assert not told.done & before, "the past costs nothing"
    assert name in told.done, "the activation itself is done anew"
    anew = [x for x in told.effects if named(x) == name]
    event, again = original.ended[name], told.ended[name]
    assert again.seen == event.seen
    assert memory(world, fork_id, name) == memory(world, run_id, name)
    # The key says all that a model was sent.
    assert sent(world, fork_id, name) == before_it == {x.effect: x.key for x in anew}
    return fork_id


@settings(max_examples=60)
@given(SEEDS)
def test_a_fork_from_anywhere_pays_for_nothing_before_and_sees_the_same(seed):
    dice = random.Random(seed)
    diagram = draw(dice, by_answers=True, size=8)

    async def story(world: World) -> None:
        run_id = await some_run(world, diagram, dice)
        entries = list(world.journal.read(run_id))
        for name in dice.sample(names := asked(world, run_id), min(3, len(names))):
            await check_fork(world, run_id, name)
        assert list(world.journal.read(run_id)) == entries

    play(story, sampled=True)


@settings(max_examples=40)
@given(SEEDS)
def test_forks_of_forks_keep_the_past_of_all_of_them(seed):
    dice = random.Random(seed)
    diagram = draw(dice, by_answers=True, size=8)

    async def story(world: World) -> None:
        run_id = await some_run(world, diagram, dice)
        for _ in range(3):
            if names := asked(world, run_id):
                run_id = await check_fork(world, run_id, dice.choice(names))

    play(story, sampled=True)


@settings(max_examples=40)
@given(SEEDS)
def test_a_fork_repeats_only_what_depends_on_its_point(seed):
    dice = random.Random(seed)
    diagram = draw(dice, size=8)

    async def story(world: World) -> None:
        run_id = await world.run(diagram, fresh=True)
        if not (names := asked(world, run_id)):
            return
        name = dice.choice(names)
        loaded = world.fold(run_id)
        point = loaded.activations[name]
        behind_point = {
            each
            for each, activation in loaded.activations.items()
            if any(x is point for x in activation.past())
        }
        told = world.past(await world.fork(run_id, name))
        assert told.done <= {name, *behind_point}

    play(story, sampled=True)


def test_a_parallel_branch_is_reused_by_a_fork():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE, fresh=True)
        return world.past(await world.fork(run_id, "argue[2]"))

    told = play(story, sampled=True)
    assert "apart[1]" in told.reused
    assert told.done == {"argue[2]", "answer[2]", "argue[3]", "answer[3]", "verdict[1]"}


def test_the_changes_of_a_fork_count_from_its_point_on():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        edited = changed(DEBATE, "argue", prompt="Pro: {{default}}")
        return world.past(run_id), world.past(await world.fork(run_id, "argue[2]", diagram=edited))

    before, told = play(story)
    assert [x[:3] for x in told.prompts("argue")] == ["For", "Pro", "Pro"]
    assert told.values["argue[1]"] == before.values["argue[1]"]


def test_a_fork_without_a_point_repeats_what_depends_on_the_changes():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        edited = changed(DEBATE, "answer", prompt="Contra: {{default}}")
        return world.past(await world.fork(run_id, diagram=edited))

    told = play(story)
    assert told.reused >= {"before[1]", "argue[1]", "apart[1]"}
    assert {"answer[1]", "argue[2]", "verdict[1]"} <= told.done


def test_a_fork_from_several_points_asks_all_of_them_anew():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        return world.past(await world.fork(run_id, "argue[3]", "apart[1]"))

    told = play(story, sampled=True)
    assert told.done == {"argue[3]", "answer[3]", "apart[1]", "verdict[1]"}


def test_a_fork_by_the_label_alone_is_from_the_last_firing():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        return world.past(await world.fork(run_id, "argue"))

    assert play(story, sampled=True).done == {"argue[3]", "answer[3]", "verdict[1]"}


def test_a_value_given_to_a_fork_takes_the_place_of_the_answer():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        return world.past(await world.fork(run_id, "answer[2]", values={"answer[2]": "No."}))

    told = play(story)
    assert told.values["answer[2]"] == {"default": "No."}
    assert told.done == {"argue[3]", "answer[3]", "verdict[1]"}


@pytest.mark.parametrize("at", ["argue[9]", "argu", "argu[1]", "verdict[1]"])
def test_a_fork_from_what_never_ran_is_refused_with_a_hint(at):
    async def story(world: World) -> Any:
        run_id = await world.start(DEBATE, paused=True)
        await world.step(run_id, 6)
        runs = len(world.journal.runs())
        with pytest.raises(CommandError, match="no activation") as caught:
            await world.send(c.ForkExecution(execution_id=run_id, at=(at,)))
        assert len(world.journal.runs()) == runs
        return caught.value

    refused = play(story)
    assert refused.code == "unknown_activation"
    assert at.startswith("verdict") or "argue[" in (refused.hint or "")


def test_a_fork_knows_where_it_comes_from():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        fork_id = await world.fork(run_id, "argue[2]")
        summary = (await world.send(c.GetExecution(execution_id=fork_id))).result
        return run_id, summary.origin

    run_id, origin = play(story)
    assert run_id == origin


def test_a_fork_that_waits_survives_a_new_process():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        command = c.ForkExecution(execution_id=run_id, at=("argue[3]",), paused=True)
        fork_id = str((await world.send(command)).execution_id)
        await world.engine.close()
        world.another_engine()
        await world.send(c.ResumeExecution(execution_id=fork_id))
        await world.stopped(fork_id)
        return world.past(fork_id)

    assert play(story, sampled=True).done == {"argue[3]", "answer[3]", "verdict[1]"}


def test_an_edit_before_the_point_of_a_fork_was_reached_still_asks_it_anew():
    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        command = c.ForkExecution(execution_id=run_id, at=("argue[3]",), paused=True)
        fork_id = str((await world.send(command)).execution_id)
        await world.edit(fork_id, changed(DEBATE, "verdict", prompt="And?"))
        first = world.past(fork_id)
        await world.edit(fork_id, DEBATE)
        return first, world.past(fork_id)

    first, second = play(story, sampled=True)
    assert first.done == {"argue[3]", "answer[3]", "verdict[1]"}
    assert second.done == {"verdict[1]"}


def test_a_fork_of_an_edited_run_shares_the_past_after_the_edit():
    edited = changed(DEBATE, "argue", prompt="Pro: {{default}}")

    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        await world.edit(run_id, edited)
        return world.past(run_id), world.past(await world.fork(run_id, "answer[3]"))

    original, told = play(story, sampled=True)
    assert told.done == {"answer[3]", "verdict[1]"}
    assert told.values["argue[3]"] == original.values["argue[3]"]
    assert Counter(x[:3] for x in told.prompts("argue")) == {"Pro": 3}


def test_a_plan_of_a_fork_foresees_what_it_does():
    edited = changed(DEBATE, "argue", prompt="Pro: {{default}}")

    async def story(world: World) -> Any:
        run_id = await world.run(DEBATE)
        plan = await world.plan(edited, since=run_id, at=("argue[2]",))
        told = world.past(await world.fork(run_id, "argue[2]", diagram=edited))
        return plan, told

    plan, told = play(story)
    rows = {f"{x.node}[{x.activation}]": x.action for x in plan.activations}
    assert {name for name, action in rows.items() if action == "run"} == told.done
    assert {name for name, action in rows.items() if action == "reuse"} == told.reused
    assert isinstance(told.last, e.ExecutionCompleted)


def test_a_fork_has_the_budget_that_it_is_given():
    async def story(world: World) -> tuple[str, e.AnyEvent]:
        run_id = await world.run(DEBATE)
        diagram = changed(DEBATE, "before", prompt="Open with {{topic}}.")
        fork = await world.fork(run_id, diagram=diagram, budget=e.Budget(calls=2))
        return await world.status(fork), world.past(fork).last

    status, last = play(story)
    assert status == "paused"
    assert isinstance(last, e.ExecutionPaused)
    assert last.reason == "budget"


async def forked_at_answer(world: World) -> tuple[str, str]:
    """A run, and a paused fork of it."""
    run_id = await world.run(DEBATE)
    command = c.ForkExecution(execution_id=run_id, at=("answer",), paused=True)
    return run_id, str((await world.send(command)).execution_id)


def test_a_fork_goes_on_in_another_process_though_its_source_was_edited_meanwhile():
    async def story(world: World) -> tuple[str, list[str]]:
        run_id, fork = await forked_at_answer(world)
        edit = c.EditExecution(execution_id=run_id, diagram=changed(DEBATE, "before", prompt="No."))
        await world.send(edit)
        await world.engine.close()
        world.another_engine()
        calls = world.llm.calls
        await world.send(c.ResumeExecution(execution_id=fork))
        await world.stopped(fork)
        return await world.status(fork), world.llm.since(calls)

    status, asked = play(story)
    assert status == "completed"
    assert asked[0].startswith("Against: ")
