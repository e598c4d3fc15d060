"""Tools of persons that are not part of the diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ..chat import Tool


@dataclass(frozen=True, slots=True)
class OutsideTool:
    """A tool outside of all diagrams; `home` says whose it is, and which version of it.

    A `repeatable` one may be used again when nobody knows whether it was.
    """

    tool: Tool
    home: str
    repeatable: bool = False


class ToolResult(NamedTuple):
    """What came of a tool; `images` are URLs. That it `failed` is for the model to know."""

    text: str
    images: tuple[str, ...] = ()
    failed: bool = False


class Toolbox(Protocol):
    """The tools outside of all diagrams: functions that people have given, and MCP servers."""

    def function(self, name: str) -> OutsideTool:
        """The function of this name; raises `ServiceError` when there is none."""
        ...

    async def of_server(self, name: str) -> Sequence[OutsideTool]:
        """The tools of an MCP server; raises `ServiceError` when it cannot be reached."""
        ...

    async def described(self, name: str) -> str:
        """What the configuration says of an MCP server, which is not reached for it.

        Raises `ServiceError` when it says nothing.
        """
        ...

    async def use(
        self, tool: OutsideTool, arguments: Mapping[str, Any], key: str = ""
    ) -> ToolResult:
        """Use it once, now. Raises `ServiceError` when it cannot be reached.

        The `key` is the same whenever this very use is tried again.
        """
        ...

    async def aclose(self) -> None:
        """End what was started to reach them. The next use starts it again."""
        ...
