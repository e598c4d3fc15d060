"""What is different between two diagrams, as people would say it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from .diffing.change import ABSENT, Change, Diff
from .diffing.matching import Features, Thing, pairs
from .diffing.references import Renames
from .diffing.walking import differences
from .model import DEFAULT, Diagram, Edge, Label, NodeSpec, Person

__all__ = ["ABSENT", "Change", "Diff", "compare"]

_SOMEONE = "\x00"
"""Stands for everyone who may have been renamed, while it is not known who was."""
_WORD = re.compile(r"\w+|[^\w\s]+")


def compare(before: Diagram, after: Diagram, *, positions: bool = False) -> Diff:
    """All changes that lead from one diagram to the other; `positions` counts moved nodes too.

    A node that has another label and is otherwise much the same was renamed. What follows from a
    renaming is not a change of its own: its edges, and templates that use the new name.
    """
    if before == after:
        return Diff()
    return Diff(tuple(_Comparison(before, after).changes(positions=positions)))


class _Comparison:
    def __init__(self, before: Diagram, after: Diagram) -> None:
        self.before, self.after = before, after
        self.old = {node.label: node for node in before.nodes}
        self.new = {node.label: node for node in after.nodes}
        self.renames = self._find_renames()
        self.label_before = {new: old for old, new in self.renames.nodes.items()}
        self.person_before = {new: old for old, new in self.renames.persons.items()}

    def changes(self, *, positions: bool) -> Iterator[Change]:
        yield from self._header()
        for node in self.after.nodes:
            yield from self._node(node, positions=positions)
        for node in self.before.nodes:
            if node.label not in self.new and node.label not in self.renames.nodes:
                yield Change("node_removed", node.label, before=node.model_dump())
        if _reordered(map(self._label, self.old), self.new):
            yield Change("nodes_reordered", before=list(self.old), after=list(self.new))
        yield from self._edges()
        yield from self._persons()
        for path, one, other in differences(self.before.extra, self.after.extra, self.renames):
            yield Change("extra_changed", "", path, one, other)

    # --- who is who -----------------------------------------------------------------------------

    def _find_renames(self) -> Renames:
        """Who went and who came are compared with all their names covered."""
        gone_nodes, come_nodes = _only_in(self.old, self.new), _only_in(self.new, self.old)
        old, new = self.before.persons, self.after.persons
        gone, come = _only_in(old, new), _only_in(new, old)
        before = Renames(dict.fromkeys(gone_nodes, _SOMEONE), dict.fromkeys(gone, _SOMEONE))
        after = Renames(dict.fromkeys(come_nodes, _SOMEONE), dict.fromkeys(come, _SOMEONE))
        nodes = pairs(
            _node_things(self.before, gone_nodes, before),
            _node_things(self.after, come_nodes, after),
        )
        persons = pairs(
            _person_things(self.before, gone, before), _person_things(self.after, come, after)
        )
        return Renames(nodes, persons)

    def _label(self, label: Label) -> Label:
        return self.renames.nodes.get(label, label)

    # --- what is different ----------------------------------------------------------------------

    def _header(self) -> Iterator[Change]:
        if self.before.name != self.after.name:
            yield Change("name_changed", "", (), self.before.name, self.after.name)
        if self.before.description != self.after.description:
            one, other = self.before.description, self.after.description
            yield Change("description_changed", "", (), one, other)

    def _node(self, node: NodeSpec, *, positions: bool) -> Iterator[Change]:
        label = node.label
        old = self.old.get(self.label_before.get(label, label))
        if old is None:
            yield Change("node_added", label, after=node.model_dump())
            return
        if old.label != label:
            yield Change("node_renamed", label, ("label",), old.label, label)
        if old.type != node.type:
            yield Change("node_type_changed", label, ("type",), old.type, node.type)
        for path, one, other in differences(old.props, node.props, self.renames):
            yield Change("node_property_changed", label, path, one, other)
        if positions and old.position != node.position:
            one, other = _place(old), _place(node)
            yield Change("node_moved", label, ("position",), one, other)

    def _edges(self) -> Iterator[Change]:
        """Edges are the same by their ends and handles, else by their ends."""
        names = self.renames.nodes
        # A former name that an edge still has, or a later one that it has already, leads nowhere.
        onward = {**names, **{new: _SOMEONE + new for new in names.values()}}
        nowhere = {label: _SOMEONE + label for label in names}
        old = [_moved(edge, onward) for edge in self.before.edges]
        new = [_moved(edge, nowhere) for edge in self.after.edges]
        partners = _partners(old, new)
        for number, edge in enumerate(self.after.edges):
            if number not in partners:
                yield Change("edge_added", _arrow(edge), after=edge.model_dump())
            elif old[partners[number]] != new[number]:
                yield from _edge_changes(old[partners[number]], edge, self.renames)
        kept = set(partners.values())
        for number, edge in enumerate(self.before.edges):
            if number not in kept:
                yield Change("edge_removed", _arrow(edge), before=edge.model_dump())
        order = list(partners.values())
        if order != sorted(order):
            one, other = (_arrows(each.edges) for each in (self.before, self.after))
            yield Change("edges_reordered", "", (), one, other)

    def _persons(self) -> Iterator[Change]:
        for name, person in self.after.persons.items():
            former = self.person_before.get(name, name)
            old = self.before.persons.get(former)
            if old is None:
                yield Change("person_added", name, after=_fields(person))
                continue
            if former != name:
                yield Change("person_renamed", name, ("name",), former, name)
            for path, one, other in differences(_fields(old), _fields(person), Renames()):
                yield Change("person_field_changed", name, path, one, other)
        for name, person in self.before.persons.items():
            if name not in self.after.persons and name not in self.renames.persons:
                yield Change("person_removed", name, before=_fields(person))


def _only_in(one: Iterable[str], other: Mapping[str, Any]) -> list[str]:
    return [name for name in one if name not in other]


def _reordered(before: Iterable[str], after: Mapping[str, Any]) -> bool:
    place = {name: number for number, name in enumerate(after)}
    order = [place[name] for name in before if name in place]
    return order != sorted(order)


def _place(node: NodeSpec) -> JsonValue:
    return node.position.model_dump() if node.position else None


def _fields(person: Person) -> dict[str, Any]:
    """The fields of a person that are there."""
    return person.model_dump(exclude_none=True) | person.parameters


# --- nodes and persons as things to be matched ----------------------------------------------------


def _node_things(diagram: Diagram, labels: Sequence[Label], cover: Renames) -> list[Thing]:
    chosen = {label: Features() for label in labels}
    for edge in diagram.edges:
        source, target = (cover.nodes.get(end, end) for end in (edge.source, edge.target))
        if edge.source in chosen:
            chosen[edge.source]["out", edge.source_handle, target] += 1
        if edge.target in chosen:
            chosen[edge.target]["in", edge.target_handle, source] += 1
    return [
        Thing(
            node.label, node.type, Features(_features(cover.follow(node.props))), chosen[node.label]
        )
        for node in diagram.nodes
        if node.label in chosen
    ]


def _person_things(diagram: Diagram, names: Sequence[str], cover: Renames) -> list[Thing]:
    jobs: dict[str, Features] = defaultdict(Features)
    for node in diagram.nodes if names else ():
        name = node.props.get("person")
        if isinstance(name, str):
            jobs[name][cover.nodes.get(node.label, node.label)] += 1
    return [
        Thing(name, "person", Features(_features(_fields(diagram.persons[name]))), jobs[name])
        for name in names
    ]


def _features(value: Any, path: tuple[str, ...] = ()) -> Iterator[Hashable]:
    """What there is to recognise a value by: for a text its words, each with the path to it."""
    match value:
        case str():
            yield from ((path, word) for word in _WORD.findall(value) or [value])
        case dict():
            for key, each in value.items():
                yield from _features(each, (*path, key))
        case list():
            for each in value:
                yield from _features(each, path)
        case _:
            yield path, value


# --- edges ----------------------------------------------------------------------------------------


def _moved(edge: Edge, names: Mapping[Label, Label]) -> Edge:
    if edge.source not in names and edge.target not in names:
        return edge
    ends = {end: names.get(getattr(edge, end), getattr(edge, end)) for end in ("source", "target")}
    return edge.model_copy(update=ends)


def _partners(old: Sequence[Edge], new: Sequence[Edge]) -> dict[int, int]:
    """For edges by number the one that each was before: the same, else the likest."""
    found: dict[int, int] = {}
    left, right = dict(enumerate(old)), dict(enumerate(new))
    for key in (_all, _ends_and_handles, _ends):
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for number, edge in left.items():
            groups[key(edge)].append(number)
        for group in groups.values():
            group.reverse()
        for number, edge in list(right.items()):
            if groups[key(edge)]:
                found[number] = groups[key(edge)].pop()
                del left[found[number]], right[number]
    return dict(sorted(found.items()))


def _all(edge: Edge) -> Hashable:
    return repr(edge.model_dump())


def _ends_and_handles(edge: Edge) -> Hashable:
    return edge.source, edge.target, edge.source_handle, edge.target_handle


def _ends(edge: Edge) -> Hashable:
    return edge.source, edge.target


def _edge_changes(old: Edge, new: Edge, renames: Renames) -> Iterator[Change]:
    ends = {"source", "target"}
    before, after = old.model_dump(exclude=ends), new.model_dump(exclude=ends)
    for path, one, other in differences(before, after, renames):
        yield Change("edge_changed", f"{new.source} → {new.target}", path, one, other)


def _arrows(edges: Iterable[Edge]) -> JsonValue:
    return [_arrow(edge) for edge in edges]


def _arrow(edge: Edge) -> str:
    """`check [condfalse] → argue [first] as topic`."""
    handle = "" if edge.source_handle == DEFAULT else f" [{edge.source_handle}]"
    target = "" if edge.target_handle == DEFAULT else f" [{edge.target_handle}]"
    name = f" as {edge.label}" if edge.label else ""
    return f"{edge.source}{handle} → {edge.target}{target}{name}"
