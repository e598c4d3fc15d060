"""Asks a cassette first, and a model when the cassette has no answer and may be recorded on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ...diagram.model import Label, Person
from ...engine.chat import ChatAnswer, ChatRequest
from ...engine.ports import LLM
from ...engine.prices import FREE, Price
from ...errors import Problem
from ...settings import CassetteMode
from .tape import Cassette, Take
from .text import Recording, answer_entry, answer_in, request_entry

_TAKE: ContextVar[Take] = ContextVar("take")


@contextmanager
def taking(take: Take) -> Iterator[None]:
    """What is started meanwhile belongs to this run, and gets its answers in turn."""
    token = _TAKE.set(take)
    try:
        yield
    finally:
        _TAKE.reset(token)


class CassetteLLM:
    """Fulfils the `LLM` port by a cassette, and by another `LLM` for what is not recorded.

    In the mode `replay` that one is never asked anything, so it opens no connection and needs no
    key. `record` asks it in any case. `redact` takes secrets out of what is written; a request is
    looked for without them, too.
    """

    def __init__(
        self, llm: LLM, cassette: Cassette, mode: CassetteMode, redact: Callable[[str], str]
    ) -> None:
        self._llm = llm
        self._cassette = cassette
        self._mode = mode
        self._redact = redact
        self._take = Take()
        """Of whatever belongs to no run that is known here."""

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """See the port. In the mode `replay`, what is not recorded is a `ServiceError`.

        So is, in every mode, a cassette that cannot be read: it is found out before anybody asks.
        """
        asked, take = self._recording(request), _TAKE.get(self._take)
        with take.turn(asked.key) as turn:
            replaying = self._mode == "replay"
            found = await asyncio.to_thread(
                self._cassette.find, asked.key, turn, take, repeat=replaying
            )
            if found is not None and self._mode != "record":
                return await _replayed(found, on_text)
            if replaying:
                raise await asyncio.to_thread(self._cassette.miss, asked.request)
            answer = await self._ask(request, on_text, asked)
            replace = self._mode == "record"
            await asyncio.to_thread(self._cassette.record, asked, turn, take, replace=replace)
            return answer

    def identity(self, person: Person) -> Mapping[str, Any]:
        """See the port. A cassette may have been edited: outside of it nobody takes its answers."""
        return {**self._llm.identity(person), "cassette": str(self._cassette.path)}

    def price(self, person: Person) -> Price | None:
        return FREE if self._mode == "replay" else self._llm.price(person)

    def takes_schema(self, person: Person) -> bool:
        return self._llm.takes_schema(person)

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """See the port: whoever only replays needs no key, and pays no price."""
        needless = ("missing_key", "unknown_price") if self._mode == "replay" else ()
        for problem in self._llm.check(label, person):
            if problem.code not in needless:
                yield problem

    async def _ask(
        self, request: ChatRequest, on_text: Callable[[str], None], asked: Recording
    ) -> ChatAnswer:
        pieces: list[str] = []

        def show(piece: str) -> None:
            pieces.append(piece)
            on_text(piece)

        answer = await self._llm.chat(request, show)
        asked.answers.append(self._clean(answer_entry(answer, pieces)))
        return answer

    def _recording(self, request: ChatRequest) -> Recording:
        """The request as it is recorded. Where its provider is reached is no part of it."""
        identity = self._llm.identity(request.person)
        person = {name: identity[name] for name in identity if name != "base"}
        asked = self._clean(request_entry(person, request))
        return Recording({"request": asked, "answers": []})

    def _clean(self, value: Any) -> Any:
        """Without secrets, and without half characters, which no file can hold."""
        match value:
            case str():
                whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                return self._redact(whole)
            case dict():
                return {name: self._clean(each) for name, each in value.items()}
            case list() | tuple():
                return [self._clean(each) for each in value]
            case _:
                return value


async def _replayed(entry: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
    answer, pieces = answer_in(entry)
    for piece in pieces:
        on_text(piece)
        await asyncio.sleep(0)  # as a model would, it lets others go on in between
    return answer
