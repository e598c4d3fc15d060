"""JSON text to events. Rows are data from outside: what is not an event is refused."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import from_json

from ...diagram.model import Diagram
from ...errors import JournalError
from ...protocol import events as e
from .encoding import MARK, ROWS, USAGE, is_marked, usual_id

Get: TypeAlias = Callable[[int], str]
"""Gives a content by its number; raises LookupError."""
Base: TypeAlias = Callable[[int], tuple[str, ...]]
"""Gives what the entry of this number says was seen; raises LookupError."""

_WITH_DIAGRAM = ("execution_started", "execution_edited")
_PLAIN = 4
"""What a `node_completed` has at least; more follows where somebody spoke."""
_NEW = 3
_SEEN = ROWS["node_completed"].index("seen")
_BAD = (
    *(ValidationError, ValueError, TypeError, AttributeError),
    *(LookupError, RecursionError, zlib.error),
)


def decode(kind: str, body: str, get: Get, base: Base) -> e.AnyEvent:
    """The event of a row. Raises `JournalError` when it is none."""
    try:
        return _event(kind, body, get, base)
    except _BAD as error:
        raise JournalError(f"it is no event ({type(error).__name__})") from error


def _event(kind: str, body: str, get: Get, base: Base) -> e.AnyEvent:
    row: Any = _with_diagram(body, get) if kind in _WITH_DIAGRAM else _content(body, get)
    fields = dict(zip(ROWS[kind], row, strict=False)) if kind in ROWS else row
    seen: tuple[str, ...] = ()
    if kind == "node_completed" and len(row) > _PLAIN:
        seen = kept_of(row[_SEEN], base)
        fields |= _talk(row)
    elif kind == "effect_completed" and fields.get("usage"):
        fields["usage"] = dict(zip(USAGE, fields["usage"], strict=False))
    fields["type"] = kind
    event = e.event_adapter.validate_python(fields)
    if seen and isinstance(event, e.NodeCompleted):
        # Checked where it was new: again each time, it would take the square of its length.
        object.__setattr__(event, "seen", seen + event.seen)
    return event


def _with_diagram(body: str, get: Get) -> dict[str, Any]:
    """The fields of an event with a diagram, which is read in one go: it may be large."""
    fields = _parsed(body)
    marked = fields["diagram"].get(MARK)
    if not isinstance(marked, int) or is_marked(text := get(marked)):
        return dict(_restored(fields, get))
    return {**_restored({**fields, "diagram": None}, get), "diagram": _diagram(text)}


def _diagram(text: str) -> Any:
    try:
        return Diagram.model_validate_json(text)
    except ValidationError:  # wrong, or only too deep
        return _parsed(text)


def difference_in(body: str) -> list[Any]:
    """What the body of a `node_completed` says was seen, as a difference."""
    difference: list[Any] = from_json(body)[_SEEN]
    return difference


def kept_of(difference: list[Any], base: Base) -> tuple[str, ...]:
    """What a difference keeps of its base: see `encoding`."""
    if not difference:
        return ()
    number, start, count = difference[:_NEW]
    return base(number)[start : start + count] if count else ()


def seen_of(difference: list[Any], base: Base) -> tuple[str, ...]:
    """What a difference comes to."""
    return (*kept_of(difference, base), *difference[_NEW:])


def _talk(row: list[Any]) -> dict[str, Any]:
    node, activation, said, seen, usage = row[0], row[1], *row[_PLAIN + 1 : _SEEN + 2]
    return {
        "messages": [
            _message(usual_id(node, activation, place), *message)
            for place, message in enumerate(said)
        ],
        "seen": seen[_NEW:],
        "usage": usage and dict(zip(USAGE, usage, strict=False)),
    }


def _message(usual: str, content: Any, *rest: Any) -> dict[str, Any]:
    sender, recipient, *more = rest
    message = {
        "id": more[0] if more else usual,
        "sender": sender,
        "recipient": recipient,
        "content": content,
    }
    return message | dict(zip(("images", "uses"), more[1:], strict=False))


def _content(text: str, get: Get) -> Any:
    value = _parsed(text)
    return _restored(value, get) if is_marked(text) else value


def _parsed(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:  # it goes no deeper than 200 levels
        return json.loads(text)


def _restored(value: Any, get: Get) -> Any:
    if isinstance(value, list):
        return [
            _restored(inner, get) if isinstance(inner, dict | list) else inner for inner in value
        ]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and MARK in value:
        marked = value[MARK]
        if isinstance(marked, int):
            return _content(get(marked), get)
        return {MARK: _restored(marked[0][MARK], get)}
    return {key: _restored(inner, get) for key, inner in value.items()}
