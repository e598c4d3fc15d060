"""Values that people may spell in several ways, as a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import WithJsonSchema


def spelled(present: Iterable[str], others: Iterable[str], *, optional: bool) -> WithJsonSchema:
    """The present names come first, so that they are offered first; others are read as well."""
    both_cases = [case for name in others for case in (name, name.lower())]
    names: list[str | None] = list(dict.fromkeys([*present, *both_cases]))
    kinds = ["string", "null"] if optional else ["string"]
    return WithJsonSchema({"type": kinds, "enum": [*names, None] if optional else names})
