"""Python values on their way into a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError

from ..diagram.language.values import kind
from ..engine.values import as_json
from ..errors import CommandError


def as_inputs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a run's inputs into JSON values; raises `CommandError` naming the one that is none."""
    if not isinstance(values, Mapping):
        message = f"Inputs are a dict, name → value, and this is {kind(values)}."
        raise CommandError(message, code="bad_input")
    return {name: _as_json(name, value) for name, value in values.items()}


def _as_json(name: str, value: Any) -> Any:
    try:
        return as_json(value)
    except (PydanticSerializationError, ValueError, RecursionError, TypeError) as error:
        called = type(value).__name__
        message = f"The input {name!r} ({called}) cannot go into a run: {error}."
        raise CommandError(message, code="bad_input") from None
