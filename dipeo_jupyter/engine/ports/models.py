"""Models: what answers, what makes numbers of texts, and what draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ...diagram.model import Label, Person
from ...errors import Problem
from ...protocol.events import Usage
from ..chat import ChatAnswer, ChatRequest
from ..prices import Price


class LLM(Protocol):
    """Speaks with models."""

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """Ask once, handing each piece of the answer to `on_text` as it arrives.

        Raises `ServiceError`, whose `retryable` says whether asking again can help.
        """
        ...

    def identity(self, person: Person) -> Mapping[str, Any]:
        """Who answers, as JSON: all but the messages that reaches the provider, keys apart.

        The `provider` is among it. Two persons with the same identity answer alike. Raises
        `ServiceError` when nobody answers.
        """
        ...

    def price(self, person: Person) -> Price | None:
        """What its tokens cost; None when nobody knows. May read a file the first time."""
        ...

    def takes_schema(self, person: Person) -> bool:
        """Whether its answers are held to a JSON Schema when its `response_format` has one.

        May read a file the first time.
        """
        ...

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """What is wrong with a person, as far as it shows without asking anybody; may block."""
        ...


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts to be turned into vectors, none of them empty.

    `model` says which model does it, by the fields of a person; `timeout` is in seconds.
    """

    model: Person
    texts: Sequence[str]
    timeout: float


class Embedded(NamedTuple):
    """The vector of each text, and the tokens that it took."""

    vectors: Sequence[Sequence[float]]
    usage: Usage


class Embedder(Protocol):
    """Turns texts into vectors: the more alike what they are about, the smaller the angle."""

    async def embed(self, request: EmbedRequest) -> Embedded:
        """The vectors of texts, in their order.

        Raises `ServiceError`, whose `retryable` says whether asking again can help.
        """
        ...

    def identity(self, model: Person) -> Mapping[str, Any]:
        """Which model it is, as JSON: two with the same identity give the same vectors.

        Raises `ServiceError` when nobody can be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """An image to be drawn.

    `model` says which model does it, by the fields of a person, and how, by more of them (`size`);
    `timeout` is in seconds.
    """

    model: Person
    prompt: str
    timeout: float


class Drawn(NamedTuple):
    """What was drawn, as URLs of the kind `data:`, and the tokens that it took."""

    images: tuple[str, ...]
    usage: Usage


class Painter(Protocol):
    """Draws images."""

    async def draw(self, request: DrawRequest) -> Drawn:
        """At least one image.

        Raises `ServiceError`, whose `retryable` says whether asking again can help.
        """
        ...

    def identity(self, model: Person) -> Mapping[str, Any]:
        """Which model it is, its `provider`, and how it draws, as JSON.

        Raises `ServiceError` when nobody can be asked like this.
        """
        ...

    def price(self, model: Person) -> Price | None:
        """What its tokens, or its images, cost; None when nobody knows.

        May read a file the first time.
        """
        ...
