"""What MCP servers say, in our words."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....engine.chat import Tool, tool_name
from ....engine.ports import OutsideTool, ToolResult
from ....engine.values import image_url

if TYPE_CHECKING:
    import mcp_types as types


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool(OutsideTool):
    """A tool of the MCP server `server`, which calls it `name`."""

    server: str
    name: str


def tool_of(server: str, info: types.Implementation | None, tool: types.Tool) -> ServerTool:
    """The tool as we know it; `info` says which server it is."""
    hints = tool.annotations
    title = tool.title or (hints and hints.title)
    return ServerTool(
        tool=Tool(
            tool_name(tool.name),
            tool.description or title or "",
            tool.input_schema,
        ),
        home=f"mcp:{server} {info.name} {info.version}".strip() if info else f"mcp:{server}",
        repeatable=bool(hints and (hints.read_only_hint or hints.idempotent_hint)),
        server=server,
        name=tool.name,
    )


def result_of(result: types.CallToolResult) -> ToolResult:
    """What came of a tool: its texts, its images, and what it has structured if it says no more."""
    texts: list[str] = []
    images: list[str] = []
    for block in result.content:
        match block.type:
            case "text":
                texts.append(block.text)
            case "image":
                _add_data(block.data, block.mime_type, texts, images)
            case "audio":
                texts.append(_left_out(block.mime_type))
            case "resource_link":
                texts.append(f"{block.title or block.name}: {block.uri}")
            case "resource":
                inside = block.resource
                if hasattr(inside, "text"):
                    texts.append(inside.text)
                else:
                    _add_data(inside.blob, inside.mime_type or inside.uri, texts, images)
    if not texts and result.structured_content is not None:
        texts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return ToolResult("\n".join(texts), tuple(images), failed=bool(result.is_error))


def _add_data(data: str, kind: str, texts: list[str], images: list[str]) -> None:
    try:
        url = image_url(base64.b64decode(data))
    except binascii.Error:
        url = None
    if url is None:
        texts.append(_left_out(kind))
    else:
        images.append(url)


def _left_out(kind: str) -> str:
    return f"[{kind}, which cannot be shown]"
