"""`db` with a `collection` or a `query`: rows in a database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import (
    AliasChoices,
    Field,
    JsonValue,
    field_validator,
)

from ..diagram import template
from ..diagram.language.values import kind
from ..diagram.suggest import did_you_mean
from ..engine.node import Context, Inputs, Node, Result, RetryPolicy
from ..engine.ports.collections import Change, ColumnType, Query
from ..engine.powers import Power
from ..engine.reuse import key_of
from ..errors import NodeError, NodeTimeoutError
from .formats import FormatOrNone, format_of, structured
from .spellings import Pieces
from .streams import rows_in
from .writing import to_write

IN_COLLECTIONS = ("query", "create", "insert", "upsert", "import")
"""What can be done with a collection and not with a file."""
HIGHEST_LIMIT = 100_000
SECONDS = 60.0
"""How long a query may take that has no `timeout`."""

_PARAMETER = re.compile(r"(?<![:\w\\]):([^\W\d]\w*)(?!:)")
_QUOTE = '"'
_WAITS = "waits for another run or program that writes into the database"


class InCollection(Node):
    """Works on the rows of a collection, which is a table of a database.

    `read` gives its rows, `query` what a statement of SQL selects. `create` makes a collection,
    `insert` adds the row or the rows that arrive, `upsert` replaces those that have the same
    `keys`, `import` adds the rows of a file; these hand on how many rows there were.
    """

    type: ClassVar[str] = "db"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("data", "file", "params")
    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()
    ignored: ClassVar[frozenset[str]] = frozenset({"tool", "serialize_json", "serializeJson"})

    sub_type: Literal["collection"] = Field(
        "collection", validation_alias=AliasChoices("sub_type", "subType")
    )
    operation: Literal["read", "query", "create", "insert", "upsert", "import"] = Field("read")
    collection: str | None = Field(
        None,
        description="The table. When there is none of this name, the first rows make it.",
        examples=["cities"],
    )
    database: str = Field(
        "",
        description=(
            "The database, by the name that the configuration gives it: `sales` stands for what "
            "DIPEO_SALES_DATABASE_URL holds. By default a file of SQLite beside the runs, or what "
            "DIPEO_DATABASE_URL holds."
        ),
        examples=["sales"],
    )
    query: str | None = Field(
        None,
        description=(
            "A statement of SQL that only reads. Values stand in it as `:name` and nowhere else: "
            "it is no template."
        ),
        examples=["SELECT name, population FROM cities WHERE population > :least"],
    )
    params: dict[str, Any] = Field(
        {},
        description=(
            "What the `:names` of the query stand for. One that is not among them is what the node "
            "sees under this name."
        ),
        examples=[{"least": "{{threshold}}"}],
    )
    limit: int = Field(
        1000, ge=1, le=HIGHEST_LIMIT, description="More rows than this are an error."
    )
    columns: dict[str, ColumnType] = Field(
        {},
        description=(
            "What the columns hold when the collection is made. Those that are not named are what "
            "the first rows need."
        ),
        examples=[{"name": "text", "population": "integer", "founded": "date"}],
    )
    keys: Pieces = Field((), description="The columns that tell rows apart.", examples=["name"])
    file: str | None = Field(
        None,
        validation_alias=AliasChoices("file", "source_details", "file_path", "filePath"),
        description="The CSV or JSONL file to import, of any size; relative to the run's root.",
    )
    format: FormatOrNone = Field(None)
    data: Any = Field(None, validation_alias=AliasChoices("data", "content"))

    @field_validator("columns", mode="before")
    @classmethod
    def _no_choice(cls, columns: Any) -> Any:
        if isinstance(columns, str | list):
            message = (
                "these say what a new collection holds: `{name: text}`. Choose some by a `query`."
            )
            raise ValueError(message)  # noqa: TRY004 - for pydantic
        return columns

    @property
    def needed_database(self) -> str | None:
        return self.database

    @classmethod
    def is_meant(cls, props: Mapping[str, Any]) -> bool:
        """Whether a `db` with these properties works on rows."""
        sub_type = props.get("sub_type", props.get("subType"))
        named = props.get("collection") or props.get("query")
        return bool(named) or sub_type == "collection" or props.get("operation") in IN_COLLECTIONS

    @classmethod
    def settings_in(cls, props: Mapping[str, Any]) -> dict[str, Any]:
        """With the operation that a query stands for."""
        settings = super().settings_in(props)
        if settings.get("query"):
            settings.setdefault("operation", "query")
        return settings

    @field_validator("query")
    @classmethod
    def _no_template(cls, query: str | None) -> str | None:
        if query and "{{" in query:
            raise ValueError(
                "a query is no template, since what is filled in could be SQL: write :name."
            )
        return query

    def contradictions(self) -> Iterator[str]:
        if self.operation == "query":
            if not (self.query and self.query.strip()):
                yield "`query` is missing: write the statement."
        elif not self.collection:
            yield f"`collection` is missing: say which one to {self.operation}."
        elif self.query:
            yield f"`query` is for `operation: query`, and this one is {self.operation}."
        if self.operation == "import" and not self.file:
            yield "`file` is missing: name the file to import."
        if self.operation == "create" and not self.columns:
            yield "`columns` is missing: say what the collection holds."
        if self.operation == "upsert" and not self.keys:
            yield "upsert needs `keys`: the columns that tell rows apart."

    def without_effect(self) -> Mapping[str, str]:
        idle: dict[str, str] = {}
        if self.operation in ("read", "query", "create", "import"):
            idle["data"] = "is for `insert` and `upsert`"
        if self.operation != "query":
            idle["params"] = "is for `query`"
        if self.operation != "import":
            idle["file"] = "is for `import`"
        return idle

    def powers(self) -> Iterator[Power]:
        reads = self.operation in ("read", "query")
        if reads and not self.database:
            return
        where = f"the database {self.database!r}" if self.database else "the usual database"
        what: dict[str, JsonValue] = {
            "operation": self.operation,
            "database": self.database,
            "collection": self.collection,
            "query": self.query,
        }
        if reads:
            says, hint = f"asks {where}", "Look at what it asks for, and at who is told."
        else:
            says = f"changes the collection {self.collection!r} in {where} ({self.operation})"
            hint = "Look at what is there already."
        field = "query" if self.query else "collection"
        # The usual database is data of the run, as a file of rows would be.
        yield Power("uses_database", says, hint, what, field, asks=bool(self.database))

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        if self.operation in ("read", "query"):
            return Result.value(await self._rows(self._query(ctx), ctx))
        if self.operation == "import":
            return Result.value(await self._import(ctx))
        rows = [] if self.operation == "create" else self._given(inputs, ctx)

        async def change(key: str) -> int:
            return await ctx.services.collections.change(
                self._change(ctx, rows, f"{key} {key_of(request)}")
            )

        request = {**self._request(), "rows": rows}
        done = await ctx.effect(request, change)
        return Result.value({"collection": self.collection, "rows": done.value})

    # -- reading ----------------------------------------------------------------------------------

    def _query(self, ctx: Context) -> Query:
        if self.operation == "read":
            named = (each.replace(_QUOTE, 2 * _QUOTE) for each in str(self.collection).split("."))
            sql = f"SELECT * FROM {'.'.join(f'{_QUOTE}{each}{_QUOTE}' for each in named)}"  # noqa: S608 - quoted
            return Query(sql, {}, self.limit, self.database)
        sql = str(self.query)
        given = {
            name: _typed(value, ctx) if isinstance(value, str) else value
            for name, value in self.params.items()
        }
        for name in dict.fromkeys(_PARAMETER.findall(sql)):
            if name not in given and name in ctx.names:
                given[name] = ctx.names[name]
        wanted = {name: given[name] for name in _PARAMETER.findall(sql) if name in given}
        if idle := [name for name in self.params if name not in wanted]:
            hint = did_you_mean(idle[0], _PARAMETER.findall(sql)) or "Remove it."
            raise NodeError(f"The query has no `:{idle[0]}`. {hint}", field="params")
        return Query(sql, wanted, self.limit, self.database)

    async def _rows(self, query: Query, ctx: Context) -> Any:
        async def ask(_: str) -> list[dict[str, Any]]:
            try:
                async with asyncio.timeout(None if self.timeout else SECONDS):
                    return await ctx.services.collections.query(query)
            except TimeoutError:
                message = f"The query took longer than {SECONDS:g} s: set a `timeout`."
                raise NodeTimeoutError(message, field="query") from None

        request = {
            "query": query.sql,
            "values": dict(query.parameters),
            "limit": query.limit,
            "database": query.database,
        }
        return (await ctx.effect(request, ask)).value

    # -- writing ----------------------------------------------------------------------------------

    def _given(self, inputs: Inputs, ctx: Context) -> list[dict[str, Any]]:
        value = structured(to_write(self.data, inputs, lambda text: _typed(text, ctx)))
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if not isinstance(row, dict):
                raise NodeError(
                    f"A row is an object, column → value, and this is {kind(row)}.", field="data"
                )
        return rows

    def _request(self) -> dict[str, Any]:
        """What else says exactly what is done."""
        return {
            self.operation: self.collection,
            "database": self.database,
            "columns": dict(self.columns),
            "keys": list(self.keys),
        }

    def _change(self, ctx: Context, rows: Any, key: str, **options: Any) -> Change:
        loop = asyncio.get_running_loop()

        def waits() -> None:
            loop.call_soon_threadsafe(ctx.progress, _WAITS)

        return Change(
            str(self.collection),
            rows,
            columns=self.columns,
            keys=self.keys,
            replace=bool(self.keys) and self.operation in ("upsert", "import"),
            database=self.database,
            key=key,
            on_wait=waits,
            **options,
        )

    async def _import(self, ctx: Context) -> Any:
        path = ctx.render(str(self.file))
        form = self.format or format_of(path)
        loop = asyncio.get_running_loop()

        def report(count: int) -> None:
            loop.call_soon_threadsafe(ctx.progress, f"{count:,} rows")

        def rows() -> Generator[dict[str, Any], None, None]:
            with ctx.services.files.opened(path) as file:
                yield from rows_in(file, form)

        async def change(key: str) -> int:
            reading = rows()
            try:
                return await ctx.services.collections.change(
                    self._change(
                        ctx,
                        reading,
                        f"{key} {key_of(request)}",
                        untyped=form == "csv",
                        on_rows=report,
                    )
                )
            except NodeError as error:
                raise NodeError(f"{path!r}: {error}", field="file") from None
            finally:
                reading.close()

        request = {**self._request(), "file": path, "format": form}
        done = await ctx.effect(request, change)
        return {"collection": self.collection, "rows": done.value, "file": path}


def _typed(text: str, ctx: Context) -> Any:
    """The value itself where the text is nothing but one `{{name}}`."""
    return template.value(text, ctx.names)
