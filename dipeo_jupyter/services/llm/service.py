"""Speaks with real models, through litellm in a process of its own."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from ...diagram.model import Label, Person
from ...engine.chat import ChatAnswer, ChatMessage, ChatRequest
from ...engine.clock import Clock, SystemClock
from ...engine.ports import Drawn, DrawRequest, Embedded, EmbedRequest
from ...engine.prices import FREE, Price
from ...errors import Problem, ServiceError
from ...settings import ModelLimits
from ..aside import Aside
from ..keys import Keys
from ..persons import check_person
from ..prices import price_of, takes_schema
from ..providers import KEYLESS, drawing_options_of, model_of, parameters_of, provider_of
from ..redaction import Stream, without
from .failures import nothing_drawn
from .frames import Ask, Done, Failed, Text, chat_read, drawn_read, vectors_read
from .helper import Helper
from .searching import SEARCH, search_in_web
from .turns import Turns
from .wire import wire_message, wire_tool

_ROUTES = {"ollama": "ollama_chat"}
"""Where litellm's name for a provider is not ours: its plain `ollama` flattens the messages."""

_ENDINGS = {"gemini": '"finishReason"'}
"""What says that an answer is whole where litellm says so of every answer, broken off or not."""

_THINK_BEFORE_TOOLS = frozenset({"anthropic"})
_THINKING = frozenset({"thinking", "reasoning_effort"})
"""What makes a model think. Those providers refuse it in the middle of a use of tools without the
thoughts from before it, which nobody keeps."""

_DRAW_IN_CHAT = frozenset({"gemini", "openrouter"})
"""Providers whose models draw when they are spoken to. litellm's other way to them is a thread that
nobody can cancel, without any session of ours."""

USUAL_LIMITS = ModelLimits()
REAL_TIME = SystemClock()


