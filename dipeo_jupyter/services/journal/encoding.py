"""Events to JSON text. Long values stand apart, once for the whole journal.

In a body, `{"$": 12}` stands for content 12. What a user calls `$` cannot be taken for that: a
value `{"$": …}` of theirs is written `{"$": [{"$": …}]}`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from ...diagram.model import Diagram
from ...protocol import events as e
from ...protocol.long_json import LONG_TEXT, is_long, long_json

Put: TypeAlias = Callable[[str], int]
"""Keeps a text as content, and gives its number."""
Seen: TypeAlias = dict[str | None, tuple[int, tuple[str, ...]]]
"""What each person of a run was last shown, and the number of the entry that says so."""

ROWS = {
    "node_started": ("node", "activation", "inputs"),
    "effect_started": ("node", "activation", "effect", "key"),
    "effect_completed": ("node", "activation", "effect", "key", "value", "reused", "usage"),
    "node_completed": (
        *("node", "activation", "outputs", "duration_ms"),
        *("person", "messages", "seen", "usage", "cached"),
    ),
}
"""Frequent events are lists: these are the names of their items. The last ones may be missing, and
new ones are added at the end."""
USAGE = (
    *("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
    *("cache_write_tokens", "calls", "unpriced", "nano_usd", "image_tokens"),
)

MARK = "$"
_MARKED = f'"{MARK}"'
SHORT = 96
"""A value up to so many characters stands in the body: apart, it would take about as much."""
SHORT_BODY = 160

_LONG = 200
_VERY_LONG = 16_000
_SMALL, _FAST = 6, 1
"""How hard zlib tries. For a diagram of 1,000 nodes, 1 takes a third of the time and 15 % more."""
_KNOWN_LONGEST = 2_000_000
"""Characters of the longest texts whose JSON is kept for a while."""
_RAW = -15
"""Deflated without a header."""
_CONTAINERS = ("inputs", "outputs", "values")
_WHOLES = ("value", "diagram", "data", "question", "error", "before")
_MAX_BITS = 14_000
_NOT_JSON = (ValueError, TypeError, RecursionError, PydanticSerializationError)


def encode(event: e.AnyEvent, seq: int, seen: Seen, put: Put) -> str:
    """The body of an entry. `seen` is brought up to date."""
    if isinstance(event, e.ExecutionStarted | e.ExecutionEdited):
        text = event.text or _diagram(event.diagram)
        # Anything marked must be escaped, which takes as long as all the rest.
        if not is_marked(text):
            return _with_diagram(event, text, put)
    row = _row(event, seq, seen)
    try:
        if _has_long(row):
            return _shortened(event.type, row, put)
        text = to_text(row)
        if len(text) <= SHORT_BODY and not is_marked(text):
            return text
        return _shortened(event.type, row, put)
    except _NOT_JSON:
        return _shortened(event.type, row, put, mend=True)


def _diagram(diagram: Diagram) -> str:
    try:
        return diagram.model_dump_json(exclude_defaults=True)
    except _NOT_JSON:
        return to_text(diagram.model_dump(exclude_defaults=True), maybe_long=True)


def _with_diagram(event: e.ExecutionStarted | e.ExecutionEdited, text: str, put: Put) -> str:
    """A diagram is content as a whole: to take it apart would take a large run's time."""
    rest = replace(event, diagram=Diagram(), text=None)
    fields = e.event_adapter.dump_python(rest, by_alias=True)
    del fields["type"], fields["diagram"]
    try:
        short = _apart(fields, put)
        to_text(short)
    except _NOT_JSON:
        short = _apart(_mended(fields), put)
    return to_text({**short, "diagram": {MARK: put(text)}})


def to_text(value: Any, *, maybe_long: bool = False) -> str:
    """JSON that UTF-8 can hold: half characters (lone surrogates) are replaced.

    To find out whether a value is long takes ten times as long as its JSON, when it is not.
    """
    try:
        return (long_json(value) if maybe_long else to_json(value)).decode()
    except _NOT_JSON:  # half characters, or more than 255 levels
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return whole_characters(text)


def is_marked(text: str) -> bool:
    """Whether JSON may hold the mark, so that it must be escaped, or read with care."""
    return MARK in text and _MARKED in text  # to look for one character takes next to nothing


def packed(text: str) -> str | bytes:
    """A content as it is stored: deflated if it is long and that makes it shorter."""
    if len(text) <= _LONG:
        return text
    plain = text.encode()
    blob = zlib.compress(plain, _FAST if len(plain) > _VERY_LONG else _SMALL, wbits=_RAW)
    return blob if len(blob) < len(plain) else text


def unpacked(body: str | bytes) -> str:
    """The inverse of `packed`."""
    return body if isinstance(body, str) else zlib.decompress(body, wbits=_RAW).decode()


