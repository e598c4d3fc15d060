"""`person_batch_job`: the same question about each item of a list."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from dipeo_jupyter.errors import DiagramError
from dipeo_jupyter.protocol import events as e
from tests.clock import FakeClock
from tests.running import run
from tests.steering import engine

DEMO = "\npersons:\n  P: {service: demo, answers: [yes]}\n"
REAL = "\npersons:\n  P: {service: openai, model: m}\n"
TEXT = """
nodes:
- {label: start, type: start, custom_data: {rows: [a, b, c], deep: {rows: [x]}, one: 1}}
- {label: ask, type: person_batch_job, person: P, prompt: "{{index}} {{item}}", SETTINGS}
connections: [{from: start, to: ask}]
"""
JOB = TEXT.replace("person_batch_job", "person_job")


def asked(settings="items: rows", inputs=None, people=DEMO, **options):
    return run(TEXT.replace("SETTINGS", settings) + people, inputs, **options)


def at(server, settings, **options):
    """The same with the model at the server, at one item after the other unless told."""
    settings = f"max_concurrency: 1, {settings}" if "max_concurr" not in settings else settings
    build = engine(server=server, clock=options.pop("clock", FakeClock()))
    return asked(settings, people=REAL, engine=build, **options)


def contents(server):
    return [each.body["messages"][-1]["content"] for each in server.requests]


def prompts(outcome):
    (done,) = outcome.completed("ask")
    return [message.content for message in done.messages if message.sender is None]


# Which items --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("items: rows", ["0 a", "1 b", "2 c"]),
        ("over: deep.rows", ["0 x"]),
        ("batch_input_key: default.rows", ["0 a", "1 b", "2 c"]),
        ("items: 'start.rows[1:]'", ["0 b", "1 c"]),
    ],
)
def test_items_names_the_list_by_any_path(settings, expected):
    assert expected == prompts(asked(settings))


def test_without_a_name_the_only_list_is_taken():
    outcome = run(
        """
nodes:
- {label: rows, type: start, custom_data: [1, {a: 2}]}
- {label: ask, type: person_batch_job, person: P, prompt: "{{item}}"}
connections: [{from: rows, to: ask, label: rows}]
"""
        + DEMO
    )
    assert ["1", '{\n  "a": 2\n}'] == prompts(outcome)


def test_no_list_among_the_inputs_is_an_error():
    error = asked("").error
    expected = "finds 0 lists among its inputs (default). Name one with `items:`."
    assert ("ask", expected) == (error.node, error.message)


def test_two_lists_among_the_inputs_are_an_error():
    outcome = run(
        """
