"""The nearest right name for a wrong one; every "did you mean" comes from here.

However long or many the names are, looking for one takes about a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import islice

LIKE = 0.6
"""How alike two names must be, that one may be meant by the other."""
CLEARLY = 0.75
"""How alike two names must be, that one is a slip of the pen for the other."""

_LONGEST = 100
_MOST_KNOWN = 500
_MOST_COMPARED = 20
"""Names that are compared letter by letter, which is dear: those that share most letters."""
_FEW = 8


def nearest(name: str, known: Iterable[str], likeness: float = LIKE) -> str | None:
    """The known name that `name` most likely stands for, if any is near enough (1 is equal).

    Of very many names only the first are looked at, and very long ones are like no other.
    """
    wanted = name.lower()
    by_lower = {each.lower(): each for each in known}
    if wanted in by_lower:
        return by_lower[wanted]
    if len(wanted) > _LONGEST:
        return None
    matcher = SequenceMatcher(None, "", wanted)
    found: list[tuple[float, str]] = []
    for each in islice(by_lower, _MOST_KNOWN):
        # The length tells the most that two names can have in common.
        if 2 * min(len(each), len(wanted)) >= likeness * (len(each) + len(wanted)):
            matcher.set_seq1(each)
            if (at_most := matcher.quick_ratio()) >= likeness:
                found.append((at_most, each))
    best = (0.0, "")
    for at_most, each in nlargest(_MOST_COMPARED, found):
        if at_most < best[0]:
            break
        matcher.set_seq1(each)
        best = max(best, (matcher.ratio(), each))
    return by_lower[best[1]] if best[0] >= likeness else None


def with_nearest(sentence: str, name: str, known: Iterable[str]) -> str:
    """A sentence about a wrong name, and behind it what `did_you_mean` says."""
    return " ".join(filter(None, [sentence, did_you_mean(name, known)]))


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence that names the nearest right one, or lists what there is when that is short."""
    names = list(known)
    closest = nearest(name, names)
    if closest is not None:
        return f"Did you mean {closest!r}?"
    if 0 < len(names) <= _FEW:
        return "There is " + ", ".join(repr(each) for each in names) + "."
    return None
