"""What nodes see of the tools outside of diagrams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...engine.ports import OutsideTool, ToolResult
from .functions import Functions


class LocalToolbox:
    """Fulfils the port `Toolbox` by functions of this process, and MCP servers."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def function(self, name: str) -> OutsideTool:
        return self._functions.find(name)

    async def of_server(self, name: str) -> Sequence[OutsideTool]:
        raise NotImplementedError

    async def use(self, tool: OutsideTool, arguments: Mapping[str, Any]) -> ToolResult:
        return await self._functions.use(tool, arguments)
