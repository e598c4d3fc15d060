"""The nearest right name for a wrong one; every "did you mean" comes from here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known name that `name` most likely stands for, if any is near enough (1 is equal)."""
    by_lower = {each.lower(): each for each in known}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence that names the nearest right one, or lists what there is when that is short."""
    names = list(known)
    closest = nearest(name, names)
    if closest is not None:
        return f"Did you mean {closest!r}?"
    few = 8
    if 0 < len(names) <= few:
        return "There is " + ", ".join(repr(each) for each in names) + "."
    return None
