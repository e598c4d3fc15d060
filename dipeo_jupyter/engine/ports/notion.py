"""Notion, and how a work of several writes is gone on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Write:
    """Something that a service changes outside, as one step of several; each has its `name`.

    `request` (JSON values) says exactly what is done, and `what` does so for people. When nobody
    knows whether it was done, `look` finds what `work` would have given, and gives None when it was
    not done. Without it nothing tells.
    """

    name: str
    request: Mapping[str, Any]
    work: Callable[[str], Awaitable[Any]]
    what: str
    look: Callable[[str], Awaitable[Any]] | None = None


class Steps(Protocol):
    """How the steps of a call are done."""

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do a step, and again as long as it fails in a way that may pass and there is patience."""
        ...

    async def once(self, write: Write) -> Any:
        """Change something, at most once, and give what came of it.

        None when people say that it is done.
        """
        ...


class Notion(Protocol):
    """Speaks with the Notion service."""

    def look(self) -> object:
        """Raise `ServiceError` when it cannot be spoken with, as far as it shows here."""
        ...

    async def call(
        self, operation: str, arguments: Mapping[str, Any], steps: Steps | None = None
    ) -> Any:
        """Do one operation and return Notion's JSON. Raises `ServiceError`.

        Without `steps` nothing is tried again, and nothing is known of what was done before.
        """
        ...
