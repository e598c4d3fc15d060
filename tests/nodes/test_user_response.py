"""`user_response`: questions to humans, and what counts as an answer."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from tests.running import run

FORM = (
    "{type: object, required: [name], additionalProperties: false,"
    " properties: {name: {type: string}, age: {type: integer}}}"
)
MARKS = "{anyOf: [{enum: [1, 2, 3]}, {type: 'null'}]}"


def asked(settings, answer="x", *, prompt="Well?", steer=None, inputs=None):
    text = f"""
nodes:
- {{label: start, type: start}}
- {{label: ask, type: user_response, prompt: "{prompt}", {settings}}}
connections: [{{from: start, to: ask}}]
"""
    return run(text, inputs, answers={} if steer else {"ask": answer}, steer=steer)


@pytest.mark.parametrize("answer", ["anything", "", "30", 30, {"a": 1}])
def test_without_a_schema_any_answer_is_taken_as_it_is(answer):
    assert {"ask": answer} == asked("", answer).outputs


def test_the_prompt_is_filled_in_before_it_is_asked():
    outcome = asked("", prompt="Hello {{name}}?", inputs={"name": "Ann"})
    (required,) = outcome.of(e.InputRequired)
    assert e.Question(prompt="Hello Ann?") == required.question


@pytest.mark.parametrize(
    ("schema", "typed", "meant"),
    [
        ("{type: integer}", "30", 30),
        ("{type: integer}", " 30 ", 30),
        ("{type: number}", "2.5", 2.5),
        ("{type: [integer, 'null']}", "null", None),
        ("{type: boolean}", "yes", True),
        ("{type: boolean}", " N ", False),
        ("{type: boolean}", "true", True),
        ("{type: string}", "30", "30"),
        ("{type: [boolean, string]}", "yes", "yes"),
        ("{enum: [1, 2]}", "2", 2),
        (MARKS, "3", 3),
        ("{type: array, items: {type: string}}", '["a"]', ["a"]),
        (FORM, '{"name": "Ann", "age": 3}', {"name": "Ann", "age": 3}),
        (FORM, {"name": "Ann"}, {"name": "Ann"}),
    ],
)
def test_typed_text_becomes_what_the_schema_wants(schema, typed, meant):
    outcome = asked(f"schema: {schema}", typed)
    assert {"ask": meant} == outcome.outputs
    assert [meant] == [event.value for event in outcome.of(e.InputReceived)]


REFUSED = [
    ("choices: [tea, coffee]", "milk", "'milk' is not one of ['tea', 'coffee']"),
    ("options: [yes, maybe]", "no", "'no' is not one of ['yes', 'maybe']"),
    ("schema: {type: integer}", "many", "'many' is not of type 'integer'"),
    ("schema: {type: integer}", "2.5", "'2.5' is not of type 'integer'"),
    ("schema: {type: integer}", True, "True is not of type 'integer'"),
    ("schema: {type: number}", "NaN", "'NaN' is not of type 'number'"),
    ("schema: {type: number}", "Infinity", "'Infinity' is not of type 'number'"),
    ("schema: {type: boolean}", "perhaps", "'perhaps' is not of type 'boolean'"),
    (f"schema: {FORM}", '{"age": 3}', "'name' is a required property"),
    (f"schema: {FORM}", '{"name": "A", "age": "3"}', "age: '3' is not of type 'integer'"),
    (f"schema: {FORM}", "[" * 100_000, "is not of type 'object'"),
]


@pytest.mark.parametrize(("settings", "answer", "fault"), REFUSED)
def test_a_wrong_answer_is_refused_and_the_question_stays(settings, answer, fault):
    async def steer(engine, entry):
        if isinstance(entry.event, e.InputRequired):
            run_id = entry.execution_id
            with pytest.raises(CommandError, match=re.escape(fault)) as caught:
                await engine.send(c.UserResponse(execution_id=run_id, node="ask", value=answer))
            assert caught.value.code == "invalid_answer"
            state = await engine.send(c.GetExecution(execution_id=run_id))
            assert ("waiting", ("ask",)) == (state.result.status, state.result.waiting_for)
            await engine.send(c.CancelExecution(execution_id=run_id))

    assert isinstance(asked(settings, steer=steer).last, e.ExecutionCancelled)


def test_after_a_wrong_answer_a_right_one_is_taken():
    async def steer(engine, entry):
        if isinstance(entry.event, e.InputRequired):
            for value in ("many", "3"):
                with suppress(CommandError):
                    command = c.UserResponse(
                        execution_id=entry.execution_id, node="ask", value=value
                    )
                    await engine.send(command)

    assert {"ask": 3} == asked("schema: {type: integer}", steer=steer).outputs


def test_a_refusal_quotes_no_more_than_is_read():
    with pytest.raises(CommandError) as caught:
        asked("schema: {type: integer}", "x" * 100_000)
    assert len(str(caught.value)) < 400


def test_choices_are_a_schema_for_those_who_ask():
    (required,) = asked("choices: [tea, coffee]", "tea").of(e.InputRequired)
    assert {"type": "string", "enum": ["tea", "coffee"]} == required.question.schema_


def test_a_question_waits_only_as_long_as_its_timeout():
    outcome = asked("timeout: 0.01", steer=patiently)
    assert ("NodeTimeoutError", "timeout") == (outcome.error.type, outcome.error.field)
    assert [0.01] == [each.question.timeout for each in outcome.of(e.InputRequired)]


async def patiently(engine, entry):
    """Wait with the question until the run is over."""
    if isinstance(entry.event, e.InputRequired):
        async for _ in engine.events(entry.execution_id, entry.seq):
            pass


def test_a_default_stands_in_for_the_answer_that_never_came():
    outcome = asked("timeout: 0.01, on_error: {default: nobody}", steer=patiently)
    assert {"ask": "nobody"} == outcome.outputs


def test_an_unknown_name_in_the_prompt_fails_the_run():
    error = asked("", prompt="Hello {{nam}}?", inputs={"name": "Ann"}).error
    assert ("ask", "prompt") == (error.node, error.field)
    assert "`nam` is not known here. Did you mean 'name'?" in error.message


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ("schema: {type: numbr}", "bad_schema", "schema"),
        ("answer_schema: {type: numbr}", "bad_schema", "answer_schema"),
        ("schema: {$ref: '#/$defs/lost'}", "bad_schema", "schema"),
        ("schema: {pattern: '('}", "bad_schema", "schema"),
        ("options: [1, [2]]", "bad_property", "options"),
    ],
)
def test_a_question_nobody_can_answer_is_found_before_running(settings, code, field):
    with pytest.raises(DiagramError) as caught:
        asked(settings)
    problem = caught.value.problems[-1]
    assert (code, ("nodes", "ask", field)) == (problem.code, problem.path[:3])


def test_a_wrong_template_is_found_before_running():
    with pytest.raises(DiagramError) as caught:
        asked("", prompt="{{#if x}} open")
    (problem,) = caught.value.problems
    assert ("bad_template", ("nodes", "ask", "prompt")) == (problem.code, problem.path)


def test_choices_beside_a_schema_are_refused():
    with pytest.raises(DiagramError, match="leave one of them out"):
        asked("choices: [a], schema: {type: string}")
