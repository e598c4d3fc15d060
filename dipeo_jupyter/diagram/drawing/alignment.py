"""How far apart things stand across the flow: straight lines stay straight (Brandes and Köpf)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from .lanes import Layers

Distance: TypeAlias = Callable[[int, int], float]
"""How far the middles of two neighbours must be apart at least."""


def align(layers: Layers, distance: Distance) -> list[float]:
    """The middle of every box and lane, the mean of four alignments that lean different ways."""
    if not layers.ranks:
        return []
    blocked = _blocked(layers)
    found = []
    for upwards in (False, True):
        for mirrored in (False, True):
            view = _View.of(layers, upwards=upwards, mirrored=mirrored)
            places = _compact(view.rows, _blocks(view, blocked), distance)
            found.append([-place for place in places] if mirrored else places)
    return _mean(found)


def spread(wishes: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """Places in the given order, at least `gaps` apart, as near to the wishes as can be.

    Least squares: neighbours that come too close form a group, which stands at its mean.
    """
    offset, offsets = 0.0, [0.0]
    for gap in gaps:
        offset += gap
        offsets.append(offset)
    groups: list[tuple[float, float, int]] = []
    for wish, weight, shift in zip(wishes, weights, offsets, strict=False):
        mean, total, size = wish - shift, weight, 1
        while groups and groups[-1][0] > mean:
            other, heavy, many = groups.pop()
            mean = (mean * total + other * heavy) / (total + heavy)
            total, size = total + heavy, size + many
        groups.append((mean, total, size))
    flat = [mean for mean, _, size in groups for _ in range(size)]
    return [place + shift for place, shift in zip(flat, offsets, strict=False)]


@dataclass(frozen=True, slots=True)
class _View:
    """The layers as seen from one of four sides: always aligned to the row before, leaning left."""

    rows: list[list[int]]
    at: list[int]
    before: list[list[int]]

    @classmethod
    def of(cls, layers: Layers, *, upwards: bool, mirrored: bool) -> _View:
        rows = [layer[::-1] if mirrored else layer for layer in layers.layers]
        if upwards:
            rows.reverse()
        at = [0] * len(layers.ranks)
        for row in rows:
            for place, vertex in enumerate(row):
                at[vertex] = place
        before: list[list[int]] = [[] for _ in layers.ranks]
        for one, other in layers.links():
            if upwards:
                before[one].append(other)
            else:
                before[other].append(one)
        for vertex, known in enumerate(before):
            before[vertex] = _nearest_kind(layers, vertex, known)
            before[vertex].sort(key=at.__getitem__)
        return cls(rows, at, before)


def _nearest_kind(layers: Layers, vertex: int, known: list[int]) -> list[int]:
    """A box aligns with boxes rather than with lanes, so that the main flow is straight."""
    boxes = [] if layers.is_lane(vertex) else [one for one in known if not layers.is_lane(one)]
    return boxes or known


def _blocked(layers: Layers) -> set[tuple[int, int]]:
    """The links, both ways round, that cross one between two lanes: they give way."""
    view = _View.of(layers, upwards=False, mirrored=False)
    blocked: set[tuple[int, int]] = set()
    for above, row in zip(view.rows, view.rows[1:], strict=False):
        left, done = -1, 0
        for place, vertex in enumerate(row):
            inner = next((v for v in view.before[vertex] if _both_lanes(layers, v, vertex)), None)
            if inner is None and place < len(row) - 1:
                continue
            right = len(above) if inner is None else view.at[inner]
            for other in row[done : place + 1]:
                for known in view.before[other]:
                    if not left <= view.at[known] <= right and not _both_lanes(
                        layers, known, other
                    ):
                        blocked.update(((known, other), (other, known)))
            left, done = right, place + 1
    return blocked


def _both_lanes(layers: Layers, one: int, other: int) -> bool:
    return layers.is_lane(one) and layers.is_lane(other)


def _blocks(view: _View, blocked: set[tuple[int, int]]) -> list[int]:
    """For each vertex the first one of the straight line that it is part of."""
    roots = list(range(len(view.at)))
    for row in view.rows[1:]:
        last = -1
        for vertex in row:
            known = view.before[vertex]
            half = (len(known) - 1) // 2
            for middle in known[half : len(known) - half]:
                free = roots[vertex] == vertex and (middle, vertex) not in blocked
                if free and view.at[middle] > last:
                    roots[vertex] = roots[middle]
                    last = view.at[middle]
    return roots


def _compact(rows: list[list[int]], roots: list[int], distance: Distance) -> list[float]:
    """Push all blocks together, then let those that can follow what stands after them."""
    after: dict[int, dict[int, float]] = {root: {} for root in roots}
    waiting = dict.fromkeys(after, 0)
    for row in rows:
        for one, other in pairwise(row):
            left, right = roots[one], roots[other]
            if right not in after[left]:
                waiting[right] += 1
            after[left][right] = max(after[left].get(right, 0.0), distance(one, other))
    places = dict.fromkeys(after, 0.0)
    order = [root for root, count in waiting.items() if not count]
    for root in order:  # grows while it is walked
        for right, needed in after[root].items():
            places[right] = max(places[right], places[root] + needed)
            waiting[right] -= 1
            if not waiting[right]:
                order.append(right)
    for root in reversed(order):
        if after[root]:
            room = min(places[right] - needed for right, needed in after[root].items())
            places[root] = max(places[root], room)
    return [places[root] for root in roots]


def _mean(found: list[list[float]]) -> list[float]:
    """Lay the four over the narrowest, then take the mean of the middle two of each place."""
    narrow = min(found, key=lambda places: max(places) - min(places))
    shifted = []
    for number, places in enumerate(found):
        edge = max if number % 2 else min
        shift = edge(narrow) - edge(places)
        shifted.append([place + shift for place in places])
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*shifted, strict=True)]
