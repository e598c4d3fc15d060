"""The parts of a light file: which lines each top-level entry, node and connection takes.

In a file as most are written, dashes and top-level keys are found by their columns, and only what
changes is parsed. In any other file everything is parsed.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..light.edges import SECTIONS
from .edge_places import EdgePlace, read_places
from .spans import Span, line_end, spans
from .splicing import cannot

_TOP = re.compile(r"^(?:(?P<word>[\w$]+)[ \t]*:(?=\s|$)|[^\s#-].*)", re.MULTILINE)
_DASH = re.compile(r"^( *)-(?=\s|$)", re.MULTILINE)
_LISTS = ("nodes", *SECTIONS)


@dataclass
class Items(ABC):
    """The items of a list that stand for something; empty ones do not."""

    flow: bool
    count: int

    @abstractmethod
    def item(self, index: int) -> Span:
        """Where an item stands."""

    def every(self) -> list[Span]:
        return [self.item(i) for i in range(self.count)]

    def lines(self, index: int) -> tuple[int, int]:
        """The part of the text that an item takes, comments below it included."""
        cannot("items of this list have no lines of their own")


@dataclass
class ParsedItems(Items):
    items: list[Span] = field(default_factory=list)

    def item(self, index: int) -> Span:
        return self.items[index]


@dataclass
class ItemsByLine(Items):
    """Items that are parsed when they are asked for."""

    text: str
    starts: list[int]

    def __post_init__(self) -> None:
        self._known: dict[int, Span] = {}

    def item(self, index: int) -> Span:
        if index not in self._known:
            found = spans(self.text, *self.lines(index))
            if found is None or found.kind != "list" or len(found.items) != 1 or found.flow:
                cannot("the lines of an item are not what they seem")
            self._known[index] = found.items[0]
        return self._known[index]

    def lines(self, index: int) -> tuple[int, int]:
        return self.starts[index], self.starts[index + 1]


class Outline:
    """A text and its parts. `nodes` and `edges` are how many the text says."""

    def __init__(self, text: str, nodes: int, edges: int) -> None:
        self.text = text
        self._nodes, self._edges = nodes, edges

    @cached_property
    def by_line(self) -> bool:
        """Whether the parts were found by their columns."""
        return self._by_line is not None

    def top(self, key: str) -> tuple[Span, Span] | None:
        """A top-level entry."""
        if self._by_line is None:
            return self.root.find(key)
        if key not in self._by_line:
            return None
        found = spans(self.text, *self._by_line[key])
        if found is None or found.kind != "map" or len(found.entries) != 1:
            cannot("the lines of an entry are not what they seem")
        return found.entries[0]

    @cached_property
    def root(self) -> Span:
        """The map that the whole text is."""
        root = spans(self.text)
        if root is None or root.kind != "map" or root.flow:
            cannot("the text is no map")
        return root

    def last_top(self) -> int:
        """The end of the last top-level entry."""
        if self._by_line is None:
            return self.root.end
        found = self.top(list(self._by_line)[-1])
        assert found is not None
        return max(found[0].end, found[1].end)

    def items(self, section: str) -> Items:
        """The items of one of the lists."""
        if self._by_line is not None:
            return self._items_by_line[section]
        found = self.root.find(section)
        if found is None or found[1].is_null:
            return ParsedItems(flow=False, count=0)
        span = found[1]
        if span.kind != "list":
            cannot(f"{section} is no list")
        items = [item for item in span.items if not _is_nothing(item)]
        return ParsedItems(flow=span.flow, count=len(items), items=items)

    @cached_property
    def edge_places(self) -> list[EdgePlace]:
        """Where the edges stand, in their order."""
        if self._by_line is not None:
            counts = {section: self.items(section).count for section in SECTIONS}
            if sum(counts.values()) == self._edges:
                # As many items as edges: there are no chains, and none inside of nodes.
                alone = [(name, index) for name in SECTIONS for index in range(counts[name])]
                return [EdgePlace(*each, range(i, i + 1)) for i, each in enumerate(alone)]
        places = read_places(self.text)
        if sum(len(place.edges) for place in places) != self._edges:
            cannot("edges are not where they seem to be")
        return places

    def items_of(self, place: EdgePlace) -> Items:
        """The items of the list in which edges stand."""
        if place.node is None:
            return self.items(place.key)
        _, _, span = self.list_inside(place.node, place.key)
        items = [item for item in span.items if not _is_nothing(item)]
        return ParsedItems(flow=span.flow, count=len(items), items=items)

    def list_inside(self, node: int, key: str) -> tuple[Span, Span, Span]:
        """A list of edges in a node: the map it is in, its key and itself."""
        item = self.items("nodes").item(node)
        data = item.find("data")
        for holder in (item, data[1]) if data else (item,):
            found = holder.find(key)
            if found and found[1].kind == "list":
                return (holder, *found)
        return cannot("the list of edges is not written here")

    @cached_property
    def _by_line(self) -> Mapping[str, tuple[int, int]] | None:
        """The lines of the top-level entries; None when the text is not as most are."""
        if "\r" in self.text.replace("\r\n", ""):
            return None
        found = [(match["word"], match.start()) for match in _TOP.finditer(self.text)]
        words = [word for word, _ in found]
        if None in words or len(set(words)) != len(words) or "nodes" not in words:
            return None
        ends = [start for _, start in found[1:]] + [len(self.text)]
        lines = {word: (start, end) for (word, start), end in zip(found, ends, strict=True)}
        items = {name: self._scanned(lines.get(name)) for name in _LISTS}
        counts = {name: each.count for name, each in items.items() if each is not None}
        if len(counts) < len(items) or counts["nodes"] != self._nodes:
            return None
        # An item may be a chain of edges, and nodes may hold some.
        if sum(counts[name] for name in SECTIONS) > self._edges:
            return None
        self._items_by_line = {name: each for name, each in items.items() if each is not None}
        return lines

    _items_by_line: dict[str, Items]

    def _scanned(self, lines: tuple[int, int] | None) -> Items | None:
        """The items of a list that is in block style."""
        if lines is None:
            return ParsedItems(flow=False, count=0)
        start, end = lines
        header = self.text[start : line_end(self.text, start)].partition(":")[2].strip()
        first = _DASH.search(self.text, start, end)
        if header and not header.startswith("#"):
            return ParsedItems(flow=False, count=0) if header == "[]" and first is None else None
        if first is None:
            return ParsedItems(flow=False, count=0)
        dashes = re.compile(rf"^{first[1]}-(?=\s|$)", re.MULTILINE)
        starts = [each.start() for each in dashes.finditer(self.text, start, end)]
        return ItemsByLine(flow=False, count=len(starts), text=self.text, starts=[*starts, end])


def _is_nothing(item: Span) -> bool:
    return item.kind == "scalar" and not item.style and item.value in ("", "~", "null")
