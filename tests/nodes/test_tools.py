"""Tools: what models are told of them, how they are used, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from base64 import b64decode
from contextlib import closing
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

import dipeo_jupyter as dipeo
from dipeo_jupyter.app import build_services
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.ports import OnePlace
from dipeo_jupyter.errors import DiagramError, ExecutionFailedError
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.tools import Functions
from dipeo_jupyter.settings import Settings
from tests.anthropic_server import AnthropicServer
from tests.gemini_server import GeminiServer
from tests.openai_server import PNG, OpenAIServer
from tests.running import run
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

SERVERS = {
    "openai": OpenAIServer,
    "anthropic": AnthropicServer,
    "gemini": GeminiServer,
    "xai": OpenAIServer,
}
KEYS = {f"{name.upper()}_API_KEY": "sk-canary-0123456789abcdef" for name in SERVERS}


def rate(
    source: str, target: Annotated[str, Field(description="a currency, such as EUR")] = "EUR"
) -> float:
    """What one unit of a currency costs in another."""
    return {"USD": 0.9}[source] if target == "EUR" else 1.5


def functions(*given, **options):
    known = Functions()
    for each in given:
        known.add(each, **options)
    return known


def drawn(tools="[rate]", more="", service="openai", start="{}"):
    return f"""
persons:
  P: {{service: {service}, model: m, system_prompt: You count.}}
