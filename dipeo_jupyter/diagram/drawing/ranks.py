"""How far along each box stands: cycles are opened, then every arc leads to a higher rank."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

Arc: TypeAlias = tuple[int, int]
"""From one box to another, both by number."""

MANY, MANY_ARCS = 300, 1000
"""With more boxes or arcs than this, conditions are not looked at more closely."""
SPAN_LIMIT = 12_000
"""So many layers may be passed by all arcs together before the walk is thought a tangle."""


def rank(
    count: int, arcs: Sequence[Arc], roots: Sequence[int], choices: Collection[int] = ()
) -> list[int]:
    """A rank from 0 for each of `count` boxes; `roots` are all boxes, the first to visit first.

    An arc that closes a cycle on the walk from the roots leads back or stays; all others lead on.
    `choices` are the arcs, by their place, that a condition takes or not: rather than others they
    are what closes a cycle.
    """
    closing = _closing(count, arcs, roots, choices)
    forward = [arc for number, arc in enumerate(arcs) if number not in closing]
    ranks = _longest_paths(count, forward)
    if sum(abs(ranks[target] - ranks[source]) for source, target in arcs) > SPAN_LIMIT:
        ranks = _distances(count, arcs, roots)
    lowest = min(ranks, default=0)
    return [each - lowest for each in ranks]


def _closing(
    count: int, arcs: Sequence[Arc], roots: Sequence[int], choices: Collection[int]
) -> set[int]:
    """The arcs that close cycles: first those of conditions that every way around passes.

    Two persons who argue until a condition is met stand side by side, even though a mere walk
    would come to the second of them through the condition.
    """
    fed = {target for source, target in arcs if source != target}
    outer = [box for box in roots if box not in fed] or list(roots[:1])
    successors = _successors(count, arcs)
    suspects: list[int] = []
    for number in choices if count <= MANY and len(arcs) <= MANY_ARCS else ():
        source, target = arcs[number]
        around = _reached(successors, outer, barred=source)
        if target in around and source in _reached(successors, [target]):
            suspects.append(number)
    rest = [number for number in range(len(arcs)) if number not in suspects]
    closing = _closing_arcs(count, arcs, roots, rest)
    open_ = closing.union(suspects)
    kept = [arc for number, arc in enumerate(arcs) if number not in open_]
    onward = _successors(count, kept)
    for number in suspects:
        source, target = arcs[number]
        if source in _reached(onward, [target]):
            closing.add(number)
        else:
            onward[source].append(target)
    return closing


def _reached(
    successors: Sequence[Sequence[int]], origins: Iterable[int], barred: int | None = None
) -> set[int]:
    """All boxes to which a way leads from the origins, not counting ways through the barred."""
    found = {box for box in origins if box != barred}
    queue = list(found)
    for box in queue:  # grows while it is walked
        for target in successors[box]:
            if target not in found and target != barred:
                found.add(target)
                queue.append(target)
    return found


def _successors(count: int, arcs: Sequence[Arc]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(count)]
    for source, target in arcs:
        found[source].append(target)
    return found


def _closing_arcs(
    count: int, arcs: Sequence[Arc], roots: Iterable[int], walked: Iterable[int]
) -> set[int]:
    """The arcs that lead to a box which the walk has entered and not yet left."""
    outgoing: list[list[int]] = [[] for _ in range(count)]
    for number in walked:
        outgoing[arcs[number][0]].append(number)
    closing: set[int] = set()
    entered, left = [False] * count, [False] * count
    for root in roots:
        if entered[root]:
            continue
        entered[root] = True
        trail = [(root, iter(outgoing[root]))]
        while trail:
            box, rest = trail[-1]
            arc = next(rest, None)
            if arc is None:
                left[box] = True
                trail.pop()
                continue
            target = arcs[arc][1]
            if not entered[target]:
                entered[target] = True
                trail.append((target, iter(outgoing[target])))
            elif not left[target]:
                closing.add(arc)
    return closing


def _longest_paths(count: int, arcs: Sequence[Arc]) -> list[int]:
    """Ranks without cycles: as near the beginning as can be, sources as near their targets."""
    successors = _successors(count, arcs)
    waiting = [0] * count
    for _, target in arcs:
        waiting[target] += 1
    arriving = list(waiting)
    ranks = [0] * count
    order = [box for box in range(count) if not waiting[box]]
    for box in order:  # grows while it is walked
        for target in successors[box]:
            ranks[target] = max(ranks[target], ranks[box] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    for box in reversed(order):
        if len(successors[box]) > arriving[box]:
            ranks[box] = min(ranks[target] for target in successors[box]) - 1
    return ranks


def _distances(count: int, arcs: Sequence[Arc], roots: Iterable[int]) -> list[int]:
    """Ranks by the fewest steps from a root: shallow, however tangled the arcs are."""
    successors = _successors(count, arcs)
    ranks = [-1] * count
    for root in roots:
        if ranks[root] >= 0:
            continue
        ranks[root] = 0
        queue = deque([root])
        while queue:
            box = queue.popleft()
            for target in successors[box]:
                if ranks[target] < 0:
                    ranks[target] = ranks[box] + 1
                    queue.append(target)
    return ranks
