"""JSON of values that are long, made piece by piece.

One call that makes JSON of 20 MB keeps all other threads of Python from working for as long as it
takes, the event loop's too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

LONG_TEXT, MANY_VALUES = 300_000, 3_000
"""Characters, or values within values, from which on a value takes too long for one step."""


def is_long(*values: Any) -> bool:
    """Whether it takes long to make JSON of these."""
    return _weight([*values]) >= 1


def long_json(value: Any) -> bytes:
    """What `to_json` makes of a value of plain JSON; raises what it raises."""
    return b"".join(_pieces(value))


def _weight(rest: list[Any]) -> float:
    """How much of what is too long for one step these are; counts no further than to 1."""
    texts = count = 0
    weight = 0.0
    while rest and weight < 1:
        each = rest.pop()
        count += 1
        if isinstance(each, str):
            texts += len(each)
        elif isinstance(each, Mapping):
            rest += each.values()
        elif isinstance(each, list | tuple):
            rest += each
        weight = texts / LONG_TEXT + (count + len(rest)) / MANY_VALUES
    return weight


def _pieces(value: Any) -> Iterator[bytes]:
    if not is_long(value):
        yield to_json(value)
    elif isinstance(value, str):
        yield b'"'
        for start in range(0, len(value), LONG_TEXT):
            yield to_json(value[start : start + LONG_TEXT])[1:-1]
        yield b'"'
    elif isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            yield to_json(value)
            return
        yield from _listed(value.items(), b"{", b"}", dict, lambda pair: pair[1])
    else:
        yield from _listed(value, b"[", b"]", list, lambda item: item)


def _listed(items: Any, opening: bytes, closing: bytes, gather: Any, inner: Any) -> Iterator[bytes]:
    """A list or an object, with as many items at once as do not take long."""
    some: list[Any] = []
    before, gathered = opening, 0.0
    for item in items:
        weight = _weight([inner(item)])
        if some and gathered + weight >= 1:
            yield before + to_json(gather(some))[1:-1]
            before, some, gathered = b",", [], 0.0
        if weight < 1:
            some.append(item)
            gathered += weight
            continue
        yield before
        if gather is dict:
            yield to_json(item[0]) + b":"
        yield from _pieces(inner(item))
        before = b","
    if some:
        yield before + to_json(gather(some))[1:-1]
    yield closing
