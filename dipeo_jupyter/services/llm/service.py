"""Speaks with real models, through litellm."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from copy import deepcopy
from dataclasses import replace
from typing import Any

from ...diagram.model import Label, Person
from ...engine.chat import ChatAnswer, ChatRequest
from ...engine.clock import Clock, SystemClock
from ...engine.ports import Embedded, EmbedRequest
from ...engine.prices import FREE, Price
from ...errors import Problem, ServiceError
from ...settings import ModelLimits
from ..keys import KEYLESS, Keys, model_of, parameters_of, provider_of
from ..persons import check_person
from ..prices import price_of, takes_schema
from ..redaction import Stream, without
from .answer import collect, embedded
from .aside import Aside
from .call import CALL, Call
from .failures import REFUSED_FOR_GOOD, broken, causes, no_answer
from .guard import Guard
from .loading import load_litellm, log_nothing
from .turns import Turns
from .wire import wire_message, wire_tool

_ROUTES = {"ollama": "ollama_chat"}
"""Where litellm's name for a provider is not ours: its plain `ollama` flattens the messages."""

_ENDINGS = {"gemini": b'"finishReason"'}
"""What says that an answer is whole where litellm says so of every answer, broken off or not."""

_NOT_ABOUT_CHAT = ("timeout", "num_retries", "max_retries", "api_key", "api_base")
"""Arguments that have to do with whom one asks, not with what."""

USUAL_LIMITS = ModelLimits()
REAL_TIME = SystemClock()


