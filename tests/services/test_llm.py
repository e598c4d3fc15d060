"""Real calls through litellm to a provider on loopback that does as it is told, or fails."""

import asyncio
import gc
import json
import logging
import re
import subprocess
import sys
import traceback
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, ChatRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol.events import Usage
from dipeo_jupyter.services.demo import DemoLLM
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM, LLMRouter
from dipeo_jupyter.services.llm import guard as module
from dipeo_jupyter.services.llm.asking import Asker
from dipeo_jupyter.services.llm.frames import Ask

from ..openai_server import GARBAGE, OpenAIServer

KEY = "sk-canary-0123456789abcdef"
SERVICES = ("openai", "groq")
"""litellm speaks with the first by OpenAI's client, with the second by its own."""
OTHERS = ("anthropic", "azure", "gemini", "mistral", "nvidia_nim", "ollama", "openrouter", "xai")
STATUSES = (400, 401, 403, 404, 408, 409, 422, 429, 500, 503)
FAULTS = {
    "refusal": lambda server: server.fail(401, echo_key=True),
    "overload": lambda server: server.fail(429, echo_key=True),
    "crash": lambda server: server.fail(500, echo_key=True),
    "cut": lambda server: server.cut_stream(),
    "redirect": lambda server: server.fail(307, location=f"/v1/elsewhere?key={KEY}"),
    "echo": lambda server: server.reply(f"your key is {KEY}", ending="length"),
    **{kind: lambda server, kind=kind: server.garbage(kind) for kind in GARBAGE},
}


@pytest.fixture
def llm(openai_server):
    services = (*SERVICES, *OTHERS)
    keys = Keys({f"{service.upper()}_API_KEY": KEY for service in services})
    return LiteLLM(keys, dict.fromkeys(services, openai_server.url))


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


def wish(*contents, timeout=20.0, **person):
    person = {"service": "openai", "model": "gpt-4.1-nano"} | person
    messages = [ChatMessage("user", content) for content in contents or ["hello"]]
    return ChatRequest(Person(**person), messages, timeout)


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


def test_sends_exactly_the_messages_and_parameters(llm, openai_server):
    roles = ("system", "Be brief. "), ("user", "One\n"), ("assistant", "ja — ok"), ("user", "")
    person = Person(service="openai", model="gpt-4.1-nano", temperature=0.2, stop=["x"], seed=None)
    openai_server.reply("fine")
    ask(llm, ChatRequest(person, [ChatMessage(*each) for each in roles], timeout=20))
    messages = [{"role": role, "content": content} for role, content in roles]
    chosen = {"model": "gpt-4.1-nano", "temperature": 0.2, "stop": ["x"], "messages": messages}
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    assert openai_server.requests[0].body == chosen | streamed


def test_sends_the_key_as_bearer_and_nothing_compressed(llm, openai_server):
    ask(llm, wish())
    headers = openai_server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"


def test_pieces_arrive_in_order_and_make_the_answer(llm, openai_server, service):
    pieces = ["It ", "is", " né", "w\n", "…"]
    openai_server.reply("", pieces=pieces)
    arrived = []
    assert ask(llm, wish(service=service), arrived.append).text == "It is néw\n…"
    assert arrived == pieces


def test_usage_counts_cached_and_reasoning_tokens(llm, openai_server, service):
    openai_server.usage(
        prompt_tokens=10,
        completion_tokens=7,
        total_tokens=17,
        prompt_tokens_details={"cached_tokens": 4},
        completion_tokens_details={"reasoning_tokens": 2},
    )
    usage = ask(llm, wish(service=service)).usage
    assert usage == Usage(input_tokens=10, output_tokens=7, cached_tokens=4, reasoning_tokens=2)


def test_a_model_may_name_its_provider_itself(llm, openai_server):
    ask(llm, wish(service=None, model="openai:gpt-4.1-nano"))
    assert openai_server.requests[0].body["model"] == "gpt-4.1-nano"


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(status, status not in (400, 401, 403, 404, 422)) for status in STATUSES],
)
def test_the_status_decides_whether_to_try_again(llm, openai_server, status, retryable):
    openai_server.fail(status, times=None)
    error = refusal(llm, wish())
    assert str(error).startswith(f"127.0.0.1 refused ({status}): It was scripted so.")
    assert error.retryable is retryable
    assert len(openai_server.requests) == 1


@pytest.mark.parametrize("service", [*SERVICES, *OTHERS])
def test_every_provider_is_asked_only_once(llm, openai_server, service):
    openai_server.fail(429, retry_after=2, times=None)
    error = refusal(llm, wish(service=service))
    assert str(error).startswith("127.0.0.1 refused (429): It was scripted so.")
    assert error.retry_after == 2
    assert len(openai_server.requests) == 1