nodes:
- {label: a, type: start, custom_data: [1]}
- {label: b, type: start, custom_data: [2]}
- {label: ask, type: person_batch_job, person: P, prompt: "{{item}}"}
connections: [{from: a, to: ask}, {from: b, to: ask}]
"""
        + DEMO
    )
    assert "finds 2 lists among its inputs (a, b)" in outcome.error.message


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ("items: one", "items", "`items: one` is a number, not a list."),
        ("over: rwos", "over", "`rwos` is not known here. Did you mean 'rows'?"),
        ("items: deep.lines", "items", "`deep` has no 'lines'"),
    ],
)
def test_what_is_no_list_fails_where_it_was_named(settings, field, said):
    error = asked(settings).error
    assert ("ask", field) == (error.node, error.field)
    assert said in error.message


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ("items: 'rows['", "bad_expression", "items"),
        ("over: '{{rows}}'", "bad_expression", "over"),
        ("items: rows, memory: none", "bad_property", "memory"),
        ("items: rows, first_only_prompt: '{{x'", "bad_template", "first_only_prompt"),
        ("items: rows, max_concurrent: 0", "bad_property", "max_concurrent"),
    ],
)
def test_mistakes_are_found_before_running(settings, code, field):
    with pytest.raises(DiagramError) as caught:
        asked(settings)
    (problem,) = caught.value.problems
    assert (code, ("nodes", "ask", field)) == (problem.code, problem.path)


def test_what_arrives_as_items_is_the_list_when_none_is_named():
    inputs = {"items": ["x"]}
    assert ["0 x"] == prompts(asked("partial: false", inputs))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("batch: true, batch_input_key: rows", ["0 a", "1 b", "2 c"]),
        ("batch: true, items: deep.rows", ["0 x"]),
        ("batch: 'true', batch_input_key: rows, batch_parallel: false", ["0 a", "1 b", "2 c"]),
    ],
)
def test_a_person_job_with_batch_asks_about_each_item(settings, expected):
    outcome = run(JOB.replace("SETTINGS", settings) + DEMO)
    assert expected == prompts(outcome)


def test_a_person_job_with_batch_takes_what_arrives_as_items():
    outcome = run(JOB.replace("SETTINGS", "batch: true") + DEMO, {"items": ["x", "y"]})
    assert ["0 x", "1 y"] == prompts(outcome)


def test_a_person_job_with_partial_goes_on_like_a_batch_job(openai_server):
    openai_server.fail(400)
    text = JOB.replace("SETTINGS", "batch: true, items: rows, partial: true, max_concurrent: 1")
    outcome = run(text + REAL, engine=engine(server=openai_server, clock=FakeClock()))
    value = outcome.outputs["ask"]
    assert ([0], 3) == ([each["index"] for each in value["failed"]], value["total"])


def test_an_empty_list_gives_an_empty_list():
    outcome = asked("items: rows", {"rows": []})
    assert ({"ask": []}, []) == (outcome.outputs, prompts(outcome))


# Order and number ---------------------------------------------------------------------------------


def test_answers_stand_in_the_order_of_the_items(openai_server):
    turns = {str(number): asyncio.Event() for number in range(4)}
    turns["3"].set()

    async def last_first(exchange):
        number = exchange.request.body["messages"][-1]["content"][0]
        await turns[number].wait()
        await exchange.stream([f"answer {number}"])
        if number != "0":
            turns[str(int(number) - 1)].set()

    openai_server._then(last_first, times=None)
    outcome = at(openai_server, "items: rows, max_concurrency: 4", inputs={"rows": [*"abcd"]})
    assert [f"answer {number}" for number in range(4)] == outcome.outputs["ask"]


@pytest.mark.parametrize("setting", ["max_concurrency: 3", "max_concurrent: 3"])
def test_no_more_calls_than_allowed_are_under_way(openai_server, setting):
    count, full = Counter(), asyncio.Barrier(3)

    async def together(exchange):
        count["now"] += 1
        count["most"] = max(count["now"], count["most"])
        await full.wait()
        count["now"] -= 1
        await exchange.stream(["ok"])

    openai_server._then(together, times=None)
    outcome = at(openai_server, f"items: rows, {setting}", inputs={"rows": [*range(9)]})
    assert (["ok"] * 9, 3) == (outcome.outputs["ask"], count["most"])


@pytest.mark.parametrize("name", ["parallel", "batch_parallel", "parallelProcessing"])
def test_without_parallel_one_item_follows_the_other(openai_server, name):
    count = Counter()

    async def alone(exchange):
        count["now"] += 1
        count["most"] = max(count["now"], count["most"])
        await asyncio.sleep(0)
        await exchange.stream(["ok"])
        count["now"] -= 1

    openai_server._then(alone, times=None)
    at(openai_server, f"items: rows, max_concurrency: 5, {name}: false")
    assert 1 == count["most"]


def test_one_after_the_other_is_in_order(openai_server):
    at(openai_server, "items: rows")
    assert ["0 a", "1 b", "2 c"] == contents(openai_server)


# When items fail ----------------------------------------------------------------------------------


def test_an_item_tried_again_repeats_no_other(openai_server):
    openai_server.reply("A")
    openai_server.fail(500)
    clock = FakeClock()
    outcome = at(openai_server, "items: rows, retry: {jitter: false}", clock=clock)
    assert ["0 a", "1 b", "1 b", "2 c"] == contents(openai_server)
    assert (["A", "1 b", "2 c"], [0.5]) == (outcome.outputs["ask"], clock.pauses)


def test_with_partial_the_others_go_on(openai_server):
    openai_server.reply("A")
    openai_server.fail(400)
    outcome = at(openai_server, "items: rows, partial: true")
    value = outcome.outputs["ask"]
    assert [{"index": 0, "output": "A"}, {"index": 2, "output": "2 c"}] == value["results"]
    assert ([1], 3) == ([each["index"] for each in value["failed"]], value["total"])
    assert "refused (400)" in value["failed"][0]["error"]
    assert ["0 a", "2 c"] == prompts(outcome)


def test_without_partial_it_fails_after_all_are_done(openai_server):
    openai_server.fail(400)
    openai_server.reply("B")
    openai_server.fail(401)
    error = at(openai_server, "items: rows").error
    assert error.message.startswith("2 of 3 items failed; the first is item 0: 127.0.0.1 refused")
    assert error.message.endswith(" With `partial: true` the others go on.")
    assert ["0 a", "1 b", "2 c"] == contents(openai_server)


def test_an_item_that_fails_for_ever_uses_up_its_attempts_only(openai_server):
    openai_server.fail(500, times=2)
    outcome = at(openai_server, "items: rows, partial: true, retry: {max_attempts: 2}")
    assert ["0 a", "0 a", "1 b", "2 c"] == contents(openai_server)
    assert [0] == [each["index"] for each in outcome.outputs["ask"]["failed"]]


def test_an_unknown_name_is_told_once_with_its_place():
    outcome = run(
        TEXT.replace("SETTINGS", "items: rows").replace("{{item}}", "{{itm}}") + DEMO,
    )
    assert ("ask", "prompt") == (outcome.error.node, outcome.error.field)
    assert "3 of 3 items failed; the first is item 0: `itm` is not known" in outcome.error.message


class Broken:
    def check(self, label, person):
        return ()

    def price(self, person):
        return None

    def identity(self, person):
        return {}

    async def chat(self, request, on_text):
        raise KeyError("choices")


def test_a_defect_of_a_service_is_no_failed_item():
    outcome = asked("items: rows, partial: true", engine=engine(llm=Broken()))
    assert ("KeyError", "KeyError: 'choices'") == (outcome.error.type, outcome.error.message)


# The conversation ---------------------------------------------------------------------------------

AFTER = """
nodes:
- {label: rows, type: start, custom_data: [a, b]}
- {label: ask, type: person_batch_job, person: P, prompt: "{{item}}", memory: ALL_MESSAGES}
- {label: again, type: person_batch_job, person: P, prompt: "2{{item}}", items: rows, SETTINGS}
connections: [{from: rows, to: ask}, {from: ask, to: again}]
"""


def test_items_see_what_was_before_and_not_each_other(openai_server):
    settings = "memory: ALL_INVOLVED, max_concurrency: 1"
    run(AFTER.replace("SETTINGS", settings) + REAL, engine=engine(server=openai_server))
    sent = [[each["content"] for each in x.body["messages"]] for x in openai_server.requests]
    before = ["a", "a", "b", "b"]
    assert [[*before, "2a"], [*before, "2b"]] == sent[2:]
    assert sorted([["a"], ["b"]]) == sorted(sent[:2])


def test_seen_is_what_all_items_were_shown():
    outcome = run(AFTER.replace("SETTINGS", "at_most: 2") + DEMO)
    shown = outcome.completed("again")[0].seen
    assert ("ask[1].1.0", "ask[1].1.1", "again[1].0.0", "again[1].1.0") == shown


def test_the_tokens_of_all_items_are_added(openai_server):
    openai_server.usage(prompt_tokens=5, completion_tokens=2)
    (done,) = at(openai_server, "items: rows").completed("ask")
    assert e.Usage(input_tokens=15, output_tokens=6, calls=3, unpriced=3) == done.usage
