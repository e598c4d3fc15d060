"""Writes what is different in the edges of a light file, wherever in it they stand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import Any

from ..light.edges import SECTIONS
from ..light.endpoints import find_endpoint
from ..light.writing import edge_entry
from ..model import DEFAULT, Diagram, Edge, Label
from .arrow_text import ArrowText, Change, end_of, new_arrow
from .edge_places import EdgePlace
from .entries import EntryWriter
from .outline import Items, Outline
from .sections import Sections
from .spans import Span, aliases, anchors
from .splicing import Splice, Splicing, cannot, same, unchanged_ends


class EdgeChanges:
    """The edges before and after."""

    def __init__(
        self, outline: Outline, cut: Splicing, sections: Sections, old: Diagram, new: Diagram
    ) -> None:
        self._outline, self._cut, self._sections = outline, cut, sections
        self._old, self._new = old, new
        self._old_labels = dict.fromkeys(node.label for node in old.nodes)
        self._labels = dict.fromkeys(node.label for node in new.nodes)
        self._write = EntryWriter(cut, self._labels)
        self._splices: dict[int, list[Splice]] = {}
        self.flattened = False
        """Whether edges that stood inside of nodes are written in a section."""
        self.touched: list[tuple[Items, int, Edge, Edge]] = []
        """Items in which one edge became another."""
        self.elsewhere = False
        """Whether something else changed too."""

    @property
    def are_same(self) -> bool:
        """Whether nothing is different."""
        old, new = self._old.edges, self._new.edges
        return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))

    def values(self, _: frozenset[str]) -> None:
        """Write the values that changed."""
        if not self.are_same:
            self._each(self._item_values, None)

    def entries(self, lost: frozenset[str]) -> None:
        """Write the items whose edges changed, or would, and those that need a lost anchor."""
        if lost or not self.are_same or self._named_anew:
            self._each(self._whole_item, lost)

    def section(self, _: frozenset[str]) -> None:
        """Write all edges, if any changed or may be read otherwise."""
        if self.are_same and not self._named_anew:
            return
        self.elsewhere = True
        self.flattened = any(place.node is not None for place in self._outline.edge_places)
        edges = [edge_entry(edge, self._labels) for edge in self._new.edges]
        there = [name for name in SECTIONS if self._outline.top(name) is not None]
        for name in there:
            self._sections.write(name, edges if name == there[0] else [])
        if not there and edges:
            self._sections.append(SECTIONS[0], edges)

    @cached_property
    def _named_anew(self) -> bool:
        """Whether other labels or ids are there now, so that ends may be read otherwise."""
        return list(self._old_labels) != list(self._labels) or self._other_ids

    @cached_property
    def _other_ids(self) -> bool:
        old, new = ([n.props.get("id") for n in each.nodes] for each in (self._old, self._new))
        return old != new

    # --- edges inside of nodes

    def keys_inside(self, node: int) -> list[str]:
        """The lists of edges that stand in a node."""
        places = (place for place in self._outline.edge_places if place.node == node)
        return list(dict.fromkeys(place.key for place in places))

    def inside(self, node: int, label: Label) -> dict[str, list[Any]]:
        """What has to stand in a node that is written anew, so that it still has its edges."""
        lists: dict[str, list[Any]] = {}
        if self.flattened:
            return lists
        for place, changes in zip(self._outline.edge_places, self._changes, strict=True):
            for change in changes if place.node == node else ():
                entry = edge_entry(change.edge, self._labels)
                if end_of(change.edge, "source") == (label, DEFAULT):
                    del entry["from"]
                lists.setdefault(place.key, []).append(entry)
        return lists

    def discard(self, node: int) -> None:
        """Take back what was written inside of a node."""
        self._cut.discard(self._splices.get(node, []))

    def lost_anchors(self) -> set[str]:
        """The anchors in items whose edges changed."""
        return {
            anchor
            for place, changes in zip(self._outline.edge_places, self._changes, strict=True)
            if not _unchanged(place, changes)
            for anchor in anchors(self._outline.items_of(place).item(place.index))
        }

    # --- which edges an item has now

    @cached_property
    def _origins(self) -> list[int | None]:
        """Which of the old edges each new one was; None for an added one."""
        old, new = self._old.edges, self._new.edges
        if len(old) == len(new):
            return list(range(len(old)))
        if len(old) > len(new):
            return list(self._survivors())
        head, tail = unchanged_ends(old, new)
        if head + tail < len(old):
            cannot("too much is different")
        return [*range(head), *[None] * (len(new) - len(old)), *range(head, len(old))]

    def _survivors(self) -> Iterator[int]:
        """The edges that are left, which stand in the same order."""
        left = iter(self._new.edges)
        expected = next(left, None)
        for i, edge in enumerate(self._old.edges):
            if expected is not None and same(edge, expected):
                yield i
                expected = next(left, None)
        if expected is not None:
            cannot("edges changed places")

    @cached_property
    def _changes(self) -> list[list[Change]]:
        """For each place, the edges that belong there now."""
        old, new, origins = self._old.edges, self._new.edges, self._origins
        at, changes = 0, []
        for place in self._outline.edge_places:
            mine: list[Change] = []
            if at == self._added_between:
                at += self._added_at(at)
            while at < len(new) and ((origin := origins[at]) is None or origin in place.edges):
                if at == self._added_between:
                    break
                if origin is None:
                    mine.append(Change(new[at]))
                else:
                    mine.append(Change(new[at], old[origin], origin - place.edges.start))
                at += 1
            changes.append(mine)
        return changes

    @cached_property
    def _added_between(self) -> int | None:
        """Where edges were added that do not belong to a chain."""
        if None not in self._origins:
            return None
        at = self._origins.index(None)
        # An edge that was added between two others of a chain belongs to it.
        inside = any(p.edges.start < at < p.edges.stop for p in self._outline.edge_places)
        return None if inside else at

    def _added_at(self, at: int) -> int:
        """How many edges were added at this place."""
        return next(
            (i for i, each in enumerate(self._origins[at:]) if each is not None),
            len(self._origins) - at,
        )

    # --- items

    def _each(
        self,
        rewrite: Callable[[EdgePlace, Items, list[Change]], None],
        lost: frozenset[str] | None,
    ) -> None:
        self.touched.clear()
        self._splices.clear()
        gone: dict[tuple[int | None, str], list[EdgePlace]] = {}
        for place, changes in zip(self._outline.edge_places, self._changes, strict=True):
            if place.node is not None and self._label_now(place.node) is None:
                if changes:
                    cannot("the edge stands in a node that is no more")
                continue
            if not changes:
                gone.setdefault((place.node, place.key), []).append(place)
                continue
            is_same = _unchanged(place, changes)
            if is_same and lost is None:
                continue
            items = self._outline.items_of(place)
            if not is_same or self._needs_writing(items.item(place.index), changes, lost or ()):
                before = len(self._cut.splices)
                rewrite(place, items, changes)
                self._note(place, items, changes, before)
        for places in gone.values():
            before = len(self._cut.splices)
            self._remove(places)
            self._remember(places[0], before)
        self._add()

    def _needs_writing(self, item: Span, changes: list[Change], lost: Collection[str]) -> bool:
        """Whether the same edges have to be written otherwise now."""
        if not aliases(item).isdisjoint(lost):
            return True
        if not self._named_anew:
            return False
        if item.kind == "scalar":
            arrow = ArrowText(item.value, self._old_labels)
            return arrow.changed(changes, self._labels) != [item.value]
        # What is no label is an id, which may be gone.
        known = () if self._other_ids else (None,)
        return any(
            find_endpoint(found[1].value, self._labels)
            not in (end_of(changes[0].edge, end), *known)
            for key, end in (("from", "source"), ("to", "target"))
            if (found := item.find(key) or item.find(end))
        )

    def _label_now(self, node: int) -> Label | None:
        """What the node is called that an old node has become, if it is still there."""
        if len(self._old.nodes) == len(self._new.nodes):
            return self._new.nodes[node].label
        label = self._old.nodes[node].label
        return label if label in self._labels else None

    def _note(self, place: EdgePlace, items: Items, changes: list[Change], before: int) -> None:
        self._remember(place, before)
        was = self._old.edges[place.edges.start]
        if place.node is None and len(changes) == len(place.edges) == 1:
            self.touched.append((items, place.index, was, changes[0].edge))
        else:
            self.elsewhere = True

    def _remember(self, place: EdgePlace, before: int) -> None:
        if place.node is not None:
            self._splices.setdefault(place.node, []).extend(self._cut.splices[before:])
            self.elsewhere = True

    def _item_values(self, place: EdgePlace, items: Items, changes: list[Change]) -> None:
        item = items.item(place.index)
        if item.kind == "scalar":
            self._arrows(item, items, changes)
            return
        edge, was, _ = changes[0]
        if len(changes) > 1 or was is None:
            cannot("the edges are not written here")
        here = None if place.node is None else self._label_now(place.node)
        self._write.edge_values(item, was, edge, here)

    def _whole_item(self, place: EdgePlace, items: Items, changes: list[Change]) -> None:
        item = items.item(place.index)
        if item.kind == "scalar":
            self._arrows(item, items, changes)
            return
        if len(changes) > 1:
            cannot("the edges are not written here")
        self._write.whole_item(items, place.index, edge_entry(changes[0].edge, self._labels))

    def _arrows(self, item: Span, items: Items, changes: list[Change]) -> None:
        written = ArrowText(item.value, self._old_labels).changed(changes, self._labels)
        self._cut.put_items(item, written, flow=items.flow)

    def _remove(self, places: list[EdgePlace]) -> None:
        """Remove items of the same list."""
        self.elsewhere = True
        near = places[0]
        items = self._outline.items_of(near)
        gone = [place.index for place in places]
        if near.node is None:
            self._sections.exchange(near.key, items, gone, (), 0)
        elif len(gone) == items.count:
            holder, key, _ = self._outline.list_inside(near.node, near.key)
            self._cut.remove_entry(holder, key.value)
        else:
            for index in gone:
                self._cut.remove_item(items.item(index), items.every(), flow=items.flow)

    def _add(self) -> None:
        """Put added edges below the one before them, as far as they do not belong to a chain."""
        at = self._added_between
        if at is None:
            return
        self.elsewhere = True
        added = list(self._new.edges[at : at + self._added_at(at)])
        above = [place for place in self._outline.edge_places if place.edges.stop <= at]
        below = next((p for p in self._outline.edge_places if p.edges.start >= at), None)
        if above and above[-1].node is None:
            self._add_to(above[-1].key, added, above[-1].index + 1)
        elif below and below.node is None:
            self._add_to(below.key, added, 0)
        elif below:
            cannot("the edge belongs between those inside of nodes")
        else:
            there = (name for name in SECTIONS if self._outline.top(name) is not None)
            self._add_to(next(there, SECTIONS[0]), added, 0)

    def _add_to(self, name: str, added: list[Edge], at: int) -> None:
        items = self._outline.items(name)
        like = items.item(max(at - 1, 0)) if items.count else None
        is_arrow = like is not None and like.kind == "scalar"
        write = new_arrow if is_arrow else edge_entry
        entries = [write(edge, self._labels) for edge in added]
        self._sections.exchange(name, items, (), entries, at)


def _unchanged(place: EdgePlace, changes: list[Change]) -> bool:
    return len(place.edges) == len(changes) and all(
        change.was is not None and same(change.edge, change.was) for change in changes
    )
