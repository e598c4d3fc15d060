"""A connection to a server that is made again whenever it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ..errors import CommandError
from .address import Server
from .answers import not_let_in, not_understood

if TYPE_CHECKING:
    from tornado.websocket import WebSocketClientConnection

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two tries to reach the server."""
LATER_PATIENCE = 30.0
"""Seconds, at least, that a server may take to come back that was there before."""
GOODBYE = 2.0
"""Seconds that the server has for its own goodbye."""


class Link:
    """It belongs to the event loop it is first used on.

    `linked` is called when there is a new connection, on which nothing has been said yet, `hear`
    with each frame, and `cut_off` when there is no connection and there will be none.
    """

    def __init__(
        self,
        server: Server,
        *,
        linked: Callable[[], None],
        hear: Callable[[dict[str, Any]], None],
        cut_off: Callable[[CommandError], None],
    ) -> None:
        self._server = server
        self._tell_linked = linked
        self._hear = hear
        self._cut_off = cut_off
        self._socket: WebSocketClientConnection | None = None
        self._linking: asyncio.Task[None] | None = None
        self._linked = asyncio.Event()
        self._connecting: asyncio.Future[WebSocketClientConnection] | None = None
        self._trouble: CommandError | None = None
        self._closed = False
        self.most_bytes = 0
        """The largest frame that the server takes."""

    async def ready(self) -> None:
        """Wait until there is a connection; raises `CommandError` when there cannot be one."""
        if self._closed:
            raise CommandError("This client is closed.", code="no_server")
        if self._linking is None or self._linking.done():
            self._trouble = None
            self._linking = asyncio.create_task(self._keep_linked())
        waiting = asyncio.ensure_future(self._linked.wait())
        try:
            await asyncio.wait({waiting, self._linking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._trouble is not None:
            raise self._trouble

    def say(self, text: str) -> None:
        """Say something now, if there is anybody."""
        from tornado.websocket import WebSocketClosedError  # noqa: PLC0415 - loaded by now

        if self._socket is not None:
            with contextlib.suppress(WebSocketClosedError):
                self._socket.write_message(text)

    async def close(self) -> None:
        """Let go of the server, for good."""
        self._closed = True
        if self._linking is not None:
            if self._socket is not None:
                self._socket.close()
                await asyncio.wait({self._linking}, timeout=GOODBYE)
            self._linking.cancel()
            await asyncio.wait({self._linking})
            await self._hang_up()
        self._give_up(CommandError("The connection to the server was closed.", code="no_server"))

    async def _hang_up(self) -> None:
        """A connection that is only being made cannot be given up halfway."""
        if self._connecting is not None:
            with contextlib.suppress(Exception):  # nobody wants to know any more
                async with asyncio.timeout(GOODBYE):
                    (await self._connecting).close()

    def _give_up(self, error: CommandError) -> None:
        self._trouble = error
        self._cut_off(error)

    async def _keep_linked(self) -> None:
        """Connect, hear what is said, and connect again, until that cannot be done any more."""
        try:
            while not self._closed:
                socket = await self._connect()
                try:
                    self._linked.set()
                    self._tell_linked()
                    while (text := await socket.read_message()) is not None:
                        self._hear(from_json(text))
                finally:
                    self._linked.clear()
                    self._socket = None
                    socket.close()
        except CommandError as error:
            self._give_up(error)
        except (ValueError, LookupError, TypeError):
            self._give_up(not_understood(self._server.url))

    async def _connect(self) -> WebSocketClientConnection:
        """A connection on which the server has said hello."""
        begun, pause = asyncio.get_running_loop().time(), FIRST_PAUSE
        patience = self._server.patience
        if self.most_bytes:  # it is known to be the right one
            patience = max(patience, LATER_PATIENCE)
        while True:
            try:
                return await self._try()
            except OSError as error:
                if asyncio.get_running_loop().time() - begun > patience:
                    message = f"The server at {self._server.url} cannot be reached: {error}."
                    hint = "Runs that it has go on; look whether it is up."
                    raise CommandError(message, code="no_server", hint=hint) from None
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - not all at once
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _try(self) -> WebSocketClientConnection:
        # Loaded at the first connection: who runs diagrams in this process never needs it.
        from tornado.httpclient import HTTPClientError, HTTPRequest  # noqa: PLC0415
        from tornado.websocket import WebSocketError, websocket_connect  # noqa: PLC0415

        server = self._server
        request = HTTPRequest(
            server.url,
            headers=dict(server.headers()),
            ca_certs=server.certificates,
            connect_timeout=10,
            request_timeout=10,
        )
        self._connecting = asyncio.ensure_future(
            websocket_connect(request, ping_interval=20, ping_timeout=20, max_message_size=2**30)
        )
        try:
            socket = await asyncio.shield(self._connecting)
        except HTTPClientError as error:
            if error.code in (502, 503, 504, 599):
                raise ConnectionError(f"HTTP {error.code}") from None
            raise not_let_in(server.url, error.code) from None
        except WebSocketError as error:
            raise ConnectionError(str(error)) from None
        text = None
        try:
            text = await socket.read_message()
        finally:
            if text is None:
                socket.close()
        if text is None:
            raise ConnectionError(socket.close_reason or "it has closed the connection")
        self.most_bytes = from_json(text)["payload"]["most_bytes"]
        self._socket = socket
        return socket
