"""YAML text as a tree whose every key and value knows its place.

Built from events, one after the other, so that a bomb of aliases is refused before it goes off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from ...errors import DiagramError, Problem
from .events import MAX_DEPTH, MAX_TEXT, Place, place_of, read_events, too_deep, too_large
from .mistakes import explain_key
from .scalars import Scalar, read_plain

MOST_PROBLEMS = 50
"""More than anybody reads; each one costs time."""

_VALUE_SIZE = 10
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))
_QUOTES = "If this is text, put it in quotes."


class Entry(NamedTuple):
    """What a map holds under a key, and where the key stands."""

    place: Place
    value: Tree


@dataclass(slots=True)
class Tree:
    """A value and its place. `size` and `height` count aliases as what they stand for."""

    value: Scalar | list[Tree] | dict[str, Entry]
    place: Place
    size: int = _VALUE_SIZE
    height: int = 0


def compose(text: str) -> Tree | None:
    """The tree of a text; None when the text is empty.

    Raises `DiagramError` for text that is too large, too deep, ambiguous or no YAML.
    """
    composer = _Composer(text)
    tree = composer.document()
    if composer.problems:
        raise DiagramError(*composer.problems)
    return tree


class _Composer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.events = read_events(text)
        self.problems: list[Problem] = []
        # None while the anchored value is still open.
        self.anchors: dict[str, Tree | None] = {}
        self.depth = 0
        self.aliased = 0

    def document(self) -> Tree | None:
        next(self.events)
        if isinstance(next(self.events), StreamEndEvent):
            return None
        tree = self.node(next(self.events))
        next(self.events)
        if not isinstance(event := next(self.events), StreamEndEvent):
            self.report(event, "A second document begins here.", "One text holds one diagram.")
        return tree

    def node(self, event: Any) -> Tree:
        if isinstance(event, AliasEvent):
            return self.alias(event)
        if event.tag is not None and event.tag not in _TAGS:
            self.report(event, f"The tag {event.tag[:40]!r} is not allowed.", _QUOTES)
        if event.anchor:
            self.anchors[event.anchor] = None
        tree = self.scalar(event) if isinstance(event, ScalarEvent) else self.container(event)
        if event.anchor:
            self.anchors[event.anchor] = tree
        return tree

    def alias(self, event: AliasEvent) -> Tree:
        tree = self.anchors.get(event.anchor)
        if tree is None:
            itself = event.anchor in self.anchors
            message = "An alias contains itself." if itself else "This alias has no anchor."
            self.report(event, message, _QUOTES)
            return Tree(None, place_of(event))
        self.aliased += tree.size
        if self.aliased > MAX_TEXT:
            raise too_large(
                f"Aliases stand for more than {MAX_TEXT:,} characters.", place_of(event)
            )
        if self.depth + tree.height > MAX_DEPTH:
            raise too_deep(place_of(event))
        return tree

    def scalar(self, event: ScalarEvent) -> Tree:
        plain = event.implicit[0] and event.tag is None
        try:
            value = read_plain(event.value) if plain else event.value
        except ValueError:
            message = f"{event.value[:40]} is not a number that can be kept."
            self.report(event, message, _QUOTES, code="bad_value")
            value = None
        return Tree(value, place_of(event), _VALUE_SIZE + len(event.value))

    def container(self, event: Event) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise too_deep(place_of(event))
        tree = self.map(event) if isinstance(event, MappingStartEvent) else self.sequence(event)
        self.depth -= 1
        return tree

    def sequence(self, start: Event) -> Tree:
        items: list[Tree] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self.node(event))
        return _measured(Tree(items, place_of(start)), items)

    def map(self, start: Event) -> Tree:
        entries: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event)
            value = self.node(next(self.events))
            if key is None:
                continue
            if _is_merge(event):
                merged = self.mergeable(event, value) | merged
            elif key in entries:
                self.duplicate(event, key, entries[key].place)
            else:
                entries[key] = Entry(place_of(event), value)
        entries |= {key: merged[key] for key in merged if key not in entries}
        values = [entry.value for entry in entries.values()]
        return _measured(Tree(entries, place_of(start)), values)

    def key(self, event: Event) -> str | None:
        """The text of a key; numbers and the like count as their text, lists and maps as none."""
        if isinstance(event, ScalarEvent):
            self.node(event)
            return str(event.value)
        problem = explain_key(self.text, *place_of(event))
        self.node(event)
        self.add(problem)
        return None

    def mergeable(self, event: Event, value: Tree) -> dict[str, Entry]:
        merged: dict[str, Entry] = {}
        for tree in value.value if isinstance(value.value, list) else [value]:
            if isinstance(tree.value, dict):
                merged = tree.value | merged
            else:
                self.report(event, "`<<` can only merge maps.", "Write `<<: *anchor`.")
        return merged

    def duplicate(self, event: Event, key: str, first: Place) -> None:
        message = f"The key {key[:40]!r} stands twice in one map, here and on line {first[0]}."
        self.report(event, message, "Remove or rename one of them.")

    def report(self, event: Event, message: str, hint: str, *, code: str = "yaml_syntax") -> None:
        self.add(Problem(code, message, hint=hint).at(*place_of(event)))

    def add(self, problem: Problem) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


def _is_merge(key: Event) -> bool:
    return isinstance(key, ScalarEvent) and key.value == "<<" and bool(key.implicit[0])


def _measured(tree: Tree, values: list[Tree]) -> Tree:
    tree.size += sum(value.size for value in values)
    tree.height = 1 + max((value.height for value in values), default=0)
    return tree
