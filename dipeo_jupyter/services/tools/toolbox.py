"""What nodes see of the tools outside of diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.ports import OutsideTool, ToolResult
from .functions import Functions
from .mcp import McpServers, ServerTool


class LocalToolbox:
    """Fulfils the port `Toolbox` by functions of this process, and MCP servers."""

    def __init__(self, functions: Functions, servers: McpServers) -> None:
        self._functions = functions
        self._servers = servers

    def function(self, name: str) -> OutsideTool:
        return self._functions.find(name)

    async def of_server(self, name: str) -> Sequence[OutsideTool]:
        return await self._servers.tools(name)

    async def use(self, tool: OutsideTool, arguments: Mapping[str, Any]) -> ToolResult:
        if isinstance(tool, ServerTool):
            return await self._servers.use(tool, arguments)
        return await self._functions.use(tool, arguments)

    async def aclose(self) -> None:
        await self._servers.aclose()
