"""Asks whom a person names: the service `demo` here, everybody else outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...diagram.model import Label, Person
from ...engine.chat import ChatAnswer, ChatRequest
from ...engine.ports import LLM
from ...engine.prices import Price
from ...errors import Problem, ServiceError
from ..providers import DEMO, model_of


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

    def price(self, person: Person) -> Price | None:
        provider, _ = model_of(person)
        return (self._demo if provider == DEMO else self._real).price(person)

    def takes_schema(self, person: Person) -> bool:
        provider, _ = model_of(person)
        return (self._demo if provider == DEMO else self._real).takes_schema(person)

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
