"""`notion`: reads and writes pages, blocks and databases of Notion."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from ..engine.node import Context, EffectPolicy, Inputs, Node, Result, RetryPolicy
from ..engine.ports import Write
from ..engine.powers import Power
from ..errors import NodeError, ServiceError
from .formats import filled, load

T = TypeVar("T")

Operation = Literal[
    "read_page",
    "list_blocks",
    "append_blocks",
    "update_block",
    "query_database",
    "create_page",
    "extract_text",
]
_READS = frozenset(("read_page", "list_blocks", "query_database", "extract_text"))
# What each needs; one of those that stand together is enough.
_NEEDS: Mapping[Operation, tuple[tuple[str, ...], ...]] = {
    "read_page": (("page_id",),),
    "list_blocks": (("block_id", "page_id"),),
    "append_blocks": (("block_id", "page_id"), ("blocks", "markdown")),
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


Object = Annotated[
    dict[str, Any] | str | None,
    BeforeValidator(_from_json, json_schema_input_type=dict[str, Any] | str | None),
]
Objects = Annotated[
    list[Any] | str | None,
    BeforeValidator(_from_json, json_schema_input_type=list[Any] | str | None),
]


def _optional(description: str, *names: str, examples: list[Any] | None = None) -> Any:
    """A setting that only some operations need; the first name is its own."""
    alias = AliasChoices(*names) if names else None
    return Field(None, validation_alias=alias, description=description, examples=examples)


_ADDS = ("append_blocks", "create_page")


class Notion(Node):
    """Reads or writes pages, blocks and databases of Notion.

    The value is Notion's JSON, of `extract_text` the page's text.

    Ids may be links copied from Notion. Texts in all settings are templates, also inside JSON.
    """

    type: ClassVar[str] = "notion"
    keeps_inputs: ClassVar[bool] = True
    # The token comes from NOTION_TOKEN, never from a diagram.
    ignored: ClassVar[frozenset[str]] = frozenset({"api_key_id", "apiKeyId"})
    templates: ClassVar[tuple[str, ...]] = (
        *("page_id", "block_id", "database_id", "blocks", "block_data"),
        *("filter", "sorts", "parent", "properties", "children", "markdown"),
    )
    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()

    example: ClassVar[Mapping[str, JsonValue]] = {
        "operation": "extract_text",
        "page_id": "https://www.notion.so/My-page-0123456789abcdef0123456789abcdef",
    }

    operation: Operation = Field(
        description="What to do; which of the other properties it needs, an error tells."
    )
    page_id: str | None = _optional("A page: its id, or the link to it.", "page_id", "pageId")
    block_id: str | None = _optional("A block: its id, or the link to it.", "block_id", "blockId")
    database_id: str | None = _optional(
        "A database: its id, or the link to it.", "database_id", "databaseId"
    )
    blocks: Objects = _optional(
        "The blocks that `append_blocks` adds, as Notion's API describes them.",
        examples=[[{"paragraph": {"rich_text": [{"text": {"content": "{{summary}}"}}]}}]],
    )
    block_data: Object = _optional(
        "What `update_block` changes, as Notion's API describes it.", "block_data", "blockData"
    )
    filter: Object = _optional(
        "Which rows `query_database` gives. By default all of them.",
        examples=[{"property": "Done", "checkbox": {"equals": False}}],
    )
    sorts: Objects = _optional(
        "The order of the rows that `query_database` gives. By default Notion's own.",
        examples=[[{"property": "Name", "direction": "ascending"}]],
    )
    parent: Object = _optional(
        "Where `create_page` puts the page.",
        *("parent", "parentConfig", "parent_config"),
        examples=[{"page_id": "0123456789abcdef0123456789abcdef"}],
    )
    properties: Object = _optional(
        "The properties of the page that `create_page` makes, its title among them.",
        *("properties", "pageProperties", "page_properties"),
        examples=[{"title": [{"text": {"content": "{{topic}}"}}]}],
    )
    children: Objects = _optional("The blocks of the page that `create_page` makes.")
    markdown: str | None = _optional(
        "Markdown that becomes blocks of `append_blocks` and `create_page`; needs `[notion]`.",
        examples=["{{report}}"],
    )
    marker_property: str | None = _optional(
        "A text property of the database in which `create_page` notes what made the page. After an "
        "interruption the page is found by it; without it you are asked whether it was made.",
        examples=["Made by"],
    )
    limit: int = Field(1000, ge=1, le=10_000, description="Blocks or rows to read at most.")

    def contradictions(self) -> Iterator[str]:
        for choices in _NEEDS[self.operation]:
            if all(getattr(self, name) in (None, "") for name in choices):
                names = " or ".join(f"`{name}`" for name in choices)
                yield f"{self.operation} needs {names}."

    def powers(self) -> Iterator[Power]:
        if self.operation in _READS:
            return
        says = f"changes what your token reaches in Notion ({self.operation})"
        hint = "Look at which page or block it is."
        where = {"page_id": self.page_id, "block_id": self.block_id, "parent": self.parent}
        what: dict[str, JsonValue] = {"operation": self.operation, **where}
        yield Power("changes_notion", says, hint, what, "operation")

    @property
    def needs_notion(self) -> bool:
        return True

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        arguments: dict[str, Any] = {"limit": self.limit}
        for name in ("page_id", "block_id", "database_id"):
            if written := getattr(self, name):
                arguments[name] = _id(name, ctx.render(written))
        if self.markdown:
            arguments["markdown"] = ctx.render(self.markdown)
        arguments["marker_property"] = self.marker_property
        for name in ("blocks", "sorts", "children"):
            arguments[name] = _value(name, getattr(self, name), list, ctx)
        for name in ("block_data", "filter", "parent", "properties"):
            arguments[name] = _value(name, getattr(self, name), dict, ctx)
        given = {name: value for name, value in arguments.items() if value is not None}

        steps = _Steps(ctx)

        async def call(_: str) -> Any:
            return await ctx.services.notion.call(self.operation, given, steps)

        if self.operation in _ADDS:
            return Result.value(await call(""))
        done = await ctx.effect({"notion": self.operation, **given}, call)
        return Result.value(done.value)


class _Steps:
    """Fulfils `Steps`: the node's `retry` is for each request, and each write is an effect."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._ctx.attempt(work)
        except ServiceError as error:
            error.retryable = False  # that was the patience of the node
            raise

    async def once(self, write: Write) -> Any:
        # What was added twice stands there twice.
        policy = EffectPolicy(unknown="ask", what=write.what, look=write.look)
        done = await self._ctx.effect(write.request, write.work, policy, write.name)
        return done.value


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
