"""Takes an answer that is known, and asks a model for the others, for each of them once."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, TypeVar

from pydantic import TypeAdapter

from ...diagram.model import Label, Person
from ...engine.chat import ChatAnswer, ChatRequest
from ...engine.clock import Clock, SystemClock
from ...engine.ports import LLM
from ...engine.prices import Price
from ...engine.reuse import key_of
from ...errors import Problem, ServiceError

VERSION = 1
"""Part of every key: answers that were kept in another form are not found."""
PATIENCE = 3.0
"""Seconds to wait for the store; whoever asks a model waits longer than that anyway."""
PAUSE = 30.0
"""Seconds for which a store that failed is left alone."""

_log = logging.getLogger(__name__)
_REAL_TIME = SystemClock()
T = TypeVar("T")
_ANSWER = TypeAdapter(ChatAnswer)
Landed: TypeAlias = ChatAnswer | ServiceError | None
"""What came of a call; None when it was cut short."""


class Store(Protocol):
    """Keeps texts by their keys, for some time.

    Each method may block, is safe in any thread, and raises `ServiceError` when it cannot be done.
    """

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, text: str) -> None: ...


class ResponseCache:
    """Fulfils the `LLM` port by a store, and by another `LLM` for what is not known.

    When the same is asked twice at once, one asks and the other one waits. A store that fails, or
    takes longer than `patience`, is done without. litellm looks at `environ` as well to find out
    where a provider is.
    """

    def __init__(
        self,
        llm: LLM,
        store: Store,
        environ: Mapping[str, str] = {},
        *,
        clock: Clock = _REAL_TIME,
        patience: float = PATIENCE,
    ) -> None:
        self._llm = llm
        self._store = store
        self._environ = environ
        self._clock = clock
        self._patience = patience
        self._flights: dict[tuple[str, float], Future[Landed]] = {}
        # Of its own, so that a store that hangs holds up nobody else.
        self._threads = ThreadPoolExecutor(4, "dipeo-responses")
        self._not_before = float("-inf")
        self._said: set[str] = set()

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """See the port. A known answer comes in one piece, and is `replayed`."""
        if not request.cache:
            return await self._llm.chat(request, on_text)
        key = self.key(request)
        flight = (key, request.timeout)  # others may wait for as long as they said themselves
        mine: Future[Landed] = Future()
        mine.set_running_or_notify_cancel()  # from now on, nobody who waits can cancel it
        while (other := self._flights.setdefault(flight, mine)) is not mine:
            match await asyncio.wrap_future(other):
                case ChatAnswer() as answer:
                    return _given(answer, on_text)
                case ServiceError() as error:
                    raise _again(error)
        landed: Landed = None
        try:
            landed = await self._answer(key, request, on_text)
        except ServiceError as error:
            landed = _again(error)
            raise
        else:
            return landed
        finally:
            del self._flights[flight]
            mine.set_result(landed)

    def key(self, request: ChatRequest) -> str:
        """The hash of all that reaches the provider, keys apart, and of where it is reached."""
        identity = self._llm.identity(request.person)
        return key_of(
            {
                "version": VERSION,
                "person": dict(identity),
                "places": self._places(str(identity.get("provider"))),
                **request.said(),
            }
        )

    def identity(self, person: Person) -> Mapping[str, Any]:
        return self._llm.identity(person)

    def price(self, person: Person) -> Price | None:
        return self._llm.price(person)

    def takes_schema(self, person: Person) -> bool:
        return self._llm.takes_schema(person)

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        return self._llm.check(label, person)

    def _places(self, provider: str) -> dict[str, str]:
        """The variables in which litellm looks for the address of a provider."""
        name = re.sub(r"\W", "_", provider).upper()
        known = re.compile(rf"{name}_(API_BASE|BASE_URL|API_VERSION)")
        return {each: value for each, value in self._environ.items() if known.fullmatch(each)}

    async def _answer(
        self, key: str, request: ChatRequest, on_text: Callable[[str], None]
    ) -> ChatAnswer:
        text = await self._try(lambda: self._store.get(key))
        found = _read(text) if text is not None else None
        if found is not None:
            return _given(found, on_text)
        answer = await self._llm.chat(request, on_text)
        await self._try(lambda: self._store.put(key, _written(answer)))
        return answer

    async def _try(self, work: Callable[[], T]) -> T | None:
        """Do something with the store; None when that is not possible now."""
        if self._clock.monotonic() < self._not_before:
            return None
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.wait_for(doing, self._patience)
        except TimeoutError:
            self._do_without(f"The response cache is silent for {self._patience:g} s.")
        except ServiceError as error:
            self._do_without(str(error))
        return None

    def _do_without(self, why: str) -> None:
        self._not_before = self._clock.monotonic() + PAUSE
        if why not in self._said:
            self._said.add(why)
            _log.warning("%s Models are asked without it meanwhile.", why)


def _given(answer: ChatAnswer, on_text: Callable[[str], None]) -> ChatAnswer:
    if answer.text:
        on_text(answer.text)
    return replace(answer, replayed=True)


def _again(error: ServiceError) -> ServiceError:
    """The same for somebody else: an error grows by its way through those who pass it on."""
    return ServiceError(
        str(error), retryable=error.retryable, retry_after=error.retry_after, kind=error.kind
    )


def _written(answer: ChatAnswer) -> str:
    return _ANSWER.dump_json(answer, exclude_defaults=True, exclude={"replayed"}).decode()


def _read(text: str) -> ChatAnswer | None:
    """The answer that was written; None for what is none, and will be replaced."""
    try:
        return replace(_ANSWER.validate_json(text), replayed=True)
    except ValueError:
        return None