nodes:
- {{label: start, type: start, custom_data: {start}}}
- {{label: p, type: person_job, person: P, prompt: How much?, tools: {tools}, {more}}}
- {{label: end, type: endpoint}}
connections: [{{from: start, to: p}}, {{from: p, to: end}}]
"""


def engine(server, *given, service="openai", root=None, journal=None, **options):
    settings = Settings(root=root or Path(), environ=KEYS, api_bases={service: server.url})

    def build():
        services = build_services(settings, functions(*given, **options))
        return Engine(
            load_node_types(), OnePlace(services), journal or MemoryJournal(), SystemClock()
        )

    return build


def asked(server, *given, text=None, **options):
    return run(text or drawn(), engine=engine(server, *given, **options))


# What models are told -----------------------------------------------------------------------------


def test_a_model_is_told_name_docstring_and_annotations_of_a_function(openai_server):
    asked(openai_server, rate)
    (tool,) = openai_server.requests[0].body["tools"]
    function = tool["function"]
    assert ("rate", "What one unit of a currency costs in another.") == (
        function["name"],
        function["description"],
    )
    properties = function["parameters"]["properties"]
    assert "a currency, such as EUR" == properties["target"]["description"]
    assert ["source"] == function["parameters"]["required"]


def test_a_run_without_one_of_its_functions_does_not_begin(openai_server):
    with pytest.raises(DiagramError, match=r"no function 'rates'.* Did you mean 'rate'\?"):
        asked(openai_server, rate, text=drawn("[rates]"))
    assert [] == openai_server.requests


def test_two_tools_of_one_name_are_refused(openai_server):
    outcome = asked(openai_server, rate, text=drawn("[rate, rate]"))
    assert "two tools that are called 'rate'" in outcome.error.message


# How they are used --------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["openai", "anthropic", "gemini"])
def test_each_provider_gets_the_result_of_the_call_it_made(service):
    with closing(SERVERS[service]()) as server:
        server.call(("rate", {"source": "USD"}), text="Let me see.")
        server.reply("It is 0.9.")
        text = drawn(service=service)
        outcome = run(text, engine=engine(server, rate, service=service))
        assert {"end": "It is 0.9."} == outcome.outputs
        assert 2 == len(server.requests)
        assert "0.9" in json.dumps(server.requests[1].body)


def test_the_second_request_is_the_first_with_the_call_and_its_result(openai_server):
    openai_server.call(("rate", {"source": "USD"}), text="Let me see.")
    openai_server.reply("0.9")
    asked(openai_server, rate)
    first, second = (each.body["messages"] for each in openai_server.requests)
    call, result = second[len(first) :]
    assert first == second[: len(first)]
    assert ("assistant", "Let me see.") == (call["role"], call["content"])
    assert {"name": "rate", "arguments": '{"source": "USD"}'} == call["tool_calls"][0]["function"]
    assert {"role": "tool", "content": "0.9", "tool_call_id": call["tool_calls"][0]["id"]} == result


def test_several_calls_of_one_answer_are_answered_in_their_order(openai_server):
    openai_server.call(("rate", {"source": "USD"}), ("rate", {"source": "USD", "target": "CHF"}))
    openai_server.reply("done")
    asked(openai_server, rate)
    results = [x["content"] for x in openai_server.requests[1].body["messages"][-2:]]
    assert ["0.9", "1.5"] == results


def test_repeatable_functions_run_at_once_and_others_one_after_another(openai_server):
    both = threading.Barrier(2, timeout=20)

    def meet() -> str:
        both.wait()
        return "met"

    openai_server.call(("meet", {}), ("meet", {}))
    openai_server.reply("done")
    outcome = run(drawn("[meet]"), engine=engine(openai_server, meet, repeatable=True))
    assert {"end": "done"} == outcome.outputs

    under_way = threading.Lock()

    def alone() -> str:
        assert under_way.acquire(blocking=False)
        under_way.release()
        return "alone"

    openai_server.call(("alone", {}), ("alone", {}), ("alone", {}))
    openai_server.reply("done")
    outcome = run(drawn("[alone]"), engine=engine(openai_server, alone))
    (message,) = (x for x in outcome.completed("p")[0].messages if x.uses)
    assert [False] * 3 == [use.failed for use in message.uses]


def test_a_coroutine_function_is_awaited(openai_server):
    async def slow() -> dict[str, int]:
        await asyncio.sleep(0)
        return {"n": 1}

    openai_server.call(("slow", {}))
    openai_server.reply("done")
    asked(openai_server, slow, text=drawn("[slow]"))
    assert '{"n": 1}' == openai_server.requests[1].body["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": "XYZ"}, "KeyError: 'XYZ'"),
        ({"target": "EUR"}, "source: Missing required argument"),
        ({"source": "USD", "more": 1}, "more: Unexpected keyword argument"),
        ('{"source": ', "The arguments are no JSON"),
        ("[1]", "The arguments are no JSON object"),
    ],
)
def test_what_goes_wrong_in_a_tool_is_told_to_the_model(openai_server, arguments, said):
    openai_server.call(("rate", arguments))
    openai_server.reply("I see.")
    outcome = asked(openai_server, rate)
    assert {"end": "I see."} == outcome.outputs
    assert said in openai_server.requests[1].body["messages"][-1]["content"]
    (message,) = (x for x in outcome.completed("p")[0].messages if x.uses)
    assert message.uses[0].failed


def test_a_model_is_told_the_beginning_of_a_result_that_is_too_long(openai_server, monkeypatch):
    monkeypatch.setattr("dipeo_jupyter.nodes.toolset.LONGEST_RESULT", 3)

    def alphabet() -> str:
        return "abcdefgh"

    openai_server.call(("alphabet", "{}"))
    openai_server.reply("I see.")
    asked(openai_server, alphabet, text=drawn("[alphabet]"))

    said = openai_server.requests[1].body["messages"][-1]["content"]
    assert said == "abc\n… (8 characters in all)"


class _WordlessError(Exception):
    def __str__(self) -> str:
        raise ValueError("I have no words.")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StopIteration("over"), "StopIteration: over"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (asyncio.CancelledError(), "CancelledError"),
        (BaseExceptionGroup("all", [SystemExit(1)]), "BaseExceptionGroup: all"),
        (_WordlessError(), "_WordlessError"),
    ],
)
@pytest.mark.parametrize("kind", ["function", "coroutine function"])
def test_no_error_of_a_function_ends_more_than_its_use(openai_server, kind, error, said):
    def fails() -> None:
        raise error

    async def fails_later() -> None:
        if not isinstance(error, StopIteration):
            raise error
        raise RuntimeError("StopIteration: over")

    openai_server.call(("fails", {}))
    openai_server.reply("I see.")
    function = fails if kind == "function" else fails_later
    outcome = asked(openai_server, function, text=drawn("[fails]"), name="fails")
    assert {"end": "I see."} == outcome.outputs
    assert said in openai_server.requests[1].body["messages"][-1]["content"]


def test_a_model_hears_whether_its_arguments_were_wrong_or_others(openai_server):
    def checks(n: int) -> int:
        return TypeAdapter(int).validate_python("many")

    openai_server.call(("checks", {"n": "few"}), ("checks", {"n": 1}))
    openai_server.reply("I see.")
    asked(openai_server, checks, text=drawn("[checks]"))
    first, second = (x["content"] for x in openai_server.requests[1].body["messages"][-2:])
    assert first.startswith("The arguments are wrong: n: ")
    assert second.startswith("ValidationError: 1 validation error for int")


def test_what_a_function_returns_to_be_awaited_is_awaited(openai_server):
    async def inner() -> str:
        return "at last"

    def outer():
        return inner()

    openai_server.call(("outer", {}))
    openai_server.reply("done")
    asked(openai_server, outer, text=drawn("[outer]"))
    assert "at last" == openai_server.requests[1].body["messages"][-1]["content"]


def test_functions_that_never_come_back_hold_up_nothing_but_their_uses(openai_server):
    over, begun = threading.Event(), threading.Semaphore(0)
    many = 40  # more than `asyncio.to_thread` has threads

    def stuck() -> str:
        begun.release()
        over.wait()
        return "free"

    async def others(engine, entry):
        if isinstance(entry.event, e.NodeStarted) and entry.event.node == "p":
            for _ in range(many):
                await asyncio.to_thread(begun.acquire)
            over.set()

    openai_server.call(*[("stuck", {})] * many)
    openai_server.reply("done")
    make = engine(openai_server, stuck, repeatable=True)
    assert {"end": "done"} == run(drawn("[stuck]"), engine=make, steer=others).outputs


def test_a_tool_that_is_not_there_is_told_to_the_model(openai_server):
    openai_server.call(("rates", {}))
    openai_server.reply("I see.")
    asked(openai_server, rate)
    told = openai_server.requests[1].body["messages"][-1]["content"]
    assert "There is no tool 'rates'. Did you mean 'rate'?" == told


def test_a_model_that_never_comes_to_an_end_is_stopped(openai_server):
    openai_server.call(("rate", {"source": "USD"}), times=None)
    outcome = asked(openai_server, rate, text=drawn(more="max_tool_rounds: 3"))
    assert "still wants to use tools after 3 rounds" in outcome.error.message
    assert "max_tool_rounds" == outcome.error.field
    assert 4 == len(openai_server.requests)


def test_tools_and_a_schema_go_together(openai_server):
    schema = "{type: object, properties: {n: {type: number}}, required: [n]}"
    openai_server.call(("rate", {"source": "USD"}))
    openai_server.reply("about 0.9")
    openai_server.reply('{"n": 0.9}')
    outcome = asked(openai_server, rate, text=drawn(more=f"output_schema: {schema}"))
    assert {"end": {"n": 0.9}} == outcome.outputs
    last = [x["role"] for x in openai_server.requests[2].body["messages"]]
    assert ["system", "user", "assistant", "tool", "assistant", "user"] == last


# Memory, journal ----------------------------------------------------------------------------------

TWO_TURNS = """
persons:
  P: {service: openai, model: m}
  Q: {service: openai, model: m}
