"""What a half-written diagram is about: its nodes, persons and connections, as far as they show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ..light.arrows import read_arrows
from ..light.endpoints import find_endpoint
from ..model import DEFAULT, Label
from .reading import Map, Scalar, Sequence, Tree


class Node(NamedTuple):
    """A node as written; label and type may still be empty."""

    label: Label
    type: str
    fields: Map

    def text(self, name: str) -> str:
        """A property's text, beside the label or in `props`."""
        return self.fields.text(name) or _as_map(self.fields.get("props")).text(name)


class Link(NamedTuple):
    source: Label
    target: Label
    label: str


class Name(NamedTuple):
    """What a template may say, and what it stands for."""

    text: str
    meaning: str


@dataclass(frozen=True)
class Outline:
    """The diagram that a tree shows."""

    tree: Map

    @cached_property
    def nodes(self) -> dict[int, Node]:
        """By their places in the list."""
        entries = _as_sequence(self.tree.get("nodes")).items
        return {
            index: Node(entry.text("label"), entry.text("type").lower(), entry)
            for index, entry in enumerate(entries)
            if isinstance(entry, Map)
        }

    @cached_property
    def by_label(self) -> dict[Label, Node]:
        found: dict[Label, Node] = {}
        for node in self.nodes.values():
            if node.label.strip():
                found.setdefault(node.label, node)
        return found

    @property
    def persons(self) -> list[Label]:
        """Those that are defined, in order."""
        pairs = _as_map(self.tree.get("persons")).pairs
        return [pair.key.text for pair in pairs if pair.key.text and not pair.stray]

    @cached_property
    def links(self) -> list[Link]:
        """The connections whose both ends are nodes."""
        found = []
        for section in ("connections", "edges"):
            for entry in _as_sequence(self.tree.get(section)).items:
                for start, end, label in self._ends(entry):
                    source = find_endpoint(start, self.by_label)
                    target = find_endpoint(end, self.by_label)
                    if source and target:
                        found.append(Link(source.label, target.label, label))
        return found

    def names(self, node: Node) -> list[Name]:
        """What the templates of a node may say, in the order in which names are looked up."""
        incoming = [link for link in self.links if link.target == node.label]
        before = self._before(node.label) if incoming else self._others(node)
        found = [
            *self._arriving(incoming),
            *(Name(name, "how often it has been round") for name in self._counters(node, before)),
            *(Name(key, "data of the run") for key in self.data(before)),
            *(Name(label, "output of the node") for label in before),
        ]
        by_text: dict[str, Name] = {}
        for name in found:
            by_text.setdefault(name.text, name)
        return list(by_text.values())

    def parts(self, name: str) -> list[str]:
        """The keys of what a dotted name stands for, where the diagram itself says them."""
        root, *steps = name.split(".")
        node = self.by_label.get(root)
        value: Any = self.data([root]) if node else self.data(self.by_label).get(root)
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        return list(value) if isinstance(value, Mapping) else []

    def data(self, labels: Iterable[Label]) -> dict[str, Any]:
        """The data that the start nodes among these bring along."""
        found: dict[str, Any] = {}
        for label in labels:
            node = self.by_label[label]
            if node.type == "start":
                for name in ("custom_data", "data", "initialData"):
                    found |= _data(node.fields.get(name))
        return found

    def _ends(self, entry: Tree | None) -> list[tuple[str, str, str]]:
        """Source, target and label of each connection; empty where there is none yet."""
        if arrow := _arrow(entry):
            edges = read_arrows(arrow, self.by_label)
            return [(str(x["from"]), str(x["to"]), str(x.get("label", ""))) for x in edges]
        written = _as_map(entry)
        return [(written.text("from"), written.text("to"), written.text("label"))]

    def _arriving(self, incoming: list[Link]) -> Iterator[Name]:
        """The names of values; of several without one, `default` is what comes round a loop."""
        yield from (Name(link.label, f"from {link.source}") for link in incoming if link.label)
        unlabelled = [link for link in incoming if not link.label]
        if len(unlabelled) > 1:
            behind = self._reached(unlabelled[0].target, backwards=False)
            unlabelled = [link for link in unlabelled if link.source in behind]
        if unlabelled:
            sources = ", ".join(dict.fromkeys(link.source for link in unlabelled))
            yield Name(DEFAULT, f"from {sources}")

    def _before(self, label: Label) -> list[Label]:
        """All nodes that lead to a node, itself among them when it stands in a loop."""
        found = self._reached(label, backwards=True)
        return [each for each in self.by_label if each in found]

    def _reached(self, label: Label, *, backwards: bool) -> set[Label]:
        steps: dict[Label, list[Label]] = {}
        for link in self.links:
            start, end = (link.target, link.source) if backwards else (link.source, link.target)
            steps.setdefault(start, []).append(end)
        found: set[Label] = set()
        open_ends = [label]
        while open_ends:
            new = [each for each in steps.get(open_ends.pop(), ()) if each not in found]
            found.update(new)
            open_ends += new
        return found

    def _others(self, node: Node) -> list[Label]:
        """As long as nothing leads to a node, anything might."""
        return [label for label in self.by_label if label != node.label]

    def _counters(self, node: Node, before: Iterable[Label]) -> Iterator[str]:
        for each in (node, *(self.by_label[label] for label in before)):
            if name := each.text("expose_index_as"):
                yield name


def _data(tree: Tree | None) -> dict[str, Any]:
    """The object that a value is; older files have it as JSON text."""
    value = _plain(tree)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _plain(tree: Tree | None) -> Any:
    match tree:
        case Map():
            return {pair.key.text: _plain(pair.value) for pair in tree.pairs if pair.key.text}
        case Sequence():
            return [_plain(item) for item in tree.items]
        case Scalar():
            return tree.text
        case None:
            return None


def _as_map(tree: Tree | None) -> Map:
    return tree if isinstance(tree, Map) else Map()


def _as_sequence(tree: Tree | None) -> Sequence:
    return tree if isinstance(tree, Sequence) else Sequence()


def _arrow(entry: Tree | None) -> str:
    """An arrow as text: alone on its line it looks like a key that is being typed."""
    match entry:
        case Scalar():
            return entry.text
        case Map(pairs=[pair]) if not pair.colon:
            return pair.key.text
        case _:
            return ""
