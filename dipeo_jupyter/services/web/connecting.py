"""Where a name becomes an address: it is looked up once, judged, and connected to.

What a name means a moment later makes no difference. The host's name is still what its certificate
must show, and what it is told that it is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

from ...errors import ServiceError
from ..addresses import forbidden

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host; raises `OSError` or `UnicodeError`."""


class Door(httpcore.AsyncNetworkBackend):
    """The only way out for requests. `passed` tells whether anybody has answered there."""

    def __init__(
        self, look_up: LookUp, *, private: bool, beyond: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self.passed = False
        self._look_up = look_up
        self._private = private
        self._beyond = beyond or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - that of the library's method
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers, if all are allowed."""
        failure: Exception | None = None
        for address in await self._addresses(host, port):
            try:
                stream = await self._beyond.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                self.passed = True
                return stream
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise ServiceError("Requests go by the network alone.")

    async def sleep(self, seconds: float) -> None:
        await self._beyond.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._look_up(host, port)
        except (OSError, UnicodeError):
            message = f"Nobody knows {host}. Is its name right, and is there a network?"
            raise ServiceError(message, retryable=True, kind="connection") from None
        if why := forbidden(host, addresses, private=self._private):
            raise ServiceError(why)
        return addresses
