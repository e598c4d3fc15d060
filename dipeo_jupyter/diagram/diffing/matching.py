"""Who was renamed: things that went and things that came, paired when they are alike enough.

All is symmetric: who compares the other way round finds the same pairs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Features: TypeAlias = Counter[Hashable]

ALIKE = 0.6
"""How much of two things must be the same for them to be one, from 0 to 1."""
FEW = 2_500
"""With at most so many pairs all are looked at; with more, those that share something rare."""
RARE = 64
"""What is common to more pairs than this says nothing about who is who."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A node or a person without its name: of what sort it is, what is said in it and about it.

    `own` is what it consists of, `around` is who is joined to it.
    """

    name: str
    sort: str
    own: Features
    around: Features

    @property
    def size(self) -> int:
        return self.own.total() + self.around.total()


def pairs(gone: Sequence[Thing], come: Sequence[Thing]) -> dict[str, str]:
    """The new names of things by their old ones."""
    left, right = dict(enumerate(gone)), dict(enumerate(come))
    found = list(_twins(left, right))
    # With fewer left over, what was too common to look at tells them apart.
    while alike := list(_resembling(left, right)):
        found += alike
    return {gone[one].name: come[other].name for one, other in sorted(found)}


def _twins(left: dict[int, Thing], right: dict[int, Thing]) -> Iterator[tuple[int, int]]:
    """Those that are the same in all but the name; of several, in their order."""
    groups: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, things in enumerate((left, right)):
        for number, thing in things.items():
            key = thing.sort, _frozen(thing.own), _frozen(thing.around)
            groups[key][side].append(number)
    for ones, others in groups.values():
        for one, other in zip(ones, others, strict=False):
            del left[one], right[other]
            yield one, other


def _frozen(features: Features) -> Hashable:
    return frozenset(features.items())


def _resembling(left: dict[int, Thing], right: dict[int, Thing]) -> Iterator[tuple[int, int]]:
    """The likest first, as long as they are alike enough."""
    candidates = _candidates(left, right)
    scored = [(_likeness(left[one], right[other]), one, other) for one, other in candidates]
    scored = [each for each in scored if each[0] >= ALIKE]
    scored.sort(key=lambda each: (-each[0], abs(each[1] - each[2]), each[1] + each[2]))
    for _, one, other in scored:
        if one in left and other in right:
            del left[one], right[other]
            yield one, other


def _candidates(left: dict[int, Thing], right: dict[int, Thing]) -> set[tuple[int, int]]:
    if len(left) * len(right) <= FEW:
        return {
            (one, other) for one in left for other in right if left[one].sort == right[other].sort
        }
    holders: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, things in enumerate((left, right)):
        for number, thing in things.items():
            for feature in (*thing.own, *thing.around):
                holders[thing.sort, feature][side].append(number)
    return {
        (one, other)
        for ones, others in holders.values()
        if len(ones) * len(others) <= RARE
        for one in ones
        for other in others
    }


def _likeness(one: Thing, other: Thing) -> float:
    """The share that is common to both (Dice's coefficient)."""
    common = (one.own & other.own).total() + (one.around & other.around).total()
    whole = one.size + other.size
    return 2 * common / whole if whole else 1.0
