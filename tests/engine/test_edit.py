"""Edit and continue: only what depends on the change is done again, wherever the run stands."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person
from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

from .changes import any_change
from .drawings import draw
from .world import World, changed, play, renamed

LENGTH = 10


def chain(length: int = LENGTH) -> Diagram:
    """Each node says what the one before has said."""
    nodes = [NodeSpec(label="start", type="start", props={"custom_data": {"topic": "tea"}})]
    nodes += [
        NodeSpec(
            label=f"n{i}",
            type="person_job",
            props={"person": "Ann", "prompt": f"{i}: {{{{default}}}}", "memory": "GOLDFISH"},
        )
        for i in range(length)
    ]
    edges = [Edge(source=one.label, target=other.label) for one, other in pairwise(nodes)]
    persons = {"Ann": Person(service="openai", model="m")}
    return Diagram(nodes=tuple(nodes), edges=tuple(edges), persons=persons)


LOOP = diagram_of("""
persons:
  Ann: {service: openai, model: m}
  Bob: {service: openai, model: m}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: before, type: person_job, person: Bob, prompt: "Begin with {{topic}}."}
- {label: argue, type: person_job, person: Ann, prompt: "For: {{default}}", max_iteration: 3}
- {label: answer, type: person_job, person: Bob, prompt: "Against: {{default}}", max_iteration: 3}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: before}
- {from: before, to: argue}
- {from: argue, to: answer}
- {from: answer, to: enough}
- {from: "enough[condfalse]", to: argue}
- {from: "enough[condtrue]", to: end}
""")


def last_prompt(diagram: Diagram, prompt: str = "Last: {{default}}") -> Diagram:
    return changed(diagram, f"n{LENGTH - 1}", prompt=prompt)


def test_the_last_prompt_of_ten_changed_makes_one_call():
    async def story(world: World) -> Any:
        run_id = await world.run(chain())
        before = world.llm.calls
        await world.edit(run_id, last_prompt(chain()))
        return world.llm.calls - before, world.past(run_id)

    calls, told = play(story)
    assert calls == 1
    assert told.done == {"n9[1]"}
    assert told.reused == {f"n{i}[1]" for i in range(9)}
    assert sum(x.usage.input_tokens for x in told.ended.values() if x.usage) == 1


def test_a_changed_prompt_in_a_loop_repeats_the_loop_and_nothing_before_it():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        await world.edit(run_id, changed(LOOP, "argue", prompt="Pro: {{default}}"))
        return world.past(run_id)

    told = play(story)
    assert told.reused == {"before[1]"}
    assert told.done == {f"{x}[{i}]" for x in ("argue", "answer") for i in (1, 2, 3)}


def test_a_changed_prompt_in_a_loop_repeats_only_what_comes_after_it():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        await world.edit(run_id, changed(LOOP, "answer", prompt="Contra: {{default}}"))
        return world.past(run_id)

    told = play(story)
    assert told.reused == {"before[1]", "argue[1]"}


async def paused(world: World, run_id: str) -> None:
    await world.step(run_id, 5)


async def failed(world: World, run_id: str) -> None:
    world.llm.broken = {"5: "}
    await world.resume(run_id)
    world.llm.broken = set()


async def completed(world: World, run_id: str) -> None:
    await world.resume(run_id)


async def cancelled(world: World, run_id: str) -> None:
    await world.step(run_id, 5)
    await world.send(c.CancelExecution(execution_id=run_id))


@pytest.mark.parametrize("state", [paused, failed, completed, cancelled])
def test_a_run_goes_on_after_an_edit_whatever_state_it_was_in(state):
    edited = changed(chain(), "n3", prompt="Third: {{default}}")

    async def story(world: World) -> Any:
        run_id = await world.start(chain(), paused=True)
        await state(world, run_id)
        assert await world.status(run_id) == state.__name__
        await world.edit(run_id, edited)
        return world.past(run_id), await world.status(run_id)

    told, status = play(story)
    assert status == "completed"
    assert told.reused == {"n0[1]", "n1[1]", "n2[1]"}
    assert told.done == {f"n{i}[1]" for i in range(3, LENGTH)}
    assert told.outputs == outcome_of(edited)


def outcome_of(diagram: Diagram) -> Any:
    async def story(world: World) -> Any:
        return world.past(await world.run(diagram)).outputs

    return play(story)


def test_a_failed_run_that_is_fixed_repeats_nothing_that_was_done():
    async def story(world: World) -> Any:
        world.llm.broken = {"WRONG"}
        run_id = await world.run(last_prompt(chain(), "WRONG {{default}}"))
        assert await world.status(run_id) == "failed"
        before = world.llm.calls
        await world.edit(run_id, chain())
        return world.llm.since(before), await world.status(run_id)

    said, status = play(story)
    assert status == "completed"
    assert [text[:2] for text in said] == ["9:"]


def test_a_running_node_is_stopped_by_an_edit_and_runs_again():
    async def story(world: World) -> Any:
        world.llm.gate = asyncio.Event()
        run_id = await world.start(chain(2))
        await world.until(run_id, e.EffectStarted)
        await world.send(
            c.EditExecution(execution_id=run_id, diagram=changed(chain(2), "n1", prompt="New."))
        )
        world.llm.gate.set()
        await world.resume(run_id)
        return world.past(run_id)

    told = play(story)
    assert told.done == {"n0[1]", "n1[1]"}
    assert isinstance(told.last, e.ExecutionCompleted)


def test_a_value_given_by_hand_counts_from_its_activation_on():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        first = world.past(run_id)
        await world.edit(run_id, values={"argue[2]": "Because I say so."})
        return first, world.past(run_id)

    first, told = play(story)
    assert told.ended["argue[2]"].outputs == {"default": "Because I say so."}
    assert told.done == {"answer[2]", "argue[3]", "answer[3]"}
    assert told.values["answer[1]"] == first.values["answer[1]"]
    assert "Because I say so." in told.prompts("answer")[1]


def test_a_value_given_by_hand_is_what_the_person_said():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        before = len(world.llm.requests)
        await world.edit(run_id, values={"argue[2]": "Because I say so."})
        return world.llm.requests[before:], world.past(run_id)

    requests, told = play(story)
    asked = next(x for x in requests if x.messages[-1].content == told.prompts("argue")[2])
    assert ("assistant", "Because I say so.") in [(x.role, x.content) for x in asked.messages]


def test_values_given_by_hand_stay_through_later_edits():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        await world.edit(run_id, values={"argue[2]": "One."})
        await world.edit(run_id, values={"answer[2]": "Two."})
        return world.past(run_id)

    told = play(story)
    assert told.values["argue[2]"] == {"default": "One."}
    assert told.values["answer[2]"] == {"default": "Two."}
    assert told.done == {"argue[3]", "answer[3]"}


def test_keeping_lets_a_change_count_from_here_on():
    edited = changed(changed(chain(), "n2", prompt="NEW"), "n7", prompt="NEW {{default}}")

    async def story(world: World) -> Any:
        run_id = await world.start(chain(), paused=True)
        await world.step(run_id, 6)
        before = world.past(run_id).values
        await world.edit(run_id, edited, keep=True)
        return before, world.past(run_id)

    before, told = play(story)
    assert told.done == {f"n{i}[1]" for i in range(5, LENGTH)}
    assert before.items() <= told.values.items()
    assert told.prompts("n7")[0].startswith("NEW")


def test_keeping_does_not_bring_back_what_an_earlier_edit_has_undone():
    async def story(world: World) -> Any:
        run_id = await world.run(chain(3))
        edited = changed(chain(3), "n0", prompt="NEW")
        await world.send(c.EditExecution(execution_id=run_id, diagram=edited))
        await world.edit(run_id, changed(edited, "n2", prompt="LAST {{default}}"), keep=True)
        return world.past(run_id)

    told = play(story)
    assert told.prompts("n0") == ["NEW"]
    assert told.done == {"n0[1]", "n1[1]", "n2[1]"}


def test_keeping_twice_keeps_what_was_kept():
    edited = changed(chain(4), "n0", prompt="NEW")

    async def story(world: World) -> Any:
        run_id = await world.start(chain(4), paused=True)
        await world.step(run_id, 3)
        await world.send(c.EditExecution(execution_id=run_id, diagram=edited, keep=True))
        await world.edit(run_id, changed(edited, "n3", prompt="LAST"), keep=True)
        return world.past(run_id)

    told = play(story)
    assert told.done == {"n2[1]", "n3[1]"}
    assert told.prompts("n0") != ["NEW"]


def test_an_edit_that_is_taken_back_costs_nothing():
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        first = world.past(run_id).outputs
        await world.edit(run_id, changed(LOOP, "argue", prompt="Other."))
        before = world.llm.calls
        await world.edit(run_id, LOOP)
        return world.llm.calls - before, first, world.past(run_id).outputs

    calls, first, last = play(story)
    assert calls == 0
    assert first == last


@settings(max_examples=60)
@given(st.integers(0, 1_000_000))
def test_after_any_edits_a_run_is_what_a_run_of_the_last_diagram_would_be(seed):
    dice = random.Random(seed)
    diagram = draw(dice, size=6)

    async def story(world: World) -> Any:
        now, inputs = diagram, {}
        run_id = await world.start(now, paused=True)
        await world.step(run_id, dice.randint(1, 9))
        for _ in range(3):
            _, edited, more = any_change(now, dice)
            try:
                await world.send(
                    c.EditExecution(execution_id=run_id, diagram=edited, inputs={**inputs, **more})
                )
            except DiagramError:
                continue
            now, inputs = edited, {**inputs, **more}
            await world.step(run_id, dice.randint(1, 9))
        if await world.status(run_id) == "paused":
            await world.resume(run_id)
        told = world.past(run_id)
        other = World()
        plain = other.past(await other.run(now, inputs))
        assert told.last.type == plain.last.type
        if isinstance(plain.last, e.ExecutionCompleted):
            assert told.outputs == plain.outputs
            assert told.values == plain.values
            assert told.messages == plain.messages
        await other.engine.close()

    play(story)


@settings(max_examples=60)
@given(st.integers(0, 1_000_000))
def test_nothing_is_asked_twice_in_one_place_whatever_is_edited(seed):
    dice = random.Random(seed)
    diagram = draw(dice, size=6)

    async def story(world: World) -> Any:
        run_id = await world.run(diagram)
        for _ in range(3):
            try:
                await world.edit(run_id, any_change(diagram, dice)[1])
            except DiagramError:
                continue
        done = [
            (x.node, x.activation, x.effect, x.key)
            for x in world.past(run_id).of(e.EffectCompleted)
            if not x.reused
        ]
        assert len(done) == len(set(done))

    play(story)


EFFECTS = diagram_of("""
persons: {Ann: {service: openai, model: m}}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: human, type: user_response, prompt: "What of {{topic}}?"}
- {label: work, type: job, code: "return default"}
- {label: note, type: db, operation: append, file: log.txt, data: "{{work}}"}
- {label: store, type: db, operation: write, file: data.txt, data: "{{work}}"}
- {label: say, type: person_job, person: Ann, prompt: "Say {{work}}."}
- {label: end, type: endpoint, save_to_file: true, file_path: end.txt}
- {label: side, type: endpoint, save_to_file: true, file_path: side.txt}
connections:
- {from: start, to: human}
- {from: human, to: work}
- {from: work, to: note}
- {from: note, to: store}
- {from: store, to: say}
- {from: say, to: end}
- {from: work, to: side}
""")


async def answered(world: World, run_id: str) -> None:
    if await world.status(run_id) == "waiting":
        seq = len(world.journal.read(run_id))
        await world.send(c.UserResponse(execution_id=run_id, node="human", value="fine"))
        await world.stopped(run_id, seq)


def test_an_edit_repeats_no_effect_that_it_does_not_touch():
    async def story(world: World) -> Any:
        run_id = await world.run(EFFECTS)
        await answered(world, run_id)
        assert await world.status(run_id) == "completed"
        before = (len(world.sandbox.jobs), dict(world.files.changes), dict(world.files.texts))
        await world.edit(run_id, changed(EFFECTS, "say", prompt="Tell {{work}}."))
        told = world.past(run_id)
        return before, len(world.sandbox.jobs), world.files, told

    (jobs, changes, texts), jobs_after, files, told = play(story)
    assert isinstance(told.last, e.ExecutionCompleted)
    assert jobs_after == jobs == 1
    assert files.changes == {**changes, "end.txt": 2}
    assert {**files.texts, "end.txt": ""} == {**texts, "end.txt": ""}
    assert told.done == {"say[1]", "end[1]"}


def test_an_edit_of_the_question_asks_the_human_again():
    async def story(world: World) -> Any:
        run_id = await world.run(EFFECTS)
        await answered(world, run_id)
        await world.edit(run_id, changed(EFFECTS, "human", prompt="Really {{topic}}?"))
        return await world.status(run_id)

    assert play(story) == "waiting"


def test_a_refused_edit_changes_nothing():
    wrong = changed(chain(), "n3", prompt=None)

    async def story(world: World) -> Any:
        run_id = await world.start(chain(), paused=True)
        await world.step(run_id, 4)
        entries = list(world.journal.read(run_id))
        for command in (
            c.EditExecution(execution_id=run_id, diagram=wrong),
            c.EditExecution(execution_id=run_id, values={"n99[1]": 1}),
            c.EditExecution(execution_id=run_id, values={"n9": 1}),
        ):
            with pytest.raises((DiagramError, CommandError)):
                await world.send(command)
        assert list(world.journal.read(run_id)) == entries
        await world.resume(run_id)
        return world.past(run_id).outputs

    assert play(story) == outcome_of(chain())


def test_a_refused_edit_of_a_running_run_lets_it_run():
    async def story(world: World) -> Any:
        run_id = await world.run(EFFECTS)
        wrong = changed(EFFECTS, "say", prompt=None)
        with pytest.raises(DiagramError):
            await world.send(c.EditExecution(execution_id=run_id, diagram=wrong))
        return await world.status(run_id)

    assert play(story) == "waiting"


@pytest.mark.parametrize("label", ["start", "before", "argue", "enough", "end"])
def test_an_edit_that_only_renames_costs_nothing(label):
    async def story(world: World) -> Any:
        run_id = await world.run(LOOP)
        before = world.llm.calls
        await world.edit(run_id, renamed(LOOP, label, "other"))
        return world.llm.calls - before, world.past(run_id)

    calls, told = play(story)
    assert calls == 0
    assert isinstance(told.last, e.ExecutionCompleted)


def test_an_edit_survives_a_new_process_before_it_goes_on():
    edited = last_prompt(chain())

    async def story(world: World) -> Any:
        run_id = await world.run(chain())
        await world.send(
            c.EditExecution(execution_id=run_id, diagram=edited, values={"n8[1]": "by hand"})
        )
        await world.engine.close()
        world.another_engine()
        await world.send(c.ResumeExecution(execution_id=run_id))
        await world.stopped(run_id)
        return world.past(run_id)

    told = play(story)
    assert told.done == {"n9[1]"}
    assert told.prompts("n9") == ["Last: by hand"]


def test_who_goes_on_while_a_run_is_edited_does_not_break_it():
    async def story(world: World) -> Any:
        run_id = await world.run(chain(), breakpoints=(e.Breakpoint(node="n3"),))
        world.llm.gate = asyncio.Event()
        edit = c.EditExecution(execution_id=run_id, diagram=last_prompt(chain()))
        resume = c.ResumeExecution(execution_id=run_id)
        await asyncio.gather(world.send(edit), world.send(resume))
        world.llm.gate.set()
        await world.resume(run_id)
        return world.fold(run_id).state.status, world.past(run_id).prompts("n9")

    status, prompts = play(story)
    assert status == "completed"
    assert prompts[0].startswith("Last: ")


def test_a_run_that_was_cancelled_in_the_middle_can_be_edited():
    async def story(world: World) -> str:
        world.llm.gate = asyncio.Event()
        run_id = await world.start(chain())
        await world.until(run_id, e.EffectStarted)
        await world.send(c.CancelExecution(execution_id=run_id))
        world.llm.gate.set()
        await world.edit(run_id, last_prompt(chain()))
        return await world.status(run_id)

    assert play(story) == "completed"


def test_who_goes_on_with_a_part_while_it_is_edited_does_not_break_it():
    def whole(prompt: str) -> Diagram:
        part = changed(chain(3), "n2", prompt=prompt).model_dump(mode="json", exclude_defaults=True)
        part["connections"] = part.pop("edges")
        part["connections"] = [
            {"from": x["source"], "to": x["target"]} for x in part["connections"]
        ]
        part["nodes"] = [{**x, **x.pop("props")} for x in part["nodes"]]
        nodes = (
            NodeSpec(label="start", type="start"),
            NodeSpec(label="sub", type="sub_diagram", props={"diagram_data": part}),
        )
        return Diagram(nodes=nodes, edges=(Edge(source="start", target="sub"),))

    async def story(world: World) -> Any:
        run_id = await world.start(whole("2: {{default}}"))
        part_id = f"{run_id}/sub[1]"
        await world.until(run_id, e.NodeProgress)
        world.llm.gate = asyncio.Event()
        await world.send(c.EditExecution(execution_id=run_id, diagram=whole("Last: {{default}}")))
        await world.send(c.ResumeExecution(execution_id=run_id))
        for _ in range(20):
            await world.send(c.ResumeExecution(execution_id=part_id))
            await asyncio.sleep(0)
        await world.until(part_id, e.ExecutionEdited)
        world.llm.gate.set()
        await world.stopped(run_id)
        return world.fold(part_id).state.status, world.past(part_id).prompts("n2")

    status, prompts = play(story)
    assert status == "completed"
    assert prompts[0].startswith("Last: ")
