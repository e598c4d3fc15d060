"""YAML text as a tree whose every key and value knows its place.

Built from events, one after the other, so that a bomb of aliases is refused before it goes off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...errors import DiagramError, Problem
from .events import (
    ALIAS,
    LIST_END,
    MAP,
    MAP_END,
    MAX_ALIASED,
    MAX_DEPTH,
    SCALAR,
    STREAM_END,
    Place,
    place_of,
    read_events,
    too_deep,
    too_large,
)
from .mistakes import explain_key
from .scalars import Scalar, read_plain

MOST_PROBLEMS = 50
"""More than anybody reads; each one costs time."""

_VALUE_SIZE = 10
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))
_NAME = re.compile("[0-9A-Za-z_-]+")
_QUOTES = "If this is text, put it in quotes."


@dataclass(slots=True)
class Tree:
    """A value and its place, which in a map is where its key stands.

    `size` and `height` count aliases as what they stand for.
    """

    value: Scalar | list[Tree] | dict[str, Tree]
    place: Place
    size: int = _VALUE_SIZE
    height: int = 0


def compose(text: str, events: Iterator[Any] | None = None) -> Tree | None:
    """The tree of a text; None when the text is empty.

    Raises `DiagramError` for text that is too large, too deep, ambiguous or no YAML.
    """
    composer = _Composer(text, read_events(text) if events is None else events)
    tree = composer.document()
    if composer.problems:
        raise DiagramError(*composer.problems)
    return tree


class _Composer:
    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self.text = text
        self.events = events
        self.problems: list[Problem] = []
        # None while the anchored value is still open.
        self.anchors: dict[str, Tree | None] = {}
        self.depth = 0
        self.aliased = 0

    def document(self) -> Tree | None:
        next(self.events)
        if isinstance(next(self.events), STREAM_END):
            return None
        tree = self.node(next(self.events))
        next(self.events)
        if not isinstance(event := next(self.events), STREAM_END):
            self.report(event, "A second document begins here.", "One text holds one diagram.")
        return tree

    def node(self, event: Any) -> Tree:
        if isinstance(event, ALIAS):
            return self.alias(event)
        if event.anchor is None and event.tag is None:
            return self.content(event)
        return self.decorated(event)

    def decorated(self, event: Any) -> Tree:
        """A value with a tag or an anchor before it."""
        if event.tag is not None and event.tag not in _TAGS:
            self.report(event, f"The tag {event.tag[:40]!r} is not allowed.", _QUOTES)
        if event.anchor is None:
            return self.content(event)
        self.check_name(event)
        self.anchors[event.anchor] = None
        tree = self.anchors[event.anchor] = self.content(event)
        return tree

    def content(self, event: Any) -> Tree:
        if isinstance(event, SCALAR):
            return self.scalar(event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise too_deep(place_of(event))
        tree = self.map(event) if isinstance(event, MAP) else self.sequence(event)
        self.depth -= 1
        return tree

    def alias(self, event: Any) -> Tree:
        self.check_name(event)
        tree = self.anchors.get(event.anchor)
        if tree is None:
            itself = event.anchor in self.anchors
            message = "An alias contains itself." if itself else "This alias has no anchor."
            self.report(event, message, _QUOTES)
            return Tree(None, place_of(event))
        self.aliased += tree.size
        if self.aliased > MAX_ALIASED:
            message = f"Aliases stand for more than {MAX_ALIASED:,} characters."
            raise too_large(message, place_of(event))
        if self.depth + tree.height > MAX_DEPTH:
            raise too_deep(place_of(event))
        # The same value at a place of its own.
        return replace(tree, place=place_of(event))

    def check_name(self, event: Any) -> None:
        if not _NAME.fullmatch(event.anchor):
            message = f"`&` and `*` want a name of plain letters here, not {event.anchor[:40]!r}."
            self.report(event, message, _QUOTES)

    def scalar(self, event: Any) -> Tree:
        text = event.value
        try:
            plain = event.implicit[0] and event.tag is None
            value = read_plain(text) if plain else text
        except ValueError:
            message = f"{text[:40]} is not a number that can be kept."
            self.report(event, message, _QUOTES, code="bad_value")
            value = None
        return Tree(value, place_of(event), _VALUE_SIZE + len(text))

    def sequence(self, start: Any) -> Tree:
        items: list[Tree] = []
        while not isinstance(event := next(self.events), LIST_END):
            items.append(self.node(event))
        return _measured(Tree(items, place_of(start)), items)

    def map(self, start: Any) -> Tree:
        entries: dict[str, Tree] = {}
        merged: list[dict[str, Tree]] = []
        while not isinstance(event := next(self.events), MAP_END):
            key = self.key(event)
            value = self.node(next(self.events))
            if key is None:
                continue
            if key == "<<" and event.implicit[0]:
                merged += self.mergeable(event, value)
            elif key in entries:
                self.duplicate(event, key, entries[key].place)
            else:
                value.place = place_of(event)
                entries[key] = value
        if merged:
            entries = _united([entries, *merged])
        return _measured(Tree(entries, place_of(start)), entries.values())

    def key(self, event: Any) -> str | None:
        """The text of a key; numbers and the like count as their text, lists and maps as none."""
        if not isinstance(event, SCALAR):
            # To explain it takes a look at the whole text.
            if len(self.problems) < MOST_PROBLEMS:
                self.add(explain_key(self.text, *place_of(event)))
            self.node(event)
            return None
        if event.anchor is not None or event.tag is not None:
            self.node(event)
        key = str(event.value)
        if not key and event.implicit[0]:
            self.report(event, "A key is missing here.", "Write `key: value`.")
            return None
        return key

    def mergeable(self, event: Any, value: Tree) -> Iterator[dict[str, Tree]]:
        for tree in value.value if isinstance(value.value, list) else [value]:
            if isinstance(tree.value, dict):
                yield tree.value
            else:
                self.report(event, "`<<` can only merge maps.", "Write `<<: *anchor`.")

    def duplicate(self, event: Any, key: str, first: Place) -> None:
        message = f"The key {key[:40]!r} stands twice in one map, here and on line {first[0]}."
        self.report(event, message, "Remove or rename one of them.", code="duplicate_key")

    def report(self, event: Any, message: str, hint: str, *, code: str = "yaml_syntax") -> None:
        self.add(Problem(code, message, hint=hint).at(*place_of(event)))

    def add(self, problem: Problem) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def _united(maps: Iterable[dict[str, Tree]]) -> dict[str, Tree]:
    """All entries; of equal keys, the first counts."""
    united: dict[str, Tree] = {}
    for each in maps:
        for key, value in each.items():
            united.setdefault(key, value)
    return united


def _measured(tree: Tree, values: Iterable[Tree]) -> Tree:
    size, height = tree.size, 0
    for value in values:
        size += value.size
        height = max(height, value.height)
    tree.size, tree.height = size, height + 1
    return tree
