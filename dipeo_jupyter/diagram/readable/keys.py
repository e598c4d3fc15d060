"""The key of a node: `Panel`, `Panel @(600,453)`, `Panel [person_job] @(600,453)`."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from ...errors import DiagramError, Problem
from ..model import Label, Position
from .quoting import quote, read_quoted

_POSITION = re.compile(r"(?:^|\s)@\(([^()]*)\)$")
_TYPE = re.compile(r"(?:^|\s)\[(\w+)\]$")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
# Longer keys only hold a label that is too long.
_LONGEST = 1000


class Key(NamedTuple):
    """What the key of a node says."""

    label: Label
    type: str | None = None
    position: Position | None = None


def read_key(text: str) -> Key:
    """The parts of a key; a label in double quotes is taken as it is.

    Raises `DiagramError` for a position that is none.
    """
    if len(text) > _LONGEST:
        return Key(text)
    rest, inside = _split(text.strip(), _POSITION)
    position = None if inside is None else _read_position(inside)
    label, type_ = _split(rest, _TYPE)
    return Key(_unquoted(label), type_, position)


def write_key(label: Label, position: Position | None) -> str:
    """The key that `read_key` understands as this label and position.

    Raises `DiagramError` for a position that is not finite.
    """
    try:
        plain = read_key(label) == Key(label)
    except DiagramError:
        plain = False
    name = label if plain else quote(label)
    if position is None:
        return name
    if not (math.isfinite(position.x) and math.isfinite(position.y)):
        path = ("nodes", label, "position")
        raise DiagramError(Problem("bad_value", "A position must be finite.", label, path))
    return f"{name} @({_coordinate(position.x)},{_coordinate(position.y)})"


def _split(text: str, ending: re.Pattern[str]) -> tuple[str, str | None]:
    found = ending.search(text)
    return (text[: found.start()].rstrip(), found.group(1)) if found else (text, None)


def _unquoted(label: str) -> Label:
    try:
        found = read_quoted(label)
    except ValueError:
        return label
    # Quotes that end earlier are part of the label: `"Now" she said`.
    return found[0] if found and found[1] == len(label) else label


def _read_position(inside: str) -> Position:
    numbers = [part.strip() for part in inside.split(",")]
    two = 2
    if len(numbers) == two and all(map(_NUMBER.fullmatch, numbers)):
        x, y = map(float, numbers)
        if math.isfinite(x) and math.isfinite(y):
            return Position(x=x, y=y)
    message = f"`@({inside[:40]})` is not a position."
    hint = "Write two numbers, `@(x,y)`; a label that ends like this needs double quotes."
    raise DiagramError(Problem("bad_value", message, hint=hint))


def _coordinate(number: float) -> str:
    return repr(number).removesuffix(".0")
