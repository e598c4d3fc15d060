"""Speaks with models: through litellm with real ones, and with the demo by name.

Start at `LiteLLM.chat`. What a provider refuses is put into words where its answer arrives
(`_Guard`), before litellm can wrap it, log it or try again behind our back.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import aclosing
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ..diagram.model import Label, Person
from ..engine.ports import LLM, ChatAnswer, ChatRequest
from ..errors import FailureKind, Problem, ServiceError
from ..protocol.events import Usage
from .keys import DEMO, KEYLESS, Keys, model_of, parameters_of, provider_of
from .persons import check_person

if TYPE_CHECKING:
    import aiohttp

ANSWER_LIMIT = 8_000_000
"""Bytes of text that a model may answer."""
WIRE_LIMIT = 20 * ANSWER_LIMIT
"""Bytes that may travel for it: a streamed token of four letters comes in 200 bytes of JSON."""

_ROUTES = {"ollama": "ollama_chat"}
"""Where litellm's name for a provider is not ours: its plain `ollama` flattens the messages."""

_TAKES_CLIENT = frozenset(
    {"anthropic", "azure_ai", "databricks", "deepseek", "fireworks_ai", "gemini", "groq"}
    | {"hosted_vllm", "huggingface", "mistral", "ollama_chat", "openrouter", "together_ai", "xai"}
)
"""Providers whose requests litellm sends by a client that one may hand in; most others take a
session. A few take neither (azure, bedrock, cohere, vertex_ai): they go unguarded."""

_FAILURES: ContextVar[list[Exception]] = ContextVar("failures")
"""What went wrong in this call so far."""

_ADVICE = {
    400: "Change the request.",
    401: "Check the key.",
    403: "Check what the key allows.",
    404: "Check the model's name.",
    429: "Too many requests, or the quota is used up.",
}
_REFUSED_FOR_GOOD = frozenset({400, 401, 402, 403, 404, 405, 413, 422})
_REDIRECTS = range(300, 400)
_ENOUGH = 10_000  # bytes of a refusal


class LLMRouter:
    """Fulfils the `LLM` port: the service `demo` is asked here, everybody else outside."""

    def __init__(self, demo: LLM, real: LLM) -> None:
        self._demo = demo
        self._real = real

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        provider, _ = model_of(request.person)
        llm = self._demo if provider == DEMO else self._real
        return await llm.chat(request, on_text)

    def identity(self, person: Person) -> Mapping[str, Any]:
        provider, _ = model_of(person)
        return (self._demo if provider == DEMO else self._real).identity(person)

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """See the port. A person of whom nobody knows who answers is wrong for all of them."""
        try:
            provider, _ = model_of(person)
        except ServiceError as error:
            path = ("persons", label, *(["model"] if person.model else []))
            said = f"The person {label!r} cannot be asked: {error}"
            yield Problem("no_model", said, path=path, severity="warning")
        else:
            llm = self._demo if provider == DEMO else self._real
            yield from llm.check(label, person)


