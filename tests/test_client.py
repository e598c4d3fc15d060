"""Conversations: how the questions of a run find their answers."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.client import (
    Conversation,
    check_answers,
    explain,
    in_words,
    json_or_text,
)
from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.own_thread import in_thread
from dipeo_jupyter.errors import CommandError, NoAnswerError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.settings import Settings
from tests.running import diagram_of

NAME = """
nodes:
- {label: start, type: start}
- {label: name, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: name}, {from: name, to: end}]
"""
AGE = NAME.replace(
    'name, type: user_response, prompt: "Who?"',
    "name, type: user_response, prompt: How old?, schema: {type: integer}",
)
TWO = """
nodes:
- {label: start, type: start}
- {label: a, type: user_response, prompt: "A?"}
- {label: b, type: user_response, prompt: "B?"}
connections: [{from: start, to: a}, {from: start, to: b}]
"""
BESIDE = TWO.replace(
    '{label: b, type: user_response, prompt: "B?"}', "{label: b, type: job, code: return 1}"
)
LOOP = """
nodes:
- {label: start, type: start}
- {label: name, type: user_response, prompt: "Who?"}
- {label: enough, type: condition, expression: name == 'stop'}
- {label: end, type: endpoint}
connections:
- {from: start, to: name}
- {from: name, to: enough}
- {from: "enough[condfalse]", to: name}
- {from: "enough[condtrue]", to: end}
"""


class Talk:
    """A run that has begun, and what the people around it do."""

    def __init__(self, engine, ack):
        self.engine, self.id, self.events = engine, ack.execution_id, []

    async def to_the_end(self, answers=None, ask=None):
        conversation = Conversation(self.engine, self.id, answers or {}, ask)
        async with contextlib.aclosing(conversation.entries()) as entries:
            async for entry in entries:
                self.events.append(entry.event)
        return self.given

    async def say(self, command, **fields):
        return await self.engine.send(command(execution_id=self.id, **fields))

    async def is_asked(self, node):
        async for entry in self.engine.events(self.id):
            if isinstance(entry.event, e.InputRequired) and entry.event.node == node:
                return

    @property
    def given(self):
        return [event.value for event in self.events if isinstance(event, e.InputReceived)]


@asynccontextmanager
async def begun(diagram):
    engine = build_engine(Settings(root=Path()))
    try:
        yield Talk(engine, await engine.send(c.ExecuteDiagram(diagram=diagram_of(diagram))))
    finally:
        await engine.close()


def talk(diagram, answers=None, ask=None):
    """The answers that were taken until the end of the run."""

    async def main():
        async with begun(diagram) as run:
            return await run.to_the_end(answers, ask)

    return asyncio.run(main())


class Human:
    """Says one line after the other, and remembers what it was asked."""

    def __init__(self, *lines):
        self.lines, self.asked, self.busy = list(lines), [], False

    async def __call__(self, node, question, problem):
        assert not self.busy
        self.busy = True
        self.asked.append((node, problem))
        await asyncio.sleep(0)
        self.busy = False
        return self.lines.pop(0)


class Thinker:
    """Never says anything; knows how often it was interrupted."""

    def __init__(self):
        self.asked, self.interrupted = asyncio.Event(), 0

    async def __call__(self, node, question, problem):
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.interrupted += 1
            raise


async def nobody(node, question, problem):
    raise NoAnswerError("no terminal")


def test_an_answer_by_node_is_given_every_time_it_asks():
    diagram = LOOP.replace("name == 'stop'", "iterations('name') == 3")

    assert talk(diagram, {"name": "again"}) == ["again"] * 3


def test_an_answer_by_activation_goes_before_one_by_node():
    assert talk(LOOP, {"name": "go on", "name[3]": "stop"}) == ["go on", "go on", "stop"]


def test_a_human_is_asked_what_no_answer_was_given_for():
    human = Human("Grace")

    assert sorted(talk(TWO, {"a": "Ada"}, human)) == ["Ada", "Grace"]
    assert human.asked == [("b", None)]


def test_two_open_questions_are_put_one_after_the_other():
    human = Human("first", "second")

    assert talk(TWO, ask=human) == ["first", "second"]
    assert sorted(human.asked) == [("a", None), ("b", None)]


def test_a_question_that_comes_back_at_once_is_put_once_each_time():
    human = Human("go on", "go on", "stop")

    assert talk(LOOP, ask=human) == ["go on", "go on", "stop"]
    assert len(human.asked) == 3


def test_an_invalid_answer_is_asked_for_again_with_the_reason():
    human = Human("old", "37")

    assert talk(AGE, ask=human) == [37]
    assert human.asked[0] == ("name", None)
    assert "integer" in human.asked[1][1]


def test_an_invalid_answer_given_beforehand_is_an_error_that_names_it():
    with pytest.raises(
        CommandError, match=r"answer given for 'name' was refused.*integer"
    ) as caught:
        talk(AGE, {"name": "old"}, Human("never asked"))

    assert caught.value.code == "invalid_answer"


def test_after_an_invalid_given_answer_the_run_can_still_be_answered():
    async def main():
        async with begun(AGE) as run:
            with pytest.raises(CommandError):
                await run.to_the_end({"name": "old"})
            await run.say(c.UserResponse, node="name", value="37")
            return await run.to_the_end()

    assert 37 in asyncio.run(main())


def test_somebody_else_may_answer_while_the_human_thinks():
    async def main():
        thinker = Thinker()
        async with begun(NAME) as run:
            following = asyncio.create_task(run.to_the_end(ask=thinker))
            await thinker.asked.wait()
            await run.say(c.UserResponse, node="name", value="me")
            return await following, thinker.interrupted

    assert asyncio.run(main()) == (["me"], 1)


def test_a_question_that_somebody_answered_in_time_is_never_put():
    async def main():
        human = Human("a human's")
        async with begun(TWO) as run:
            await run.is_asked("a")
            await run.say(c.UserResponse, node="a", value="a friend's")
            return await run.to_the_end(ask=human), human.asked

    given, asked = asyncio.run(main())
    assert given == ["a friend's", "a human's"]
    assert asked == [("b", None)]


def test_an_answer_given_beforehand_may_come_too_late():
    async def main():
        async with begun(NAME) as run:
            await run.is_asked("name")
            await run.say(c.UserResponse, node="name", value="early")
            return await run.to_the_end({"name": "late"})

    assert asyncio.run(main()) == ["early"]


@pytest.mark.parametrize("ask", [None, nobody])
def test_without_anybody_to_ask_the_run_is_left_waiting(ask):
    async def main():
        async with begun(NAME) as run:
            with pytest.raises(NoAnswerError):
                await run.to_the_end(ask=ask)
            summary = (await run.say(c.GetExecution)).result
            await run.say(c.UserResponse, node="name", value="after all")
            return summary.status, await run.to_the_end()

    assert asyncio.run(main()) == ("waiting", ["after all"])


def test_nobody_to_ask_stops_nothing_that_can_still_go_on():
    async def main():
        async with begun(BESIDE) as run:
            with pytest.raises(NoAnswerError, match="no terminal"):
                await run.to_the_end(ask=nobody)
            return [x.node for x in run.events if isinstance(x, e.NodeCompleted)]

    assert asyncio.run(main()) == ["start", "b"]


def test_what_nobody_answers_is_named_with_its_question():
    with pytest.raises(NoAnswerError, match="nobody can be asked") as caught:
        talk(TWO)

    assert "'a' asks 'A?'" in str(caught.value)
    assert "'b' asks 'B?'" in str(caught.value)


def test_a_question_is_taken_back_when_its_time_is_up():
    timed = NAME.replace('"Who?"', '"Who?", timeout: 0.2, on_error: {default: nobody}')

    async def main():
        thinker = Thinker()
        async with begun(timed) as run:
            await run.to_the_end(ask=thinker)
            return run.events[-1].outputs, thinker.interrupted

    assert asyncio.run(main()) == ({"end": "nobody"}, 1)


def test_a_question_taken_back_by_a_pause_is_put_again():
    async def main():
        thinker = Thinker()
        async with begun(NAME) as run:
            following = asyncio.create_task(run.to_the_end(ask=thinker))
            for _ in range(2):
                await thinker.asked.wait()
                thinker.asked.clear()
                await run.say(c.PauseExecution, now=True)
                await run.say(c.ResumeExecution)
            await thinker.asked.wait()
            await run.say(c.UserResponse, node="name", value="at last")
            return await following, thinker.interrupted

    assert asyncio.run(main()) == (["at last"], 3)


def test_whoever_stops_listening_stops_the_asking_too():
    async def main():
        thinker = Thinker()
        async with begun(NAME) as run:
            following = asyncio.create_task(run.to_the_end(ask=thinker))
            await thinker.asked.wait()
            following.cancel()
            await asyncio.wait({following})
            return thinker.interrupted, (await run.say(c.GetExecution)).result.status

    assert asyncio.run(main()) == (1, "waiting")


def test_an_answer_for_a_node_that_does_not_exist_is_refused():
    with pytest.raises(CommandError, match=r"no node 'nmae'.*Did you mean 'name'"):
        check_answers(["name[2]", "nmae"], diagram_of(NAME))


def test_a_question_in_words_names_node_choices_and_problem():
    question = e.Question(prompt="How many?", schema={"enum": [1, 2]})

    assert in_words("count", question, None) == "[count] How many? (1 / 2) "
    assert in_words("count", question, "Not 3.") == "Not 3.\n[count] How many? (1 / 2) "


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ('["a"]', ["a"]), ("yes", "yes"), ("", ""), ("NaN", "NaN"), ("{a: 1}", "{a: 1}")],
)
def test_what_is_typed_is_strict_json_or_text(text, value):
    assert json_or_text(text) == value


def test_an_error_is_explained_with_node_and_line():
    source = light.survey(NAME).source
    error = e.ErrorInfo(type="NodeError", message="no", node="name", field="prompt")

    assert explain(error, source) == "line 4, node 'name': no"
    assert explain(error, None) == "node 'name': no"
    assert explain(e.ErrorInfo(type="DipeoError", message="no"), source) == "no"


def test_work_in_a_thread_sees_the_context_of_its_caller():
    cell = contextvars.ContextVar("cell")

    async def main():
        cell.set("In [3]")
        return await in_thread(cell.get)

    assert asyncio.run(main()) == "In [3]"


def test_the_end_never_waits_for_work_in_a_thread():
    release = threading.Event()

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_thread(release.wait), 0.01)

    asyncio.run(main())
    assert not release.is_set()
    release.set()


def test_what_fails_in_a_thread_fails_where_it_is_awaited():
    async def main():
        await in_thread(lambda: int("x"))

    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(main())
