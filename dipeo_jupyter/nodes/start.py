"""The `start` node: where a run begins, with what it was given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue, field_validator

from ..diagram.model import Diagram, Label
from ..engine.node import Context, Inputs, Node, Refusal, Result, node_type_named
from ..engine.schemas import misfit
from ..errors import NodeError, Problem
from .checks import check_schema


class Start(Node):
    """Begins the run: hands on the run's inputs, on top of its own `custom_data`.

    Data that is no object (a text, a number) is handed on as it is, unless the run has inputs.
    With `data_schema` (JSON Schema) the data is checked before anything else runs.
    """

    type: ClassVar[str] = "start"
    keeps_inputs: ClassVar[bool] = True
    inputs: ClassVar[tuple[str, ...]] = ()
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"output_data_structure", "hook_event", "hook_filters"}
    )
    refused: ClassVar[Mapping[str, Refusal]] = {
        "trigger_mode": Refusal(
            "Nothing waits for events here: start the run with the event's data as its inputs.",
            harmless=(None, "", "none", "manual"),
        ),
    }
    example: ClassVar[Mapping[str, JsonValue]] = {"custom_data": {"topic": "tea"}}

    custom_data: JsonValue = Field(
        default={},
        validation_alias=AliasChoices(
            "custom_data", "customData", "initialData", "initial_data", "data"
        ),
        description="What the run begins with; inputs of the run of the same name replace it.",
        examples=[{"topic": "tea"}],
    )
    data_schema: dict[str, JsonValue] | None = Field(
        None,
        description="JSON Schema of the data; the run fails at once when the data is not like it.",
        examples=[{"type": "object", "required": ["topic"]}],
    )

    @field_validator("custom_data", mode="before")
    @classmethod
    def _read_json(cls, value: Any) -> Any:
        """Older files hold the data as JSON text."""
        if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value

    @property
    def output_keys(self) -> Collection[str]:
        return tuple(self.custom_data) if isinstance(self.custom_data, dict) else ()

    @property
    def wanted_inputs(self) -> Collection[str] | None:
        listed = (self.data_schema or {}).get("properties")
        return tuple(listed) if isinstance(listed, dict) else None

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from check_schema(label, "data_schema", self.data_schema)

    @property
    def schema_of_inputs(self) -> dict[str, Any]:
        """The JSON Schema of the run's inputs; without a `data_schema`, what the data is like."""
        if self.data_schema is not None:
            return self.data_schema
        data = self.custom_data if isinstance(self.custom_data, dict) else {}
        return {
            "type": "object",
            "properties": {
                name: {**_like(value), **({} if value in (None, "") else {"default": value})}
                for name, value in data.items()
            },
            "required": [name for name, value in data.items() if value in (None, "")],
        }

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        if isinstance(self.custom_data, dict):
            data: Any = {**self.custom_data, **ctx.run_inputs}
        else:
            data = dict(ctx.run_inputs) or self.custom_data
        schema = self.data_schema
        # In a thread: a pattern may take its time.
        fault = None if schema is None else await asyncio.to_thread(misfit, schema, data)
        if fault is not None:
            raise NodeError(f"the run's data is not as wanted: {fault}", field="data_schema")
        return Result.value(data)


def inputs_schema(diagram: Diagram) -> dict[str, Any]:
    """The JSON Schema of a diagram's inputs, as its start node has it; its settings are sound."""
    for spec in diagram.nodes:
        if node_type_named(spec.type, {Start.type: Start}):
            return Start.model_validate(Start.settings_in(spec.props)).schema_of_inputs
    return {"type": "object", "properties": {}}


_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


def _like(value: Any) -> dict[str, Any]:
    """The schema of a value of this kind."""
    if value is None:
        return {}
    return {"type": _KINDS.get(type(value), "object")}
