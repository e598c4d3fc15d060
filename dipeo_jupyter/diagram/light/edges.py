"""The `connections` (or `edges`) of a light file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pydantic import JsonValue

from ...errors import DiagramError
from ..model import Edge, Label
from ..source import Path
from ..wrong_values import kind
from .endpoints import Endpoint, read_endpoint
from .report import Map, Report

_WRITE = "Write `- {from: …, to: …}` or `- source -> target`."


def edge_entries(data: Map, report: Report) -> Iterator[tuple[Path, JsonValue]]:
    """Each entry with its place; empty ones are left out."""
    for section in ("connections", "edges"):
        entries = data.get(section)
        if isinstance(entries, list):
            yield from (((section, i), each) for i, each in enumerate(entries) if each is not None)
        elif entries is not None:
            message = f"`{section}` must be a list, not {kind(entries)}."
            report.add("bad_value", message, (section,), _WRITE)


def build_edge(
    path: Path, entry: JsonValue, labels: Collection[Label], report: Report
) -> Edge | None:
    """The edge; None when something in it is wrong, which is then noted."""
    fields = read_arrow(entry, labels) if isinstance(entry, str) else entry
    if not isinstance(fields, dict):
        report.add("bad_connection", "This is not a connection.", path, _WRITE)
        return None
    source = _end("from", fields, (*path, "source"), labels, report)
    target = _end("to", fields, (*path, "target"), labels, report)
    rest = {key: value for key, value in fields.items() if key not in {"from", "to", "data"}}
    type_key = "content_type" if "content_type" in rest else "type"
    known: Map = {
        "source": source.label,
        "target": target.label,
        "source_handle": source.handle,
        "target_handle": target.handle,
        "label": rest.pop("label", None),
        "content_type": rest.pop(type_key, None),
    }
    data = report.map(fields.get("data"), (*path, "data"))
    return report.build(Edge, known | {"data": data | rest}, path)


def read_arrow(text: str, labels: Collection[Label]) -> Map | None:
    """The parts of `start -> argue.first as topic`; None when it is no arrow."""
    source, _, target = (part.strip() for part in text.partition("->"))
    if not (source and target) or "->" in target:
        return None
    end, name, label = target.rpartition(" as ")
    if name and target not in labels:
        return {"from": source, "to": end.strip(), "label": label.strip()}
    return {"from": source, "to": target}


def _end(key: str, fields: Map, path: Path, labels: Collection[Label], report: Report) -> Endpoint:
    text = fields.get(key)
    if text is None:
        report.add("bad_connection", f"A connection without `{key}`.", path, _WRITE)
    elif not isinstance(text, str):
        message = f"`{key}` must be text, not {kind(text)}."
        report.add("bad_value", message, path, "Put it in quotes.")
    elif not report.full:
        try:
            return read_endpoint(text, labels)
        except DiagramError as error:
            for problem in error.problems:
                report.include(replace(problem, path=path))
    # Stands in for an end that is wrong, so that the rest of the edge is looked at too.
    return Endpoint("", "")
