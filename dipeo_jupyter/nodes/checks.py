"""What node types find wrong with their own settings before anything runs.

Templates, expressions, and the names of persons and nodes need no check of their own: a node type
declares its fields that hold them.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..diagram.model import Label
from ..engine.schemas import fault_in
from ..errors import Problem
from .tools import McpTools, ToolRef


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


def check_servers(label: Label, tools: Sequence[ToolRef]) -> Iterator[Problem]:
    """MCP servers: programs of their own, that run in no sandbox."""
    for tool in tools:
        if isinstance(tool, McpTools):
            message = f"Node {label!r} lets a model use the MCP server {tool.mcp!r}, as you."
            hint = "Look at what .mcp.json says of it, and at the tools that it offers."
            path = ("nodes", label, "tools")
            yield Problem("uses_mcp_server", message, label, path, hint, severity="hint")
