"""Python values on their way into a run, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..errors import CommandError


def as_inputs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a run's inputs into JSON values; raises `CommandError` naming the one that is none.

    Tables become lists of records, arrays lists; pydantic models, dataclasses, dates, sets and
    paths become what they stand for, and what is missing in a table (or no number) None.
    """
    return {name: _as_json(name, value) for name, value in values.items()}


def _as_json(name: str, value: Any) -> Any:
    try:
        return to_jsonable_python(value, fallback=_fallback, inf_nan_mode="null")
    except (PydanticSerializationError, ValueError, RecursionError, TypeError) as error:
        kind = type(value).__name__
        message = f"The input {name!r} ({kind}) cannot go into a run: {error}."
        raise CommandError(message, code="bad_input") from None


def _fallback(value: Any) -> Any:
    """What pydantic does not know: pandas tables and columns, numpy arrays and numbers."""
    if hasattr(value, "notna") and hasattr(value, "astype"):
        value = value.astype(object).where(value.notna(), None)  # NaN, NaT and NA alike
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records")
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
