"""Turns what code returns into JSON.

Kinds of values are known by their looks: nothing is imported just to ask. It imports nothing of the
package but its neighbour.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet

TYPE_CHECKING = False  # importing `typing` to ask takes longer than all the rest
if TYPE_CHECKING:
    from typing import Any

if TYPE_CHECKING or __package__:
    from .python_errors import JobError
else:  # beside it, in the process of a job
    from python_errors import JobError


def line(report: dict[str, Any]) -> bytes:
    """A report as it is handed on."""
    try:
        line = json.dumps(report, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        line = json.dumps(report, allow_nan=False).encode()
    return line + b"\n"


def plain_tree(value: Any) -> Any:
    """A value as JSON, with all that is inside of it."""
    try:
        return _plain(value)
    except RecursionError:
        raise JobError(
            "The code returned a value that is nested too deeply, or contains itself."
        ) from None


def _plain(value: Any) -> Any:
    """The same as JSON knows it. NaN, as pandas marks what is missing, becomes null."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, Mapping):
        return {_plain_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, AbstractSet):
        return [_plain(each) for each in _in_order(value)]
    if isinstance(value, (Sequence, ValuesView)) and not isinstance(value, (bytes, bytearray)):
        return [_plain(each) for each in value]
    if type(value).__name__ == "DataFrame" and hasattr(value, "iloc"):
        return _records(value)
    return _plain(_converted(value))


def _records(frame: Any) -> list[dict[Any, Any]]:
    """The rows of a table of pandas, made column by column: by row, it takes ten times as long."""
    numbers = range(len(frame.columns))
    columns = [[_plain_cell(each) for each in frame.iloc[:, at].tolist()] for at in numbers]
    names = [_plain_key(name) for name in frame.columns]
    return [dict(zip(names, row)) for row in zip(*columns)]  # noqa: B905 - all are equally long


def _plain_cell(value: Any) -> Any:
    """The same as `_plain`, with a glance at what most cells are."""
    kind = type(value)
    if kind is str or kind is int or kind is bool:
        return value
    if kind is float:
        return _plain_float(value)
    return value.isoformat() if kind.__name__ == "Timestamp" else _plain(value)


def _plain_float(value: float) -> float | None:
    if value != value:  # noqa: PLR0124  (NaN alone differs from itself)
        return None
    if value in (float("inf"), float("-inf")):
        raise JobError(f"The code returned the number {value}, which is not JSON; return text.")
    return value


def _plain_key(key: Any) -> Any:
    plain = _plain(key)
    if isinstance(plain, (list, dict)):
        raise JobError(
            f"The code returned a dict with a {type(key).__name__} as a key, which is not JSON; "
            "make the keys text."
        )
    return plain


def _in_order(values: AbstractSet[Any]) -> list[Any]:
    """The same order in every run: text has another hash each time."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)


def _converted(value: Any) -> Any:
    """What stands for a value of a well-known kind, which is not imported just to ask."""
    kind = type(value).__name__
    if kind in {"NaTType", "NAType"}:
        return None
    if kind in {"Decimal", "UUID"}:
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, type):
        raise _not_json(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    for method, options in _METHODS:
        if callable(getattr(value, method, None)):
            return getattr(value, method)(**options)
    if any(base.__name__ == "Enum" for base in type(value).__mro__):
        return value.value
    raise _not_json(value)


# Dates and times; pydantic; polars; numpy's arrays and scalars, and pandas' columns.
_METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("isoformat", {}),
    ("model_dump", {"mode": "json"}),
    ("to_dicts", {}),
    ("tolist", {}),
)


def _not_json(value: Any) -> JobError:
    kind = "class" if isinstance(value, type) else type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    return JobError(
        f"The code returned {article} {kind}, which is not JSON; "
        "return text, numbers, lists or dicts of them."
    )
