"""Writes what is different in one node or one edge of a light file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import JsonValue

from ..light.endpoints import write_endpoint
from ..light.writing import node_entry
from ..model import DEFAULT, Edge, Label, NodeSpec
from ..older import edge_fields
from .arrow_text import end_of, respelled
from .outline import Items
from .spans import Span
from .splicing import Splicing, cannot, same
from .styles import write_flow


class EntryWriter:
    """Rewrites entries as a whole, or only those values in them that changed."""

    def __init__(self, cut: Splicing, labels: Collection[Label]) -> None:
        self._cut, self._labels = cut, labels

    def whole_item(self, items: Items, index: int, value: Any) -> None:
        """Write an item of a list anew, in block or flow style as it was."""
        item = items.item(index)
        if items.flow or item.flow:
            self._cut.put(item.start, item.end, write_flow(value))
        else:
            self._cut.replace_item(item, value)

    def node_values(self, item: Span, old: NodeSpec, new: NodeSpec) -> None:
        """Write what is different in a node."""
        if item.kind != "map":
            cannot("the node is not written here")
        if old.label != new.label:
            self._entry(item, "label", old.label, new.label)
        if old.type != new.type:
            self._entry(item, "type", old.type, new.type)
        if old.position != new.position:
            was, now = (node_entry(each).get("position") for each in (old, new))
            self._entry(item, "position", was, now, after="type")
        names = dict.fromkeys([*old.props, *new.props])
        for name in names:
            is_old, is_new = name in old.props, name in new.props
            if is_new and not is_old:
                self._add_prop(item, name, new.props[name])
            elif not is_new:
                self._remove_prop(item, name)
            elif not same(old.props[name], new.props[name]):
                self._prop(item, name, old.props[name], new.props[name])

    def _entry(self, span: Span, key: str, old: Any, new: Any, *, after: str | None = None) -> None:
        """Write an entry whose value is None when it is not there."""
        found = span.find(key)
        if new is None:
            if found is None:
                cannot("it is not written here")
            self._cut.remove_entry(span, key)
        elif found is None:
            self._cut.add_entry(span, key, new, after)
        else:
            self._cut.change(span, *found, old, new)

    def _add_prop(self, item: Span, name: str, value: JsonValue) -> None:
        props = item.find("props")
        inside = props is not None and props[1].kind == "map" and bool(props[1].entries)
        self._cut.add_entry(props[1] if props and inside else item, name, value)

    def _remove_prop(self, item: Span, name: str) -> None:
        removed = 0
        for holder in self._holders(item):
            names = [k.value for k, _ in holder.entries if _stands_for(k.value, name)]
            if len(names) == len(holder.entries):
                self._cut.remove_entry(item, "props")
                removed += len(names)
                continue
            for each in names:
                self._cut.remove_entry(holder, each)
                removed += 1
        if not removed:
            cannot("it comes from elsewhere")

    def _prop(self, item: Span, name: str, old: JsonValue, new: JsonValue) -> None:
        for holder in self._holders(item):
            dotted = any(key.value.startswith(f"{name}.") for key, _ in holder.entries)
            if dotted and holder is item:
                self._dotted(holder, name, old, new)
                return
            if found := holder.find(name):
                self._cut.change(holder, *found, old, new)
                return
        # What `<<` brings is written here too, and so hidden.
        self._add_prop(item, name, new)

    def _dotted(self, item: Span, name: str, old: JsonValue, new: JsonValue) -> None:
        """`a.b: v`, where `b` is one of the entries of `a`."""
        if not (isinstance(old, dict) and isinstance(new, dict)) or old.keys() - new.keys():
            cannot("dotted keys")
        for key, value in new.items():
            if key in old and same(old[key], value):
                continue
            found = item.find(f"{name}.{key}")
            if found and key in old:
                self._cut.change(item, *found, old[key], value)
            elif key not in old:
                self._cut.add_entry(item, f"{name}.{key}", value)
            else:
                cannot("dotted keys")

    def _holders(self, item: Span) -> Iterator[Span]:
        """The maps that hold a node's properties; the first goes before the second."""
        yield item
        props = item.find("props")
        if props is not None and props[1].kind == "map":
            yield props[1]

    def edge_values(self, item: Span, old: Edge, new: Edge, here: Label | None) -> None:
        """Write the values of a map that says one edge; `here` is the node it stands in."""
        if item.kind != "map" or not same(old.data, new.data):
            cannot("the edge is not written here")
        for key, end in (("from", "source"), ("to", "target")):
            if end_of(old, end) == end_of(new, end):
                continue
            found = item.find(key) or item.find(end)
            if found is not None:
                ends = (end_of(old, end), end_of(new, end))
                written = respelled(found[1].value, *ends, self._labels)
                self._cut.replace(item, *found, written)
            elif end == "source" and end_of(new, end) != (here, DEFAULT):
                self._cut.add_entry(item, key, write_endpoint(*end_of(new, end), self._labels))
        if old.label != new.label:
            self._entry(item, "label", old.label, new.label)
        if old.content_type != new.content_type:
            keys = [key.value for key, _ in item.entries]
            names = [key for key in keys if "content_type" in edge_fields({key: None})]
            if len(names) > 1:
                cannot("the content type is written twice")
            name = names[0] if names else "content_type"
            self._entry(item, name, old.content_type, new.content_type)


def _stands_for(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")
