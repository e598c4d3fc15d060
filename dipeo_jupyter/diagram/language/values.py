"""JSON values as people speak of them: kind, weight, parts, and the nearest right name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ..suggest import did_you_mean

# Tuples: a union is built anew each time it is read, and these are read all the time.
SCALAR = (str, int, float, type(None))
CONTAINER = (list, tuple, dict)
JSON = (*SCALAR, *CONTAINER)
_LONGEST_NAME = 100
_MOST_NAMES = 1000


class MissingPartError(Exception):
    """A value has no such part. `lacks` completes a sentence that begins with the value."""

    def __init__(self, lacks: str, name: str = "", known: Iterable[Any] = ()) -> None:
        super().__init__(lacks)
        self.lacks = lacks
        self._name = name
        self._known = known

    @property
    def hint(self) -> str:
        """The nearest right name, or nothing. The search is far dearer than the look-up was."""
        return suggestion(self._name, self._known)


def kind(value: object) -> str:
    """What a person would call it: "text", "a number", "a list", and so on."""
    match value:
        case None:
            return "nothing (None)"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a Python {type(value).__name__}"


def shown(name: str) -> str:
    """A name between backticks, cut when it is too long to be one."""
    return f"`{name}`" if len(name) <= _LONGEST_NAME else f"`{name[:_LONGEST_NAME]}…`"


def suggestion(name: str, known: Iterable[Any]) -> str:
    """A sentence with the nearest right name and a space before it, or nothing."""
    near = [each for each in islice(known, _MOST_NAMES) if isinstance(each, str)]
    sentence = did_you_mean(name, near)
    return f" {sentence}" if sentence else ""


def part(value: Any, key: Any) -> Any:
    """What is under a key of an object, or at an index of a list or text.

    Never an attribute of a Python object. Raises `MissingPartError`.
    """
    match value, key:
        case dict(), str() | int() | float() | None:
            if key not in value:
                raise MissingPartError(f"has no {key!r}", str(key), value)
            return value[key]
        case ((list() | tuple() | str()), int()):
            if not -len(value) <= key < len(value):
                raise MissingPartError(f"has {len(value)} items, so there is none at {key}")
            return value[key]
        case _, str():
            raise MissingPartError(f"is {kind(value)} and has no {key!r}")
        case _:
            raise MissingPartError(f"is {kind(value)}, and {kind(key)} picks no part of it")


def weigh(value: Any, limit: int, *, per_item: int = 1) -> int:
    """How many characters and items a value has, all levels together.

    Raises `OverflowError` beyond `limit`, and `TypeError` for what is no JSON value: whoever
    compares or prints a value that was weighed runs no foreign code.
    """
    weight = 0
    waiting: list[Iterator[Any]] = [iter((value,))]
    while waiting:
        for each in waiting[-1]:
            weight += per_item
            if isinstance(each, str):
                weight += len(each)
            if weight > limit:
                raise OverflowError
            if isinstance(each, CONTAINER):
                waiting.append(_inside(each))
                break
            if not isinstance(each, SCALAR):
                raise TypeError(f"{kind(each)} is no JSON value")
        else:
            waiting.pop()
    return weight


def _inside(container: Any) -> Iterator[Any]:
    if not isinstance(container, dict):
        return iter(container)
    return (each for pair in container.items() for each in pair)
