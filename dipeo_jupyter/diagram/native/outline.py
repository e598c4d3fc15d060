"""Where the parts of a JSON text stand, found only when somebody asks.

What lies between is skipped by the C scanner of the standard library, which makes this fast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from ..source import Path
from ..yaml.events import Place

_BLANKS = re.compile(r"[ \t\n\r]*")
_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
# Measures what it skips and keeps nothing; digits are counted, since long numbers are dear.
_SKIPPING = json.JSONDecoder(
    object_pairs_hook=len, parse_int=len, parse_float=len, parse_constant=len, strict=False
)


class Child(NamedTuple):
    """A part of a map or list: its name there, where it begins, and where its value begins."""

    key: str | int
    start: int
    value: int


class Outline:
    """The places in a text that is correct JSON."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = skip_blanks(text, 0)
        self._children: dict[int, dict[str | int, Child]] = {}

    def offset(self, path: Path) -> int | None:
        """Where a part begins (an entry of a map with its key); None when there is none."""
        start = value = self.root
        for key in path:
            child = self.children(value).get(key)
            if child is None:
                return None
            start, value = child.start, child.value
        return start

    def children(self, value: int) -> dict[str | int, Child]:
        """The parts of the map or list that begins here; of equal keys, the last."""
        if value not in self._children:
            self._children[value] = {child.key: child for child in self.scan(value)}
        return self._children[value]

    def scan(self, value: int) -> Iterator[Child]:
        """The same, one after the other, equal keys too."""
        text = self.text
        if text[value] not in "[{":
            return
        at, index = skip_blanks(text, value + 1), 0
        while text[at] not in "]}":
            start, key = at, index
            if text[value] == "{":
                key, at = _SKIPPING.raw_decode(text, at)
                at = skip_blanks(text, skip_blanks(text, at) + 1)
            yield Child(key, start, at)
            at = skip_blanks(text, _SKIPPING.raw_decode(text, at)[1])
            at = skip_blanks(text, at + 1) if text[at] == "," else at
            index += 1


def skip_blanks(text: str, at: int) -> int:
    """Where the blanks that begin here end."""
    blanks = _BLANKS.match(text, at)
    return blanks.end() if blanks else at


def open_brackets(text: str, most: int | None = None) -> list[int]:
    """The brackets that are never closed; or the first `most` that are open at once."""
    still_open: list[int] = []
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            still_open.append(found.start())
            if len(still_open) == most:
                break
        elif found[0] in "]}" and still_open:
            still_open.pop()
    return still_open


def place_at(text: str, offset: int) -> Place:
    """Line and column of a character."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
