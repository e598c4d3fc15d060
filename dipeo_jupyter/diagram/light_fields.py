"""The entries of a light file's map, in the shapes that people write them in."""

from __future__ import annotations

from collections.abc import Iterator
from pydantic import JsonValue

Map = dict[str, JsonValue]


def expand(fields: Map) -> tuple[Map, list[str]]:
    """`a.b: v` as `{a: {b: v}}`, without keys that begin with `__`; and the keys that collide."""
    expanded: Map = {}
    collisions: list[str] = []
    for key, value in fields.items():
        parts = key.split(".")
        if key.startswith("__"):
            continue
        if not _put(expanded, parts if all(parts) else [key], value):
            collisions.append(key)
    return expanded, collisions


def _put(into: Map, parts: list[str], value: JsonValue) -> bool:
    for part in parts[:-1]:
        inner = into.setdefault(part, {})
        if not isinstance(inner, dict):
            return False
        into = inner
    old = into.get(parts[-1])
    if isinstance(old, dict) and isinstance(value, dict):
        into[parts[-1]] = old | value
        return True
    if parts[-1] in into:
        return False
    into[parts[-1]] = value
    return True
