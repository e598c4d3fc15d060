"""From what is different between two diagrams to what has to be written anew in a light file.

Each part of the diagram is written as finely as it can be: the values that changed, else the whole
entries around them, else the whole sections around those.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, get_args

from pydantic import JsonValue

from ...errors import DiagramError
from ..light.writing import node_entry
from ..model import Diagram, Edge, Label, NodeSpec
from .edge_changes import EdgeChanges
from .entries import EntryWriter
from .outline import Items, Outline
from .person_changes import PersonChanges
from .sections import Sections, beside
from .spans import Span, aliases, anchors, line_end
from .splicing import CannotSpliceError, Splicing, cannot, same, unchanged_ends
from .styles import write_entry

Extent: TypeAlias = Literal["value", "entry", "section", "file"]
Part: TypeAlias = Literal["top", "edges", "nodes", "persons"]
Way = Callable[[frozenset[str]], None]
# Edges before nodes: a node that is written anew takes the edges inside it along.
_PARTS: tuple[Part, ...] = get_args(Part)
_EXTENTS: tuple[Extent, ...] = get_args(Extent)
_NONE: frozenset[str] = frozenset()


class Extents(NamedTuple):
    """How finely each part may be written; where that is by values, `whole` nodes are entries."""

    parts: Mapping[Part, Extent]
    whole: frozenset[Label] = frozenset()


class Difference:
    """What is different between two diagrams, `outline` being the text of the first.

    `extents` are how finely each part may be written, all as finely as they can be by default.
    """

    def __init__(
        self,
        outline: Outline,
        old: Diagram,
        new: Diagram,
        extents: Extents | None = None,
    ) -> None:
        self._outline = outline
        self._text = outline.text
        self._old, self._new = old, new
        self._cut = Splicing(outline.text)
        self._sections = Sections(outline, self._cut)
        self._write = EntryWriter(self._cut, dict.fromkeys(node.label for node in new.nodes))
        self._edges = EdgeChanges(outline, self._cut, self._sections, old, new)
        persons = (old.persons, new.persons)
        self._persons = PersonChanges(outline, self._cut, self._sections, *persons)
        extents = extents or Extents(dict.fromkeys(_PARTS, "value"))
        self._extents: dict[Part, Extent] = dict(extents.parts)
        self._whole = extents.whole
        self._written: set[Part] = set()
        self._touched: list[tuple[Items, int, NodeSpec, NodeSpec]] = []
        self._elsewhere = not self._persons.are_same

    def text(self) -> str:
        """The text of the second diagram; raises `CannotSpliceError` when a part cannot be cut in.

        Whether it says what it should has still to be seen.
        """
        for part in _PARTS:
            before = self._cut.splices[:]
            self._write_part(part)
            if self._cut.splices != before:
                self._written.add(part)
        return self._cut.result()

    @property
    def rewritten(self) -> Extent:
        """The largest extent in which a part was written."""
        used = [_EXTENTS.index(self._extents[part]) for part in self._written]
        return _EXTENTS[max([bool(self._whole), *used])]

    def coarser(self, found: Diagram | None) -> Extents | None:
        """Extents with which to try again, as the text says `found`, if any could be made.

        None when there are no larger ones.
        """
        if found is not None and (whole := self._wrong_nodes(found) - self._whole):
            return Extents(self._extents, self._whole | whole)
        parts = [part for part in _PARTS if self._extents[part] in _EXTENTS[:2]]
        wrong = [part for part in parts if found is not None and self._is_wrong(part, found)]
        extents: dict[Part, Extent] = self._extents.copy()
        for part in wrong or parts:
            extents[part] = _EXTENTS[_EXTENTS.index(extents[part]) + 1]
        return Extents(extents, self._whole) if parts else None

    def _wrong_nodes(self, found: Diagram) -> frozenset[Label]:
        """The nodes to blame, if single nodes are."""
        new = self._new.nodes
        if self._extents["nodes"] != "value" or len(found.nodes) != len(new):
            return _NONE
        pairs = zip(new, found.nodes, strict=True)
        return frozenset(node.label for node, other in pairs if not same(node, other))

    def _is_wrong(self, part: Part, found: Diagram) -> bool:
        names = ("name", "description") if part == "top" else (part,)
        return not all(same(getattr(found, name), getattr(self._new, name)) for name in names)

    def places(self) -> list[tuple[int, int, NodeSpec | Edge, NodeSpec | Edge, int]] | None:
        """The lines in which one node or edge became another, and how much longer they are now.

        None when something changed anywhere else.
        """
        if self._elsewhere or self._edges.elsewhere:
            return None
        touched: list[tuple[Items, int, NodeSpec | Edge, NodeSpec | Edge]]
        touched = [*self._touched, *self._edges.touched]
        found = [(*items.lines(index), old, new) for items, index, old, new in touched]
        return [(*each, self._cut.longer(each[0], each[1])) for each in found]

    def _write_part(self, part: Part) -> None:
        """Write a part in the smallest extent in which that can be done."""
        ways = self._ways[part]
        for extent in _EXTENTS[_EXTENTS.index(self._extents[part]) : len(_EXTENTS) - 1]:
            before = self._cut.splices[:]
            self._extents[part] = extent
            try:
                ways[extent](self._lost_anchors if extent == "entry" else _NONE)
            except (CannotSpliceError, DiagramError):
                self._cut.splices = before
                if extent == "section":
                    raise
            else:
                return

    @cached_property
    def _ways(self) -> dict[Part, dict[Extent, Way]]:
        edges, persons = self._edges, self._persons
        return {
            "top": {
                "value": self._top_level,
                "entry": self._top_level_quoted,
                "section": self._top_level_quoted,
            },
            "edges": {"value": edges.values, "entry": edges.entries, "section": edges.section},
            "nodes": {
                "value": self._node_values,
                "entry": self._node_entries,
                "section": self._node_section,
            },
            "persons": {
                "value": persons.values,
                "entry": persons.entries,
                "section": persons.section,
            },
        }

    # --- the top level

    def _top_level(self, _: frozenset[str]) -> None:
        self._each_on_top(lambda key, span, new: self._cut.replace(beside(key), key, span, new))

    def _top_level_quoted(self, _: frozenset[str]) -> None:
        """A block of text would take in comments that stand below."""
        self._each_on_top(lambda _, span, new: self._cut.put(span.start, span.end, json.dumps(new)))

    def _each_on_top(self, replace: Callable[[Span, Span, str], None]) -> None:
        for name in ("name", "description"):
            old, new = getattr(self._old, name), getattr(self._new, name)
            if old == new:
                continue
            self._elsewhere = True
            found = self._outline.top(name)
            if found is None:
                self._add_on_top(name, new)
            elif new is None:
                self._remove_top(*found)
            else:
                replace(*found, new)

    def _add_on_top(self, name: str, value: JsonValue) -> None:
        above = [self._outline.top(key) for key in ("name", "version")]
        written = write_entry(name, value, 0)
        found = next((each for each in above if each is not None), None)
        if found is None:
            start = self._outline.top("nodes")
            assert start is not None
            self._cut.put(start[0].start, start[0].start, f"{written}\n")
        else:
            end = line_end(self._text, max(each.end for each in found))
            self._cut.put(end, end, f"\n{written}")

    def _remove_top(self, key: Span, value: Span) -> None:
        beside = Span("map", key.start, value.end, entries=[(key, value), (key, value)])
        self._cut.remove_entry(beside, key.value)

    # --- nodes

    def _node_values(self, _: frozenset[str]) -> None:
        for i, now, items in self._changed_nodes(_NONE):
            before = len(self._cut.splices)
            if now.label not in self._whole:
                try:
                    self._values_of_node(i, now, items)
                except CannotSpliceError:
                    del self._cut.splices[before:]
                    self._whole |= {now.label}
            if now.label in self._whole:
                if anchors(items.item(i)):
                    cannot("other entries may need its anchors")
                self._node_entry(i, now, items)

    def _values_of_node(self, i: int, now: NodeSpec, items: Items) -> None:
        self._write.node_values(items.item(i), self._old.nodes[i], now)
        for key in self._edges.keys_inside(i) if self._edges.flattened else ():
            holder = self._outline.list_inside(i, key)[0]
            self._cut.remove_entry(holder, key)

    def _node_entries(self, lost: frozenset[str]) -> None:
        for i, now, items in self._changed_nodes(lost):
            self._node_entry(i, now, items)

    def _node_entry(self, i: int, now: NodeSpec, items: Items) -> None:
        self._edges.discard(i)
        self._write.whole_item(items, i, node_entry(now) | self._edges.inside(i, now.label))

    def _node_section(self, _: frozenset[str]) -> None:
        old, new = self._old.nodes, self._new.nodes
        if same(old, new) and not self._edges.flattened:
            return
        self._elsewhere = True
        places = {node.label: i for i, node in enumerate(old)}
        if len(old) == len(new):
            places = {node.label: i for i, node in enumerate(new)}
        entries = []
        for node in new:
            inside = (
                self._edges.inside(places[node.label], node.label) if node.label in places else {}
            )
            entries.append(node_entry(node) | inside)
        for i in range(len(old)):
            self._edges.discard(i)
        self._sections.write("nodes", entries)

    def _changed_nodes(self, lost: frozenset[str]) -> Iterator[tuple[int, NodeSpec, Items]]:
        """The nodes to write anew, once those that come or go have come or gone."""
        old, new = self._old.nodes, self._new.nodes
        self._touched.clear()
        if _identical(old, new) and not lost and not self._edges.flattened:
            return
        items = self._outline.items("nodes")
        if items.count != len(old):
            cannot("nodes are not written one by one")
        head, tail = unchanged_ends(old, new)
        stop, shift = len(old) - tail, len(new) - len(old)
        if shift:
            self._elsewhere = True
            if stop > head and len(new) - tail > head:
                cannot("too much is different")
            entries = [node_entry(node) for node in new[head : len(new) - tail]]
            self._sections.exchange("nodes", items, range(head, stop), entries, head)
        for i, node in enumerate(old):
            if shift and head <= i < stop:
                continue
            now = new[i if i < head else i + shift]
            if now is not node or self._needs_writing(items, i, lost):
                self._touched.append((items, i, node, now))
                yield i, now, items

    def _needs_writing(self, items: Items, index: int, lost: frozenset[str]) -> bool:
        if self._edges.flattened and self._edges.keys_inside(index):
            return True
        return bool(lost and aliases(items.item(index)) & lost)

    # --- anchors

    @cached_property
    def _lost_anchors(self) -> frozenset[str]:
        """The anchors in entries that are written anew or removed.

        An anchor goes with the entry in which it stands; so entries with its aliases are new too.
        """
        if "&" not in self._text:
            return _NONE
        nodes, found = self._outline.items("nodes"), self._edges.lost_anchors()
        kept = {id(node) for node in self._new.nodes}
        for i, node in enumerate(self._old.nodes):
            if id(node) not in kept:
                found |= anchors(nodes.item(i))
        persons = self._outline.top("persons")
        for key, value in persons[1].entries if persons else ():
            if self._old.persons.get(key.value) is not self._new.persons.get(key.value):
                found |= anchors(value)
        return frozenset(found)


def _identical(old: Sequence[object], new: Sequence[object]) -> bool:
    return len(old) == len(new) and all(map(operator.is_, old, new))
