"""What columns hold: found out from the first rows, or as a table says, and values made to fit."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from ...engine.ports.collections import ColumnType

if TYPE_CHECKING:
    from sqlalchemy import Column

Fit = Callable[[Any], Any]
"""Makes a value fit a column; raises `ValueError` when it does not."""

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_LARGEST = 2**63


def inferred(rows: Sequence[Mapping[str, Any]], *, untyped: bool) -> dict[str, ColumnType]:
    """The columns that these rows need, in the order in which they come up.

    The texts of `untyped` rows say what they are by how they look.
    """
    kinds: dict[str, set[ColumnType]] = {}
    for row in rows:
        for name, value in row.items():
            found = kinds.setdefault(name, set())
            if value is not None and not (untyped and value == ""):
                found.add(_kind_of_text(value) if untyped else _kind_of(value))
    return {name: _one_of(found) for name, found in kinds.items()}


def _kind_of(value: Any) -> ColumnType:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer" if abs(value) < _LARGEST else "text"
        case float():
            return "number"
        case str():
            return "text"
        case _:
            return "json"


def _kind_of_text(text: str) -> ColumnType:
    if _WHOLE.fullmatch(text):
        return "integer"
    if _NUMBER.fullmatch(text):
        return "number"
    try:
        if _DATE.fullmatch(text):
            dt.date.fromisoformat(text)
            return "date"
        if _TIME.fullmatch(text):
            dt.datetime.fromisoformat(text)
            return "datetime"
    except ValueError:  # the thirtieth of February
        return "text"
    return "boolean" if text.lower() in ("true", "false") else "text"


def _one_of(found: set[ColumnType]) -> ColumnType:
    if len(found) == 1:
        return next(iter(found))
    if found == {"integer", "number"}:
        return "number"
    return "json" if "json" in found else "text"


def fit_for(column: Column[Any], *, decimals: bool) -> Fit:
    """What makes values fit a column."""
    from sqlalchemy import types as t  # noqa: PLC0415 - it is there by now

    match column.type:
        case t.Boolean():
            fit: Fit = _boolean
        case t.Integer():
            fit = _integer
        case t.Float():
            fit = float
        case t.Numeric():
            fit = _decimal if decimals else float
        case t.DateTime():
            fit = _datetime
        case t.Date():
            fit = _date
        case t.JSON():
            return _as_it_is
        case t.String():
            return _text
        case _:
            return _as_it_is

    def fitted(value: Any) -> Any:
        return None if value is None or value == "" else fit(value)

    return fitted


def _as_it_is(value: Any) -> Any:
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _TRUTH.get(str(value).lower())
    if found is None:
        raise ValueError
    return found


def _integer(value: Any) -> int:
    number = int(value)
    if (isinstance(value, float) and number != value) or abs(number) >= _LARGEST:
        raise ValueError
    return number


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError from None


def _date(value: Any) -> dt.date:
    return dt.date.fromisoformat(value)


def _datetime(value: Any) -> dt.datetime:
    """Times with a zone are kept in UTC, others as they are."""
    moment = dt.datetime.fromisoformat(value)
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