class LiteLLM:
    """Fulfils the `LLM` port for every provider that litellm knows.

    `api_bases` gives the address of a provider (`{"openai": "http://localhost:8000/v1"}`); without
    it litellm takes the provider's own, or what its variable says (`OLLAMA_API_BASE`). Whoever has
    to wait for a turn, by the `limits`, does so before the time of the call begins.
    `aclose` ends what it has open; so does letting go of it.
    """

    def __init__(
        self,
        keys: Keys,
        api_bases: Mapping[str, str] = {},
        limits: ModelLimits = USUAL_LIMITS,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._keys = keys
        self._api_bases = {provider_of(name): url for name, url in api_bases.items()}
        self._silence = limits.silence
        guard, turns = self._guard, self._turns = Guard(keys), Turns(limits, clock)

        async def goodbye() -> None:
            await guard.close()
            turns.change_loop()

        self._aside = Aside(goodbye)

    def identity(self, person: Person) -> Mapping[str, Any]:
        provider, model = model_of(person)
        base = self._api_bases.get(provider)
        return {"provider": provider, "model": model, "base": base, **parameters_of(person)}

    def price(self, person: Person) -> Price | None:
        provider, model = model_of(person)
        return FREE if provider in KEYLESS else price_of(provider, model)

    def takes_schema(self, person: Person) -> bool:
        return takes_schema(*model_of(person))

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """Ask once; see the port. A cancelled call closes its connection."""
        here = asyncio.get_running_loop()

        def show(text: str) -> None:
            if not answer.done():
                on_text(text)

        work = self._answer(request, lambda text: here.call_soon_threadsafe(show, text))
        answer = self._aside.start(work)
        return await answer

    async def embed(self, request: EmbedRequest) -> Embedded:
        """Turn texts into vectors; see the port `Embedder`."""
        chat = ChatRequest(request.model, (), request.timeout)
        return await asyncio.wrap_future(self._aside.start(self._embedded(chat, request.texts)))

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """See the port: the service, the fields, the key and the price."""
        yield from check_person(label, person, self._keys)

    async def aclose(self) -> None:
        """Close all connections. The next call opens new ones."""
        await self._aside.stop()

    async def _answer(self, request: ChatRequest, show: Callable[[str], Any]) -> ChatAnswer:
        ending = _ENDINGS.get(model_of(request.person)[0], b"")
        call = Call(request.timeout, self._silence, ending)
        CALL.set(call)
        try:
            return await self._stream(request, show, call)
        except Exception as error:  # noqa: BLE001 - litellm may raise anything
            failure = self._explain(error, request, call)
        # Not inside `except`: what litellm raised may quote the key, and would be its context.
        raise failure

    async def _stream(
        self, request: ChatRequest, show: Callable[[str], Any], call: Call
    ) -> ChatAnswer:
        arguments = self._arguments(request)
        litellm = load_litellm()
        async with self._turns.turn(model_of(request.person)[0]), call.patience():
            access = self._guard.access(arguments["model"].split("/")[0])
            stream = await litellm.acompletion(**arguments, **access)
            async with aclosing(stream):
                return await self._collected(stream, show, call)

    async def _embedded(self, request: ChatRequest, texts: Sequence[str]) -> Embedded:
        call = Call(request.timeout, self._silence)
        CALL.set(call)
        try:
            return await self._vectors(request, texts, call)
        except Exception as error:  # noqa: BLE001 - as above
            failure = self._explain(error, request, call)
        raise failure

    async def _vectors(self, request: ChatRequest, texts: Sequence[str], call: Call) -> Embedded:
        provider, model = model_of(request.person)
        chat = self._arguments(request)
        arguments = {name: chat[name] for name in _NOT_ABOUT_CHAT if name in chat}
        litellm = load_litellm()
        log_nothing()
        async with self._turns.turn(provider), call.patience():
            access = self._guard.access(provider)
            answer = await litellm.aembedding(
                model=f"{provider}/{model}",
                input=list(texts),
                encoding_format="float",
                **arguments,
                **access,
            )
        return embedded(answer, len(texts))

    async def _collected(self, stream: Any, show: Callable[[str], Any], call: Call) -> ChatAnswer:
        """The answer, without the key, should somebody on the way quote it."""
        secrets = self._keys.handed_out()
        clean = Stream(secrets, show)
        answer = await collect(stream, clean.feed, call)
        clean.end()
        calls = tuple(
            each.model_copy(update={"arguments": without(each.arguments, secrets)})
            for each in answer.calls
        )
        return replace(answer, text=without(answer.text, secrets), calls=calls)

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        provider, model = model_of(request.person)
        # A copy: litellm rewrites schemas in place for some providers.
        arguments = deepcopy(parameters_of(request.person)) | {
            "model": f"{_ROUTES.get(provider, provider)}/{model}",
            "messages": [*map(wire_message, request.messages)],
            "timeout": request.timeout,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Our own retries are journalled; hidden ones would multiply with them.
            "num_retries": 0,
            "max_retries": 0,
        }
        if request.tools:
            arguments["tools"] = [wire_tool(each) for each in request.tools]
        if provider not in KEYLESS:
            arguments["api_key"] = self._keys.get(provider, request.person.api_key_id)
        if provider in self._api_bases:
            arguments["api_base"] = self._api_bases[provider]
        return arguments

    def _explain(self, error: Exception, request: ChatRequest, call: Call) -> ServiceError:
        """Say what went wrong, in an error that knows nothing of the one it explains."""
        who = "/".join(model_of(request.person))
        chain = causes(next(iter(call.failures), error))
        for cause in chain:
            match cause:
                case ServiceError(retryable=again, retry_after=wait, kind=kind):
                    said = str(cause)
                    return ServiceError(said, retryable=again, retry_after=wait, kind=kind)
                case TimeoutError() if call.fell_silent:
                    silent = f"{who} fell silent in the middle, for {call.silence:g} s."
                    silent = f"{silent} Try again, or raise DIPEO_IDLE_TIMEOUT."
                    return ServiceError(silent, retryable=True, kind="timeout")
                case TimeoutError():
                    late = f"{who} gave no answer within {request.timeout:g} s."
                    late = f"{late} Try again, or raise the timeout."
                    return ServiceError(late, retryable=True, kind="timeout")
                case json.JSONDecodeError() | StopAsyncIteration():  # the stream held nothing
                    return no_answer()
                case _ if type(cause).__name__ == "ClientPayloadError":  # aiohttp's
                    return broken()
                case _ if type(cause).__name__ == "HTTPStatusError":  # httpx's, unguarded
                    return self._guard.refusal_in(cause)
        if getattr(error, "status_code", None) in REFUSED_FOR_GOOD:
            said = re.sub(r"litellm\.\w+: ", "", str(error))
            return ServiceError(f"{who} cannot be asked like this: {self._keys.redact(said):.500}")
        said = self._keys.redact(str(chain[-1]) or type(chain[-1]).__name__)
        lost = f"The connection to {who} broke off: {said:.300}"
        return ServiceError(lost, retryable=True, kind="connection")
