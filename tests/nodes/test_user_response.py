"""`user_response`: questions to humans, and what counts as an answer."""

from __future__ import annotations

import pytest

from dipeo_jupyter.errors import CommandError, DiagramError
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.protocol.commands import GetExecution, UserResponse
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
    return run(text, inputs, answers={"ask": answer}, steer=steer)


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
    seen = []

    async def steer(engine, entry):
        if isinstance(entry.event, e.InputRequired):
            wrong = UserResponse(execution_id=entry.execution_id, node="ask", value=answer)
            with pytest.raises(CommandError) as caught:
                await engine.send(wrong)
            state = await engine.send(GetExecution(execution_id=entry.execution_id))
            seen.append((caught.value, state.result))
            await engine.close()

    with pytest.raises(BaseException):  # noqa: B017, PT011 - the run is stopped in the middle
        asked(settings, answer, steer=steer)
    ((error, summary),) = seen
    assert "invalid_answer" == error.code
    assert fault in str(error)
    assert ("waiting", ("ask",)) == (summary.status, summary.waiting_for)
