"""Entries of a run made small: long values lose their ends first, then what is oldest goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from pydantic_core import to_json

Wire: TypeAlias = Mapping[str, Any]
"""An entry as it travels."""
CUT = "… (cut)"
LEVELS = ((4000, 200), (1000, 50), (200, 20), (60, 5))
"""How long texts may be, and how many parts lists and objects may have."""
ALWAYS = ("execution_", "breakpoints_set", "node_paused", "node_resumed", "skip_requested")
"""Types, or how they begin, of the entries that say how it stands with the run."""
FREE = ("inputs", "outputs", "value", "values", "data")
"""Fields whose values can be anything; `diagram` is told beside the entries."""
DEEPEST = 20


def fitted(entries: Sequence[Wire], most: int) -> tuple[list[Wire], bool]:
    """The entries in at most so many bytes of JSON, and whether anything was cut for that."""
    if _size(entries) <= most:
        return list(entries), False
    short: list[Wire] = list(entries)
    for length, count in LEVELS:
        short = [_shortened(each, length, count) for each in entries]
        if _size(short) <= most:
            return short, True
    latest = _latest(short)
    return (latest if _size(latest) <= most else []), True


def _shortened(entry: Wire, length: int, count: int) -> Wire:
    """With its structure as it was; only what nodes were given and made may lose parts."""
    payload = {
        name: None if name == "diagram" else _cut(each, length, count if name in FREE else None)
        for name, each in entry["payload"].items()
    }
    return {**entry, "payload": payload}


def _cut(value: Any, length: int, count: int | None, depth: int = DEEPEST) -> Any:
    if isinstance(value, str):
        if len(value) <= length:
            return value
        return CUT if value.startswith("data:") else value[: length - len(CUT)] + CUT
    if not isinstance(value, Mapping | list):
        return value
    if not depth:
        return CUT
    if isinstance(value, Mapping):
        items = islice(value.items(), count)
        return {key: _cut(each, length, count, depth - 1) for key, each in items}
    kept = [_cut(each, length, count, depth - 1) for each in islice(value, count)]
    return kept if len(kept) == len(value) else [*kept, CUT]


def _latest(entries: Sequence[Wire]) -> list[Wire]:
    """How it stands with the run, and with the last activation of each node."""
    last = {
        entry["payload"]["node"]: entry["payload"]["activation"]
        for entry in entries
        if entry["type"] == "node_started"
    }
    return [each for each in entries if _counts(each, last)]


def _counts(entry: Wire, last: Mapping[str, int]) -> bool:
    kind, payload = entry["type"], entry["payload"]
    if kind.startswith(ALWAYS) or kind == "node_skipped":
        return True
    told = kind not in ("effect_started", "node_progress")
    return told and payload.get("activation") == last.get(payload.get("node"))


def _size(entries: Sequence[Wire]) -> int:
    return len(to_json(entries))