nodes:
- {label: start, type: start}
- {label: p, type: person_job, person: P, prompt: One., tools: [rate]}
- {label: again, type: person_job, person: P, prompt: Two.}
- {label: other, type: person_job, person: Q, prompt: Three., memory: ALL_MESSAGES}
- {label: end, type: endpoint}
connections:
- {from: start, to: p}
- {from: p, to: again}
- {from: again, to: other}
- {from: other, to: end}
"""


def test_tools_used_are_remembered_by_the_person_and_told_to_others(openai_server):
    openai_server.call(("rate", {"source": "USD"}))
    openai_server.reply("It is 0.9.")
    asked(openai_server, rate, text=TWO_TURNS)
    mine, others = (each.body["messages"] for each in openai_server.requests[2:])
    assert ["user", "assistant", "tool", "assistant", "user"] == [x["role"] for x in mine]
    assert {"user"} == {x["role"] for x in others}
    assert '[used rate({"source": "USD"}): 0.9]' == others[1]["content"]


def test_a_call_is_never_seen_without_its_result_whatever_the_limit(openai_server):
    openai_server.call(("rate", {"source": "USD"}))
    openai_server.reply("It is 0.9.")
    text = TWO_TURNS.replace("prompt: Two.", "prompt: Two., at_most: 2")
    asked(openai_server, rate, text=text)
    seen = [x["role"] for x in openai_server.requests[2].body["messages"]]
    assert ["assistant", "tool", "assistant", "user"] == seen


def test_what_was_used_is_in_the_conversation_once_and_among_what_was_seen(openai_server):
    openai_server.call(("rate", {"source": "USD"}))
    openai_server.reply("It is 0.9.")
    outcome = asked(openai_server, rate)
    (done,) = outcome.completed("p")
    assert ["p[1].0", "p[1].1", "p[1].2"] == [x.id for x in done.messages]
    assert ("p[1].0", "p[1].1") == done.seen
    (use,) = done.messages[1].uses
    assert ("rate", '{"source": "USD"}', "0.9") == (use.name, use.arguments, use.result)
    effects = [x.effect for x in outcome.of(e.EffectCompleted)]
    assert ["", ".tool0.0", ".after1"] == effects


def test_a_failed_run_that_is_resumed_uses_no_tool_twice(openai_server, tmp_path):
    used = []

    @dipeo.tool
    def note(text: str) -> str:
        """Write it down."""
        used.append(text)
        return "noted"

    openai_server.call(("note", {"text": "a"}))
    openai_server.fail(400)
    openai_server.reply("done")
    settings = Settings(
        root=tmp_path, home=tmp_path, environ=KEYS, api_bases={"openai": openai_server.url}
    )
    with closing(Session(settings)) as session:
        running = session.start(drawn("[note]"))
        with pytest.raises(ExecutionFailedError, match="refused"):
            running.wait()
        running.resume()
        assert {"end": "done"} == running.wait().outputs
    assert ["a"] == used


def test_a_plan_knows_that_a_function_that_was_changed_is_used_again(tmp_path):
    used = []

    def count() -> str:
        used.append(1)
        return "1"

    def recount() -> str:
        used.append(2)
        return "2"

    text = drawn("[count]", service="demo").replace(
        "model: m", "answers: [{use: count}, {use: count}, done]"
    )
    with closing(Session(Settings(root=tmp_path, home=tmp_path / "runs"))) as session:
        dipeo.tool(name="count")(count)
        first = session.start(text).wait()
        dipeo.tool(name="count")(recount)
        plan = session.plan(text, since=first)
        row = next(each for each in plan.activations if each.node == "p")
        assert ("run", "changed") == (row.action, row.why)
        session.start(text, since=first).wait()
    assert [1, 1, 2, 2] == used


def test_images_deep_in_what_a_function_returns_are_shown_and_named_there(openai_server):
    def look() -> dict[str, object]:
        return {"pages": [b64decode(PNG)], "count": 1}

    openai_server.call(("look", {}))
    openai_server.reply("I see.")
    asked(openai_server, look, text=drawn("[look]"))
    *_, result, shown = openai_server.requests[1].body["messages"]
    assert '{"pages": ["(image 1)"], "count": 1}' == result["content"]
    assert shown["content"][-1]["image_url"]["url"].startswith("data:image/png;base64,")


# Diagrams as tools --------------------------------------------------------------------------------

SHOUT = """
description: Says it loudly.
persons:
  S: {service: demo, answers: [LOUD]}
