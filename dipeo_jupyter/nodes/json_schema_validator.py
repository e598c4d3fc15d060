"""`json_schema_validator`: lets a value pass that fits a JSON Schema, and fails for any other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from ..diagram.model import Diagram, Label
from ..engine.node import Context, Inputs, Node, Result
from ..engine.schemas import closed, fault_in, misfits
from ..errors import NodeError, Problem
from .checks import check_schema
from .formats import format_of, load, structured

_MOST = 20
"""So many faults are named in the error; `details` has some more."""
_MOST_DETAILS = 200


class JsonSchemaValidator(Node):
    """Hands on what arrives if it fits a JSON Schema, and fails if it does not.

    The error names what is wrong, and where. With `on_error: edge` it goes on by the handle `error`
    then. Formats such as `email` and `date` are looked at; a schema refers to its own parts alone.
    """

    type: ClassVar[str] = "json_schema_validator"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("schema_path", "data_path")
    example: ClassVar[Mapping[str, JsonValue]] = {
        "json_schema": {"type": "object", "required": ["name"]}
    }

    json_schema: Annotated[dict[str, Any] | None, BeforeValidator(structured)] = Field(
        None,
        validation_alias=AliasChoices("json_schema", "jsonSchema", "schema"),
        description="The JSON Schema itself.",
        examples=[{"type": "object", "properties": {"age": {"type": "integer"}}}],
    )
    schema_path: str | None = Field(
        None,
        validation_alias=AliasChoices("schema_path", "schemaPath"),
        description="A file with the schema, JSON or YAML, instead of `json_schema`.",
        examples=["schemas/person.json"],
    )
    data_path: str | None = Field(
        None,
        validation_alias=AliasChoices("data_path", "dataPath"),
        description="A file with the value. By default it is what arrives.",
        examples=["data/person.json"],
    )
    strict_mode: bool = Field(
        default=False,
        validation_alias=AliasChoices("strict_mode", "strictMode", "strict"),
        description="Name all that is wrong, and not only the first.",
    )
    error_on_extra: bool = Field(
        default=False,
        validation_alias=AliasChoices("error_on_extra", "errorOnExtra"),
        description="Properties that the schema does not name are wrong, unless it allows them.",
    )

    def contradictions(self) -> Iterator[str]:
        if (self.json_schema is None) == (self.schema_path is None):
            yield "A validator has `json_schema` or `schema_path`: one of them."

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from super().check(label, diagram)
        yield from check_schema(label, "json_schema", self.json_schema)

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        schema = await self._schema(ctx)
        if self.data_path is None:
            value = structured(inputs.single())
        else:
            value = await _read(self.data_path, "data", ctx)
        most = _MOST_DETAILS if self.strict_mode else 1
        faults = await asyncio.to_thread(misfits, schema, value, most)
        if faults:
            said = "; ".join(faults[:_MOST])
            more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
            message = f"The value does not fit the schema: {said}{more}."
            raise NodeError(message, details="\n".join(faults))
        return Result.value(value)

    async def _schema(self, ctx: Context) -> Mapping[str, Any]:
        schema, field = self.json_schema, "json_schema"
        if self.schema_path is not None:
            schema, field = await _read(self.schema_path, "schema", ctx), "schema_path"
        if not isinstance(schema, dict):
            raise NodeError("A schema is an object.", field=field)
        if self.error_on_extra:
            schema = closed(schema)
        if fault := await asyncio.to_thread(fault_in, schema):
            raise NodeError(f"The schema is no JSON Schema: {fault}.", field=field)
        return schema


async def _read(written: str, what: str, ctx: Context) -> Any:
    """The value in a file. What it was when it was read is what counts, whatever it is later."""
    path = ctx.render(written).strip()

    async def read(_: str) -> Any:
        text = await ctx.services.files.read(path)
        return await asyncio.to_thread(load, text, format_of(path, "json"))

    try:
        return (await ctx.effect({what: path}, read, name=f" {what}")).value
    except NodeError as error:
        raise NodeError(f"{path}: {error}", field=f"{what}_path") from None