def test_a_refusal_says_when_to_come_back(llm, openai_server):
    openai_server.fail(429, retry_after=1.5)
    assert refusal(llm, wish()).retry_after == 1.5


def test_the_time_to_come_back_may_be_a_date(llm, openai_server):
    openai_server.fail(503, retry_after=format_datetime(datetime.now(UTC) + timedelta(hours=1)))
    assert refusal(llm, wish()).retry_after == pytest.approx(3600, abs=60)


@pytest.mark.parametrize("nonsense", ["soon", "-5", ""])
def test_nonsense_for_a_time_delays_nobody(llm, openai_server, nonsense):
    openai_server.fail(503, retry_after=nonsense)
    assert not refusal(llm, wish()).retry_after


def test_a_silent_provider_runs_into_the_timeout(llm, openai_server, service):
    openai_server.hang()
    error = refusal(llm, wish(timeout=0.3, service=service))
    assert "no answer within 0.3 s" in str(error)
    assert error.retryable
    assert openai_server.wait(lambda: openai_server.open_connections == 0)


def test_cancelling_passes_through_and_closes_the_connection(llm, openai_server, service):
    async def run():
        call = asyncio.create_task(llm.chat(wish(service=service), len))
        assert await asyncio.to_thread(openai_server.wait, lambda: openai_server.requests)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    openai_server.hang()
    asyncio.run(run())
    assert openai_server.wait(lambda: openai_server.open_connections == 0)
    asyncio.run(llm.aclose())


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("politely", [True, False])
def test_a_cut_stream_is_worth_another_try(llm, openai_server, service, after, politely):
    openai_server.cut_stream(after, politely=politely)
    assert refusal(llm, wish(service=service)).retryable


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_said_to_be_no_answer(llm, openai_server, service, kind):
    openai_server.garbage(kind)
    error = refusal(llm, wish(service=service))
    assert "answered with something that is no answer" in str(error)
    assert error.retryable


def test_an_unreachable_provider_is_worth_another_try():
    with closing(OpenAIServer()) as gone:
        llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": gone.url})
    error = refusal(llm, wish())
    assert "broke off" in str(error)
    assert error.retryable


def test_used_up_tokens_are_not_worth_another_try(llm, openai_server):
    openai_server.reply("", ending="length")
    error = refusal(llm, wish())
    assert "max_tokens" in str(error)
    assert not error.retryable


def test_a_redirect_is_neither_followed_nor_retried(llm, openai_server, service):
    with closing(OpenAIServer()) as elsewhere:
        openai_server.fail(307, location=f"{elsewhere.url}/chat/completions")
        error = refusal(llm, wish(service=service))
        assert elsewhere.requests == []
    assert "another address" in str(error)
    assert not error.retryable


def test_an_answer_beyond_the_limit_is_refused(llm, openai_server):
    openai_server.reply("", pieces=["x" * 1_000_000] * 9)
    assert "longer than 8,000,000 bytes" in str(refusal(llm, wish()))


def test_a_line_that_never_ends_is_refused(openai_server, service, monkeypatch):
    async def run():  # here, since in a worker nobody can lower the limit
        asker = Asker(Keys({}))
        try:
            await asker.answer(Ask(1, "chat", service, arguments, 20.0, 20.0), len)
        finally:
            await asker._guard.close()

    arguments = {"model": f"{service}/m", "messages": [{"role": "user", "content": "hello"}]}
    arguments |= {"api_base": openai_server.url, "api_key": KEY, "stream": True}
    monkeypatch.setattr(module, "WIRE_LIMIT", 100_000)
    openai_server.reply("", pieces=["x" * 1_000_000])
    with pytest.raises(ServiceError, match="longer than"):
        asyncio.run(run())


def test_an_echoed_key_is_nowhere_in_the_error(llm, openai_server, service):
    openai_server.fail(401, echo_key=True)
    error = refusal(llm, wish(service=service))
    assert "[key removed]" in str(error)
    told = [str(error), repr(error), *traceback.format_exception(error)]
    assert KEY not in "".join(told)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("fault", FAULTS)
def test_no_frame_of_the_error_holds_the_key(llm, openai_server, service, fault):
    FAULTS[fault](openai_server)
    try:
        ask(llm, wish(service=service))
    except ServiceError as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        ours = [frame for frame in frames if frame.f_globals["__name__"] != __name__]
        assert KEY not in "".join(repr(frame.f_locals) for frame in ours)


