"""What becomes of errors: retries, timeouts, `on_error`, and how they are told."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from dipeo_jupyter.engine.node import Context, Inputs, Node, Result
from dipeo_jupyter.errors import DiagramError, NodeError, ServiceError
from dipeo_jupyter.protocol import events as e
from tests.clock import FakeClock
from tests.running import run
from tests.steering import engine


class WordlessError(Exception):
    def __str__(self):
        raise RuntimeError("not even that")


def raised(name):
    """An exception as nodes raise it."""
    match name:
        case "node":
            return NodeError("it cannot", field="name", details="line 1\nline 2")
        case "passing":
            return ServiceError("it is busy", retryable=True)
        case "for good":
            return ServiceError("it refuses", retryable=False)
        case "wordless":
            return WordlessError()
        case "group":
            return ExceptionGroup("several", [ValueError("one"), KeyError("two")])
        case _:
            kinds = {x.__name__: x for x in (SystemExit, KeyboardInterrupt, GeneratorExit)}
            kinds |= {x.__name__: x for x in (ValueError, MemoryError, TimeoutError)}
            return {**kinds, "CancelledError": asyncio.CancelledError}[name]()


class Breaks(Node):
    """Raises `name` so many times, then hands on what it was given."""

    type: ClassVar[str] = "breaks"

    name: str
    times: int = 10**9

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        await asyncio.sleep(0)
        CALLS.append(ctx.node)
        if len(CALLS) <= self.times:
            raise raised(self.name)
        return Result.value("done")


class Hangs(Node):
    type: ClassVar[str] = "hangs"

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        try:
            await asyncio.Event().wait()
        finally:
            CALLS.append("cleaned up")
        return Result.value(None)


class Odd(Node):
    """Hands on something that is no JSON value."""

    type: ClassVar[str] = "odd"

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result.value(object())


TYPES: dict[str, Any] = {"breaks": Breaks, "hangs": Hangs, "odd": Odd}
CALLS: list[str] = []
"""What the nodes above did; empty at the beginning of a test."""


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


def failing(node, edges="- {from: bad, to: end}", clock=None):
    """Run a node that fails, with an endpoint behind it and one at its `error` handle."""
    text = f"""
nodes:
- {{label: start, type: start}}
- {{label: bad, {node}}}
- {{label: end, type: endpoint}}
- {{label: rescue, type: endpoint}}
- {{label: beside, type: endpoint}}
connections:
- {{from: start, to: bad}}
- {{from: start, to: beside, label: x}}
{edges}
"""
    return run(text, engine=engine(types=TYPES, clock=clock))


# What a node raises -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "type_", "message"),
    [
        ("node", "NodeError", "it cannot"),
        ("for good", "ServiceError", "it refuses"),
        ("ValueError", "ValueError", "ValueError"),
        ("SystemExit", "SystemExit", "SystemExit"),
        ("KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("GeneratorExit", "GeneratorExit", "GeneratorExit"),
        ("CancelledError", "CancelledError", "CancelledError"),
        ("MemoryError", "MemoryError", "MemoryError"),
        ("TimeoutError", "TimeoutError", "TimeoutError"),
        ("wordless", "WordlessError", "WordlessError"),
        ("group", "ExceptionGroup", "ExceptionGroup: several (2 sub-exceptions)"),
    ],
)
@pytest.mark.parametrize("more", ["", ", timeout: 60", ", retry: {max_attempts: 2}"])
def test_whatever_a_node_raises_fails_the_run(name, type_, message, more):
    error = failing(f"type: breaks, name: {name}{more}").error
    assert (type_, message, "bad", 1) == (error.type, error.message, error.node, error.activation)


def test_the_details_of_an_error_travel_with_it():
    error = failing("type: breaks, name: node").error
    assert ("name", "line 1\nline 2") == (error.field, error.details)


def test_a_value_that_is_no_json_is_an_error():
    error = failing("type: odd").error
    assert ("NodeError", "bad") == (error.type, error.node)
    assert "handed on a value that is not JSON" in error.message


# on_error -----------------------------------------------------------------------------------------

RESCUE = '- {from: bad, to: end}\n- {from: "bad[error]", to: rescue}'


@pytest.mark.parametrize("settings", ["", ", on_error: fail"])
def test_fail_lets_what_runs_finish_and_starts_nothing(settings):
    outcome = failing(f"type: breaks, name: node{settings}")
    (failed,) = outcome.of(e.NodeFailed)
    assert (outcome.error, None) == (failed.error, failed.outputs)
    assert not outcome.completed("end")


def test_continue_goes_on_without_what_hangs_on_it():
    outcome = failing("type: breaks, name: ValueError, on_error: continue")
    assert {"rescue": None, "beside": {}} == outcome.outputs
    assert (["end"], {}) == (outcome.skipped, outcome.of(e.NodeFailed)[0].outputs)


@pytest.mark.parametrize("value", ["text", "[1, 2]", "null", "{a: 1}"])
def test_a_default_takes_the_place_of_the_value(value):
    outcome = failing(f"type: breaks, name: SystemExit, on_error: {{default: {value}}}")
    expected = {"text": "text", "[1, 2]": [1, 2], "null": None, "{a: 1}": {"a": 1}}[value]
    assert expected == outcome.outputs["end"]


def test_an_error_edge_carries_the_error_and_nothing_else():
    outcome = failing("type: breaks, name: node, on_error: edge", RESCUE)
    assert {"type": "NodeError", "message": "it cannot"} == outcome.outputs["rescue"]
    assert ["end"] == outcome.skipped


def test_an_error_edge_is_dead_when_all_goes_well():
    outcome = failing("type: breaks, name: node, times: 0, on_error: edge", RESCUE)
    assert ("done", ["rescue"]) == (outcome.outputs["end"], outcome.skipped)


def test_the_default_of_a_condition_takes_its_first_way():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: if, type: condition, expression: lost > 1, on_error: {default: 7}}
- {label: yes, type: endpoint}
- {label: no, type: endpoint}
connections:
- {from: start, to: if}
- {from: "if[condtrue]", to: yes}
- {from: "if[condfalse]", to: no}
"""
    )
    assert {"yes": 7} == outcome.outputs


