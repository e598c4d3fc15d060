"""The `start` node: where a run begins, with what it was given."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue, field_validator

from ..engine.node import Context, Inputs, Node, Result
from ..errors import NodeError


class Start(Node):
    """Hands on the run's inputs, on top of its own `custom_data`.

    Data that is no object (a text, a number) is handed on as it is, unless the run has inputs.
    With `data_schema` (JSON Schema) the data is checked before anything else runs.
    """

    type: ClassVar[str] = "start"
    inputs: ClassVar[tuple[str, ...]] = ()
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"trigger_mode", "output_data_structure", "hook_event", "hook_filters"}
    )

    custom_data: JsonValue = Field(
        default={}, validation_alias=AliasChoices("custom_data", "initialData", "data")
    )
    data_schema: dict[str, JsonValue] | None = None

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

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        if isinstance(self.custom_data, dict):
            data: Any = {**self.custom_data, **ctx.run_inputs}
        else:
            data = dict(ctx.run_inputs) or self.custom_data
        if self.data_schema is not None:
            self._check(data)
        return Result.value(data)

    def _check(self, data: Any) -> None:
        # Slow to import, and most diagrams have no schema.
        from jsonschema import Draft202012Validator  # noqa: PLC0415

        for error in Draft202012Validator(self.data_schema).iter_errors(data):
            where = ".".join(str(step) for step in error.path) or "the data"
            raise NodeError(f"{where}: {error.message}", field="data_schema")
