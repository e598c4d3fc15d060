"""The `flow` of a readable file, and the connections inside of nodes in the oldest ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import JsonValue

from ...errors import DiagramError
from ..light.endpoints import BRANCHES, Endpoint, read_endpoint
from ..model import DEFAULT, Edge, Label
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from .connections import DATA, read_embedded, read_target, split_arrows
from .nodes import Step, labels_of
from .places import EDGE_FIELDS

_WRITE = 'Write `flow:` and below it a list: `- Source: to "Target"`.'


@dataclass(frozen=True, slots=True)
class Link:
    """A connection as written. `key` leads to its source, `path` to the rest.

    Of an arrow `entry` holds the words, the source among them.
    """

    form: Literal["arrow", "target", "embedded"]
    path: Path
    key: Path
    source: str
    entry: JsonValue


def read_links(data: Map, steps: list[Step], report: Report) -> list[Link]:
    """All connections: those inside of nodes first, then those of the flow."""
    inside = [link for step in steps for link in _inside(step, report)]
    return inside + list(_flow(data.get("flow"), labels_of(steps), report))


def build_edges(links: list[Link], labels: Collection[Label], report: Report) -> list[Edge]:
    """The edges; what is wrong is noted, and an end that names no node is empty."""
    sources: dict[tuple[Path, str], Endpoint] = {}
    edges = []
    for i, link in enumerate(links):
        path = ("edges", i)
        try:
            words = _words(link, labels)
        except DiagramError as error:
            _note(error, path, report)
            continue
        # One mistake is told once, however many connections leave from there.
        if (link.key, link.source) not in sources:
            end = _end(link.source, (*path, "source"), labels, report)
            sources[link.key, link.source] = end
        source = sources[link.key, link.source]
        target = _end(str(words["to"]), (*path, "target"), labels, report)
        fields = {
            "source": source.label,
            "target": target.label,
            "source_handle": _handle(source, words.get("from"), "from", path, report),
            "target_handle": _handle(target, words.get("in"), "in", path, report),
            "label": words.get("naming"),
            "content_type": words.get("as"),
            "data": words.get(DATA, {}),
        }
        if (edge := report.build(Edge, fields, path)) is not None:
            edges.append(edge)
    return edges


def _inside(step: Step, report: Report) -> Iterator[Link]:
    for name, entries in step.connections.items():
        path = (*step.path, name)
        if isinstance(entries, list):
            for i, entry in enumerate(entries):
                if entry is not None:
                    yield Link("embedded", (*path, i), step.path, step.key.label, entry)
        elif entries is not None:
            message = f"`{name}` must be a list, not {kind(entries)}."
            hint = "A property with this name stands in `props`."
            report.add("bad_value", message, path, hint)


def _flow(flow: JsonValue, labels: Collection[Label], report: Report) -> Iterator[Link]:
    match flow:
        case list():
            for i, item in enumerate(flow):
                yield from _item(item, ("flow", i), labels, report)
        case dict():
            yield from _item(flow, ("flow",), labels, report)
        case None:
            pass
        case _:
            message = f"`flow` must be a list, not {kind(flow)}."
            report.add("bad_value", message, ("flow",), _WRITE)


def _item(item: JsonValue, path: Path, labels: Collection[Label], report: Report) -> Iterator[Link]:
    match item:
        case str():
            arrows = split_arrows(item, labels)
            yield from (Link("arrow", path, path, str(words["from"]), words) for words in arrows)
            if not arrows:
                message = f"`{item[:40]}` does not say from where to where."
                report.add("bad_connection", message, path, 'Write `- Source: to "Target"`.')
        case dict():
            for source, targets in item.items():
                key = (*path, source)
                if isinstance(targets, list):
                    for i, entry in enumerate(targets):
                        yield Link("target", (*key, i), key, source, entry)
                else:
                    yield Link("target", key, key, source, targets)
        case None:
            pass
        case _:
            report.add("bad_connection", f"This is not a connection, but {kind(item)}.", path)


def _words(link: Link, labels: Collection[Label]) -> Map:
    if link.form == "embedded":
        return read_embedded(link.entry, labels)
    if link.form == "arrow" and isinstance(link.entry, dict):
        # The source is said already.
        return {word: text for word, text in link.entry.items() if word != "from"}
    return read_target(link.entry, labels)


def _end(text: str, path: Path, labels: Collection[Label], report: Report) -> Endpoint:
    if not report.full:
        try:
            return read_endpoint(text, labels)
        except DiagramError as error:
            _note(error, path, report)
    # Stands in for an end that is wrong, so that the rest of the edge is looked at too.
    return Endpoint("", DEFAULT)


def _handle(end: Endpoint, said: JsonValue, word: str, path: Path, report: Report) -> str:
    """The handle of an end: `_first` means exactly `first`, without `_` short names count too."""
    if not isinstance(said, str):
        return end.handle
    if end.handle != DEFAULT:
        message = f"The handle of {end.label[:40]!r} is named twice: {end.handle!r}, {said[:40]!r}."
        report.add(
            "bad_connection", message, path, f"Leave out one of them, for instance `{word}`."
        )
    return said[1:] if said.startswith("_") else BRANCHES.get(said, said)


def _note(error: DiagramError, path: Path, report: Report) -> None:
    for problem in error.problems:
        inside = [EDGE_FIELDS.get(str(part), part) for part in problem.path]
        report.include(replace(problem, path=(*path, *inside)))
