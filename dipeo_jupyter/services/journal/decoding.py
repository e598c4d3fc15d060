"""JSON text to events. Rows are data from outside: what is not an event is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import ValidationError

from ...errors import JournalError
from ...protocol import events as e
from .encoding import MARK, MARKED

Get: TypeAlias = Callable[[int], str]
"""Gives a content by its number; raises LookupError."""
Base: TypeAlias = Callable[[int], tuple[str, ...]]
"""Gives what the entry of this number says was seen; raises LookupError."""

_MESSAGE = ("id", "sender", "recipient", "content")
_BAD = (ValidationError, ValueError, TypeError, LookupError, RecursionError)


def decode(kind: str, body: str, get: Get, base: Base) -> e.AnyEvent:
    """The event of a row. Raises `JournalError` when it is none."""
    try:
        fields = fields_of(body, get)
        if "messages" in fields:
            fields["messages"] = [
                dict(zip(_MESSAGE, message, strict=True)) for message in fields["messages"]
            ]
        if "seen" in fields:
            fields["seen"] = seen_of(fields["seen"], base)
        return e.event_adapter.validate_python({**fields, "type": kind})
    except _BAD as error:
        raise JournalError(f"it is no event ({type(error).__name__})") from error


def fields_of(body: str, get: Get) -> Any:
    """The JSON of a body, with its contents in place."""
    value = json.loads(body)
    return _restored(value, get) if MARKED in body else value


def seen_of(difference: list[Any], base: Base) -> tuple[str, ...]:
    """What a difference comes to: see `encoding`."""
    number, start, count, *more = difference
    return (*(base(number)[start : start + count] if count else ()), *more)


def _restored(value: Any, get: Get) -> Any:
    if isinstance(value, list):
        return [_restored(inner, get) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and MARK in value:
        marked = value[MARK]
        if isinstance(marked, int):
            return fields_of(get(marked), get)
        return {MARK: _restored(marked[0][MARK], get)}
    return {key: _restored(inner, get) for key, inner in value.items()}
