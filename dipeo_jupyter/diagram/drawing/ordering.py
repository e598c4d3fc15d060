"""What stands above what: few crossings, by sweeps over the layers."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .lanes import Layers
from .ranks import Arc

SWEEPS = 12
WORK = 60_000
"""Sweeps end when about so many links have been looked at: a huge drawing is no work of art."""
SMALL = 1_500
"""With at most so many links, neighbours are also tried the other way round."""


def order(count: int, arcs: Sequence[Arc], ranks: Sequence[int]) -> Layers:
    """Layers with lanes for the arcs that lead on, ordered so that few lines cross."""
    layers = Layers.of(count, ranks, [[] for _ in range(max(ranks, default=-1) + 1)])
    for box, rank in enumerate(ranks):
        layers.layers[rank].append(box)
    layers.paths = [_onward_path(layers, arc) for arc in arcs]
    _Sorter.of(layers).sort()
    return layers


def _onward_path(layers: Layers, arc: Arc) -> list[int]:
    source, target = arc
    begin, end = layers.ranks[source], layers.ranks[target]
    if begin >= end:
        return []
    return [source, *(layers.new_lane(rank) for rank in range(begin + 1, end)), target]


@dataclass(slots=True)
class _Sorter:
    layers: list[list[int]]
    before: list[list[int]]
    after: list[list[int]]
    at: list[int]
    size: int

    @classmethod
    def of(cls, layers: Layers) -> _Sorter:
        total = len(layers.ranks)
        before: list[list[int]] = [[] for _ in range(total)]
        after: list[list[int]] = [[] for _ in range(total)]
        size = 0
        for one, other in layers.links():
            after[one].append(other)
            before[other].append(one)
            size += 1
        return cls(layers.layers, before, after, [0] * total, size)

    def sort(self) -> None:
        self._walk()
        best, least = [list(layer) for layer in self.layers], self._crossings()
        for sweep in range(min(SWEEPS, max(2, WORK // (self.size + 1)))):
            if not least:
                break
            self._sweep(downwards=sweep % 2 == 0)
            if self.size <= SMALL:
                self._swap_neighbours()
            crossings = self._crossings()
            if crossings < least:
                best, least = [list(layer) for layer in self.layers], crossings
        for layer, found in zip(self.layers, best, strict=True):
            layer[:] = found
            self._number(layer)

    def _walk(self) -> None:
        """Begin in the order of a walk, so that what belongs together stands together."""
        total = len(self.at)
        when = [-1] * total
        clock = 0
        for root in (vertex for layer in self.layers for vertex in layer):
            stack = [root]
            while stack:
                vertex = stack.pop()
                if when[vertex] < 0:
                    when[vertex] = clock
                    clock += 1
                    stack.extend(reversed(self.after[vertex]))
        for layer in self.layers:
            layer.sort(key=when.__getitem__)
            self._number(layer)

    def _number(self, layer: list[int]) -> None:
        for at, vertex in enumerate(layer):
            self.at[vertex] = at

    def _sweep(self, *, downwards: bool) -> None:
        layers = self.layers if downwards else self.layers[::-1]
        known = self.before if downwards else self.after
        for fixed, layer in pairwise(layers):
            keys = {
                vertex: (
                    sum(self.at[each] + 0.5 for each in known[vertex])
                    / (len(known[vertex]) * len(fixed))
                    if known[vertex]
                    else (self.at[vertex] + 0.5) / len(layer)
                )
                for vertex in layer
            }
            layer.sort(key=keys.__getitem__)
            self._number(layer)

    def _swap_neighbours(self) -> None:
        for layer in self.layers:
            for at in range(len(layer) - 1):
                upper, lower = layer[at], layer[at + 1]
                if self._gain(upper, lower) > 0:
                    layer[at], layer[at + 1] = lower, upper
                    self.at[lower], self.at[upper] = at, at + 1

    def _gain(self, upper: int, lower: int) -> int:
        gain = 0
        for known in (self.before, self.after):
            for one in known[upper]:
                for other in known[lower]:
                    gain += (self.at[one] > self.at[other]) - (self.at[one] < self.at[other])
        return gain

    def _crossings(self) -> int:
        return sum(self._crossings_after(layer) for layer in self.layers)

    def _crossings_after(self, layer: list[int]) -> int:
        seen: list[int] = []
        found = 0
        for vertex in layer:
            targets = [self.at[each] for each in self.after[vertex]]
            found += sum(len(seen) - bisect_right(seen, target) for target in targets)
            for target in targets:
                insort(seen, target)
        return found
