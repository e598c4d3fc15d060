"""What nodes see of the tools outside of diagrams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...engine.ports import OutsideTool, ToolResult
from .functions import Functions
from .mcp import McpServers, ServerTool


class LocalToolbox:
    """Fulfils the port `Toolbox` by functions of this process, and MCP servers.

    `redact` takes keys out of what functions return or raise.
    """

    def __init__(
        self, functions: Functions, servers: McpServers, redact: Callable[[str], str] = str
    ) -> None:
        self._functions = functions
        self._servers = servers
        self._redact = redact

    def function(self, name: str) -> OutsideTool:
        return self._functions.find(name)

    async def of_server(self, name: str) -> Sequence[OutsideTool]:
        return await self._servers.tools(name)

    async def described(self, name: str) -> str:
        return await self._servers.described(name)

    async def use(
        self,
        tool: OutsideTool,
        arguments: Mapping[str, Any],
        key: str = "",
    ) -> ToolResult:
        if isinstance(tool, ServerTool):
            return await self._servers.use(tool, arguments)
        result = await self._functions.use(tool, arguments)
        # It goes to a model, and into the journal.
        return result._replace(text=self._redact(result.text))

    async def aclose(self) -> None:
        await self._servers.aclose()