@pytest.mark.parametrize("value", ["skip", "{defalt: 1}", "3"])
def test_an_unknown_on_error_is_found_before_running(value):
    with pytest.raises(DiagramError) as caught:
        failing(f"type: breaks, name: node, on_error: {value}")
    (problem,) = caught.value.problems
    assert (
        "Node 'bad': `on_error`: write fail, continue, edge, or {default: value}."
        == problem.message
    )
    assert ("bad_property", ("nodes", "bad", "on_error")) == (problem.code, problem.path)


def test_an_error_edge_needs_the_node_to_have_one():
    with pytest.raises(DiagramError, match="'bad' has no output 'error'"):
        failing("type: breaks, name: node", RESCUE)


def test_a_node_in_a_loop_may_fail_in_one_round():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: bad, type: breaks, name: node, times: 1, on_error: {default: sorry}, max_iteration: 2}
- {label: done, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: bad}
- {from: bad, to: done}
- {from: "done[condfalse]", to: bad, label: again}
- {from: "done[condtrue]", to: end}
""",
        engine=engine(types=TYPES),
    )
    assert ("sorry", {"end": "done"}) == (outcome.inputs("bad", 2)["again"], outcome.outputs)


# Retries and timeouts -----------------------------------------------------------------------------


def test_without_retry_a_node_is_tried_once():
    failing("type: breaks, name: passing")
    assert ["bad"] == CALLS


@pytest.mark.parametrize("name", ["for good", "node", "ValueError", "SystemExit"])
def test_what_will_not_pass_is_not_tried_again(name):
    clock = FakeClock()
    failing(f"type: breaks, name: {name}, retry: {{max_attempts: 5}}", clock=clock)
    assert (["bad"], []) == (CALLS, clock.pauses)


def test_retry_gives_up_with_the_last_error():
    error = failing(
        "type: breaks, name: passing, retry: {max_attempts: 4}", clock=FakeClock()
    ).error
    assert (["bad"] * 4, "it is busy") == (CALLS, error.message)


@pytest.mark.parametrize(
    ("policy", "pauses"),
    [
        ("max_attempts: 4", [0.5, 1, 2]),
        ("max_attempts: 4, initial_interval: 8, max_interval: 20", [8, 16, 20]),
        ("max_attempts: 4, initial_interval: 9, max_interval: 3", [3, 3, 3]),
        ("max_attempts: 4, backoff_factor: 1", [0.5] * 3),
        ("max_attempts: 3, initial_interval: 0", [0, 0]),
    ],
)
def test_pauses_grow_up_to_their_limit(policy, pauses):
    clock = FakeClock()
    failing(f"type: breaks, name: passing, retry: {{{policy}, jitter: false}}", clock=clock)
    assert pauses == clock.pauses


def test_jitter_shortens_a_pause_by_half_at_most():
    clock = FakeClock()
    policy = "{max_attempts: 50, initial_interval: 1, backoff_factor: 1}"
    failing(f"type: breaks, name: passing, retry: {policy}", clock=clock)
    assert all(0.5 <= pause <= 1 for pause in clock.pauses)
    assert len(set(clock.pauses)) > 1


def test_thousands_of_attempts_overflow_nothing():
    clock = FakeClock()
    policy = "{max_attempts: 1100, max_interval: 1e300, backoff_factor: 10, jitter: false}"
    assert (
        "it is busy"
        == failing(f"type: breaks, name: passing, retry: {policy}", clock=clock).error.message
    )


def test_a_retry_that_works_leaves_no_trace_but_progress():
    outcome = failing("type: breaks, name: passing, times: 1, retry: {}", clock=FakeClock())
    assert ("done", []) == (outcome.outputs["end"], outcome.of(e.NodeFailed))
    (told,) = outcome.of(e.NodeProgress)
    assert told.message.startswith("attempt 1 failed (it is busy); trying again in ")


def test_a_node_that_takes_too_long_is_stopped():
    error = failing("type: hangs, timeout: 0.02").error
    assert ("NodeTimeoutError", "timeout") == (error.type, error.field)
    assert "gave no result within its timeout of 0.02 s" == error.message
    assert ["cleaned up"] == CALLS


def test_a_timeout_covers_all_attempts_together():
    error = failing(
        "type: breaks, name: passing, timeout: 0.02, retry: {initial_interval: 60}"
    ).error
    assert ("NodeTimeoutError", ["bad"]) == (error.type, CALLS)


def test_on_error_counts_for_timeouts_too():
    outcome = failing("type: hangs, timeout: 0.01, on_error: {default: late}")
    assert "late" == outcome.outputs["end"]


@pytest.mark.parametrize(
    "settings", ["timeout: 0", "retry: {max_attempts: 0}", "retry: {attempts: 3}", "retry: 3"]
)
def test_a_wrong_policy_is_found_before_running(settings):
    with pytest.raises(DiagramError) as caught:
        failing(f"type: breaks, name: node, {settings}")
    assert {"bad_property"} == {problem.code for problem in caught.value.problems}


# When a model fails -----------------------------------------------------------------------------

ONE = """
nodes: [{label: p, type: person_job, person: P, prompt: hi, SETTINGS}]
persons: {P: {service: openai, model: m}}
"""


def tried(server, settings="", clock=None):
    clock = clock or FakeClock()
    text = ONE.replace("SETTINGS", settings)
    return run(text, engine=engine(server=server, clock=clock)), clock.pauses


@pytest.mark.parametrize(
    ("settings", "attempts"),
    [("", 3), ("retry: {max_attempts: 5}", 5), ("retry: {max_attempts: 1}", 1)],
)
def test_a_model_that_always_fails_is_asked_as_often_as_allowed(openai_server, settings, attempts):
    openai_server.fail(500, times=None)
    outcome, pauses = tried(openai_server, settings)
    assert (attempts, attempts - 1) == (len(openai_server.requests), len(pauses))
    assert "127.0.0.1 refused (500): It was scripted so." == outcome.error.message
    assert "p" == outcome.error.node


@pytest.mark.parametrize(
    ("status", "wanted", "attempts"),
    [
        (429, "rate_limit", 3),
        (500, "rate_limit", 1),
        (500, "server_error", 3),
        (504, "timeout", 3),
        (504, "connection", 1),
    ],
)
def test_only_the_failures_in_retry_on_are_tried_again(openai_server, status, wanted, attempts):
    openai_server.fail(status, times=None)
    tried(openai_server, f"retry: {{retry_on: [{wanted}]}}")
    assert attempts == len(openai_server.requests)


def test_each_failed_attempt_is_told_with_its_pause(openai_server):
    openai_server.fail(500, times=2)
    outcome, pauses = tried(openai_server, "retry: {initial_interval: 2, jitter: false}")
    told = [each.message for each in outcome.of(e.NodeProgress)]
    reason = "127.0.0.1 refused (500): It was scripted so."
    assert [
        f"attempt 1 failed ({reason}); trying again in 2.0 s",
        f"attempt 2 failed ({reason}); trying again in 4.0 s",
    ] == told
    assert ([2, 4], {"p": "hi"}) == (pauses, outcome.outputs)


def test_the_wait_that_a_provider_asks_for_is_kept(openai_server):
    openai_server.fail(429, retry_after=40)
    outcome, pauses = tried(openai_server, "retry: {initial_interval: 1, jitter: false}")
    assert ([40], {"p": "hi"}) == (pauses, outcome.outputs)


def test_a_refusal_for_good_is_not_tried_again(openai_server):
    openai_server.fail(401, times=None)
    outcome, pauses = tried(openai_server)
    assert (1, []) == (len(openai_server.requests), pauses)
    assert "refused (401): It was scripted so. Check the key." in outcome.error.message


def test_a_model_that_never_answers_ends_with_the_timeout(openai_server):
    openai_server.hang(times=None)
    outcome, _ = tried(openai_server, "timeout: 0.3")
    assert ("NodeTimeoutError", "timeout") == (outcome.error.type, outcome.error.field)
    assert openai_server.wait(lambda: openai_server.open_connections == 0)


def test_half_an_answer_is_none_and_is_asked_for_again(openai_server):
    openai_server.cut_stream()
    outcome, _ = tried(openai_server)
    assert ({"p": "hi"}, 2) == (outcome.outputs, len(openai_server.requests))
    assert 1 == len(outcome.completed("p"))