class LiteLLM:
    """Fulfils the `LLM` port for every provider that litellm knows.

    `api_bases` gives the address of a provider (`{"openai": "http://localhost:8000/v1"}`); without
    it litellm takes the provider's own, or what its variable says (`OLLAMA_API_BASE`).
    `aclose` ends what it has open; so does letting go of it.
    """

    def __init__(self, keys: Keys, api_bases: Mapping[str, str] = {}) -> None:
        self._keys = keys
        self._api_bases = {provider_of(name): url for name, url in api_bases.items()}
        self._guard = _Guard(keys)
        self._aside = _Aside(self._guard.close)

    def identity(self, person: Person) -> Mapping[str, Any]:
        provider, model = model_of(person)
        base = self._api_bases.get(provider)
        return {"provider": provider, "model": model, "base": base, **parameters_of(person)}

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """Ask once; see the port. A cancelled call closes its connection."""
        here = asyncio.get_running_loop()

        def show(text: str) -> None:
            if not answer.done():
                on_text(text)

        work = self._answer(request, lambda text: here.call_soon_threadsafe(show, text))
        answer = asyncio.wrap_future(self._aside.start(work))
        return await answer

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """See the port: the service, the fields, the key and the price."""
        yield from check_person(label, person, self._keys)

    async def aclose(self) -> None:
        """Close all connections. The next call opens new ones."""
        await self._aside.stop()

    async def _answer(self, request: ChatRequest, show: Callable[[str], Any]) -> ChatAnswer:
        _FAILURES.set([])
        try:
            return await self._stream(request, show)
        except Exception as error:  # noqa: BLE001 - litellm may raise anything
            failure = self._explain(error, request)
        # Not inside `except`: what litellm raised may quote the key, and would be its context.
        raise failure

    async def _stream(self, request: ChatRequest, show: Callable[[str], Any]) -> ChatAnswer:
        arguments = self._arguments(request)
        litellm = _litellm()
        access = self._guard.access(arguments["model"].split("/")[0])
        async with asyncio.timeout(request.timeout):
            stream = await litellm.acompletion(**arguments, **access)
            async with aclosing(stream):
                return await _collect(stream, show)

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        provider, model = model_of(request.person)
        arguments = parameters_of(request.person) | {
            "model": f"{_ROUTES.get(provider, provider)}/{model}",
            "messages": [{"role": each.role, "content": each.content} for each in request.messages],
            "timeout": request.timeout,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Our own retries are journalled; hidden ones would multiply with them.
            "num_retries": 0,
            "max_retries": 0,
        }
        if provider not in KEYLESS:
            arguments["api_key"] = self._keys.get(provider, request.person.api_key_id)
        if provider in self._api_bases:
            arguments["api_base"] = self._api_bases[provider]
        return arguments

    def _explain(self, error: Exception, request: ChatRequest) -> ServiceError:
        """Say what went wrong, in an error that knows nothing of the one it explains."""
        who = "/".join(model_of(request.person))
        causes = _causes(next(iter(_FAILURES.get()), error))
        for cause in causes:
            match cause:
                case ServiceError(retryable=again, retry_after=wait, kind=kind):
                    said = str(cause)
                    return ServiceError(said, retryable=again, retry_after=wait, kind=kind)
                case TimeoutError():
                    late = f"{who} gave no answer within {request.timeout:g} s."
                    late = f"{late} Try again, or raise the timeout."
                    return ServiceError(late, retryable=True, kind="timeout")
                case json.JSONDecodeError() | StopAsyncIteration():  # the stream held nothing
                    return _no_answer()
                case _ if type(cause).__name__ == "ClientPayloadError":  # aiohttp's
                    return _broken()
                case _ if type(cause).__name__ == "HTTPStatusError":  # httpx's, unguarded
                    return self._guard.refusal_in(cause)
        if getattr(error, "status_code", None) in _REFUSED_FOR_GOOD:
            said = re.sub(r"litellm\.\w+: ", "", str(error))
            return ServiceError(f"{who} cannot be asked like this: {self._keys.redact(said):.500}")
        said = self._keys.redact(str(causes[-1]) or type(causes[-1]).__name__)
        broken = f"The connection to {who} broke off: {said:.300}"
        return ServiceError(broken, retryable=True, kind="connection")


class _Guard:
    """The HTTP session that litellm gets: it refuses for us, in our words, and never redirects."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._session: aiohttp.ClientSession | None = None

    def access(self, route: str) -> dict[str, Any]:
        """The arguments by which litellm comes to use this session."""
        import aiohttp  # noqa: PLC0415 - slow, as litellm is
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler  # noqa: PLC0415

        if self._session is None:
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(cookie_jar=jar, middlewares=[self._watch])
            self._client = AsyncHTTPHandler(shared_session=self._session)
        access: dict[str, Any] = {"shared_session": self._session}
        return access | {"client": self._client} if route in _TAKES_CLIENT else access

    async def close(self) -> None:
        if self._session is None:
            return
        await self._session.close()
        self._session = None
        # litellm keeps clients by the id of their loop, and the next loop may get the same one.
        kept, loop = _litellm().in_memory_llm_clients_cache, asyncio.get_running_loop()
        for key in [key for key in kept.cache_dict if key.endswith(f"-{id(loop)}")]:
            closing = kept.cache_dict[key].close()
            kept.delete_cache(key)
            if closing is not None:
                await closing

    async def _watch(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if failures := _FAILURES.get():  # for some providers litellm tries again all the same
            raise failures[0]
        try:
            return await self._send(request, handler)
        except Exception as error:
            failures.append(error)
            raise

    async def _send(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["Accept-Encoding"] = "identity"  # what is counted is what it takes
        response = await handler(request)
        if response.status < _REDIRECTS.start:
            response.content = _Counted(response.content)  # type: ignore[assignment]
            return response
        body = await _beginning(response.content)
        response.close()
        raise self._refusal(response.url.host, response.status, response.headers, body)

    def refusal_in(self, error: Any) -> ServiceError:
        """Say what a provider said that was asked without this session."""
        response = error.response
        body = response.text if response.is_stream_consumed else ""
        return self._refusal(error.request.url.host, response.status_code, response.headers, body)

    def _refusal(
        self, host: str | None, status: int, headers: Mapping[str, str], body: str
    ) -> ServiceError:
        if status in _REDIRECTS:
            return ServiceError(
                f"{host} sends the request on to another address, and the key would go with it. "
                "Set the right address: DIPEO_<PROVIDER>_API_BASE."
            )
        said = " ".join(self._keys.redact(_message_in(body) or "no reason given").split())
        said = f"{host} refused ({status}): {said.rstrip('.'):.300}. {_ADVICE.get(status, '')}"
        return ServiceError(
            said.strip(),
            retryable=status not in _REFUSED_FOR_GOOD,
            kind=kind_of_status(status),
            retry_after=_seconds(headers.get("Retry-After")),
        )


class _Counted:
    """A response's body that breaks off when it grows beyond all measure."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        async for piece in self._content.iter_chunked(size):
            if self._content.total_bytes > WIRE_LIMIT:
                raise _too_long()
            yield piece


