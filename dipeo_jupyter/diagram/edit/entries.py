"""Writes what is different in one node or one edge of a light file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import JsonValue

from ..light.arrows import read_arrows
from ..light.endpoints import find_endpoint, write_endpoint
from ..light.writing import edge_entry, node_entry
from ..model import Edge, Label, NodeSpec
from ..older import edge_fields
from .outline import Items
from .spans import Span
from .splicing import Splicing, cannot, same
from .styles import write_flow, write_like


class EntryWriter:
    """Rewrites entries as a whole, or only those values in them that changed."""

    def __init__(
        self, cut: Splicing, old_labels: Collection[Label], labels: Collection[Label]
    ) -> None:
        self._cut = cut
        self._old_labels, self._labels = old_labels, labels

    def whole_node(self, items: Items, index: int, _: NodeSpec, new: NodeSpec) -> None:
        self._whole_item(items, index, node_entry(new))

    def _whole_item(self, items: Items, index: int, value: Any) -> None:
        item = items.item(index)
        if items.flow or item.flow:
            self._cut.put(item.start, item.end, write_flow(value))
        else:
            self._cut.replace_item(item, value)

    def node_values(self, items: Items, index: int, old: NodeSpec, new: NodeSpec) -> None:
        item = items.item(index)
        if item.kind != "map":
            cannot("the node is not written here")
        if old.label != new.label:
            self._entry(item, "label", old.label, new.label)
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

    def whole_edge(self, items: Items, index: int, _: Edge, new: Edge) -> None:
        self._whole_item(items, index, edge_entry(new, self._labels))

    def edge_values(self, items: Items, index: int, old: Edge, new: Edge) -> None:
        item = items.item(index)
        if item.kind == "scalar":
            self._arrow(items, index, old, new)
            return
        if item.kind != "map" or not same(old.data, new.data):
            cannot("the edge is not written here")
        for key, end in (("from", "source"), ("to", "target")):
            if _end(old, end) != _end(new, end):
                found = item.find(key) or item.find(end)
                if found is None:
                    cannot("the end is not written here")
                written = self._endpoint(found[1].value, _end(old, end), _end(new, end))
                self._cut.replace(item, *found, written)
        if old.label != new.label:
            self._entry(item, "label", old.label, new.label)
        if old.content_type != new.content_type:
            keys = [key.value for key, _ in item.entries]
            names = [key for key in keys if "content_type" in edge_fields({key: None})]
            if len(names) > 1:
                cannot("the content type is written twice")
            name = names[0] if names else "content_type"
            self._entry(item, name, old.content_type, new.content_type)

    def _arrow(self, items: Items, index: int, old: Edge, new: Edge) -> None:
        item = items.item(index)
        arrows = read_arrows(item.value, self._old_labels)
        if new.data or len(arrows) != 1:
            cannot("an arrow cannot say this")
        source, target = (
            self._endpoint(str(arrows[0][key]), _end(old, end), _end(new, end))
            for key, end in (("from", "source"), ("to", "target"))
        )
        said = {"label": new.label, "content_type": new.content_type}
        expected = {key: value for key, value in said.items() if value is not None}
        name = f" as {new.label}" if new.label is not None else ""
        content = f" ({new.content_type})" if new.content_type is not None else ""
        arrow = f"{source} -> {target}{name}{content}"
        if read_arrows(arrow, self._labels) != [{"from": source, "to": target, **expected}]:
            self._cut.put(item.start, item.end, write_flow(edge_entry(new, self._labels)))
            return
        written = write_like(self._cut.text, item, arrow, flow=items.flow)
        self._cut.put(item.start, item.end, written or "")

    def _endpoint(self, text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
        """One end of an edge, spelled as it was where that is possible."""
        suffix = text.removeprefix(old[0])
        for spelled in (text, f"{new[0]}{suffix}" if suffix != text else text):
            if find_endpoint(spelled, self._labels) == new:
                return spelled
        return write_endpoint(*new, self._labels)


def _stands_for(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}.")


def _end(edge: Edge, end: str) -> tuple[Label, str]:
    return getattr(edge, end), getattr(edge, f"{end}_handle")
