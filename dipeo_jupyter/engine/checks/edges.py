"""One connection: its ends, its fields, and whether it is there twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...diagram.model import DEFAULT, Edge
from ...diagram.source import Path
from ...diagram.suggest import CLEARLY, did_you_mean, nearest
from ...errors import Problem
from ..node import Node
from ..program import ERROR
from .settings import Unsound

CONTENT_TYPES = ("raw_text", "object", "conversation_state")
_AS_IT_IS = frozenset({"generic", "variable", "empty"})
"""Content types of older files that mean the value as it is."""
_FIELDS = ("label", "content_type", "from", "to", "source", "target", "type", "first")


def check_ends(number: int, edge: Edge, nodes: Mapping[str, Node]) -> Iterator[Problem]:
    """Ends that are no node, and handles that their node does not have."""
    path = ("edges", number)
    for end, side in ((edge.source, "source"), (edge.target, "target")):
        if end not in nodes:
            hint = did_you_mean(end, nodes)
            message = f"The edge {edge} names no node {end!r}."
            yield Problem("unknown_node", message, end, (*path, side), hint)
    source, target = nodes.get(edge.source), nodes.get(edge.target)
    if source is not None and not isinstance(source, Unsound):
        known = source.output_handles()
        if edge.source_handle not in known:
            yield _bad_handle(edge.source, edge.source_handle, "output", known, (*path, "source"))
    if target is not None and not isinstance(target, Unsound):
        handle, inputs = edge.target_handle, target.inputs
        if handle not in inputs:
            yield _bad_handle(edge.target, handle, "input", inputs, (*path, "target"))


def check_fields(number: int, edge: Edge) -> Iterator[Problem]:
    """Fields that look like others, and content types that nobody knows."""
    path = ("edges", number)
    kind = edge.content_type
    if kind is not None and kind not in CONTENT_TYPES and kind not in _AS_IT_IS:
        message = f"The edge {edge} has the unknown content type {kind!r}; it carries values as is."
        hint = did_you_mean(kind, CONTENT_TYPES)
        code, where = "unknown_content_type", (*path, "content_type")
        yield Problem(code, message, edge.target, where, hint, "warning")
    for name in edge.data:
        if closest := None if name in _FIELDS else nearest(name, _FIELDS, CLEARLY):
            message = f"The edge {edge} has an entry {name!r}, which means nothing."
            hint = f"Did you mean {closest!r}?"
            code = "unknown_connection_field"
            yield Problem(code, message, edge.target, (*path, name), hint, "warning")


def check_twice(edges: Iterable[tuple[int, Edge]]) -> Iterator[Problem]:
    """Edges that say the same as one before."""
    seen: set[tuple[str | None, ...]] = set()
    for number, edge in edges:
        ends = (edge.source, edge.source_handle, edge.target, edge.target_handle)
        same = (*ends, edge.label, edge.content_type)
        if same in seen:
            message = f"The edge {edge} is there twice."
            path = ("edges", number)
            hint = "Remove one of them."
            yield Problem("duplicate_edge", message, edge.target, path, hint, "warning")
        seen.add(same)


def _bad_handle(label: str, handle: str, kind: str, known: tuple[str, ...], path: Path) -> Problem:
    if not known:
        verb = "start" if kind == "output" else "end"
        message = f"Node {label!r} has no {kind}s, so no edge can {verb} there."
        return Problem("unknown_handle", message, label, path)
    if handle == DEFAULT:
        choice = " or ".join(f"{label}[{each}]" for each in known)
        message = f"An edge from {label!r} must say by which {kind}: {choice}."
        return Problem("unknown_handle", message, label, path)
    message = f"Node {label!r} has no {kind} {handle!r}."
    on_error = kind == "output" and handle == ERROR
    hint = "Give the node `on_error: edge`." if on_error else did_you_mean(handle, known)
    return Problem("unknown_handle", message, label, path, hint)
