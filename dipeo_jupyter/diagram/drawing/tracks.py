"""Which bend comes first where many edges turn in the same gap between two layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CLOSE = 5.0
"""Lines nearer than this look like one line."""
MERGED = 10
"""How many crossings are better than two lines that look like one."""
MANY = 250
"""With more bends in a gap than this they are sorted by a rule of thumb."""


@dataclass(frozen=True, slots=True)
class Bend:
    """A line across the flow that joins lines from `before` the gap to lines `after` it.

    `low` and `high` are its ends; with `before` and `after` they are places across.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    low: float
    high: float


def tracks(bends: Sequence[Bend]) -> list[int]:
    """A track for each bend, counted from 0 along the flow; bends that would meet differ."""
    order = _thumb(bends) if len(bends) > MANY else _order(bends)
    spans = [(bend.low - CLOSE / 2, bend.high + CLOSE / 2) for bend in bends]
    cells = {end: cell for cell, end in enumerate(sorted({end for span in spans for end in span}))}
    free = [0] * len(cells)
    found = [0] * len(bends)
    for number in order:
        low, high = (cells[end] for end in spans[number])
        found[number] = max(free[low:high])
        free[low:high] = [found[number] + 1] * (high - low)
    return found


def _overlap(one: Bend, other: Bend) -> bool:
    return one.low < other.high + CLOSE and other.low < one.high + CLOSE


def _cost(first: Bend, second: Bend) -> int:
    """The crossings when `first` comes before `second` along the flow."""
    crossings = sum(second.low < place < second.high for place in first.after)
    crossings += sum(first.low < place < first.high for place in second.before)
    merged = sum(abs(one - other) < CLOSE for one in first.after for other in second.before)
    return crossings + MERGED * merged


def _order(bends: Sequence[Bend]) -> list[int]:
    """Take again and again the bend that most wants to be before all the others."""
    size = len(bends)
    wants = [[0] * size for _ in range(size)]
    for one in range(size):
        for other in range(one):
            if _overlap(bends[one], bends[other]):
                gain = _cost(bends[other], bends[one]) - _cost(bends[one], bends[other])
                wants[one][other], wants[other][one] = gain, -gain
    score = [sum(row) for row in wants]
    left = list(range(size))
    order: list[int] = []
    while left:
        best = max(left, key=lambda number: (score[number], -number))
        left.remove(best)
        order.append(best)
        for other in left:
            score[other] -= wants[other][best]
    return order


def _thumb(bends: Sequence[Bend]) -> list[int]:
    """Falling lines from the lowest up, rising lines from the highest down."""

    def key(number: int) -> tuple[int, float]:
        bend = bends[number]
        falls = bool(bend.before) and min(bend.before) <= bend.low
        return (0, -bend.low) if falls else (1, bend.low)

    return sorted(range(len(bends)), key=key)