class LiteLLM:
    """Fulfils the ports `LLM`, `Embedder` and `Painter` for every provider that litellm knows.

    `api_bases` gives the address of a provider (`{"openai": "http://localhost:8000/v1"}`); without
    it litellm takes the provider's own, or what its variable says (`OLLAMA_API_BASE`). Whoever has
    to wait for a turn, by the `limits`, does so before the time of the call begins.

    litellm lives in a worker, which the first call starts; `aclose` ends it, and so does letting go
    of this object. A key is read here for each call, and handed over with it.
    """

    def __init__(
        self,
        keys: Keys,
        api_bases: Mapping[str, str] = {},
        limits: ModelLimits = USUAL_LIMITS,
        clock: Clock = REAL_TIME,
    ) -> None:
        self._keys = self._worker_keys = keys
        self._api_bases = {provider_of(name): url for name, url in api_bases.items()}
        self._silence = limits.silence
        helper, turns = self._helper, self._turns = Helper(keys), Turns(limits, clock)

        async def goodbye() -> None:
            await helper.close()
            turns.change_loop()

        self._aside = Aside("dipeo-models", goodbye)

    def with_keys(self, keys: Keys, api_bases: Mapping[str, str]) -> LiteLLM:
        """One for whoever has other keys and reaches providers elsewhere.

        They share the worker, and all take their turns together.
        """
        other = copy.copy(self)
        other._keys = keys  # noqa: SLF001 - its own kind
        other._api_bases = {provider_of(name): url for name, url in api_bases.items()}  # noqa: SLF001 - as above
        return other

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

        def show(pieces: Sequence[str]) -> None:
            for piece in pieces:
                if not answer.done():
                    on_text(piece)

        def pass_on(pieces: Sequence[str]) -> None:
            here.call_soon_threadsafe(show, pieces)

        answer = self._aside.start(self._answer(request.person, self._chat(request), pass_on))
        return await answer

    async def embed(self, request: EmbedRequest) -> Embedded:
        """Turn texts into vectors; see the port `Embedder`."""
        return await self._aside.start(self._vectors(request))

    async def draw(self, request: DrawRequest) -> Drawn:
        """Draw; see the port `Painter`."""
        return await self._aside.start(self._images(request))

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """See the port: the service, the fields, the key and the price."""
        yield from check_person(label, person, self._keys)

    async def aclose(self) -> None:
        """Close all connections. The next call opens new ones."""
        await self._aside.stop()

    async def _answer(
        self, person: Person, ask: Ask, show: Callable[[Sequence[str]], Any]
    ) -> ChatAnswer:
        """The answer, without the key, should somebody on the way quote it."""
        end = await self._asked(person, ask, show)
        if isinstance(end, Failed):
            raise self._error(end)
        answer, secrets = chat_read(end.answer), self._keys.handed_out()
        calls = tuple(
            each.model_copy(update={"arguments": without(each.arguments, secrets)})
            for each in answer.calls
        )
        return replace(answer, text=without(answer.text, secrets), calls=calls)

    async def _vectors(self, request: EmbedRequest) -> Embedded:
        end = await self._asked(request.model, self._embedding(request), len)
        if isinstance(end, Failed):
            raise self._error(end)
        return vectors_read(end.answer)

    async def _images(self, request: DrawRequest) -> Drawn:
        ask = self._drawing(request)
        if ask.what == "chat":
            answer = await self._answer(request.model, ask, len)
            if not answer.images:
                raise nothing_drawn(answer.text)
            return Drawn(answer.images, answer.usage)
        end = await self._asked(request.model, ask, len)
        if isinstance(end, Failed):
            raise self._error(end)
        return drawn_read(end.answer)

    async def _asked(
        self, person: Person, ask: Ask, show: Callable[[Sequence[str]], Any]
    ) -> Done | Failed:
        """Have the worker ask when it is the person's turn, showing each piece."""
        pieces: list[str] = []
        clean = Stream(self._keys.handed_out(), pieces.append)
        async with self._turns.turn(model_of(person)[0]):
            worker = await self._helper.worker()
            async with aclosing(worker.ask(ask)) as said:
                async for message in said:
                    match message:
                        case Text():
                            for piece in message.pieces:
                                clean.feed(piece)
                        case Done():
                            clean.end()
                    if pieces:
                        show((*pieces,))
                        pieces.clear()
        assert not isinstance(message, Text)
        return message

    def _chat(self, request: ChatRequest) -> Ask:
        person = request.person
        provider, model = model_of(person)
        arguments = parameters_of(person) | {
            "model": f"{_ROUTES.get(provider, provider)}/{model}",
            "messages": [*map(wire_message, request.messages)],
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._access(person, request.timeout),
        }
        if request.tools:
            arguments["tools"] = [wire_tool(each) for each in request.tools]
        if request.messages[-1].role == "tool" and provider in _THINK_BEFORE_TOOLS:
            arguments = {name: arguments[name] for name in arguments.keys() - _THINKING}
        if SEARCH in arguments:
            search_in_web(provider, model, arguments)
        ending = _ENDINGS.get(provider, "")
        who = f"{provider}/{model}"
        return Ask(0, "chat", who, arguments, request.timeout, self._silence, ending)

    def _embedding(self, request: EmbedRequest) -> Ask:
        who = "/".join(model_of(request.model))
        arguments = {
            "model": who,
            "input": [*request.texts],
            "encoding_format": "float",
            **self._access(request.model, request.timeout),
        }
        return Ask(0, "embed", who, arguments, request.timeout, self._silence)

    def _drawing(self, request: DrawRequest) -> Ask:
        model, timeout = request.model, request.timeout
        options = drawing_options_of(model)
        provider, name = model_of(model)
        if provider in _DRAW_IN_CHAT:
            said = ChatMessage("user", request.prompt)
            bare = Person(service=provider, model=name, api_key_id=model.api_key_id)
            ask = self._chat(ChatRequest(bare, [said], timeout))
            ask.arguments.update(options, modalities=["image", "text"])
        else:
            asked = {"model": f"{provider}/{name}", "prompt": request.prompt}
            arguments = options | asked | self._access(model, timeout)
            ask = Ask(0, "draw", f"{provider}/{name}", arguments, timeout, timeout)
        return ask._replace(silence=timeout)  # it may be long from the first word to the image

    def _access(self, person: Person, timeout: float) -> dict[str, Any]:
        """The arguments that have to do with whom one asks, not with what."""
        provider, _ = model_of(person)
        # Our own retries are journalled; hidden ones would multiply with them.
        access: dict[str, Any] = {"timeout": timeout, "num_retries": 0, "max_retries": 0}
        if provider not in KEYLESS:
            key = access["api_key"] = self._keys.get(provider, person.api_key_id)
            self._worker_keys.remember(key)  # what the worker prints is cleaned by them
        if provider in self._api_bases:
            access["api_base"] = self._api_bases[provider]
        return access

    def _error(self, end: Failed) -> ServiceError:
        return ServiceError(
            self._keys.redact(end.message),
            retryable=end.retryable,
            retry_after=end.retry_after,
            kind=end.kind,
        )
