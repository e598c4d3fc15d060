"""Diagrams inside of nodes: they go, pause, ask, end, and are reused with the whole."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dipeo_jupyter.app import build_services
from dipeo_jupyter.engine.chat import ChatAnswer
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.ports import OnePlace
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import MemoryJournal, SqliteJournal
from dipeo_jupyter.settings import Settings
from tests.running import diagram_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


WHOLE = """
persons: {P: {service: demo}}
nodes:
- {label: start, type: start}
- {label: before, type: person_job, person: P, prompt: "Before"}
- {label: review, type: sub_diagram, isolate_conversation: true, diagram_data: {INNER}}
- {label: result, type: endpoint}
connections:
- {from: start, to: before}
- {from: before, to: review, label: text}
- {from: review, to: result}
"""
TALK = """
  persons: {P: {service: demo}},
  nodes: [
    {label: start, type: start},
    {label: one, type: person_job, person: P, memory: GOLDFISH, prompt: "One"},
    {label: two, type: person_job, person: P, memory: GOLDFISH, prompt: "Two"},
    {label: end, type: endpoint}],
  connections: [{from: start, to: one}, {from: one, to: two}, {from: two, to: end}]
"""
ASK = """
  persons: {P: {service: demo}},
  nodes: [
    {label: start, type: start},
    {label: one, type: person_job, person: P, memory: GOLDFISH, prompt: "One"},
    {label: ask, type: user_response, prompt: "Who?"},
    {label: end, type: endpoint}],
  connections: [{from: start, to: one}, {from: one, to: ask}, {from: ask, to: end}]
"""
DEEP = """
  nodes: [
    {label: start, type: start},
    {label: inner, type: sub_diagram, diagram_data: {INNER}},
    {label: end, type: endpoint}],
  connections: [{from: start, to: inner}, {from: inner, to: end}]
"""
BATCH = """
nodes:
- {label: start, type: start, custom_data: {names: [a, b, c]}}
- {label: each, type: sub_diagram, batch: true, items: names, diagram_data: {INNER}}
- {label: result, type: endpoint}
connections: [{from: start, to: each}, {from: each, to: result}]
"""
ASK_ITEM = """
  nodes: [
    {label: start, type: start},
    {label: ask, type: user_response, prompt: "And {{item}}?"},
    {label: end, type: endpoint}],
  connections: [{from: start, to: ask}, {from: ask, to: end}]
