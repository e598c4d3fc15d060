"""The `start` node: where a run begins, with what it was given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue, field_validator

from ..diagram.model import Diagram, Label
from ..engine.node import Context, Inputs, Node, Refusal, Result
from ..engine.schemas import misfit
from ..errors import NodeError, Problem
from .checks import check_schema


class Start(Node):
    """Begins the run: hands on the run's inputs, on top of its own `custom_data`.

    Data that is no object (a text, a number) is handed on as it is, unless the run has inputs.
    With `data_schema` (JSON Schema) the data is checked before anything else runs.
    """

    type: ClassVar[str] = "start"
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
