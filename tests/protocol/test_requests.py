"""What clients say, read: the right, the old, and the hostile."""

from __future__ import annotations

import json
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import wire as w
from dipeo_jupyter.protocol.requests import DEEPEST, BadFrameError, read_request


def read(**fields):
    return read_request(json.dumps(fields)).command


def refusal(text):
    with pytest.raises(BadFrameError) as caught:
        read_request(text)
    return caught.value


PAUSE = c.PauseExecution(execution_id="exec_1", now=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"execution_id": "exec_1", "now": True},
        {"executionId": "exec_1", "now": True},
        {"payload": {"execution_id": "exec_1", "now": True}},
        {"execution_id": "exec_1", "payload": {"now": True}, "timestamp": "now", "seq": 9},
        {"execution_id": "other", "payload": {"execution_id": "exec_1", "now": True}},
    ],
)
def test_a_command_may_be_flat_or_in_the_envelope(fields):
    assert read(type="pause_execution", **fields) == PAUSE


@pytest.mark.parametrize(
    ("old", "command"),
    [
        ({"type": "heartbeat"}, w.Ping()),
        ({"type": "subscribe_monitor"}, w.Subscribe(execution_id="*")),
        (
            {"type": "abort_execution", "executionId": "exec_1"},
            c.CancelExecution(execution_id="exec_1"),
        ),
        (
            {"type": "interactive_response", "executionId": "1", "nodeId": "a", "response": ""},
            c.UserResponse(execution_id="1", node="a", value=""),
        ),
        (
            {"type": "skip_node", "executionId": "1", "nodeId": "a"},
            c.SkipNode(execution_id="1", node="a"),
        ),
        ({"type": "broadcast_event", "name": "n"}, w.RelayEvent(name="n")),
    ],
)
def test_older_words_mean_what_they_meant(old, command):
    assert read(**old) == command


HOSTILE = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "no type": "{}",
    "a type that is no text": '{"type": 5}',
    "an unknown type": '{"type": "exec"}',
    "a payload that is no object": '{"type": "ping", "payload": "x"}',
    "an id that is no text": '{"type": "ping", "correlation_id": {}}',
    "an id without end": json.dumps({"type": "ping", "correlation_id": "x" * 10_000}),
    "deep lists": '{"type": "ping", "a": ' + "[" * 100_000,
    "deep and closed": '{"type": "ping", "a": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "deep objects": '{"a":' * 50_000,
    "a number of 100,000 digits": '{"type": "ping", "a": ' + "9" * 100_000 + "}",
    "no number": '{"type": "ping", "a": NaN}',
    "an endless number": '{"type": "ping", "a": 1e999}',
    "a key that is there twice": '{"type": "ping", "type": "ping"}',
    "half a character": '{"type": "ping", "a": "\\ud800"}',
    "a field that does not exist": '{"type": "ping", "__proto__": {}}',
    "an owner": '{"type": "list_executions", "owner": "root", "status": "completed"}',
    "one field by two names": '{"type": "skip_node", "node": "a", "nodeId": "b"}',
    "quotes without end": '{"type": "ping", "a": "' + '\\"[' * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_command_is_refused_at_once_with_a_code(text):
    begun = perf_counter()
    error = refusal(text)

    assert error.code in ("bad_json", "bad_message", "bad_command", "unknown_command")
    assert perf_counter() - begun < 1
    assert len(str(error)) < 1000


def test_brackets_in_texts_are_not_deep():
    text = json.dumps(
        {"type": "user_response", "execution_id": "1", "node": "a", "value": "[" * 500}
    )

    assert read_request(text).command.value == "[" * 500


def test_values_may_be_as_deep_as_is_said():
    deep = json.loads("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))

    assert read(type="user_response", execution_id="1", node="a", value=deep).value == deep


def test_a_refusal_has_the_id_of_what_is_refused():
    assert refusal('{"type": "pnig", "correlation_id": "7"}').correlation_id == "7"


def test_a_refusal_suggests_the_right_word():
    assert refusal('{"type": "pause_exection"}').hint == "Did you mean 'pause_execution'?"


def test_a_refusal_does_not_repeat_values():
    error = refusal('{"type": "step_execution", "execution_id": "1", "steps": "sk-secret"}')

    assert "steps" in str(error)
    assert "sk-secret" not in str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def code_of(text):
    """None for a command, else the code of its refusal."""
    try:
        read_request(text)
    except CommandError as error:
        return error.code
    return None


@given(st.text() | JSON.map(json.dumps))
def test_whatever_is_said_is_a_command_or_refused(text):
    assert code_of(text) in (None, "bad_json", "bad_message", "bad_command", "unknown_command")


@given(st.sampled_from(["execute_diagram", "check_diagram"]), JSON)
def test_whatever_is_given_as_a_diagram_is_read_or_refused(kind, diagram):
    message = json.dumps({"type": kind, "diagram": diagram})

    assert code_of(message) in (None, "bad_json", "bad_command")
