"""What node types find wrong with their own settings before anything runs.

Templates, expressions, and the names of persons and nodes need no check of their own: a node type
declares its fields that hold them.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pydantic import JsonValue

from ..diagram.model import Label
from ..engine.powers import Power
from ..engine.schemas import fault_in
from ..errors import Problem
from .tools import McpTools, ToolRef

_DATA = frozenset(
    (
        *(".txt", ".md", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".xml", ".yaml", ".yml"),
        *(".log", ".diff", ".patch", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf"),
    )
)
"""Files that hold data, which nothing executes."""


def check_schema(label: Label, field: str, schema: Mapping[str, Any] | None) -> Iterator[Problem]:
    """Find out whether a property is a JSON Schema, if it is given at all."""
    if schema is not None and (fault := fault_in(schema)):
        message = f"Node {label!r}: its schema is no JSON Schema: {fault}."
        yield Problem("bad_schema", message, label, ("nodes", label, field))


def check_python(label: Label, field: str, code: str) -> Iterator[Problem]:
    """Find out whether a property is Python, without running any of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes are the job's own business
        try:
            ast.parse(code)
        except SyntaxError as error:
            message = f"Node {label!r}: the code is no Python: {error.msg}."
            within = (error.lineno or 1, error.offset or 1)
            yield Problem("bad_code", message, label, ("nodes", label, field), within=within)
        except (ValueError, RecursionError, MemoryError):
            return  # nested too deeply to be looked at


def server_powers(tools: Sequence[ToolRef]) -> Iterator[Power]:
    """MCP servers: programs of their own, that run in no sandbox."""
    for tool in tools:
        if isinstance(tool, McpTools):
            says = f"lets a model use the MCP server {tool.mcp!r}, as you"
            hint = "Look at what .mcp.json says of it, and at the tools that it offers."
            only = None if tool.only is None else list[JsonValue](tool.only)
            what: dict[str, JsonValue] = {"server": tool.mcp, "only": only}
            yield Power("uses_mcp_server", says, hint, what, "tools", server=tool.mcp)


def writing_power(operation: str, path: str, field: str) -> Power:
    """Writing a file below the root: asked for when it may be one that is executed."""
    says = f"writes the file {path!r}"
    hint = "Look whether a file is there that you want to keep."
    is_data = PurePosixPath(path.strip()).suffix.lower() in _DATA
    if not is_data:
        hint = "Such a file may be executed later: look at what is written."
    what: dict[str, JsonValue] = {"operation": operation, "file": path}
    return Power("writes_files", says, hint, what, field, asks=not is_data)