def test_litellm_prints_nothing_by_itself(llm, openai_server, capfd):
    ask(llm, wish())
    openai_server.fail(500)
    refusal(llm, wish())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_nobody_logs_the_key_at_any_level(llm, openai_server, service, caplog, fault):
    caplog.set_level(logging.DEBUG)
    if fault is None:
        ask(llm, wish(service=service))
    elif fault != "echo":
        FAULTS[fault](openai_server)
        refusal(llm, wish(service=service))
    assert KEY not in caplog.text


@pytest.mark.parametrize("field", ["api_base", "base_url", "api_key"])
def test_a_person_may_not_say_where_keys_go(llm, openai_server, field):
    error = refusal(llm, wish(**{field: "http://evil.example"}))
    assert f"cannot have `{field}`" in str(error)
    assert "evil" not in str(error)
    assert openai_server.requests == []


@pytest.mark.parametrize("field", ["mock_response", "fallbacks", "extra_headers", "proxy", "n"])
def test_a_person_sets_only_what_models_take(llm, openai_server, field):
    assert "no parameter" in str(refusal(llm, wish(**{field: "x"})))
    assert openai_server.requests == []


def test_a_misspelt_parameter_is_answered_with_the_nearest(llm):
    assert "Did you mean 'temperature'?" in str(refusal(llm, wish(temprature=1)))


def test_answers_for_the_demo_stay_here(llm, openai_server):
    ask(llm, wish(answers=["scripted"]))
    assert "scripted" not in json.dumps(openai_server.requests[0].body)


def test_a_missing_key_sends_no_request(openai_server):
    keyless = LiteLLM(Keys({}), {"openai": openai_server.url})
    assert "OPENAI_API_KEY" in str(refusal(keyless, wish()))
    assert openai_server.requests == []


def test_an_exchanged_key_counts_from_the_next_call(openai_server):
    environ = {"OPENAI_API_KEY": "the-old-key"}
    llm = LiteLLM(Keys(environ), {"openai": openai_server.url})
    ask(llm, wish())
    environ["OPENAI_API_KEY"] = "the-new-key"
    ask(llm, wish())
    sent = [request.headers["authorization"] for request in openai_server.requests]
    assert sent == ["Bearer the-old-key", "Bearer the-new-key"]


def test_one_llm_serves_one_event_loop_after_another(llm, openai_server):
    answers = [asyncio.run(llm.chat(wish(text), len)).text for text in ("one", "two", "three")]
    assert answers == ["one", "two", "three"]
    assert openai_server.wait(lambda: openai_server.open_connections == 1)
    asyncio.run(llm.aclose())


def test_calls_at_once_get_their_own_answers(llm):
    async def run():
        texts = [f"number {each}" for each in range(20)]
        answers = await asyncio.gather(*(llm.chat(wish(text), len) for text in texts))
        await llm.aclose()
        return texts, [answer.text for answer in answers]

    asked, answered = asyncio.run(run())
    assert answered == asked


def test_letting_go_of_it_closes_its_connections(openai_server):
    llm = LiteLLM(Keys({"OPENAI_API_KEY": KEY}), {"openai": openai_server.url})
    asyncio.run(llm.chat(wish(), len))
    del llm
    gc.collect()
    assert openai_server.wait(lambda: openai_server.open_connections == 0)


def test_nothing_heavy_is_imported_before_a_call():
    code = "import sys, dipeo_jupyter.services.llm; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not {"litellm", "aiohttp", "httpx", "openai"} & set(done.stdout.split())


def test_a_dotenv_file_in_the_folder_is_not_obeyed(openai_server, tmp_path):
    (tmp_path / ".env").write_text("OPENAI_BASE_URL=http://evil.example\n")
    code = "import os; from dipeo_jupyter.services.llm.loading import load_litellm; load_litellm()"
    code += "; print(os.environ.get('OPENAI_BASE_URL'))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize("person", [{"service": "demo"}, {"model": "demo"}])
def test_the_router_asks_the_demo_by_name(llm, openai_server, person):
    request = ChatRequest(Person(**person), [ChatMessage("user", "hello")], timeout=20)
    assert ask_router(llm, request).text.startswith("[demo]")
    assert openai_server.requests == []


def test_the_router_asks_everybody_else_outside(llm):
    assert ask_router(llm, wish("hello")).text == "hello"


def test_the_router_tells_what_a_person_lacks(llm):
    with pytest.raises(ServiceError, match=re.escape("`service: demo`")):
        ask_router(llm, wish(service=None, model=None))


def ask_router(llm, request):
    async def run():
        answer = await LLMRouter(DemoLLM(), llm).chat(request, len)
        await llm.aclose()
        return answer

    return asyncio.run(run())
