"""Light files of earlier times: nodes by label, ids beside labels, edges inside nodes.

Each of them is brought into the shape that is written today, before anything is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ..model import DEFAULT, Label
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from .endpoints import BRANCHES, Endpoint

NESTED = ("arrows", "connections")
"""Entries of a node that are edges which begin there."""

_DEFAULTS = frozenset({"input", "output", "in", "out"})


def node_list(nodes: JsonValue) -> Iterator[tuple[Path, JsonValue]]:
    """The nodes and their places; in a map of them, a key is the label."""
    if isinstance(nodes, dict):
        for key, entry in nodes.items():
            fields = {} if entry is None else entry
            yield ("nodes", key), {"id": key, **fields} if isinstance(fields, dict) else fields
    elif isinstance(nodes, list):
        yield from ((("nodes", i), entry) for i, entry in enumerate(nodes) if entry is not None)


def present_shape(entry: Map) -> Map:
    """A node of `id` and `data` as one of `label` and properties; any other as it is."""
    if "label" in entry or not isinstance(entry.get("id"), str):
        return entry
    data = entry.get("data")
    inner = data if isinstance(data, dict) else {}
    rest = {key: value for key, value in entry.items() if key != "id"}
    if isinstance(data, dict):
        del rest["data"]
    return {"label": entry["id"]} | inner | rest


def nested_edges(place: Path, label: Label | None, fields: Map) -> Iterator[tuple[Path, JsonValue]]:
    """Takes the edges out of a node's fields, and gives each of them its source."""
    for key in NESTED:
        if not isinstance(entries := fields.get(key), list):
            continue
        del fields[key]
        for i, entry in enumerate(entries):
            if isinstance(entry, dict) and not {"from", "source"} & set(entry):
                yield (*place, key, i), {"from": label or "", **entry}
            elif entry is not None:
                yield (*place, key, i), entry


def find_old_end(text: str, ids: Mapping[str, Label]) -> Endpoint | None:
    """The end that `id/handle` or `Label:handle` stands for."""
    if text in ids:
        return Endpoint(ids[text], DEFAULT)
    for separator in "/:.":
        name, _, handle = text.rpartition(separator)
        if name in ids:
            plain = DEFAULT if handle in _DEFAULTS else BRANCHES.get(handle, handle)
            return Endpoint(ids[name], plain or DEFAULT)
    return None


def person_map(persons: JsonValue, report: Report) -> JsonValue:
    """A list of persons as a map; each is a map of one label, or has `label`, `name` or `id`."""
    if not isinstance(persons, list):
        return persons
    found: Map = {}
    for i, entry in enumerate(persons):
        if entry is None:
            continue
        label, fields = _labelled(entry)
        if label is None:
            message = f"A person is a map with a `label`, not {kind(entry)}."
            if isinstance(entry, dict):
                message = "A person has no `label`."
            report.add("bad_person", message, ("persons", i), "Write `label:` and its fields.")
        elif label in found:
            message = f"Two persons are called {label[:40]!r}."
            report.add("bad_person", message, ("persons", i), "Rename one of them.")
        else:
            found[label] = fields
    return found


def _labelled(entry: JsonValue) -> tuple[Label | None, JsonValue]:
    if not isinstance(entry, dict):
        return None, None
    if len(entry) == 1 and isinstance(inner := next(iter(entry.values())), dict):
        return next(iter(entry)), inner
    for key in ("label", "name", "id"):
        if isinstance(label := entry.get(key), str):
            return label, {k: v for k, v in entry.items() if k not in {key, "id"}}
    return None, None
