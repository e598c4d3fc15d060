"""Requests by HTTP, as nodes ask for them: the port is `Web`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Credential:
    """A key, by the name of its variable, and how it is sent.

    `name` is that of the user, of the header or of the parameter of the query.
    """

    api_key_id: str
    sent: Literal["bearer", "basic", "header", "query"] = "bearer"
    name: str = ""


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request by HTTP. `timeout` is in seconds, for the whole answer.

    It goes to these `hosts` alone, if any are named; so many `redirects` are followed. A status
    beside 200 to 299 is a failure unless it is `accepted`. One that is not `repeatable` must not be
    done twice. `most_bytes` is what an answer may have, unpacked.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    credential: Credential | None = None
    hosts: tuple[str, ...] = ()
    accepted: tuple[int, ...] = ()
    redirects: int = 5
    timeout: float = 30.0
    most_bytes: int = 5_000_000
    repeatable: bool = True


class WebAnswer(NamedTuple):
    """What came back, from where at last. `text` is None when it is none; no key is in it."""

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes
    text: str | None


class Web(Protocol):
    """Sends requests to public addresses, and to no others unless the server allows it."""

    def find_key(self, api_key_id: str, host: str) -> object:
        """Raise `ServiceError` when there is no such key, or when it does not go to this host."""
        ...

    async def send(self, request: WebRequest) -> WebAnswer:
        """Send it once. Raises `ServiceError`, also for a status that is a failure."""
        ...
