"""Boxes and lanes in layers. A lane carries an arc past a layer where it has no box."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from .ranks import Arc

Band: TypeAlias = range
"""Ranks that stand side by side; a long flow is folded into several bands, like text into lines."""

FEW = 8
"""In a layer with at most so many boxes and lanes every place for a new lane is tried."""
BETWEEN = 0.05
"""What it costs, in crossings, to push two boxes apart instead of passing on the outside."""
REACH = 0.02
"""What it costs, in crossings, to turn around one box more."""


@dataclass(slots=True)
class Layers:
    """Boxes are numbered from 0 to `count` - 1, lanes follow.

    `paths` has for each arc all that it visits, from its source to its target. An arc that does
    not lead on turns around at both ends: it has a lane beside its source and one beside its
    target (one for both, when they share a layer). The path of an arc from one band to another is
    empty: between bands there is room enough.
    """

    count: int
    ranks: list[int]
    layers: list[list[int]]
    paths: list[list[int]] = field(default_factory=list)
    bands: tuple[Band, ...] = ()

    @classmethod
    def of(cls, count: int, ranks: Sequence[int], layers: Sequence[Sequence[int]]) -> Layers:
        return cls(count, list(ranks), [list(layer) for layer in layers], [], (range(len(layers)),))

    def folded(self, bands: Sequence[Band]) -> Layers:
        """The same in bands, without the lanes of arcs that lead from one band to another."""
        band_of = {rank: number for number, band in enumerate(bands) for rank in band}
        within = [
            path if path and band_of[self.ranks[path[0]]] == band_of[self.ranks[path[-1]]] else []
            for path in self.paths
        ]
        kept = [*range(self.count), *(lane for path in within for lane in path[1:-1])]
        names = {vertex: place for place, vertex in enumerate(kept)}
        return Layers(
            self.count,
            [self.ranks[vertex] for vertex in kept],
            [[names[each] for each in layer if each in names] for layer in self.layers],
            [[names[each] for each in path] for path in within],
            tuple(bands),
        )

    def thread(self, arcs: Sequence[Arc]) -> None:
        """Find lanes for all arcs within one band that have no path yet, short ones first."""
        threader = Threader(self)
        band_of = {rank: band for band in self.bands for rank in band}
        open_ = [number for number, path in enumerate(self.paths) if not path]
        for number in sorted(open_, key=lambda each: self._span(arcs[each])):
            source, target = arcs[number]
            if band_of[self.ranks[source]] == band_of[self.ranks[target]]:
                self.paths[number] = threader.thread(arcs[number])

    def _span(self, arc: Arc) -> int:
        return abs(self.ranks[arc[0]] - self.ranks[arc[1]])

    def new_lane(self, rank: int, place: int | None = None) -> int:
        """A lane in a layer, at the end or before what stands at `place`."""
        lane = len(self.ranks)
        self.ranks.append(rank)
        layer = self.layers[rank]
        layer.insert(len(layer) if place is None else place, lane)
        return lane

    def is_lane(self, vertex: int) -> bool:
        return vertex >= self.count

    def links(self) -> Iterator[tuple[int, int]]:
        """All pairs in neighbouring layers that an arc joins, the lower rank first."""
        for path in self.paths:
            for one, other in pairwise(path):
                if self.ranks[one] < self.ranks[other]:
                    yield one, other
                elif self.ranks[one] > self.ranks[other]:
                    yield other, one


class Threader:
    """Finds for one arc after another the way through the layers that crosses least."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        self.gaps: list[list[tuple[int, int]]] = [[] for _ in layers.layers]
        self.turns: dict[tuple[int, bool], list[tuple[int, int]]] = {}
        self.heights: dict[int, float] = {}
        """Where the boxes and lanes stand in their layers, whatever comes between them."""
        self.levels: dict[tuple[int, bool], _Levels] = {}
        for layer in layers.layers:
            self.heights.update((vertex, float(at)) for at, vertex in enumerate(layer))
        for one, other in layers.links():
            self._link(one, other)

    def thread(self, arc: Arc) -> list[int]:
        """Make the lanes of an arc and return its path."""
        source, target = arc
        begin, end = self.layers.ranks[source], self.layers.ranks[target]
        on = begin < end
        passed = list(range(begin + 1, end)) if on else list(range(begin, end - 1, -1))
        places = self._best_places(source, target, passed, on=on) if passed else []
        lanes = [self._new_lane(rank, place) for rank, place in zip(passed, places, strict=True)]
        path = [source, *lanes, target]
        self._remember(path)
        return path

    def _remember(self, path: list[int]) -> None:
        ranks = self.layers.ranks
        for one, other in pairwise(path):
            if ranks[one] == ranks[other]:
                side = not self.layers.is_lane(one)
                self.turns.setdefault((ranks[one], side), []).append((one, other))
                self._levels(ranks[one], after=side).turn(self.heights[one], self.heights[other])
            else:
                first, second = sorted((one, other), key=ranks.__getitem__)
                self._link(first, second)

    def _new_lane(self, rank: int, place: int) -> int:
        layer = self.layers.layers[rank]
        above = self.heights[layer[place - 1]] if place else self.heights[layer[0]] - 2
        below = self.heights[layer[place]] if place < len(layer) else above + 2
        lane = self.layers.new_lane(rank, place)
        self.heights[lane] = (above + below) / 2
        return lane

    def _link(self, one: int, other: int) -> None:
        gap = self.layers.ranks[one]
        self.gaps[gap].append((one, other))
        insort(self._levels(gap, after=True).links, self.heights[one])
        insort(self._levels(gap + 1, after=False).links, self.heights[other])

    def _levels(self, rank: int, *, after: bool) -> _Levels:
        return self.levels.setdefault((rank, after), _Levels())

    def _best_places(self, source: int, target: int, passed: list[int], *, on: bool) -> list[int]:
        """The cheapest place in each layer passed, found from the source onwards."""
        costs = {
            place: self._end_cost(source, place, passed[0], after=True, on=on)
            for place in self._candidates(passed[0])
        }
        history: list[dict[int, int]] = []
        for before, rank in pairwise(passed):
            step: dict[int, float] = {}
            origin: dict[int, int] = {}
            crossings = self._crossings(min(before, rank))
            for place in self._candidates(rank):
                options = [
                    (
                        cost + crossings.between(*_in_order(before, rank, was - 0.5, place - 0.5)),
                        was,
                    )
                    for was, cost in costs.items()
                ]
                cost, origin[place] = min(options)
                step[place] = cost + self._place_cost(rank, place)
            costs = step
            history.append(origin)
        last = min(
            costs,
            key=lambda place: (
                costs[place] + self._end_cost(target, place, passed[-1], after=False, on=on),
                -place,
            ),
        )
        places = [last]
        for origin in reversed(history):
            places.append(origin[places[-1]])
        return places[::-1]

    def _candidates(self, rank: int) -> list[int]:
        size = len(self.layers.layers[rank])
        return list(range(size + 1)) if size <= FEW else [0, size]

    def _place_cost(self, rank: int, place: int) -> float:
        return BETWEEN if 0 < place < len(self.layers.layers[rank]) else 0.0

    def _end_cost(self, box: int, place: int, rank: int, *, after: bool, on: bool) -> float:
        """The cost of joining a box to a lane: straight on, or by a turn within its layer."""
        cost = self._place_cost(rank, place) if after else 0.0
        if not on:
            return cost + self._turn_cost(box, place, rank, after=after)
        home = self.layers.ranks[box]
        at = self.layers.layers[home].index(box)
        ends = (at, place - 0.5) if after else (place - 0.5, at)
        return cost + self._crossings(home if after else rank).between(*ends)

    def _turn_cost(self, box: int, place: int, rank: int, *, after: bool) -> float:
        layer = self.layers.layers[rank]
        at = layer.index(box)
        if place in (0, len(layer)):
            levels, height = self._levels(rank, after=after), self.heights[box]
            return levels.crossed(height, upwards=place == 0) + REACH * abs(
                at - (place - 1 if place else 0)
            )
        passed = set(layer[at + 1 : place] if place > at else layer[place:at])
        gap = rank if after else rank - 1
        links = self.gaps[gap] if gap >= 0 else []
        crossed = sum(1 for link in links if link[0 if after else 1] in passed)
        crossed += sum(
            1
            for one, other in self.turns.get((rank, after), ())
            if (one in passed) != (other in passed) and box not in (one, other)
        )
        return crossed + REACH * len(passed)

    def _crossings(self, gap: int) -> _Crossings:
        return _Crossings(self.gaps[gap], self.layers.layers[gap], self.layers.layers[gap + 1])