class _Aside:
    """A thread with an event loop of its own, started when first used.

    litellm imports and counts tokens on the loop it is called on, half a second at a time; nobody
    else may wait for that. And its connections belong to one loop, whoever calls.
    """

    def __init__(self, goodbye: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._goodbye = goodbye
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, ChatAnswer]) -> Future[ChatAnswer]:
        with self._lock:
            if self._thread is None:
                self._open()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def stop(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._end()
            await asyncio.to_thread(thread.join)

    def _open(self) -> None:
        runner, over = asyncio.Runner(loop_factory=asyncio.new_event_loop), asyncio.Event()
        goodbye = self._goodbye  # the thread must not hold `self`, or nobody could let go of it

        async def until_over() -> None:
            await over.wait()
            await goodbye()

        def live() -> None:
            with runner:
                runner.run(until_over())

        self._loop = runner.get_loop()
        self._thread = threading.Thread(target=live, name="litellm", daemon=True)
        self._thread.start()
        self._end = weakref.finalize(self, self._loop.call_soon_threadsafe, over.set)
        self._end.atexit = False  # at the end of the process no thread can be closed properly


def _litellm() -> Any:
    # Set before the import, which reads them: without the first it downloads a list of prices,
    # without the second it loads the `.env` of the current folder into the environment, so that
    # a cloned repository could redirect requests, and their keys, by OPENAI_BASE_URL.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm  # noqa: PLC0415 - takes seconds: only who speaks to a model pays

    litellm.suppress_debug_info = True
    return litellm


async def _collect(stream: Any, show: Callable[[str], Any]) -> ChatAnswer:
    pieces: list[str] = []
    size, usage = 0, Usage()
    async for chunk in stream:
        usage = _usage(chunk) or usage
        for text in [choice.delta.content for choice in chunk.choices[:1] if choice.delta.content]:
            size += len(text.encode())
            if size > ANSWER_LIMIT:
                raise _too_long()
            pieces.append(text)
            show(text)
    # litellm says "stop" by itself when a stream merely ended; these say what the model said.
    reason = stream.received_finish_reason or stream.intermittent_finish_reason
    if not pieces:
        raise _no_answer(reason)
    if reason is None:
        raise _broken()
    return ChatAnswer("".join(pieces), usage)


def kind_of_status(status: int) -> FailureKind:
    """What sort of failure a status of HTTP stands for."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit"
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT):
        return "timeout"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "other"


def _no_answer(reason: str | None = None) -> ServiceError:
    if reason == "length":
        return ServiceError("The model used up its `max_tokens` before it said anything.")
    if reason == "content_filter":
        return ServiceError("The provider's content filter held the answer back.")
    message = "The provider answered with something that is no answer."
    return ServiceError(message, retryable=True, kind="bad_answer")


def _broken() -> ServiceError:
    message = "The answer broke off in the middle."
    return ServiceError(message, retryable=True, kind="connection")


def _too_long() -> ServiceError:
    return ServiceError(f"The answer is longer than {ANSWER_LIMIT:,} bytes; set `max_tokens`.")


def _usage(chunk: Any) -> Usage | None:
    counts = getattr(chunk, "usage", None)
    if counts is None:
        return None
    given, taken = counts.prompt_tokens_details, counts.completion_tokens_details
    return Usage(
        input_tokens=counts.prompt_tokens or 0,
        output_tokens=counts.completion_tokens or 0,
        cached_tokens=getattr(given, "cached_tokens", None) or 0,
        reasoning_tokens=getattr(taken, "reasoning_tokens", None) or 0,
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error and all that led to it, the deepest last."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__ or getattr(error, "original_exception", None)
    return found


async def _beginning(content: aiohttp.StreamReader) -> str:
    body = b""
    while len(body) < _ENOUGH and (piece := await content.readany()):
        body += piece
    return body.decode(errors="replace")


def _message_in(body: str) -> str:
    """What a provider says in a refusal, wherever it puts it; nothing for a page of HTML."""
    try:
        found = json.loads(body)
    except ValueError:
        return "" if body.lstrip().startswith("<") else body
    for name in ("error", "message", "detail"):
        found = found[0] if isinstance(found, list) and found else found
        found = found.get(name, found) if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""


def _seconds(retry_after: str | None) -> float | None:
    """How long to wait, from a `Retry-After` header: a number of seconds, or a date."""
    text = retry_after or ""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
