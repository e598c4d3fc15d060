"""Lines that meet in one bend, and the corridors and aisles in which bends stand side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .ports import FAR
from .tracks import Bend, tracks

STEP = 10.0
"""Between two parallel lines, in pixels."""
SAME = 0.05
"""Places nearer than this are one."""


@dataclass(slots=True)
class Net:
    """Lines in the gap after layer `gap` that meet in one bend, which stands at `along`.

    `before` and `after` are where they come from either layer; `backs` and `goes_on` say that
    the bend leads on, into the aisle before this band or after it.
    """

    gap: int
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    backs: bool = False
    goes_on: bool = False
    along: float = 0.0

    def meet(self, place: float, *, before: bool) -> None:
        side = self.before if before else self.after
        if place not in side:
            side.append(place)

    def leave(self, *, on: bool) -> None:
        self.goes_on, self.backs = self.goes_on or on, self.backs or not on

    def bend(self) -> Bend | None:
        """What must be drawn; nothing, when all is one straight line."""
        ends = [*self.before, *self.after]
        if not self.backs and not self.goes_on and max(ends) - min(ends) < SAME:
            return None
        low = -FAR if self.backs else min(ends)
        high = FAR if self.goes_on else max(ends)
        return Bend(tuple(self.before), tuple(self.after), low, high)


@dataclass(slots=True)
class Run:
    """A line along an aisle between two bands, which stands at `across`.

    `above` and `below` are the bends in the band before and after that it joins.
    """

    above: list[Net] = field(default_factory=list)
    below: list[Net] = field(default_factory=list)
    across: float = 0.0

    def bend(self) -> Bend:
        above, below = [net.along for net in self.above], [net.along for net in self.below]
        ends = [*above, *below]
        return Bend(tuple(above), tuple(below), min(ends), max(ends))


def place_nets(nets: Sequence[Net]) -> tuple[float, Callable[[float], None]]:
    """How much room nets need side by side, and what puts them there from a place on."""
    bent = [(net, bend) for net in nets if (bend := net.bend()) is not None]
    numbers = tracks([bend for _, bend in bent])

    def place(start: float) -> None:
        for (net, _), number in zip(bent, numbers, strict=True):
            net.along = start + number * STEP

    # A single bend needs no room beyond the distance kept on both its sides.
    return max(numbers, default=-1) * STEP, place


def place_runs(runs: Sequence[Run], start: float) -> float:
    """Put runs below each other from a place on, and give how much room they took."""
    numbers = tracks([run.bend() for run in runs])
    for run, number in zip(runs, numbers, strict=True):
        run.across = start + number * STEP
    return max(numbers, default=0) * STEP
