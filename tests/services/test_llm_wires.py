"""The same rules on three wires: OpenAI's, Anthropic's and Gemini's, each spoken on loopback."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import closing

import pytest

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, ChatRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol.events import Usage
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.settings import ModelLimits

from ..anthropic_server import AnthropicServer
from ..gemini_server import GeminiServer
from ..openai_server import OpenAIServer

KEY = "sk-canary-0123456789abcdef"
WIRES = {"openai": OpenAIServer, "claude": AnthropicServer, "gemini": GeminiServer}
VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "XAI_API_KEY")
GARBAGE = ("html", "json", "nothing")


@pytest.fixture(params=WIRES)
def service(request):
    return request.param


@pytest.fixture
def server(service):
    with closing(WIRES[service]()) as server:
        yield server


@pytest.fixture
def llm(service, server):
    return asked_at({service: server.url})


def asked_at(bases, limits=None):
    return LiteLLM(Keys(dict.fromkeys(VARIABLES, KEY)), bases, limits or ModelLimits())


def wish(service, *contents, timeout=20.0, **more):
    person = Person(service=service, model="m-1", **more)
    return ChatRequest(person, [ChatMessage("user", c) for c in contents or ["hello"]], timeout)


def ask(llm, request, on_text=len):
    async def run():
        try:
            return await llm.chat(request, on_text)
        finally:
            await llm.aclose()

    return asyncio.run(run())


def refusal(llm, request):
    with pytest.raises(ServiceError) as caught:
        ask(llm, request)
    return caught.value


# What is said and answered ----------------------------------------------------------------------


def test_pieces_arrive_in_order_and_make_the_answer(llm, server, service):
    pieces = ["It ", "is", " né", "w\n", "…"]
    server.reply("", pieces=pieces)
    arrived = []
    assert ask(llm, wish(service), arrived.append).text == "It is néw\n…"
    assert arrived == pieces


def test_the_last_message_is_what_was_said(llm, service):
    assert ask(llm, wish(service, "one", "two words")).text.endswith("two words")


def test_the_key_goes_where_the_provider_looks_for_it(llm, server, service):
    ask(llm, wish(service))
    name = {"openai": "authorization", "claude": "x-api-key", "gemini": "x-goog-api-key"}[service]
    assert KEY in server.requests[0].headers[name]
    assert KEY not in server.requests[0].path


def test_a_schema_stands_where_the_provider_wants_it(llm, server, service):
    model = {"openai": "gpt-4.1", "claude": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"name": "answer", "schema": schema, "strict": False}
    wanted = {"type": "json_schema", "json_schema": form}
    person = Person(service=service, model=model[service], response_format=wanted)
    server.reply('{"a": 1}')
    assert llm.takes_schema(person)
    assert ask(llm, ChatRequest(person, [ChatMessage("user", "Hi")], 20.0)).text == '{"a": 1}'
    body = server.requests[0].body
    places = {
        "openai": lambda: body["response_format"]["json_schema"]["schema"],
        "claude": lambda: body["output_format"]["schema"],
        "gemini": lambda: body["generationConfig"]["response_json_schema"],
    }
    assert places[service]().items() >= schema.items()


def test_each_wire_has_its_own_path():
    paths = {}
    for service, kind in WIRES.items():
        with closing(kind()) as server:
            ask(asked_at({service: server.url}), wish(service))
            paths[service] = server.requests[0].path
    assert paths == {
        "openai": "/v1/chat/completions",
        "claude": "/v1/messages",
        "gemini": "/v1beta/models/m-1:streamGenerateContent?alt=sse",
    }


def test_the_system_prompt_stands_where_the_provider_wants_it(llm, server, service):
    said = [ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")]
    person = Person(service=service, model="gemini-2.5-flash")  # of no other does litellm know it
    ask(llm, ChatRequest(person, said, 20.0))
    body = server.requests[0].body
    places = {
        "openai": lambda: body["messages"][0]["content"],
        "claude": lambda: body["system"][0]["text"],
        "gemini": lambda: body["system_instruction"]["parts"][0]["text"],
    }
    assert places[service]() == "Be brief."


def test_grok_is_asked_on_the_wire_of_openai():
    with closing(OpenAIServer()) as server:
        assert ask(asked_at({"grok": server.url}), wish("grok", "hi")).text == "hi"


# What it took -----------------------------------------------------------------------------------

COUNTS = {
    "openai": (
        "openai",
        {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29},
        Usage(input_tokens=19, output_tokens=10),
    ),
    "openai, from the cache, after thinking": (
        "openai",
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
        },
        Usage(input_tokens=2006, output_tokens=300, cached_tokens=1920, reasoning_tokens=128),
    ),
    "openai, without details": (
        "openai",
        {
            "prompt_tokens": 7,
            "completion_tokens": 3,
            "total_tokens": 10,
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        Usage(input_tokens=7, output_tokens=3),
    ),
    "claude": (
        "claude",
        {"input_tokens": 25, "output_tokens": 15},
        Usage(input_tokens=25, output_tokens=15),
    ),
    "claude, into the cache": (
        "claude",
        {
            "input_tokens": 21,
            "cache_creation_input_tokens": 18_808,
            "cache_read_input_tokens": 0,
            "output_tokens": 393,
        },
        Usage(input_tokens=18_829, output_tokens=393, cache_write_tokens=18_808),
    ),
    "claude, from the cache and into it": (
        "claude",
        {
            "input_tokens": 50,
            "cache_creation_input_tokens": 456,
            "cache_read_input_tokens": 100_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 56},
            "output_tokens": 503,
        },
        Usage(
            input_tokens=100_506, output_tokens=503, cached_tokens=100_000, cache_write_tokens=456
        ),
    ),
    "claude, after thinking": (
        "claude",
        {
            "input_tokens": 25,
            "output_tokens": 500,
            "output_tokens_details": {"thinking_tokens": 420},
        },
        Usage(input_tokens=25, output_tokens=500, reasoning_tokens=420),
    ),
    "gemini": (
        "gemini",
        {"promptTokenCount": 8, "candidatesTokenCount": 4, "totalTokenCount": 12},
        Usage(input_tokens=8, output_tokens=4),
    ),
    "gemini, from the cache": (
        "gemini",
        {
            "promptTokenCount": 5000,
            "cachedContentTokenCount": 4096,
            "candidatesTokenCount": 50,
            "totalTokenCount": 5050,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5000}],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 4096}],
        },
        Usage(input_tokens=5000, output_tokens=50, cached_tokens=4096),
    ),
    "gemini, after thinking": (
        "gemini",
        {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 50,
            "thoughtsTokenCount": 200,
            "totalTokenCount": 1250,
        },
        Usage(input_tokens=1000, output_tokens=250, reasoning_tokens=200),
    ),
}
"""What a provider reports, and what is made of it: all that is read counts as input, all that is
written as output, thoughts among it, whether or not the provider counts them apart."""


@pytest.mark.parametrize("case", COUNTS)
def test_tokens_are_counted_alike_whoever_reports_them(case):
    service, reported, usage = COUNTS[case]
    with closing(WIRES[service]()) as server:
        server.usage(**reported)
        assert ask(asked_at({service: server.url}), wish(service)).usage == usage


# What goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "other", False),
        (401, "other", False),
        (404, "other", False),
        (429, "rate_limit", True),
        (500, "server_error", True),
        (503, "server_error", True),
        (529, "server_error", True),  # Anthropic's own: overloaded
    ],
)
def test_the_status_decides_whether_to_try_again(llm, server, service, status, kind, retryable):
    server.fail(status, times=None)
    error = refusal(llm, wish(service))
    assert str(error).startswith(f"127.0.0.1 refused ({status}): It was scripted so.")
    assert (error.kind, error.retryable) == (kind, retryable)
    assert len(server.requests) == 1


def test_a_refusal_says_when_to_come_back(llm, server, service):
    server.fail(429, retry_after=1.5)
    assert refusal(llm, wish(service)).retry_after == 1.5


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("politely", [True, False])
def test_a_cut_stream_is_worth_another_try(llm, server, service, after, politely):
    server.cut_stream(after, politely=politely)
    assert refusal(llm, wish(service)).retryable


@pytest.mark.parametrize("after", [0, 2])
def test_an_error_in_the_middle_says_what_the_provider_said(llm, server, service, after):
    server.give_up(529, after)
    error = refusal(llm, wish(service))
    assert "It was scripted so" in str(error)
    assert error.retryable


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_said_to_be_no_answer(llm, server, service, kind):
    server.garbage(kind)
    error = refusal(llm, wish(service))
    assert "answered with something that is no answer" in str(error)
    assert error.retryable


def test_used_up_tokens_are_not_worth_another_try(llm, server, service):
    server.reply("", ending="length")
    error = refusal(llm, wish(service))
    assert "max_tokens" in str(error)
    assert not error.retryable


def test_an_echoed_key_is_nowhere_in_the_error(llm, server, service):
    server.fail(401, echo_key=True)
    error = refusal(llm, wish(service))
    assert "[key removed]" in str(error)
    assert KEY not in "".join(traceback.format_exception(error))


# How long one waits -----------------------------------------------------------------------------


def test_a_silent_provider_runs_into_the_timeout(llm, server, service):
    server.hang()
    error = refusal(llm, wish(service, timeout=0.3))
    assert "no answer within 0.3 s" in str(error)
    assert (error.kind, error.retryable) == ("timeout", True)
    assert server.wait(lambda: server.open_connections == 0)


def test_an_answer_that_falls_silent_is_given_up(server, service):
    server.hang(after=2)
    llm = asked_at({service: server.url}, ModelLimits(silence=0.2))
    error = refusal(llm, wish(service))
    assert "fell silent in the middle, for 0.2 s" in str(error)
    assert (error.kind, error.retryable) == ("timeout", True)
    assert server.wait(lambda: server.open_connections == 0)


def test_thinking_before_the_first_word_is_no_silence(service):
    with closing(WIRES[service](latency=0.5)) as server:
        llm = asked_at({service: server.url}, ModelLimits(silence=0.2))
        assert ask(llm, wish(service)).text == "hello"


def test_the_timeout_holds_for_an_answer_that_never_ends(server, service):
    server.hang(after=2)
    error = refusal(asked_at({service: server.url}), wish(service, timeout=0.3))
    assert "no answer within 0.3 s" in str(error)


@pytest.mark.parametrize("after", [None, 2])
def test_cancelling_closes_the_connection(llm, server, service, after):
    async def run():
        arrived = asyncio.Event()
        call = asyncio.create_task(llm.chat(wish(service), lambda _: arrived.set()))
        assert await asyncio.to_thread(server.wait, lambda: server.requests)
        if after:
            await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await asyncio.to_thread(server.wait, lambda: server.open_connections == 0)

    server.hang(after=after)
    assert asyncio.run(run())
    asyncio.run(llm.aclose())
