"""One open MCP server: its connection, its last words, and how its troubles are told."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ....errors import ServiceError
from .config import FILE, Address, Command, Server

if TYPE_CHECKING:
    from mcp import Client, MCPError

T = TypeVar("T")
Request = Callable[["Client"], Awaitable[T]]

_LINES, _LINE = 8, 500
"""How much of what a server writes to its stderr is kept: lines, and bytes of each."""
_A_MOMENT = 1.0
"""Seconds in which the rest comes to an end when a server has."""
_NOT_FOUND, _REFUSED = 404, (401, 403)
_NOBODY_KNOWS = "Whether it was done is not known."

_MORE_TIME = f"`timeout` in {FILE} gives it more, in milliseconds."
_LOGGERS = ("client", "mcp.client.stdio", "mcp.client.streamable_http")

_ours = ContextVar("_ours", default=False)
"""Whether what goes on is done for a connection of ours."""


def load_sdk() -> None:
    """Import it, and have it not log what it does for us: whoever asks is told what goes wrong.

    Raises `ServiceError` when it is not installed.
    """
    try:
        from mcp import Client  # noqa: F401, PLC0415 - slow, and not everybody has it
    except ImportError:
        raise ServiceError(
            "MCP servers need the package `mcp`, version 2 or later: "
            '`pip install "dipeo_jupyter[mcp]"`.'
        ) from None
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _not_ours not in logger.filters:
            logger.addFilter(_not_ours)


def _not_ours(_: logging.LogRecord) -> bool:
    return not _ours.get()


class LostError(ServiceError):
    """The server has forgotten us, and done nothing: a new connection is needed."""


class Connection:
    """A server that is being opened, is open, or has ended.

    What the SDK opens must be closed by the same task; so all of it lives in one, which also sees
    when the server goes by itself. Requests come from any task of its loop, several at once.
    """

    def __init__(self, server: Server, redact: Callable[[str], str]) -> None:
        self.server = server
        self._redact = redact
        self._opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        # Nobody may be waiting any more when it fails.
        self._opened.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._over = asyncio.Event()
        self._words: LastWords | None = None
        self._status: int | None = None
        self._trouble: BaseException | None = None
        self.ended = asyncio.create_task(self._live())

    @property
    def alive(self) -> bool:
        return not self._over.is_set() and not self.ended.done()

    def end(self) -> None:
        """Begin to close it; `ended` is done when it is."""
        if self._opened.done():
            self._over.set()
        else:
            self.ended.cancel()

    async def ask(self, request: Request[T]) -> T:
        """Ask the server one thing as soon as it is open.

        Raises `ServiceError` when it cannot be opened, or goes before it answers; `TimeoutError`;
        and what the SDK raises when the server refuses.
        """
        from mcp import MCPError  # noqa: PLC0415 - slow

        client = await asyncio.shield(self._opened)
        try:
            async with asyncio.timeout(self.server.timeout):
                return await request(client)
        except MCPError as error:
            if isinstance(self.server, Address) and _forgotten(error):
                self._over.set()
                raise LostError(self._about("has forgotten us twice.")) from None
            if not self._is_lost(error):
                raise
        except RuntimeError:  # also what the SDK says of a client that was closed
            if self.alive:
                raise
        # Not inside `except`: foreign errors may hold headers.
        raise await self._gone()

    async def _gone(self) -> ServiceError:
        """What to say when it has not answered, and will not."""
        import httpx2  # noqa: PLC0415 - slow; the SDK's own

        self._over.set()
        await asyncio.wait([self.ended], timeout=_A_MOMENT)
        if isinstance(_innermost(self._trouble), httpx2.ConnectError):
            return await self._why()
        said = f"has gone before it answered. {_NOBODY_KNOWS}{await self._said()}"
        return ServiceError(self._about(said), kind="connection")

    def _is_lost(self, error: MCPError) -> bool:
        from mcp.types import CONNECTION_CLOSED  # noqa: PLC0415 - slow

        # The code is used by servers for errors of their own, too.
        ours = ("Connection closed", "SSE stream")
        return not self.alive or (
            error.code == CONNECTION_CLOSED and error.message.startswith(ours)
        )

    async def _live(self) -> None:
        _ours.set(True)
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(self.server.timeout):
                    client = await self._open(stack)
                self._opened.set_result(client)
                await self._over.wait()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
            self._trouble = error
        finally:
            self._over.set()
            if not self._opened.done():
                self._opened.set_exception(await self._why())

    async def _open(self, stack: AsyncExitStack) -> Client:
        from mcp import Client, MCPError  # noqa: PLC0415 - slow
        from mcp.types import CONNECTION_CLOSED  # noqa: PLC0415

        async def entered(mode: Literal["auto", "legacy"]) -> Client:
            self._over.clear()
            return await stack.enter_async_context(Client(self._transport(), mode=mode))

        try:
            return await entered("auto")
        except (MCPError, ExceptionGroup) as error:
            inner = _innermost(error)
            closed = isinstance(inner, MCPError) and inner.code == CONNECTION_CLOSED
            if not closed or not isinstance(self.server, Command):
                raise
        # Some hang up on whoever begins with anything but `initialize`.
        return await entered("legacy")

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            if isinstance(self.server, Command):
                read, write = await self._started(self.server, stack)
            else:
                assert isinstance(self.server, Address)
                read, write = await self._reached(self.server, stack)
            yield _Heard(read, self._over), write

    async def _started(self, server: Command, stack: AsyncExitStack) -> Any:
        from mcp import StdioServerParameters, stdio_client  # noqa: PLC0415 - slow

        # The SDK adds PATH, HOME and the like, and nothing else of this process's environment.
        parameters = StdioServerParameters(
            command=server.command, args=[*server.args], env={**server.env}, cwd=server.folder
        )
        self._words = LastWords()
        with self._words.file:
            return await stack.enter_async_context(stdio_client(parameters, self._words.file))

    async def _reached(self, server: Address, stack: AsyncExitStack) -> Any:
        import httpx2  # noqa: PLC0415 - slow; the SDK's own
        from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

        async def notice(response: httpx2.Response) -> None:
            self._status = response.status_code

        client = httpx2.AsyncClient(
            headers=server.headers,
            timeout=httpx2.Timeout(server.timeout, read=None),  # each request has a limit of ours
            event_hooks={"response": [notice]},
        )
        await stack.enter_async_context(client)
        opened = streamable_http_client(server.url, http_client=client)
        return await stack.enter_async_context(opened)

    async def _why(self) -> ServiceError:
        """Why it could not be opened."""
        import httpx2  # noqa: PLC0415

        match _innermost(self._trouble):
            case None:
                return ServiceError(self._about("was closed while it was being opened."))
            case TimeoutError():
                said = f"is not ready after {self.server.timeout:g} s. {_MORE_TIME}"
            case OSError() as error if isinstance(self.server, Command):
                said = f"cannot be started: {error}. {FILE} says how."
            case httpx2.TransportError() if isinstance(self.server, Address):
                said = f"cannot be reached at {self.server.place}. Is it running?"
                return ServiceError(self._about(said), retryable=True, kind="connection")
            case _ if isinstance(self.server, Address) and self._status in _REFUSED:
                said = f"does not let us in (status {self._status}). Look at `headers` in {FILE}."
            case _ if isinstance(self.server, Address) and self._status == _NOT_FOUND:
                said = f"is not at {self.server.place} (status 404). Look at `url` in {FILE}."
            case error if isinstance(self.server, Command) and not self._is_reply(error):
                said = "ended as soon as it was started."
            case error:
                said = f"cannot be opened: {type(error).__name__}: {error}"
        return ServiceError(self._about(said + await self._said()))

    @staticmethod
    def _is_reply(error: BaseException) -> bool:
        return getattr(error, "message", "") != "Connection closed"

    def _about(self, said: str) -> str:
        return self._redact(f"The MCP server {self.server.name!r} {said}")

    async def _said(self) -> str:
        words = await self._words.text() if self._words else ""
        return f" It said last:\n{words}" if words else ""


class _Heard:
    """What a server says; sets `over` when whoever listens has heard the last of it."""

    def __init__(self, stream: Any, over: asyncio.Event) -> None:
        self._stream = stream
        self._over = over

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> Any:
        return self._stream.__aiter__()

    async def __anext__(self) -> Any:
        return await self._stream.__anext__()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        self._over.set()
        return await self._stream.__aexit__(*error)


class LastWords:
    """Keeps the last lines that a process writes into `file`, and shows them to nobody else."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.file = os.fdopen(writing, "w", encoding="utf-8")
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._ended: Future[None] = Future()
        self._ended.set_running_or_notify_cancel()
        # No event loop can read from such a pipe on Windows.
        threading.Thread(target=self._read, args=[reading], name="dipeo-mcp", daemon=True).start()

    def _read(self, file: int) -> None:
        with os.fdopen(file, "rb") as pipe:
            while line := pipe.readline(_LINE):
                self._lines.append(line.decode(errors="replace").rstrip())
        self._ended.set_result(None)

    async def text(self) -> str:
        """What was written last, all of it if the process ends soon."""
        ended = asyncio.wrap_future(self._ended)
        await asyncio.wait([ended], timeout=_A_MOMENT)
        ended.cancel()
        return "\n".join(self._lines).strip()


def _innermost(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _forgotten(error: MCPError) -> bool:
    """Whether a server that was started anew says that it does not know our session."""
    codes = (-32600, -32000, -32001)  # by the SDK, and by servers in other languages
    return error.code in codes and "session" in error.message.lower()
