"""From what is different between two diagrams to what has to be written anew in a light file.

There are three ways, each coarser than the one before: the values that changed, the whole entries
around them, the whole sections around those.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import JsonValue

from ..light.edges import SECTIONS
from ..light.writing import edge_entry, node_entry
from ..model import Diagram, Edge, Label, NodeSpec, Person
from ..older import person_fields
from .entries import EntryWriter
from .outline import Items, Outline
from .spans import Span, line_end
from .splicing import Splicing, cannot, same, unchanged_ends
from .styles import write_entry, write_like

Part = TypeVar("Part", NodeSpec, Edge)
Fields = dict[str, JsonValue]
Rewrite = Callable[[Items, int, Part, Part], None]
_NONE: frozenset[str] = frozenset()


class Difference:
    """What is different between two diagrams, `outline` being the text of the first."""

    def __init__(self, outline: Outline, old: Diagram, new: Diagram) -> None:
        self._outline = outline
        self._text = outline.text
        self._old, self._new = old, new
        self._labels = dict.fromkeys(node.label for node in new.nodes)
        self._cut = Splicing(outline.text)
        self._write = EntryWriter(self._cut, [node.label for node in old.nodes], self._labels)
        self.touched_nodes: list[int] = []
        self.touched_edges: list[int] = []
        self.elsewhere = False
        """Whether something changed that is not inside a node or an edge."""

    def by_value(self) -> str:
        """The text in which only the values that changed are new."""
        self._top_level()
        self._nodes(self._write.node_values)
        self._edges(self._write.edge_values)
        self._persons(self._person_values)
        return self._cut.result()

    def by_entry(self) -> str:
        """The text in which each node, edge or person that changed is new, and all that need it.

        An anchor goes with the entry in which it stands; so entries with its aliases are new too.
        """
        self._top_level()
        lost = self._lost_anchors()
        self._nodes(self._write.whole_node, lost)
        self._edges(self._write.whole_edge, lost)
        self._persons(self._whole_person, lost)
        return self._cut.result()

    def by_section(self) -> str:
        """The text in which the sections that changed are new."""
        old, new = self._old, self._new
        self._top_level()
        named = [node.label for node in old.nodes] != list(self._labels)
        if old.nodes != new.nodes:
            self._section("nodes", [node_entry(node) for node in new.nodes])
        if old.edges != new.edges or named:
            edges = [edge_entry(edge, self._labels) for edge in new.edges]
            there = [name for name in SECTIONS if self._outline.top(name) is not None]
            for name in there:
                self._section(name, edges if name == there[0] else [])
            if not there and edges:
                self._append(SECTIONS[0], edges)
        if old.persons != new.persons:
            fields = {label: _fields(person) for label, person in new.persons.items()}
            self._section("persons", fields)
        return self._cut.result()

    def longer(self, start: int, end: int) -> int:
        """By how much the changes between two places make the text longer."""
        return self._cut.longer(start, end)

    # --- the top level

    def _top_level(self) -> None:
        for name in ("name", "description"):
            old, new = getattr(self._old, name), getattr(self._new, name)
            if old == new:
                continue
            self.elsewhere = True
            found = self._outline.top(name)
            if found is None:
                self._add_on_top(name, new)
            elif new is None:
                self._remove_top(*found)
            else:
                self._cut.replace(_beside(found[0]), *found, new)

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

    def _append(self, name: str, value: Any) -> None:
        """A new section at the end."""
        end = line_end(self._text, self._outline.last_top())
        gap = "\n\n" if "\n\n" in self._text.replace("\r\n", "\n") else "\n"
        self._cut.put(end, end, f"{gap}{write_entry(name, value, 0)}")

    def _section(self, name: str, value: Any) -> None:
        found = self._outline.top(name)
        if found is None:
            self._append(name, value)
        else:
            self._cut.replace(_beside(found[0]), *found, value)

    # --- nodes and edges

    def _nodes(self, rewrite: Rewrite[NodeSpec], lost: frozenset[str] = _NONE) -> None:
        old, new = self._old.nodes, self._new.nodes
        if _identical(old, new) and not lost:
            return
        items = self._outline.items("nodes")
        if items.count != len(old):
            cannot("nodes are not written one by one")
        head, tail = unchanged_ends(old, new)
        stop, shift = len(old) - tail, len(new) - len(old)
        if shift:
            self.elsewhere = True
            if stop > head and len(new) - tail > head:
                cannot("too much is different")
            entries = [node_entry(node) for node in new[head : len(new) - tail]]
            self._exchange("nodes", items, range(head, stop), entries, head)
        for i, node in enumerate(old):
            if shift and head <= i < stop:
                continue
            now = new[i if i < head else i + shift]
            if now is not node or (lost and _aliases(items.item(i)) & lost):
                self.touched_nodes.append(i)
                rewrite(items, i, node, now)

    def _edges(self, rewrite: Rewrite[Edge], lost: frozenset[str] = _NONE) -> None:
        old, new = self._old.edges, self._new.edges
        if _identical(old, new) and not lost:
            return
        places = self._outline.edge_places()
        if len(places) != len(old):
            cannot("edges are not written one by one")
        lists = {name: self._outline.items(name) for name in SECTIONS}
        if len(old) == len(new):
            for i, (name, index) in enumerate(places):
                used = lost and _aliases(lists[name].item(index)) & lost
                if used or not same(old[i], new[i]):
                    self.touched_edges.append(i)
                    rewrite(lists[name], index, old[i], new[i])
            return
        self.elsewhere = True
        if len(old) > len(new):
            for name, items in lists.items():
                mine = [places[i][1] for i in self._gone() if places[i][0] == name]
                self._exchange(name, items, mine, [], 0)
            return
        entries = [edge_entry(edge, self._labels) for edge in new[len(old) :]]
        name = places[-1][0] if places else SECTIONS[0]
        self._exchange(name, lists[name], (), entries, lists[name].count)

    def _gone(self) -> Iterator[int]:
        """The edges that are no more; those that are left stand in the same order."""
        left = iter(self._new.edges)
        expected = next(left, None)
        for i, edge in enumerate(self._old.edges):
            if expected is not None and same(edge, expected):
                expected = next(left, None)
            else:
                yield i
        if expected is not None:
            cannot("edges changed places")

    def _exchange(
        self, section: str, items: Items, gone: Sequence[int], added: Sequence[Any], at: int
    ) -> None:
        """Remove some items of a list, or add some before the item `at`."""
        if not gone and not added:
            return
        if len(gone) == items.count:
            self._section(section, list(added))
            return
        # An item in block style is known apart from its neighbours.
        near = items.every() if items.flow else [items.item(max(at - 1, 0))] * 2
        for index in gone:
            self._cut.remove_item(items.item(index), near, flow=items.flow)
        above = items.item(at - 1) if at else None
        for value in added:
            self._cut.add_item(above, near, value, flow=items.flow)

    # --- anchors

    def _lost_anchors(self) -> frozenset[str]:
        """The anchors in entries that are written anew or removed."""
        if "&" not in self._text:
            return frozenset()
        nodes, found = self._outline.items("nodes"), set[str]()
        kept = {id(node) for node in self._new.nodes}
        for i, node in enumerate(self._old.nodes):
            if id(node) not in kept:
                found |= _anchors(nodes.item(i))
        gone = {id(edge) for edge in self._old.edges} - {id(edge) for edge in self._new.edges}
        for (name, index), edge in zip(self._outline.edge_places(), self._old.edges, strict=True):
            if id(edge) in gone:
                found |= _anchors(self._outline.items(name).item(index))
        persons = self._outline.top("persons")
        for key, value in persons[1].entries if persons else ():
            if self._old.persons.get(key.value) is not self._new.persons.get(key.value):
                found |= _anchors(value)
        return frozenset(found)

    # --- persons

    def _persons(
        self, rewrite: Callable[[Span, Label, Label], None], lost: frozenset[str] = _NONE
    ) -> None:
        old, new = self._old.persons, self._new.persons
        if list(old) == list(new) and all(new[label] is old[label] for label in old) and not lost:
            return
        section = self._outline.top("persons")
        if section is None or section[1].kind != "map" or not section[1].entries or not new:
            if old != new:
                self.elsewhere = True
                fields = {label: _fields(person) for label, person in new.items()}
                self._section("persons", fields)
            return
        self.elsewhere = True
        span = section[1]
        renamed = dict(zip(old, new, strict=True)) if len(old) == len(new) else {}
        for key, value in span.entries:
            now = renamed.get(key.value, key.value)
            if now not in new:
                self._cut.remove_entry(span, key.value)
                continue
            if now != key.value:
                self._rename_key(span, key, now)
            if new[now] is not old.get(key.value) or _aliases(value) & lost:
                rewrite(span, key.value, now)
        for label in new if len(new) > len(old) else ():
            if label not in old:
                self._cut.add_entry(span, label, _fields(new[label]))

    def _rename_key(self, span: Span, key: Span, label: Label) -> None:
        written = write_like(self._text, key, label, flow=span.flow)
        if written is None or "\n" in written:
            cannot("the label is no simple key")
        self._cut.put(key.start, key.end, written)

    def _whole_person(self, span: Span, label: Label, now: Label) -> None:
        found = span.find(label)
        assert found is not None
        self._cut.replace(span, *found, _fields(self._new.persons[now]))

    def _person_values(self, span: Span, label: Label, now: Label) -> None:
        found = span.find(label)
        assert found is not None
        if found[1].kind != "map":
            self._whole_person(span, label, now)
            return
        old, new = (_fields(each) for each in (self._old.persons[label], self._new.persons[now]))
        spelled = {field: _spelling(found[1], field) for field in old | new}
        self._cut.change(
            span,
            *found,
            {spelled[field]: value for field, value in old.items()},
            {spelled[field]: value for field, value in new.items()},
        )


def _identical(old: Sequence[object], new: Sequence[object]) -> bool:
    return len(old) == len(new) and all(map(operator.is_, old, new))


def _spelling(span: Span, field: str) -> str:
    """How a person's field is called in a file."""
    names = [key.value for key, _ in span.entries]
    return next((name for name in names if field in person_fields({name: None})), field)


def _fields(person: Person) -> Fields:
    return person.model_dump(exclude_unset=True)


def _beside(key: Span) -> Span:
    """The top level as the map that a key is in."""
    return Span("map", key.start, key.end)


def _anchors(span: Span) -> set[str]:
    return {part.anchor for part in span.parts() if part.anchor and part.kind != "alias"}


def _aliases(span: Span) -> set[str]:
    return {part.anchor for part in span.parts() if part.anchor and part.kind == "alias"}