def whole_characters(text: str) -> str:
    """The text with its lone surrogates replaced, which no encoding has a place for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _row(event: e.AnyEvent, seq: int, seen: Seen) -> list[Any] | dict[str, Any]:
    # Four kinds are nearly all there is: pydantic takes several times as long for them, and the
    # names of their fields take as much room as what they hold.
    match event:
        case e.NodeStarted():
            return [event.node, event.activation, event.inputs]
        case e.NodeCompleted():
            return _completed(event, seq, seen)
        case e.EffectStarted():
            return [event.node, event.activation, event.effect, event.key]
        case e.EffectCompleted():
            row = [event.node, event.activation, event.effect, event.key, event.value]
            if event.usage is not None:
                return [*row, event.reused, _counts(event.usage)]
            return [*row, True] if event.reused else row
        case _:
            fields: dict[str, Any] = e.event_adapter.dump_python(event, by_alias=True)
            del fields["type"]
            return fields


def _has_long(row: list[Any] | dict[str, Any]) -> bool:
    """Whether it is plain without writing it all that something in it must stand apart."""
    for each in row if isinstance(row, list) else row.values():
        for value in each.values() if type(each) is dict else (each,):
            kind = type(value)
            if len(value) > LONG_TEXT if kind is str else kind in (list, dict) and is_long(value):
                return True
    return False


def _completed(event: e.NodeCompleted, seq: int, seen: Seen) -> list[Any]:
    row = [event.node, event.activation, event.outputs, event.duration_ms]
    if not (
        event.person is not None or event.messages or event.seen or event.usage or event.cached
    ):
        return row
    return [
        *row,
        event.person,
        [_said(event, place, message) for place, message in enumerate(event.messages)],
        _difference(event, seq, seen) if event.seen else [],
        _counts(event.usage) if event.usage else None,
        *([True] if event.cached else []),
    ]


def _counts(usage: e.Usage) -> list[int]:
    return [getattr(usage, name) for name in USAGE]


def _said(event: e.NodeCompleted, place: int, message: e.Message) -> list[Any]:
    said = [message.content, message.sender, message.recipient]
    if message.images or message.uses:
        uses = [each.model_dump(exclude_defaults=True) for each in message.uses]
        return [*said, message.id, message.images, uses]
    return (
        said if message.id == usual_id(event.node, event.activation, place) else [*said, message.id]
    )


def usual_id(node: str, activation: int, place: int) -> str:
    """The id that a message has by its place: it is not written out."""
    return f"{node}[{activation}].{place}"


def _difference(event: e.NodeCompleted, seq: int, seen: Seen) -> list[Any]:
    """`[base, start, count, *more]`: a piece of what entry `base` says, and what is new.

    Written out, the list would make the journal of a conversation grow with the square of it.
    """
    base, before = seen.get(event.person, (0, ()))
    seen[event.person] = (seq, event.seen)
    if event.seen[0] not in before:
        return [0, 0, 0, *event.seen]
    start = before.index(event.seen[0])
    count = _common(before[start:], event.seen)
    return [base, start, count, *event.seen[count:]]


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = min(len(one), len(other))
    if one[:length] == other[:length]:
        return length
    return next(place for place in range(length) if one[place] != other[place])


def _shortened(kind: str, row: list[Any] | dict[str, Any], put: Put, *, mend: bool = False) -> str:
    named = row if isinstance(row, dict) else dict(zip(ROWS[kind], row, strict=False))
    short = _apart(_mended(named) if mend else named, put)
    return to_text(short if isinstance(row, dict) else [*short.values()])


def _apart(fields: Mapping[str, Any], put: Put) -> dict[str, Any]:
    """The fields with all that is long taken out."""
    taken = {name: _strings_apart(value, put) for name, value in fields.items()}
    for name in _WHOLES:
        if name in taken:
            taken[name] = _whole_apart(taken[name], put)
    for name in _CONTAINERS:
        if taken.get(name) and MARK not in taken[name]:
            taken[name] = {key: _whole_apart(value, put) for key, value in taken[name].items()}
    return taken


def _strings_apart(value: Any, put: Put) -> Any:
    # Long strings are taken out one by one, so that an answer is the same content on its own, in
    # a message, and in a record beside its usage.
    if isinstance(value, str):
        return {MARK: put(_text_of(value))} if len(value) > SHORT else value
    if isinstance(value, dict):
        inner = {key: _strings_apart(inner, put) for key, inner in value.items()}
        return {MARK: [inner]} if len(inner) == 1 and MARK in inner else inner
    if isinstance(value, list | tuple):
        return [_strings_apart(inner, put) for inner in value]
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise ValueError("more digits than Python reads")
    if value is None or isinstance(value, int | float):
        return value
    return _strings_apart(_plain(value), put)


def _text_of(value: str) -> str:
    if _VERY_LONG < len(value) <= _KNOWN_LONGEST:
        return _known_text_of(value)
    return to_text(value, maybe_long=True)


@lru_cache(16)
def _known_text_of(value: str) -> str:
    """Of a text that a run hands from node to node: the same object, whose hash Python keeps."""
    return to_text(value, maybe_long=True)


def _whole_apart(value: Any, put: Put) -> Any:
    if not isinstance(value, dict | list):
        return value
    text = to_text(value, maybe_long=True)
    return {MARK: put(text)} if len(text) > SHORT else value


def _mended(fields: Mapping[str, Any]) -> dict[str, Any]:
    """With a note in place of each value that JSON cannot hold: the rest must not wait for it."""
    return {
        name: {key: _or_note(inner) for key, inner in value.items()}
        if name in _CONTAINERS and value
        else _or_note(value)
        for name, value in fields.items()
    }


def _or_note(value: Any) -> Any:
    try:
        _strings_apart(plain := json.loads(to_text(value, maybe_long=True)), lambda _: 0)
    except _NOT_JSON:
        return f"<{type(value).__name__} that JSON cannot hold>"
    return plain


def _plain(value: Any) -> Any:
    return to_jsonable_python(value, fallback=repr)
