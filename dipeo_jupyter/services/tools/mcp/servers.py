"""MCP servers as the toolbox sees them: their tools, and how these are used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ....engine.ports import ToolResult
from ....errors import ServiceError
from ...aside import Aside
from ...redaction import forms_of, without
from .config import FILE, McpConfig, Server
from .connection import Connection, LostError, Request, T, load_sdk
from .results import ServerTool, result_of, tool_of

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

_LONGEST_ERROR = 2_000
_PAGES = 100
"""Of a list of tools; whoever has more does not come to an end."""


class McpServers:
    """The servers of `.mcp.json` in the folder `root`, whose variables are those of `environ`.

    A server is opened at its first use, and stays open until `aclose`, or until this object is let
    go of; the next use opens it again. `redact` takes keys out of what is told of errors.
    """

    def __init__(
        self, root: Path, environ: Mapping[str, str], redact: Callable[[str], str]
    ) -> None:
        self._config = McpConfig(root, environ)
        self._open = _OpenServers(redact)
        # What is open belongs to one event loop, and serves whoever calls, from any.
        self._aside = Aside("dipeo-mcp", self._open.close)

    async def tools(self, name: str) -> Sequence[ServerTool]:
        """The tools of a server; raises `ServiceError` when it cannot say which it has."""
        server = await asyncio.to_thread(self._config.server, name)
        return await self._aside.start(self._open.tools(server))

    async def described(self, name: str) -> str:
        """What the file says of a server; raises `ServiceError` when it says nothing."""
        return await asyncio.to_thread(self._config.written, name)

    async def use(self, tool: ServerTool, arguments: Mapping[str, Any]) -> ToolResult:
        """Use a tool once. What the server does not like is for the model to know.

        Raises `ServiceError` when it cannot be asked, or goes before it answers.
        """
        server = await asyncio.to_thread(self._config.server, tool.server)
        return await self._aside.start(self._open.use(server, tool, arguments))

    async def aclose(self) -> None:
        """End all servers that were started, and all connections."""
        if self._open.any:
            await self._aside.start(self._open.close())
        with suppress(RuntimeError):  # at the end of Python there is no thread to wait in
            await self._aside.stop()


class _OpenServers:
    """Those that are open; all of it on one event loop."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._connections: dict[str, Connection] = {}
        self._ending: set[Connection] = set()

    @property
    def any(self) -> bool:
        return bool(self._connections or self._ending)

    async def tools(self, server: Server) -> Sequence[ServerTool]:
        load_sdk()
        from mcp import MCPError  # noqa: PLC0415 - slow

        try:
            return await self._ask(server, partial(_list, server.name))
        except TimeoutError:
            said = f"does not say within {server.timeout:g} s"
        except (MCPError, RuntimeError, ValidationError) as error:
            said = f"cannot say ({_first_line(error)})"
        raise ServiceError(
            self._clean(f"The MCP server {server.name!r} {said} which tools it has.", server)
        )

    async def use(
        self, server: Server, tool: ServerTool, arguments: Mapping[str, Any]
    ) -> ToolResult:
        load_sdk()
        from mcp import MCPError  # noqa: PLC0415 - slow

        async def call(client: Client) -> CallToolResult:
            return await client.call_tool(tool.name, dict(arguments))

        try:
            result = result_of(await self._ask(server, call))
        except TimeoutError:
            said = (
                f"No answer within {server.timeout:g} s (`timeout` of {server.name!r} in {FILE}). "
                "Whether it was done is not known."
            )
            return ToolResult(said, failed=True)
        except (MCPError, RuntimeError, ValidationError) as error:
            return ToolResult(self._clean(_first_line(error), server), failed=True)
        except ServiceError as error:
            error.retryable = error.retryable or tool.repeatable
            raise
        # A server that tells what it was given has no reason to; models have none to know it.
        return result._replace(text=_without_secrets(result.text, server))

    async def close(self) -> None:
        """Close all of them, and wait until they have ended."""
        ending = {*self._connections.values(), *self._ending}
        self._connections.clear()
        self._ending.clear()
        for each in ending:
            each.end()
        await asyncio.gather(*(each.ended for each in ending), return_exceptions=True)

    async def _ask(self, server: Server, request: Request[T]) -> T:
        try:
            return await self._connection(server).ask(request)
        except LostError:
            return await self._connection(server).ask(request)

    def _connection(self, server: Server) -> Connection:
        """The one that is open, or a new one: also when the file says something else by now."""
        found = self._connections.get(server.name)
        if found is not None and found.alive and found.server == server:
            return found
        if found is not None:
            self._ending.add(found)
            found.ended.add_done_callback(lambda _: self._ending.discard(found))
            found.end()
        new = Connection(server, lambda text: self._clean(text, server))
        self._connections[server.name] = new
        return new

    def _clean(self, text: str, server: Server) -> str:
        return self._redact(_without_secrets(text, server))


async def _list(server: str, client: Client) -> Sequence[ServerTool]:
    tools: list[ServerTool] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [tool_of(server, client.server_info, each) for each in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


def _without_secrets(text: str, server: Server) -> str:
    return without(text, [forms_of(each) for each in server.secrets])


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0][:_LONGEST_ERROR]
