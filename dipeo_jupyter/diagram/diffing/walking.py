"""Two values side by side: at which paths they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from .change import ABSENT, Step
from .references import Renames

Path: TypeAlias = tuple[Step, ...]
Difference: TypeAlias = tuple[Path, Any, Any]


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], renames: Renames, path: Path = ()
) -> Iterator[Difference]:
    """Path, value before and value after of all that differs, whatever a renaming explains apart.

    Lists of the same length are compared item by item, others as a whole.
    """
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key, ABSENT), after.get(key, ABSENT)
        yield from _between(one, other, renames, (*path, key))


def _between(one: Any, other: Any, renames: Renames, path: Path) -> Iterator[Difference]:
    if one is other or one == other:
        return
    match one, other:
        case dict(), dict():
            yield from differences(one, other, renames, path)
        case list(), list() if len(one) == len(other):
            for at, (left, right) in enumerate(zip(one, other, strict=True)):
                yield from _between(left, right, renames, (*path, at))
        case _:
            key = next((each for each in reversed(path) if isinstance(each, str)), "")
            if not renames.explain(one, other, key):
                yield path, one, other