def _in_order(before: int, rank: int, was: float, place: float) -> tuple[float, float]:
    return (was, place) if before < rank else (place, was)


@dataclass(slots=True)
class _Levels:
    """How high the links and turns at one side of a layer begin and end, each list sorted."""

    links: list[float] = field(default_factory=list)
    tops: list[float] = field(default_factory=list)
    bottoms: list[float] = field(default_factory=list)

    def turn(self, one: float, other: float) -> None:
        insort(self.tops, min(one, other))
        insort(self.bottoms, max(one, other))

    def crossed(self, height: float, *, upwards: bool) -> int:
        """What a line from here to the end of the layer crosses: links there, turns around it."""
        around = bisect_left(self.tops, height) - bisect_right(self.bottoms, height)
        if upwards:
            return around + bisect_left(self.links, height)
        return around + len(self.links) - bisect_right(self.links, height)


class _Crossings:
    """Tells how many links between two layers a further line would cross."""

    def __init__(
        self, links: list[tuple[int, int]], before: Sequence[int], after: Sequence[int]
    ) -> None:
        self.links, self.before, self.after = links, before, after
        self.places: list[tuple[int, int]] | None = None

    def between(self, left: float, right: float) -> int:
        """The crossings of a line between these places, where -0.5 is above all."""
        above = (left < 0) + (right < 0)
        below = (left > len(self.before) - 1) + (right > len(self.after) - 1)
        if above + below == len((left, right)):
            return len(self.links) if above == below else 0
        if self.places is None:
            at_left = {vertex: at for at, vertex in enumerate(self.before)}
            at_right = {vertex: at for at, vertex in enumerate(self.after)}
            self.places = [(at_left[one], at_right[other]) for one, other in self.links]
        return sum((one - left) * (other - right) < 0 for one, other in self.places)
