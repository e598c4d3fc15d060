"""The collections of a native file: maps by id, or lists whose entries have an `id`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind

OURS = "dipeo_jupyter"
"""Holds what the format has no place for, in the maps in which the ancestor lets anything stand."""
TYPENAME = "__typename"
"""What GraphQL adds to each map."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One node, handle, arrow or person as written. `id` is empty when there is none."""

    id: str
    path: Path
    fields: Map


def entries(data: Map, section: str, report: Report) -> list[Entry]:
    """The entries of a collection; what is none is noted."""
    collection = data.get(section)
    items: Iterable[tuple[str | int, JsonValue]] = ()
    if isinstance(collection, dict):
        items = collection.items()
    elif isinstance(collection, list):
        items = enumerate(collection)
    elif collection is not None:
        message = f"`{section}` must be a list, or a map by id, not {kind(collection)}."
        report.add("bad_value", message, (section,))
    found = []
    for key, value in items:
        if report.full:
            break
        if entry := _entry(key, value, (section, key), report):
            found.append(entry)
    return found


def first_of(fields: Map, *names: str) -> JsonValue:
    """The first value that is there under one of these names."""
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def ours(fields: Map) -> Map:
    """What this package has put into a map beside what the format knows."""
    value = fields.get(OURS)
    return value if isinstance(value, dict) else {}


def without_typenames(value: JsonValue) -> JsonValue:
    """The same without the marks of GraphQL; what is ours stays as it is."""
    if isinstance(value, list):
        return [without_typenames(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: inner if key == OURS else without_typenames(inner)
        for key, inner in value.items()
        if key != TYPENAME
    }


def has_typenames(value: JsonValue) -> bool:
    """Whether `without_typenames` might take something away."""
    if isinstance(value, dict):
        return TYPENAME in value or any(map(has_typenames, value.values()))
    return isinstance(value, list) and any(map(has_typenames, value))


def unique(wanted: Iterable[str]) -> list[str]:
    """The names in this order, later ones of equal names with `~1`, `~2`; empty ones stay."""
    names = list(wanted)
    taken, given = set(names), set[str]()
    numbers: dict[str, int] = {}
    result = []
    for name in names:
        found = name
        while name and (found in given or (found != name and found in taken)):
            numbers[name] = numbers.get(name, 0) + 1
            found = f"{name}~{numbers[name]}"
        given.add(found)
        result.append(found)
    return result


def free(name: str, taken: dict[str, int]) -> str:
    """The name, or with the first of `~1`, `~2` and so on that is free; it is taken then."""
    found = name
    while found in taken:
        taken[name] += 1
        found = f"{name}~{taken[name]}"
    taken[found] = 0
    return found


def _entry(key: str | int, value: JsonValue, path: Path, report: Report) -> Entry | None:
    if isinstance(value, dict):
        id_ = key if isinstance(key, str) else value.get("id")
        if id_ is not None and not isinstance(id_, str):
            message = f"An `id` must be text, not {kind(id_)}."
            report.add("bad_value", message, (*path, "id"), "Put it in quotes.")
        return Entry(id_ if isinstance(id_, str) else "", path, value)
    if value is not None:
        report.add("bad_value", f"An entry must be a map, not {kind(value)}.", path)
    return None