nodes:
- label: start
  type: start
  data_schema:
    type: object
    properties: {text: {type: string, description: what to say}}
    required: [text]
- {label: say, type: person_job, person: S, prompt: "{{text}}"}
- {label: result, type: endpoint}
connections: [{from: start, to: say}, {from: say, to: result}]
"""


def test_a_diagram_is_a_tool_with_its_description_and_its_inputs(openai_server, tmp_path):
    (tmp_path / "shout.light.yaml").write_text(SHOUT)
    openai_server.call(("shout", {"text": "hi"}), ("shout", {}))
    openai_server.reply("done")
    outcome = asked(openai_server, text=drawn("[shout.light.yaml]"), root=tmp_path)
    assert {"end": "done"} == outcome.outputs
    (tool,) = openai_server.requests[0].body["tools"]
    assert "Says it loudly." == tool["function"]["description"]
    assert ["text"] == tool["function"]["parameters"]["required"]
    results = [x["content"] for x in openai_server.requests[1].body["messages"][-2:]]
    assert "LOUD" == results[0]
    assert "The arguments are wrong: 'text' is a required property" in results[1]


def test_a_diagram_that_fails_is_told_to_the_model(openai_server, tmp_path):
    (tmp_path / "shout.light.yaml").write_text(SHOUT.replace("{{text}}", "{{nothing}}"))
    openai_server.call(("shout", {"text": "hi"}))
    openai_server.reply("I see.")
    outcome = asked(openai_server, text=drawn("[{diagram: shout}]"), root=tmp_path)
    assert {"end": "I see."} == outcome.outputs
    assert "nothing" in openai_server.requests[1].body["messages"][-1]["content"]


# In batches, and built into providers -------------------------------------------------------------


def test_every_item_of_a_batch_uses_tools_of_its_own(openai_server, tmp_path):
    (tmp_path / "shout.light.yaml").write_text(SHOUT)
    for _ in range(2):
        openai_server.call(("shout", {"text": "hi"}))
        openai_server.reply("done")
    more = "batch: true, items: xs, batch_parallel: false"
    text = drawn("[shout.light.yaml]", more, start="{xs: [1, 2]}")
    outcome = asked(openai_server, text=text, root=tmp_path)
    assert {"end": ["done", "done"]} == outcome.outputs
    ids = [x.id for x in outcome.completed("p")[0].messages]
    assert [f"p[1].{item}.{place}" for item in (0, 1) for place in (0, 1, 2)] == ids


SEARCH = "[{web_search: {search_context_size: low}}]"


@pytest.mark.parametrize(
    ("service", "model", "path", "tool"),
    [
        ("openai", "gpt-5", "/v1/responses", {"type": "web_search", "search_context_size": "low"}),
        ("xai", "grok-4", "/v1/responses", {"type": "web_search"}),
        ("anthropic", "m", "/v1/messages", {"type": "web_search_20250305", "name": "web_search"}),
        ("gemini", "m", "/v1beta/models/m:streamGenerateContent?alt=sse", {"googleSearch": {}}),
    ],
)
def test_each_provider_searches_in_its_own_way(service, model, path, tool):
    with closing(SERVERS[service]()) as server:
        server.reply("It was found.")
        text = drawn(SEARCH, service=service).replace("model: m", f"model: {model}")
        outcome = run(text, engine=engine(server, service=service))
        assert {"end": "It was found."} == outcome.outputs
        (request,) = server.requests
        assert path == request.path
        assert tool.items() <= request.body["tools"][0].items()


def test_models_of_openai_that_always_search_are_asked_as_others(openai_server):
    text = drawn(SEARCH).replace("model: m", "model: gpt-4o-search-preview")
    openai_server.reply("It was found.")
    assert {"end": "It was found."} == asked(openai_server, text=text).outputs
    (request,) = openai_server.requests
    assert {"search_context_size": "low"} == request.body["web_search_options"]


def test_openai_searches_near_a_place_beside_functions_and_with_a_schema(openai_server):
    place = "{type: approximate, approximate: {country: CH}}"
    schema = "{type: object, properties: {n: {type: number}}, required: [n]}"
    tools = f"[{{web_search: {{user_location: {place}}}}}, rate]"
    text = drawn(tools, f"output_schema: {schema}").replace("model: m", "model: gpt-5")
    openai_server.call(("rate", {"source": "USD"}), text="Let me see.")
    openai_server.reply('{"n": 0.9}')
    assert {"end": {"n": 0.9}} == asked(openai_server, rate, text=text).outputs
    first, second = (each.body for each in openai_server.requests)
    search = {"type": "web_search", "user_location": {"type": "approximate", "country": "CH"}}
    assert search in first["tools"]
    assert ["function_call", "function_call_output"] == [x["type"] for x in second["input"][-2:]]


@pytest.mark.parametrize(
    ("break_off", "said"),
    [
        (lambda server: server.fail(401, echo_key=True), r"refused \(401\).*\[key removed\]"),
        (lambda server: server.cut_stream(), "broke off"),
        (lambda server: server.garbage("html"), "no answer|broke off"),
    ],
)
def test_a_search_that_breaks_off_says_so(openai_server, break_off, said):
    break_off(openai_server)
    text = drawn(SEARCH, "retry: {max_attempts: 1}").replace("model: m", "model: gpt-5")
    outcome = asked(openai_server, text=text)
    assert re.search(said, outcome.error.message)


def test_gemini_is_not_asked_to_search_when_its_search_would_be_left_out():
    with closing(GeminiServer()) as server:
        text = drawn("[web_search, rate]", service="gemini")
        outcome = run(text, engine=engine(server, rate, service="gemini"))
        assert "cannot search in the web while it has other tools" in outcome.error.message
        assert [] == server.requests


def test_a_model_without_a_search_is_not_asked(openai_server):
    text = drawn("[web_search]", service="ollama")
    outcome = run(text, engine=engine(openai_server, service="ollama"))
    assert outcome.error.message.endswith(
        " cannot search in the web. Leave out `web_search`, or take another model."
    )
    assert [] == openai_server.requests


def test_claude_thinks_before_it_uses_tools_and_not_between():
    with closing(AnthropicServer()) as server:
        server.call(("rate", {"source": "USD"}))
        server.reply("It is 0.9.")
        model = "model: claude-sonnet-4-5, reasoning_effort: low"
        text = drawn(service="anthropic").replace("model: m", model)
        outcome = run(text, engine=engine(server, rate, service="anthropic"))
        assert {"end": "It is 0.9."} == outcome.outputs
        assert [True, False] == ["thinking" in each.body for each in server.requests]
