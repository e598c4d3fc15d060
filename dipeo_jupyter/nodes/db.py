"""`db`: reads, writes and changes files below the run's root."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AliasChoices,
    Field,
    JsonValue,
    WithJsonSchema,
    field_validator,
)

from ..engine.node import Context, Inputs, Node, NodeType, Refusal, Result
from ..engine.ports import Files
from ..engine.ports.collections import ColumnType
from ..engine.powers import Power
from ..errors import NodeError
from .changes import about, append, changing, update
from .checks import writing_power
from .dotted import picked
from .formats import Format, FormatOrNone, dump, format_of, load
from .in_collection import IN_COLLECTIONS, InCollection
from .pieces_of_files import Rows, Span, read_lines, read_rows
from .spellings import Pieces, spelled
from .writing import to_write

MAX_TOTAL = 50_000_000
"""Characters that one `db` reads out of all its files together."""

_BRACED = re.compile(r"(?<!\{)\{([^\W\d]\w*(?:\.[^\W\d]\w*)*)\}(?!\})")

_COLUMNS = {
    "anyOf": [
        {"type": ["string", "null"]},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"enum": list(get_args(ColumnType))}},
    ]
}


class Db(Node):
    """Reads and writes files, and collections of rows in a database.

    `read` gives the content of one file, or an object path → content for a list or a pattern.
    `write` replaces a file, `append` adds to its end, `update` sets `keys` in a JSON or YAML
    object; these three hand on the path. `fixed_prompt` hands on `file` itself, as text. With a
    `collection` or a `query` it works on rows.
    """

    type: ClassVar[str] = "db"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("file", "data", "rows")

    ignored: ClassVar[frozenset[str]] = frozenset({"tool"})
    forms = (InCollection,)
    refused: ClassVar[Mapping[str, Refusal]] = {
        name: Refusal("It is for collections: name the `collection`, or write a `query`.")
        for name in ("collection", "query", "database", "params", "limit")
    }
    example: ClassVar[Mapping[str, JsonValue]] = {"operation": "read", "file": "data.json"}

    sub_type: Annotated[
        Literal["file", "fixed_prompt", "code", "api_tool"],
        spelled(["file", "collection", "fixed_prompt", "code", "api_tool"], [], optional=False),
    ] = Field(
        "file",
        validation_alias=AliasChoices("sub_type", "subType"),
        description=(
            "`file` works on files, `collection` on tables of a database; `fixed_prompt` hands on "
            "the text in `file` itself. "
            "`code` and `api_tool` of older files are refused."
        ),
    )
    operation: Annotated[
        Literal["read", "write", "append", "update", "prompt"],
        spelled(
            ["read", "write", "append", "update", *IN_COLLECTIONS, "prompt"], [], optional=False
        ),
    ] = Field(
        "read",
        description=(
            "`read` takes files into the run, `write` replaces a file, `append` adds to its end, "
            "`update` sets `keys` in it. Of collections, `read` and `query` give rows, `create` "
            "makes one, `insert` adds rows, `upsert` replaces those with the same `keys`, `import` "
            "adds the rows of a file. `prompt` is another name of `sub_type: fixed_prompt`."
        ),
    )
    file: str | tuple[str, ...] | None = Field(
        None,
        validation_alias=AliasChoices(
            "file", "source_details", "sourceDetails", "file_path", "filePath"
        ),
        description=(
            "A path relative to the run's root, or to read several, a list or a pattern with `*`. "
            "`{{name}}` and `{name}` are filled in."
        ),
        examples=["data/cities.csv", ["a.json", "b.json"]],
    )
    format: FormatOrNone = Field(
        None, description="How files are read and written. By default their suffix tells."
    )
    keys: Pieces | None = Field(
        None,
        description=(
            "Dotted paths into the file: to read these alone, or to update them. Of a collection, "
            "the columns that tell rows apart."
        ),
        examples=["editor.font", ["name", "version"]],
    )
    lines: Pieces | None = Field(
        None,
        description="Lines to read, counted from 1, ends included. By default all of them.",
        examples=["1:120,5", "10:"],
    )
    rows: str | int | None = Field(
        None,
        description=(
            "Rows of a CSV or JSONL file of any size, counted from 1 without the header, ends "
            "included; it is a template. By default all of them."
        ),
        examples=["1001:2000", "{{from}}:{{to}}"],
    )
    columns: Annotated[Pieces | None, WithJsonSchema(_COLUMNS)] = Field(
        None,
        description=(
            "The columns of these rows, by default all of them. Of a collection that is made, what "
            "each column holds."
        ),
        examples=[["name", "people"], {"name": "text", "people": "integer"}],
    )
    glob: bool = Field(
        default=False,
        description="Take `file` for a pattern, also where there is a file of this very name.",
    )
    serialize_json: bool = Field(
        default=False,
        validation_alias=AliasChoices("serialize_json", "serializeJson"),
        description="Hand on JSON text, not its value. Writing is the same with and without it.",
    )
    data: Any = Field(
        None,
        validation_alias=AliasChoices("data", "content"),
        description="What to write; texts in it are templates. By default what arrives.",
        examples=["{{report}}"],
    )

    @field_validator("sub_type")
    @classmethod
    def _no_code(cls, sub_type: str) -> str:
        if sub_type in ("code", "api_tool"):
            raise ValueError(f"a db does not run {sub_type}: use a node of type `job` for it.")
        return sub_type

    @field_validator("lines")
    @classmethod
    def _ranges(cls, lines: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for piece in lines or ():
            if Span.read(piece) is None:
                raise ValueError(f"{piece!r} is no range of lines: write 5, 1:120, 10: or :20.")
        return lines

    def contradictions(self) -> Iterator[str]:
        if not self.file:
            yield "`file` is missing: name the file, or with fixed_prompt the text."
        if self.is_prompt or self.operation != "read":
            if not isinstance(self.file, str):
                yield f"{'fixed_prompt' if self.is_prompt else self.operation} needs one `file`."
            if self.lines or self.glob or self.by_row:
                yield "`lines`, `rows`, `columns` and `glob` are for reading alone."
        if self.lines and self.keys:
            yield "`lines` and `keys` exclude each other: lines are text, keys belong to values."
        if self.by_row and (self.lines or self.keys):
            yield "`rows` and `columns` are about rows, and exclude `lines` and `keys`."
        if self.operation == "update" and not self.keys:
            yield "update needs `keys`: which of them to set."
        if self.operation in ("write", "append") and self.keys:
            yield f"{self.operation} takes no `keys`; to set some of them use update."

    @classmethod
    def for_settings(cls, props: Mapping[str, Any]) -> NodeType:
        return InCollection if InCollection.is_meant(props) else cls

    @property
    def is_prompt(self) -> bool:
        return self.sub_type == "fixed_prompt" or self.operation == "prompt"

    @property
    def by_row(self) -> bool:
        """Whether some rows of a table are wanted, or some of their columns."""
        return self.rows is not None or self.columns is not None

    def without_effect(self) -> Mapping[str, str]:
        if self.is_prompt:
            return dict.fromkeys(("format", "keys", "data"), "has no effect on a fixed prompt")
        if self.operation == "read":
            return {"data": "is what to write, and this db reads"}
        return {}

    def powers(self) -> Iterator[Power]:
        if not self.is_prompt and self.operation != "read":
            yield writing_power(self.operation, str(self.file), "file")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        if self.is_prompt:
            return Result.value(ctx.render(str(self.file)))
        if self.operation == "read":

            async def read(_: str) -> Any:
                return await self._read(ctx)

            request = {"read": self._way(ctx), **self._how(), **self._which(ctx)}
            done = await ctx.effect(request, read)
            return Result.value(dump(done.value, "json") if self.serialize_json else done.value)
        value = to_write(self.data, inputs, ctx.render)
        path = _path(str(self.file), ctx)
        request = {self.operation: path, "value": value, **self._how()}
        if self.operation == "append":
            async with changing():
                return Result.value(await append(path, value, self._format(path), request, ctx))

        async def change(_: str) -> str:
            async with changing():
                return await self._change(path, value, ctx)

        return Result.value((await ctx.effect(request, change)).value)

    def _way(self, ctx: Context) -> list[str]:
        written = [self.file] if isinstance(self.file, str) else self.file or ()
        return [_path(each, ctx) for each in written]

    def _how(self) -> dict[str, Any]:
        """What else says exactly what is done."""
        keys, lines = list(self.keys or ()), list(self.lines or ())
        return {"format": self.format, "keys": keys, "lines": lines, "glob": self.glob}

    def _which(self, ctx: Context) -> dict[str, Any]:
        """Which rows are read, if not all of them."""
        if not self.by_row:
            return {}
        return {"rows": ctx.render(str(self.rows or ":")), "columns": self.columns}

    # -- reading ----------------------------------------------------------------------------------

    async def _read(self, ctx: Context) -> Any:
        if isinstance(self.file, str):
            path = _path(self.file, ctx)
            if not await self._is_pattern(path, ctx.services.files):
                return (await self._content(path, ctx))[0]
        contents, total = {}, 0
        for path in await self._paths(ctx):
            contents[path], weight = await self._content(path, ctx)
            if (total := total + weight) > MAX_TOTAL:
                raise NodeError(f"The files hold more than {MAX_TOTAL:,} characters.", field="file")
        return contents

    async def _paths(self, ctx: Context) -> list[str]:
        files, paths = ctx.services.files, []
        for written in [self.file] if isinstance(self.file, str) else self.file or ():
            path = _path(written, ctx)
            is_pattern = await self._is_pattern(path, files)
            found = await files.glob(path) if is_pattern else [path]
            if not found:
                raise NodeError(f"No file matches {path!r}.", field="file")
            paths += found
        return paths

    async def _is_pattern(self, path: str, files: Files) -> bool:
        return self.glob or ("*" in path and not await files.exists(path))

    async def _content(self, path: str, ctx: Context) -> tuple[Any, int]:
        """What is wanted of a file, and how many characters that took."""
        files, form = ctx.services.files, self._format(path)
        with about(path):
            if self.lines:
                text = await read_lines(files, path, self.lines, MAX_TOTAL)
                return text, len(text)
            if self.by_row:
                wanted = Rows(ctx.render(str(self.rows or ":")), self.columns, MAX_TOTAL)
                return await read_rows(files, path, form, wanted)
        text = await files.read(path)
        with about(path):
            # Large files take long, and the event loop must not wait for them.
            value = await asyncio.to_thread(load, text, form)
            return picked(value, self.keys) if self.keys else value, len(text)

    def _format(self, path: str) -> Format:
        return self.format or format_of(path)

    # -- writing ----------------------------------------------------------------------------------

    async def _change(self, path: str, value: Any, ctx: Context) -> str:
        files = ctx.services.files
        with about(path):
            if self.operation == "update":
                return await update(path, self.keys or (), value, self._format(path), files)
            text = await asyncio.to_thread(dump, value, self._format(path))
            return await files.write(path, text)


def _path(written: str, ctx: Context) -> str:
    """The path with `{{name}}` filled in, and `{name}` where there is such a name."""

    def doubled(found: re.Match[str]) -> str:
        known = _exists(found.group(1).split("."), ctx.names)
        return f"{{{found.group()}}}" if known else found.group()

    path = ctx.render(_BRACED.sub(doubled, written)).strip()
    if not path:
        raise NodeError(f"`file` is empty once {written!r} is filled in.", field="file")
    return path


def _exists(way: list[str], value: Any) -> bool:
    for name in way:
        if not isinstance(value, Mapping) or name not in value:
            return False
        value = value[name]
    return True
