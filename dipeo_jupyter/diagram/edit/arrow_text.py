"""Arrows and chains of them as text: what they say when some of their edges have become others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from ..light.arrows import read_arrows
from ..light.endpoints import BRANCHES, find_endpoint, write_endpoint
from ..light.writing import edge_entry
from ..model import DEFAULT, Edge, Label
from ..report import Map
from .splicing import cannot

End: TypeAlias = tuple[Label, str]
_GAP = " -> "
_SHORT = {handle: short for short, handle in BRANCHES.items()}
_GAPS = re.compile(r"\s*->\s*")


class Change(NamedTuple):
    """An edge, and which one it was among those of its item; None when it is new."""

    edge: Edge
    was: Edge | None = None
    at: int | None = None


@dataclass(frozen=True)
class _Link:
    """An edge with the texts of its ends, what stands between them, and what follows."""

    edge: Edge
    source: str
    target: str
    gap: str
    said: str


class ArrowText:
    """`a -> b -> c as topic`, read with the labels that there were."""

    def __init__(self, text: str, old_labels: Collection[Label]) -> None:
        edges = _read(text, old_labels)
        if not edges:
            cannot("this is no arrow")
        self._parts = [str(edges[0]["from"]), *(str(edge["to"]) for edge in edges)]
        self._gaps: list[str] = []
        rest = text.strip()
        for part in self._parts[:-1]:
            rest = rest.removeprefix(part)
            gap = _GAPS.match(rest)
            if gap is None:
                cannot("the arrow is not spelled as it is read")
            self._gaps.append(gap[0])
            rest = rest[gap.end() :]
        self._said = rest.removeprefix(self._parts[-1])

    def changed(self, changes: Sequence[Change], labels: Collection[Label]) -> list[Any]:
        """The items that say these edges in the place of this text, most often a single one."""
        return _items([self._link(change, labels) for change in changes], labels)

    def _link(self, change: Change, labels: Collection[Label]) -> _Link:
        edge, was, at = change
        if was is None or at is None:
            return _new_link(edge, labels, self._gaps[0])
        source, target = (
            self._end(at + after, end_of(was, end), end_of(edge, end), labels)
            for after, end in enumerate(("source", "target"))
        )
        said = _said(edge)
        if said == _said(was):
            said = self._said if at == len(self._gaps) - 1 else ""
        return _Link(edge, source, target, self._gaps[at], said)

    def _end(self, part: int, old: End, new: End, labels: Collection[Label]) -> str:
        text = self._parts[part]
        if old[0] == new[0] and old[1] != new[1]:
            return _dotted(new, labels)
        return respelled(text, old, new, labels)


def new_arrow(edge: Edge, labels: Collection[Label]) -> Any:
    """The item for a new edge: an arrow, if one can say it."""
    return _items([_new_link(edge, labels, _GAP)], labels)[0]


def respelled(text: str, old: End, new: End, labels: Collection[Label]) -> str:
    """One end of an edge, spelled as it was where that is possible."""
    if old == new and find_endpoint(text, labels) is None:
        # Older files have other names for nodes.
        return text
    suffix = text.removeprefix(old[0])
    for spelled in (text, f"{new[0]}{suffix}" if suffix != text else text):
        if find_endpoint(spelled, labels) == new:
            return spelled
    return write_endpoint(*new, labels)


def end_of(edge: Edge, end: str) -> End:
    """The label and the handle at the `source` or `target` of an edge."""
    return getattr(edge, end), getattr(edge, f"{end}_handle")


def _new_link(edge: Edge, labels: Collection[Label], gap: str) -> _Link:
    source, target = (_dotted(end_of(edge, end), labels) for end in ("source", "target"))
    return _Link(edge, source, target, gap, _said(edge))


def _dotted(end: End, labels: Collection[Label]) -> str:
    """An end as people write it in an arrow, `done?.false`, where that has this meaning."""
    label, handle = end
    text = f"{label}.{_SHORT.get(handle, handle)}"
    if handle == DEFAULT or find_endpoint(text, labels) != end:
        return write_endpoint(label, handle, labels)
    return text


def _read(text: str, labels: Collection[Label]) -> list[Map]:
    """The edges of an arrow, as they are when it stands in a file."""
    return read_arrows(text, labels, joins=any("->" in label for label in labels))


def _said(edge: Edge) -> str:
    name = f" as {edge.label}" if edge.label is not None else ""
    content = f" ({edge.content_type})" if edge.content_type is not None else ""
    return f"{name}{content}"


def _items(links: Iterable[_Link], labels: Collection[Label]) -> list[Any]:
    return list(chain.from_iterable(_written(run, labels) for run in _runs(links)))


def _runs(links: Iterable[_Link]) -> Iterator[list[_Link]]:
    """The links in pieces, as few as possible, of which each may be one chain."""
    run: list[_Link] = []
    for link in links:
        if run and not _continues(run[-1].edge, link.edge):
            yield run
            run = []
        run.append(link)
    if run:
        yield run


def _continues(edge: Edge, following: Edge) -> bool:
    """Whether an edge may follow in a chain, of which only the last says more than its ends."""
    plain = not edge.data and edge.label is None and edge.content_type is None
    return plain and not following.data and end_of(edge, "target") == end_of(following, "source")


def _written(run: list[_Link], labels: Collection[Label]) -> list[Any]:
    last = run[-1]
    said = {"label": last.edge.label, "content_type": last.edge.content_type}
    expected: list[Map] = []
    text = source = run[0].source
    for link in run:
        text += f"{link.gap}{link.target}"
        expected.append({"from": source, "to": link.target})
        source = link.target
    expected[-1] |= {key: value for key, value in said.items() if value is not None}
    text += last.said
    if not last.edge.data and _read(text, labels) == expected:
        return [text]
    if len(run) > 1:
        return [item for link in run for item in _written([link], labels)]
    return [edge_entry(last.edge, labels)]