"""


def whole(inner=TALK, text=WHOLE):
    return diagram_of(text.replace("INNER", inner))


class Models:
    """Answers what it is asked, and remembers it; waits where a test wants it to, or fails."""

    def __init__(self, real):
        self.real = real
        self.prompts = []
        self.broken = set()
        self.hanging = set()
        self.hangs = asyncio.Event()

    async def chat(self, request, on_text):
        prompt = request.messages[-1].content
        self.prompts.append(prompt)
        if prompt in self.hanging:
            self.hangs.set()
            await asyncio.Event().wait()
        if prompt in self.broken:
            raise RuntimeError(f"no answer to {prompt}")
        usage = e.Usage(input_tokens=1, output_tokens=1)
        return ChatAnswer(f"re {prompt}", usage)

    def identity(self, person):
        return self.real.identity(person)

    def price(self, person):
        return self.real.price(person)

    def takes_schema(self, person):
        return self.real.takes_schema(person)

    def check(self, label, person):
        return self.real.check(label, person)


@asynccontextmanager
async def engine(folder, **models):
    """An engine on the journal of a folder, and the models that it asks."""
    services = build_services(Settings(root=folder))
    asked = Models(services.llm)
    for name, prompts in models.items():
        setattr(asked, name, set(prompts))
    services = replace(services, llm=asked)
    built = Engine(
        load_node_types(), OnePlace(services), SqliteJournal(folder / ".dipeo"), SystemClock()
    )
    built.asked = asked
    try:
        yield built
    finally:
        await built.close()


async def start(running, diagram, **options):
    return (await running.send(c.ExecuteDiagram(diagram=diagram, **options))).execution_id


async def entries(running, run, after=0):
    return [entry async for entry in running.events(run, after)]


async def last(running, run, after=0):
    return (await entries(running, run, after))[-1].event


async def until(running, run, kind, count=1, after=0):
    """The event of a kind that comes as number `count`."""
    async for entry in running.events(run, after):
        if isinstance(entry.event, kind):
            count -= 1
            if not count:
                return entry
    raise AssertionError(f"the run ended without {kind.__name__}")


async def status(running, run):
    return (await running.send(c.GetExecution(execution_id=run))).result.status


async def resume(running, run):
    return await running.send(c.ResumeExecution(execution_id=run))


async def answer(running, run, value, node="review"):
    return await running.send(c.UserResponse(execution_id=run, node=node, value=value))


# -- going on together ----------------------------------------------------------------------------


async def test_a_part_is_a_run_of_its_own_inside_the_whole(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        await entries(running, run)

        first = (await entries(running, f"{run}/review[1]"))[0].event
        assert first.parent == run
        assert [each.execution_id for each in (await running.send(c.ListExecutions())).result] == [
            run
        ]


async def test_the_whole_tells_how_far_its_part_is(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        told = [
            x.event.message for x in await entries(running, run) if x.event.type == "node_progress"
        ]

        assert told == ["start[1] done", "one[1] done", "two[1] done", "end[1] done"]


async def test_what_a_part_costs_the_node_costs(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        (done,) = [x.event for x in await entries(running, run) if is_done(x, "review")]

        assert done.usage == e.Usage(input_tokens=2, output_tokens=2, calls=2)
        assert not done.cached


def is_done(entry, node):
    return isinstance(entry.event, e.NodeCompleted) and entry.event.node == node


async def test_pausing_the_whole_pauses_its_part(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)
        await running.send(c.PauseExecution(execution_id=run))

        assert await status(running, f"{run}/review[1]") == "paused"
        await answer(running, run, "me")
        assert await status(running, run) == "paused"
        await resume(running, run)
        assert (await last(running, run)).outputs == {"result": "me"}


async def test_pausing_now_interrupts_what_runs_in_the_part(tmp_path):
    async with engine(tmp_path, hanging={"Two"}) as running:
        run = await start(running, whole())
        await running.asked.hangs.wait()
        await running.send(c.PauseExecution(execution_id=run, now=True))

        assert await status(running, f"{run}/review[1]") == "paused"
        running.asked.hanging.clear()
        await resume(running, run)
        assert (await last(running, run)).outputs == {"result": "re Two"}
        assert running.asked.prompts == ["Before", "One", "Two", "Two"]


async def test_cancelling_the_whole_cancels_its_part(tmp_path):
    async with engine(tmp_path, hanging={"Two"}) as running:
        run = await start(running, whole())
        await running.asked.hangs.wait()
        await running.send(c.CancelExecution(execution_id=run))

        assert await status(running, f"{run}/review[1]") == "cancelled"


async def test_cancelling_a_paused_whole_cancels_its_part(tmp_path):
    async with engine(tmp_path, hanging={"Two"}) as running:
        run = await start(running, whole())
        await running.asked.hangs.wait()
        await running.send(c.PauseExecution(execution_id=run, now=True))
        await running.send(c.CancelExecution(execution_id=run))

        assert await status(running, f"{run}/review[1]") == "cancelled"


async def test_a_step_of_the_whole_lets_the_whole_part_run(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(), paused=True)
        ack = await running.send(c.StepExecution(execution_id=run, steps=3))
        paused = await until(running, run, e.ExecutionPaused, count=2)

        assert paused.seq > ack.seq
        assert running.asked.prompts == ["Before", "One", "Two"]
        assert await status(running, f"{run}/review[1]") == "completed"


async def test_a_part_can_be_paused_and_stepped_by_its_own_id(tmp_path):
    async with engine(tmp_path, hanging={"One"}) as running:
        run = await start(running, whole())
        part = f"{run}/review[1]"
        await running.asked.hangs.wait()
        await running.send(c.PauseExecution(execution_id=part, now=True))
        running.asked.hanging.clear()
        await running.send(c.StepExecution(execution_id=part))
        await until(running, part, e.ExecutionPaused, count=2)

        assert await status(running, run) == "running"
        assert running.asked.prompts == ["Before", "One", "One"]
        await resume(running, part)
        assert (await last(running, run)).outputs == {"result": "re Two"}


async def test_resuming_the_whole_resumes_a_part_paused_by_itself(tmp_path):
    async with engine(tmp_path, hanging={"One"}) as running:
        run = await start(running, whole())
        await running.asked.hangs.wait()
        await running.send(c.PauseExecution(execution_id=f"{run}/review[1]", now=True))
        running.asked.hanging.clear()
        await resume(running, run)

        assert (await last(running, run)).outputs == {"result": "re Two"}


async def test_skipping_the_node_lets_go_of_its_part(tmp_path):
    async with engine(tmp_path, hanging={"Two"}) as running:
        run = await start(running, whole())
        await running.asked.hangs.wait()
        await running.send(c.SkipNode(execution_id=run, node="review"))

        assert (await last(running, run)).outputs == {}
        assert await status(running, f"{run}/review[1]") == "paused"


async def test_pruning_forgets_parts_with_their_whole(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        await entries(running, run)
        pruned = (await running.send(c.PruneExecutions(keep_last=0))).result

        assert set(pruned) == {run, f"{run}/review[1]"}


# -- questions ------------------------------------------------------------------------------------


async def test_a_question_of_the_part_is_asked_by_the_node(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        asked = (await until(running, run, e.InputRequired)).event

        assert (asked.node, asked.question.prompt) == ("review", "Who?")
        assert await status(running, run) == "waiting"
        await answer(running, run, "me")
        assert (await last(running, run)).outputs == {"result": "me"}


async def test_a_question_can_be_answered_in_the_part_itself(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)
        await answer(running, f"{run}/review[1]", "me", node="ask")

        assert (await last(running, run)).outputs == {"result": "me"}
        (received,) = [
            x.event for x in await entries(running, run) if x.event.type == "input_received"
        ]
        assert received.value == "me"


async def test_questions_of_several_parts_are_asked_one_after_the_other(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK_ITEM, BATCH))
        for number in (1, 2, 3):
            asked = (await until(running, run, e.InputRequired, number)).event
            await answer(running, run, asked.question.prompt[4], node="each")

        assert (await last(running, run)).outputs == {"result": ["a", "b", "c"]}


async def test_a_question_from_three_levels_down_is_asked_at_the_top(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(DEEP.replace("INNER", DEEP.replace("INNER", ASK))))
        asked = (await until(running, run, e.InputRequired)).event

        assert asked.asked_by == "review[1]/inner[1]"
        await answer(running, run, "me")
        assert (await last(running, run)).outputs == {"result": "me"}


async def test_an_answer_is_given_after_a_restart(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)

    async with engine(tmp_path) as running:
        assert await status(running, run) == "waiting"
        await answer(running, run, "me")
        assert (await last(running, run)).outputs == {"result": "me"}
        assert running.asked.prompts == []


async def test_an_answer_outlives_the_process_that_took_it(tmp_path):
    deep = whole(DEEP.replace("INNER", ASK))
    async with engine(tmp_path) as running:
        run = await start(running, deep)
        await until(running, run, e.InputRequired)
        await running.send(c.PauseExecution(execution_id=run))
        await answer(running, run, "me")

    async with engine(tmp_path) as running:
        await resume(running, run)
        assert (await last(running, run)).outputs == {"result": "me"}


async def test_several_parts_are_asked_again_after_a_restart_where_they_were(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK_ITEM, BATCH))
        asked = (await until(running, run, e.InputRequired)).event
        await answer(running, run, asked.question.prompt[4], node="each")
        await until(running, run, e.InputRequired, 2)

    async with engine(tmp_path) as running:
        shown = [x.event for x in await entries(running, run) if x.event.type == "input_required"]
        await answer(running, run, shown[-1].question.prompt[4], node="each")
        asked = (await until(running, run, e.InputRequired, 3)).event
        await answer(running, run, asked.question.prompt[4], node="each")
        assert (await last(running, run)).outputs == {"result": ["a", "b", "c"]}


async def test_a_wrong_answer_is_refused_before_anything_is_written(tmp_path):
    async with engine(tmp_path) as running:
        choices = ASK.replace('"Who?"', '"Who?", choices: [me, you]')
        run = await start(running, whole(choices))
        await until(running, run, e.InputRequired)

        with pytest.raises(CommandError):
            await answer(running, run, "nobody")
        assert await status(running, run) == "waiting"
        await answer(running, run, "you")
        assert (await last(running, run)).outputs == {"result": "you"}


# -- going on after a crash -----------------------------------------------------------------------


async def crash(running):
    """Leave everything as it is, as a process does that is killed."""
    await running._journal.written()
    for execution in running._runs.held.values():
        execution.record = lambda _: None
    for execution in running._runs.held.values():
        await execution.stop()


@pytest.mark.parametrize("crashed", [False, True])
async def test_a_half_done_part_goes_on_where_it_was(tmp_path, crashed):
    async with engine(tmp_path, hanging={"Two"}) as running:
        run = await start(running, whole())
        await running.asked.hangs.wait()
        if crashed:
            await crash(running)

    async with engine(tmp_path) as running:
        ack = await resume(running, run)
        assert (await last(running, run, ack.seq)).outputs == {"result": "re Two"}
        assert running.asked.prompts == ["Two"]


async def test_parts_of_a_batch_that_are_done_are_not_run_again(tmp_path):
    item = TALK.replace('"One"', '"One {{item}}"').replace('"Two"', '"Two {{item}}"')
    async with engine(tmp_path, hanging={"Two b"}) as running:
        run = await start(
            running, whole(item, BATCH.replace("batch: true", "batch: true, parallel: false"))
        )
        await running.asked.hangs.wait()
        await crash(running)

    async with engine(tmp_path) as running:
        ack = await resume(running, run)
        assert (await last(running, run, ack.seq)).outputs == {
            "result": ["re Two a", "re Two b", "re Two c"]
        }
        assert running.asked.prompts == ["Two b", "One c", "Two c"]


async def test_only_what_failed_is_tried_again(tmp_path):
    async with engine(tmp_path, broken={"Two"}) as running:
        run = await start(running, whole())
        failed = await last(running, run)
        assert "at two[1]: RuntimeError: no answer to Two" in failed.error.message

        running.asked.broken.clear()
        ack = await resume(running, run)
        assert (await last(running, run, ack.seq)).outputs == {"result": "re Two"}
        assert running.asked.prompts == ["Before", "One", "Two", "Two"]


async def test_a_retry_of_the_node_goes_on_with_its_part(tmp_path):
    text = WHOLE.replace("type: sub", "retry: {initial_interval: 0}, type: sub")
    async with engine(tmp_path, broken={"Two"}) as running:
        run = await start(running, whole(text=text))
        await entries(running, run)

        assert running.asked.prompts == ["Before", "One", "Two", "Two", "Two"]


async def test_a_time_limit_stops_the_part(tmp_path):
    text = WHOLE.replace("type: sub", "timeout: 0.01, type: sub")
    async with engine(tmp_path, hanging={"One"}) as running:
        run = await start(running, whole(text=text))
        failed = await last(running, run)

        assert failed.error.type == "NodeTimeoutError"
        assert await status(running, f"{run}/review[1]") == "paused"


# -- other diagrams -------------------------------------------------------------------------------


def changed(diagram, **prompts):
    """The diagram with other prompts: of `one` and `two` in its part."""
    text = diagram.model_dump_json()
    for label, prompt in prompts.items():
        text = text.replace(f'"{label.capitalize()}"', f'"{prompt}"')
    return type(diagram).model_validate_json(text)


async def test_a_change_around_the_part_leaves_it_alone(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        seq = (await entries(running, run))[-1].seq
        await running.send(
            c.EditExecution(execution_id=run, diagram=changed(whole(), before="Other"))
        )
        await resume(running, run)
        (done,) = [x.event for x in await entries(running, run, seq) if is_done(x, "review")]

        assert running.asked.prompts == ["Before", "One", "Two", "Other"]
        assert done.cached
        assert done.usage in (None, e.Usage())


async def test_a_change_inside_the_part_runs_only_what_it_changes(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        seq = (await entries(running, run))[-1].seq
        await running.send(c.EditExecution(execution_id=run, diagram=changed(whole(), two="Zwei")))
        await resume(running, run)

        assert (await last(running, run, seq)).outputs == {"result": "re Zwei"}
        assert running.asked.prompts == ["Before", "One", "Two", "Zwei"]


async def test_answers_are_kept_when_something_else_in_the_part_changes(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)
        await answer(running, run, "me")
        seq = (await entries(running, run))[-1].seq
        await running.send(
            c.EditExecution(execution_id=run, diagram=changed(whole(ASK), one="Eins"))
        )
        await resume(running, run)

        assert (await last(running, run, seq)).outputs == {"result": "me"}


async def test_a_fork_takes_over_what_is_the_same_in_the_part(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)
        await answer(running, run, "me")
        await entries(running, run)
        ack = await running.send(
            c.ForkExecution(execution_id=run, diagram=changed(whole(ASK), one="Eins"))
        )

        assert (await last(running, ack.execution_id)).outputs == {"result": "me"}
        assert running.asked.prompts == ["Before", "One", "Eins"]


async def test_a_fork_behind_the_part_does_not_run_it(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        await entries(running, run)
        ack = await running.send(c.ForkExecution(execution_id=run, at=("result[1]",)))
        await entries(running, ack.execution_id)

        with pytest.raises(CommandError):
            await status(running, f"{ack.execution_id}/review[1]")


async def test_a_fork_at_the_part_runs_it_anew(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        await entries(running, run)
        ack = await running.send(c.ForkExecution(execution_id=run, at=("review[1]",)))
        await entries(running, ack.execution_id)

        assert running.asked.prompts == ["Before", "One", "Two", "One", "Two"]


async def test_a_part_keeps_its_results_when_its_node_is_renamed(tmp_path):
    renamed = diagram_of(WHOLE.replace("INNER", ASK).replace("review", "audit"))
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)
        await answer(running, run, "me")
        await entries(running, run)
        ack = await running.send(c.ForkExecution(execution_id=run, diagram=renamed))

        assert (await last(running, ack.execution_id)).outputs == {"result": "me"}


async def test_another_run_reuses_answers_of_models_in_the_part(tmp_path):
    async with engine(tmp_path) as running:
        await entries(running, await start(running, whole()))
        again = await entries(running, await start(running, whole()))
        fresh = await start(running, whole(), fresh=True)
        await entries(running, fresh)

        (done,) = [x.event for x in again if is_done(x, "review")]
        assert done.cached
        assert running.asked.prompts == ["Before", "One", "Two"] * 2


# -- plans ----------------------------------------------------------------------------------------


async def planned(running, diagram, **options):
    plan = (await running.send(c.PlanExecution(diagram=diagram, **options))).result
    return {each.node: (each.action, each.calls) for each in plan.activations}


async def test_a_plan_foresees_what_a_part_will_do(tmp_path):
    async with engine(tmp_path) as running:
        assert (await planned(running, whole()))["review"] == ("run", 2)
        assert running.asked.prompts == []


async def test_a_plan_knows_what_a_part_reuses(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole())
        await entries(running, run)

        same = await planned(running, whole(), since=run)
        other = await planned(running, changed(whole(), two="Zwei"), since=run)
        assert same["review"] == ("reuse", 0)
        assert other["review"] == ("run", 1)
        assert running.asked.prompts == ["Before", "One", "Two"]


# -- wherever it ends -----------------------------------------------------------------------------


class Ordered(MemoryJournal):
    """Remembers in which order entries of several runs came."""

    def __init__(self, entries=()):
        super().__init__()
        self.order = []
        for entry in entries:
            self.append(entry)
        self.close()

    def append(self, entry):
        super().append(entry)
        self.order.append(entry)


def on_journal(journal):
    services = build_services(Settings(root=Path()))
    asked = Models(services.llm)
    built = Engine(
        load_node_types(), OnePlace(replace(services, llm=asked)), journal, SystemClock()
    )
    built.asked = asked
    return built


async def to_the_end(running, run, node="review"):
    """Go on to the end, answering each question that is open with its last letter."""
    before = list(running._journal.read(run))
    await resume(running, run)
    asked = None
    for entry in before:
        if isinstance(entry.event, e.InputRequired | e.InputReceived):
            asked = entry.event
    if isinstance(asked, e.InputRequired):
        with suppress(CommandError):  # it may have been answered in the part
            await answer(running, run, asked.question.prompt[-2], node)
    async for entry in running.events(run, len(before)):
        if isinstance(entry.event, e.ExecutionCompleted):
            return entry.event.outputs
        if isinstance(entry.event, e.InputRequired):
            with suppress(CommandError):
                await answer(running, run, entry.event.question.prompt[-2], node)
    raise AssertionError("it has no end")


LAST_WORD = ASK_ITEM.replace("And {{item}}?", "{{item}}?")
DEEPLY = DEEP.replace("INNER", ASK)


@pytest.mark.parametrize(
    ("diagram", "node"),
    [(whole(DEEPLY), "review"), (whole(LAST_WORD, BATCH), "each"), (whole(), "review")],
    ids=["nested", "batch", "talk"],
)
async def test_wherever_a_run_is_cut_off_it_comes_to_the_same_end(diagram, node):
    journal = Ordered()
    running = on_journal(journal)
    run = await start(running, diagram)
    outputs = await to_the_end(running, run, node)
    prompts = running.asked.prompts
    await running.close()

    for cut in range(1, len(journal.order)):
        again = on_journal(Ordered(journal.order[:cut]))
        done = [x.event.value["text"] for x in journal.order[:cut] if talked(x)]
        assert await to_the_end(again, run, node) == outputs, cut
        assert len(done) + len(again.asked.prompts) == len(prompts), cut
        await again.close()


def talked(entry):
    event = entry.event
    return isinstance(event, e.EffectCompleted) and isinstance(event.value, dict)


# -- what is known --------------------------------------------------------------------------------


async def test_a_part_hears_what_changed_before_it(tmp_path):
    text = WHOLE.replace("isolate_conversation: true, ", "")
    inner = TALK.replace('GOLDFISH, prompt: "Two"', 'ALL_MESSAGES, prompt: "Two"')
    drawn = whole(inner, text)
    async with engine(tmp_path) as running:
        run = await start(running, drawn)
        seq = (await entries(running, run))[-1].seq
        await running.send(
            c.EditExecution(execution_id=run, diagram=changed(drawn, before="Other"))
        )
        await resume(running, run)
        await last(running, run, seq)

        assert running.asked.prompts == ["Before", "One", "Two", "Other", "Two"]


async def test_a_part_can_be_forked_to_a_run_of_its_own(tmp_path):
    async with engine(tmp_path) as running:
        run = await start(running, whole(ASK))
        await until(running, run, e.InputRequired)
        await answer(running, run, "me")
        await entries(running, run)
        ack = await running.send(c.ForkExecution(execution_id=f"{run}/review[1]"))

        assert (await last(running, ack.execution_id)).outputs == {"end": "me"}
