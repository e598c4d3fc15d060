"""How diagrams name the tools that a person may use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from ..diagram.suggest import did_you_mean
from ..engine.chat import TOOL_NAME
from .diagram_files import ENDINGS

_SEARCH = ("web_search", "web_search_preview", "websearch")
_DRAWING = ("image_generation", "image")
_SERVER = "mcp:"
DRAW = "generate_image"
"""What models know the tool as that draws."""


class ToolRef(BaseModel):
    """Base of what may stand in `tools`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FunctionTool(ToolRef):
    """A Python function that somebody has given: by `@dipeo.tool`, in the terminal `--tools`."""

    function: str = Field(description="The function's name.", examples=["exchange_rate"])


class DiagramTool(ToolRef):
    """A diagram in a file; what the model fills in is the data of its start node."""

    diagram: str = Field(
        description="The diagram's file, relative to the run's root.",
        examples=["tools/summarize.light.yaml"],
    )
    name: str | None = Field(
        None,
        pattern=f"^{TOOL_NAME}$",
        description="What the model calls it. By default the file's name.",
        examples=["summarize"],
    )
    description: str | None = Field(
        None,
        description="What the model is told about it. By default the diagram's own description.",
        examples=["Summarizes a text in one sentence."],
    )


class McpTools(ToolRef):
    """The tools of an MCP server that `.mcp.json` names."""

    mcp: str = Field(description="The server's name there.", examples=["files"])
    only: tuple[str, ...] | None = Field(
        None,
        description="Which of its tools. By default all.",
        examples=[["read_file", "list_directory"]],
    )


class WebSearch(ToolRef):
    """The search in the web that a provider has built in."""

    web_search: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Options of it, under OpenAI's names (`search_context_size`, `user_location`).",
        examples=[{"search_context_size": "low"}],
    )


class ImageGeneration(ToolRef):
    """A model that draws; what it has drawn is part of the answer."""

    class Options(BaseModel):
        """Which model draws, and how: options that its provider knows, such as `size`."""

        model_config = ConfigDict(frozen=True, extra="allow")

        model: str | None = Field(
            None,
            pattern=r"^(demo|[\w.-]+[/:].+)$",
            description="Who draws. By default a model of the person's provider.",
            examples=["openai/gpt-image-2"],
        )

    image_generation: Options = Field(
        default_factory=Options, description="Which model draws, and how."
    )


_KINDS: tuple[type[ToolRef], ...] = (
    *(FunctionTool, DiagramTool, McpTools, WebSearch, ImageGeneration),
)
_BY_KEY = {next(iter(kind.model_fields)): kind for kind in _KINDS}
_FORMS = (
    "a function's name, a diagram's file, `mcp:` and a server's name, `web_search` or "
    "`image_generation`"
)


def read_tools(value: Any) -> Any:
    """The tools that a diagram means: a list, or names with commas; older forms are read as well.

    Raises `ValueError`.
    """
    if isinstance(value, str):
        value = [each.strip() for each in value.split(",") if each.strip()]
    if not isinstance(value, list | tuple):
        return () if value is None else value
    return tuple(read for each in value if (read := _tool(each)) is not None)


def _tool(value: Any) -> Any:
    if isinstance(value, Mapping) and "type" in value:
        return _older(value)
    if isinstance(value, Mapping):
        keys = [key for key in _BY_KEY if key in value]
        if len(keys) != 1:
            known = ", ".join(f"`{key}`" for key in _BY_KEY)
            raise ValueError(f"a tool has one of {known}{_likely(value)}")
        empty = value[keys[0]] is None and keys[0] in (*_SEARCH, *_DRAWING)
        return _BY_KEY[keys[0]].model_validate({keys[0]: {}} if empty else value)
    if not isinstance(value, str):
        return value
    return _named(value)


def _named(text: str) -> ToolRef | None:
    name = text.strip()
    if name.lower() in _SEARCH:
        return WebSearch()
    if name.lower() in _DRAWING:
        return ImageGeneration()
    if name.lower() == "none":
        return None
    if name.lower().startswith(_SERVER):
        return McpTools(mcp=name[len(_SERVER) :].strip())
    if name.lower().endswith(ENDINGS):
        return DiagramTool(diagram=name)
    if re.fullmatch(TOOL_NAME, name):
        return FunctionTool(function=name)
    raise ValueError(f"{text[:60]!r} names no tool: write {_FORMS}")


def _older(value: Mapping[str, Any]) -> ToolRef | None:
    """`{type, enabled, config}`, as older files have it."""
    named = _named(str(value["type"]))
    if named is None or value.get("enabled") in (False, "false"):
        return None
    if not isinstance(named, WebSearch | ImageGeneration):
        raise ValueError(f"there is no tool of the type {value['type']!r}: write {_FORMS}")  # noqa: TRY004 - for pydantic
    (key,) = type(named).model_fields
    return type(named).model_validate({key: value.get("config") or {}})


def _likely(value: Mapping[str, Any]) -> str:
    hint = next((hint for key in value if (hint := did_you_mean(str(key), _BY_KEY))), None)
    return f". {hint}" if hint else ""


Tools: TypeAlias = Annotated[
    tuple[FunctionTool | DiagramTool | McpTools | WebSearch | ImageGeneration, ...],
    BeforeValidator(
        read_tools,
        json_schema_input_type=str
        | list[str | FunctionTool | DiagramTool | McpTools | WebSearch | ImageGeneration]
        | None,
    ),
]
