"""JSON, and one JSON value per line."""

from __future__ import annotations

import json
import math
from typing import Any

from ...errors import NodeError
from .mistakes import invalid


def from_json(text: str, line: int | None = None) -> Any:
    """The value of a text; `line` is where it stands when it is one of many."""
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:  # may hold half a character, which cannot travel
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at column {error.colno}"
        raise invalid("JSON", line or error.lineno, reason) from None
    except RecursionError:
        raise invalid("JSON", line, "it is nested too deeply") from None
    except UnicodeEncodeError:
        raise invalid("JSON", line, "an escape stands for half a character") from None
    except ValueError as error:
        raise invalid("JSON", line, str(error)) from None
    return value


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is not a number that can be kept")
    return number


def is_json(text: str) -> bool:
    """Whether the whole text is JSON."""
    try:
        from_json(text)
    except NodeError:
        return False
    return True


def written(value: Any, indent: int | None = None) -> str:
    """The text of a value, on one line unless there is an indent."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except (TypeError, ValueError, RecursionError) as error:
        raise NodeError(f"The value cannot be written: {error}.") from None


def to_json(value: Any) -> str:
    """The same for a file."""
    return written(value, indent=2) + "\n"


def from_jsonl(text: str) -> list[Any]:
    """The values of all lines; empty ones are passed over."""
    lines = enumerate(text.split("\n"), 1)
    return [from_json(line, number) for number, line in lines if line.strip()]


def to_jsonl(value: Any) -> str:
    """A line for each item of a list, or for the one value."""
    lines = value if isinstance(value, list) else [value]
    return "".join(written(line) + "\n" for line in lines)


def as_cell(value: Any) -> str:
    """A value where there is room for a piece of text: text itself has no quotes."""
    if value is None:
        return ""
    return value if isinstance(value, str) else written(value)
