"""The `connections` (or `edges`) of a light file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ...errors import DiagramError
from ..model import DEFAULT, Edge, Label
from ..older import edge_fields
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from .arrows import read_arrows
from .endpoints import Endpoint, read_endpoint
from .older import find_old_end

SECTIONS = ("connections", "edges", "arrows")
"""Where the edges of a file stand; it may have several of them."""

_WRITE = "Write `- {from: …, to: …}` or `- source -> target`."
_ENDS = frozenset({"from", "source", "to", "target"})


@dataclass(frozen=True, slots=True)
class Nodes:
    """What the ends of edges may name: `ids` are other names that older files give to nodes."""

    labels: Collection[Label]
    ids: Mapping[str, Label]


def edge_entries(data: Map, report: Report) -> Iterator[tuple[Path, JsonValue]]:
    """Each entry with its place; empty ones are left out."""
    for section in SECTIONS:
        entries = data.get(section)
        if isinstance(entries, list):
            yield from (((section, i), each) for i, each in enumerate(entries) if each is not None)
        elif entries is not None:
            message = f"`{section}` must be a list, not {kind(entries)}."
            report.add("bad_value", message, (section,), _WRITE)


def split_arrows(entry: JsonValue, labels: Collection[Label], *, joins: bool) -> list[JsonValue]:
    """An entry as one map for each edge; what is neither map nor arrow stays as it is."""
    arrows = read_arrows(entry, labels, joins=joins) if isinstance(entry, str) else []
    return list(arrows) or [entry]


def build_edge(path: Path, fields: JsonValue, nodes: Nodes, report: Report) -> Edge | None:
    """The edge; None when something in it is wrong, which is then noted."""
    if not isinstance(fields, dict):
        report.add("bad_connection", "This is not a connection.", path, _WRITE)
        return None
    source = _end("from", "source", fields, path, nodes, report)
    target = _end("to", "target", fields, path, nodes, report)
    rest = {key: value for key, value in fields.items() if key not in _ENDS and key != "data"}
    rest = edge_fields(rest)
    # For an end that is wrong, anything stands in, so that the rest of the edge is looked at too.
    known: Map = {
        "source": source.label if source else "",
        "target": target.label if target else "",
        "source_handle": source.handle if source else DEFAULT,
        "target_handle": target.handle if target else DEFAULT,
        "label": rest.pop("label", None),
        "content_type": rest.pop("content_type", None),
    }
    data = report.map(fields.get("data"), (*path, "data"))
    edge = report.build(Edge, known | {"data": data | rest}, path)
    return edge if source and target else None


def _end(
    key: str, older: str, fields: Map, place: Path, nodes: Nodes, report: Report
) -> Endpoint | None:
    text, path = fields.get(key, fields.get(older)), (*place, older)
    if text is None:
        report.add("bad_connection", f"A connection without `{key}`.", path, _WRITE)
    elif not isinstance(text, str):
        message = f"`{key}` must be text, not {kind(text)}."
        report.add("bad_value", message, path, "Put it in quotes.")
    elif not report.full:
        try:
            return read_endpoint(text, nodes.labels)
        except DiagramError as error:
            if found := find_old_end(text, nodes.ids):
                return found
            for problem in error.problems:
                report.include(replace(problem, path=path))
    return None
