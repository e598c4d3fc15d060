"""The `arrows` of a native file."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from ...errors import DiagramError
from ..light.endpoints import Endpoint
from ..model import Edge
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from .ends import DIRECTIONS, Ends, Side
from .entries import OURS, Entry, first_of, ours

DERIVED = ("branch", "is_conditional")
"""Marks that follow from the handle at which an arrow begins."""
MEANT = frozenset({"label", "content_type", "contentType", *DERIVED, OURS})
"""What has a meaning in the `data` of an arrow."""

_CONTENT_TYPE = ("content_type", "contentType")
_HANDLES: dict[Side, tuple[str, str]] = {
    "source": ("sourceHandle", "source_handle"),
    "target": ("targetHandle", "target_handle"),
}
_BESIDE = frozenset({"id", "source", "target", "label", *_CONTENT_TYPE, "data"}).union(
    *_HANDLES.values()
)


def build_edge(entry: Entry, index: int, ends: Ends, report: Report) -> Edge | None:
    """The edge; None when something in it is wrong, which is then noted."""
    path = ("edges", index)
    fields = entry.fields
    source = _end(fields, "source", path, ends, report)
    target = _end(fields, "target", path, ends, report)
    inside = report.map(fields.get("data"), (*entry.path, "data"))
    if source is None or target is None:
        return None
    kept = ours(inside)
    known: Map = {
        "source": source.label,
        "target": target.label,
        "source_handle": kept.get("source_handle", source.handle),
        "target_handle": kept.get("target_handle", target.handle),
        "label": _either(fields, inside, "label"),
        "content_type": _either(fields, inside, *_CONTENT_TYPE),
    }
    return report.build(Edge, known | {"data": _data(fields, inside)}, path)


def _either(fields: Map, inside: Map, *names: str) -> JsonValue:
    """What stands beside `data`, else inside."""
    beside = first_of(fields, *names)
    return first_of(inside, *names) if beside is None else beside


def _data(fields: Map, inside: Map) -> Map:
    kept = ours(inside).get("data")
    if isinstance(kept, dict):
        return kept
    beside = {key: fields[key] for key in fields if key not in _BESIDE and fields[key] is not None}
    return {key: inside[key] for key in inside if key not in MEANT} | beside


def _end(fields: Map, side: Side, path: Path, ends: Ends, report: Report) -> Endpoint | None:
    text = fields.get(side)
    if text is None:
        hint = f'Write `"{side}": "<node>_default_{DIRECTIONS[side]}"`.'
        report.add("bad_connection", f"An arrow without `{side}`.", path, hint)
    elif not isinstance(text, str):
        message = f"`{side}` must be text, not {kind(text)}."
        report.add("bad_value", message, (*path, side), "Put it in quotes.")
    elif not report.full:
        try:
            return _refined(ends, text, first_of(fields, *_HANDLES[side]), side)
        except DiagramError as error:
            for problem in error.problems:
                report.include(replace(problem, path=(*path, side)))
    return None


def _refined(ends: Ends, text: str, handle: object, side: Side) -> Endpoint:
    """The end that a text means; a handle that stands beside it goes before."""
    if not isinstance(handle, str) or text not in ends.labels:
        return ends.read(text, side)
    names = handle in ends.handles or ":" in handle or handle.endswith(f"_{DIRECTIONS[side]}")
    return ends.read(handle if names else f"{text}:{handle}", side)
