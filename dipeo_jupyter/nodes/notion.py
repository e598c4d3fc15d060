"""`notion`: reads and writes pages, blocks and databases of Notion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from ..engine.node import Context, Inputs, Node, Result, RetryPolicy
from ..errors import NodeError
from .formats import filled, load

Operation = Literal[
    "read_page",
    "list_blocks",
    "append_blocks",
    "update_block",
    "query_database",
    "create_page",
    "extract_text",
]
# What each needs; one of those that stand together is enough.
_NEEDS: Mapping[Operation, tuple[tuple[str, ...], ...]] = {
    "read_page": (("page_id",),),
    "list_blocks": (("block_id", "page_id"),),
    "append_blocks": (("block_id", "page_id"), ("blocks",)),
    "update_block": (("block_id",), ("block_data",)),
    "query_database": (("database_id",),),
    "create_page": (("parent",), ("properties",)),
    "extract_text": (("page_id", "block_id"),),
}


def _from_json(value: Any) -> Any:
    """JSON text becomes its value at once; text with `{{…}}` outside of strings only when run."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        if "{{" in value:
            return value
        raise ValueError(f"this is neither JSON nor a template: {error}.") from None


Object = Annotated[dict[str, Any] | str | None, BeforeValidator(_from_json)]
Objects = Annotated[list[Any] | str | None, BeforeValidator(_from_json)]


def _named(name: str, *others: str) -> Any:
    return Field(None, validation_alias=AliasChoices(name, *others))


class Notion(Node):
    """One operation on Notion; the value is Notion's JSON, of `extract_text` the page's text.

    Ids may be links copied from Notion. Texts in all settings are templates, also inside JSON.
    """

    type: ClassVar[str] = "notion"
    # The token comes from NOTION_TOKEN, never from a diagram.
    ignored: ClassVar[frozenset[str]] = frozenset({"api_key_id", "apiKeyId"})
    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()

    operation: Operation
    page_id: str | None = _named("page_id", "pageId")
    block_id: str | None = _named("block_id", "blockId")
    database_id: str | None = _named("database_id", "databaseId")
    blocks: Objects = None
    block_data: Object = _named("block_data", "blockData")
    filter: Object = None
    sorts: Objects = None
    parent: Object = _named("parent", "parentConfig", "parent_config")
    properties: Object = _named("properties", "pageProperties", "page_properties")
    children: Objects = None
    limit: int = Field(1000, ge=1, le=10_000, description="Blocks or rows to read at most.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for choices in _NEEDS[self.operation]:
            if all(getattr(self, name) in (None, "") for name in choices):
                names = " or ".join(f"`{name}`" for name in choices)
                raise ValueError(f"{self.operation} needs {names}.")
        return self

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        arguments: dict[str, Any] = {"limit": self.limit}
        for name in ("page_id", "block_id", "database_id"):
            if written := getattr(self, name):
                arguments[name] = _id(name, ctx.render(written))
        for name in ("blocks", "sorts", "children"):
            arguments[name] = _value(name, getattr(self, name), list, ctx)
        for name in ("block_data", "filter", "parent", "properties"):
            arguments[name] = _value(name, getattr(self, name), dict, ctx)
        given = {name: value for name, value in arguments.items() if value is not None}
        return Result.value(await ctx.services.notion.call(self.operation, given))


def _id(name: str, rendered: str) -> str:
    if not rendered.strip():
        raise NodeError(f"`{name}` is empty once it is filled in.", field=name)
    return rendered.strip()


def _value(name: str, written: Any, kind: type, ctx: Context) -> Any:
    """The setting filled in; text is JSON by then."""
    value = filled(written, ctx.render)
    if not isinstance(value, str):
        return value
    try:
        value = load(value, "json")
    except NodeError as error:
        raise NodeError(f"`{name}`, filled in: {error}", field=name) from None
    if not isinstance(value, kind):
        wanted = "a list" if kind is list else "an object"
        raise NodeError(f"`{name}` must be {wanted} once it is filled in.", field=name)
    return value
