"""From places across the flow to boxes and lines: gaps get their bends, layers their distance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .bands import Band, Shape
from .flow import TAG_SIZE, Flow, tag_width
from .geometry import Box, Point, Route, Tag
from .lanes import Layers
from .ports import Ports
from .tracks import Bend, tracks

STEP = 10.0
"""Between two parallel lines."""
LEAD, TAIL = 15.0, 24.0
"""From a box to the first bend, and from the last bend to a box with its arrow."""
MIN_GAP = 46.0
AISLE = 20.0
"""Above and below the lines that lead from one band to the next."""
FAR = 1e9
"""Beyond everything: where a bend leaves its band."""
SAME = 0.05
"""Places nearer than this are one."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A part of a picture, with its top left corner at the origin."""

    boxes: list[Box]
    routes: list[Route]
    width: float
    height: float


@dataclass(slots=True)
class _Net:
    """Lines that meet in one bend. In a fold they bend twice, and run along an aisle between."""

    gap: int
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    before_along: float = 0.0
    after_along: float = 0.0
    aisle: float | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What an edge does in one gap: from a place to a place, each before or after the gap."""

    net: _Net
    start: int
    starts_before: bool
    end: int
    ends_before: bool


class Router:
    """Draws layers whose boxes and lanes have their `middles` across the flow.

    `distances` are wishes: how far each layer begins after the one before, along the flow.
    """

    def __init__(
        self,
        layers: Layers,
        ports: Ports,
        middles: Sequence[float],
        shape: Shape,
        distances: Sequence[float] = (),
    ) -> None:
        self.layers, self.ports, self.middles = layers, ports, middles
        self.flow: Flow = shape.flow
        self.bands: Sequence[Band] = shape.bands
        self.distances = distances
        self.band_of = {rank: n for n, band in enumerate(self.bands) for rank in band}
        self.begins = [0.0] * len(layers.layers)
        self.shifts = [0.0] * len(self.bands)

    def draw(self) -> Drawing:
        steps = self._all_steps()
        nets = _unique(step.net for path in steps for step in path)
        length = self._place_along(nets)
        breadth = self._place_across(nets)
        boxes = [self._box(box) for box in range(self.layers.count)]
        routes = [self._route(number, path) for number, path in enumerate(steps)]
        corner = self.flow.point(length, breadth)
        return Drawing(boxes, routes, corner.x, corner.y)

    # --- what happens in the gaps -----------------------------------------------------------

    def _all_steps(self) -> list[list[_Step]]:
        shared: dict[tuple[int, int], _Net] = {}
        return [self._steps(number, shared) for number in range(len(self.layers.paths))]

    def _steps(self, number: int, shared: dict[tuple[int, int], _Net]) -> list[_Step]:
        path, ranks = self.layers.paths[number], self.layers.ranks
        steps: list[_Step] = []
        for place in range(len(path) - 1):
            one, other = path[place], path[place + 1]
            leaves = place == 0
            turn = ranks[one] == ranks[other]
            starts_before = leaves if turn else ranks[one] < ranks[other]
            ends_before = leaves if turn else not starts_before
            gap = ranks[one] if starts_before else ranks[one] - 1
            net = _Net(gap)
            if leaves:
                net = shared.setdefault((id(self.ports.leaving[number]), gap), net)
            for vertex, is_before in ((place, starts_before), (place + 1, ends_before)):
                side = net.before if is_before else net.after
                across = self._across(number, vertex)
                if across not in side:
                    side.append(across)
            steps.append(_Step(net, place, starts_before, place + 1, ends_before))
        return steps

    def _across(self, number: int, place: int) -> float:
        """Where the path of an edge stands across the flow, within its band."""
        path = self.layers.paths[number]
        if place == 0:
            return self.ports.leaving[number].at
        if place == len(path) - 1:
            return self.ports.entering[number].at
        return self.middles[path[place]]

    # --- along the flow -----------------------------------------------------------------------

    def _place_along(self, nets: Sequence[_Net]) -> float:
        by_gap: dict[int, list[_Net]] = {}
        for net in nets:
            by_gap.setdefault(net.gap, []).append(net)
        heads = [self._begin_of(band, by_gap) for band in self.bands]
        margin = max((head.size for head in heads), default=0.0)
        length = 0.0
        for band, head in zip(self.bands, heads, strict=True):
            head.place(margin - head.size)
            length = max(length, self._place_band(band, margin, by_gap))
        return length

    def _begin_of(self, band: Band, by_gap: dict[int, list[_Net]]) -> _Corridor:
        nets = by_gap.get(band.start - 1, [])
        corridor = _Corridor.of(nets, before=False, after=True)
        if corridor.bends:
            corridor.size += self._tail(band.start)
        return corridor

    def _place_band(self, band: Band, start: float, by_gap: dict[int, list[_Net]]) -> float:
        cursor = start
        for rank in band:
            self.begins[rank] = cursor
            cursor += self.flow.along
            nets = by_gap.get(rank, [])
            if rank + 1 in band:
                cursor += self._place_gap(rank, cursor, nets)
                continue
            corridor = _Corridor.of(nets, before=True, after=False)
            corridor.place(cursor + self._lead(rank))
            if corridor.bends:
                cursor += self._lead(rank) + corridor.size
        return cursor

    def _place_gap(self, rank: int, cursor: float, nets: Sequence[_Net]) -> float:
        corridor = _Corridor.of(nets, before=True, after=True)
        lead, tail = self._lead(rank), self._tail(rank + 1)
        size = max(MIN_GAP, lead + corridor.size + tail)
        if rank + 1 < len(self.distances):
            size = max(size, self.distances[rank + 1] - self.flow.along)
        corridor.place(cursor + lead + (size - lead - corridor.size - tail) / 2)
        return size

    def _lead(self, rank: int) -> float:
        words = (
            port.words
            for box in self._boxes(rank)
            for port in self.ports.leaving_sides.get(box, ())
        )
        return LEAD + max(map(self.flow.tag_room, words), default=0.0)

    def _tail(self, rank: int) -> float:
        words = (
            port.words
            for box in self._boxes(rank)
            for port in self.ports.entering_sides.get(box, ())
        )
        return TAIL + max(map(self.flow.tag_room, words), default=0.0)

    def _boxes(self, rank: int) -> Iterable[int]:
        return (each for each in self.layers.layers[rank] if not self.layers.is_lane(each))

    # --- across the flow ----------------------------------------------------------------------

    def _place_across(self, nets: Sequence[_Net]) -> float:
        """Stack the bands, with an aisle between for the lines that lead on; give the breadth."""
        cursor = 0.0
        for number, band in enumerate(self.bands):
            low, high = self._extent(band)
            self.shifts[number] = cursor - low
            cursor += high - low
            if number + 1 == len(self.bands):
                return cursor
            passing = [net for net in nets if net.gap == band.stop - 1 and net.before and net.after]
            # Who turns off last goes outside, so that no two lines cross in the fold.
            for place, net in enumerate(sorted(passing, key=lambda net: net.before_along)):
                net.aisle = cursor + AISLE + place * STEP
            cursor += 2 * AISLE + max(0, len(passing) - 1) * STEP
        return cursor

    def _extent(self, band: Band) -> tuple[float, float]:
        ends = [(0.0, 0.0)] if not band else []
        for rank in band:
            for vertex in self.layers.layers[rank]:
                lane = self.layers.is_lane(vertex)
                half = 0.0 if lane else self.ports.breadth(vertex) / 2
                ends.append((self.middles[vertex] - half, self.middles[vertex] + half))
        return min(low for low, _ in ends), max(high for _, high in ends)

    # --- the result -----------------------------------------------------------------------------

    def _shift(self, rank: int) -> float:
        return self.shifts[self.band_of[rank]]

    def _box(self, box: int) -> Box:
        rank, breadth = self.layers.ranks[box], self.ports.breadth(box)
        across = self.middles[box] - breadth / 2 + self._shift(rank)
        return self.flow.box(self.begins[rank], across, breadth)

    def _route(self, number: int, steps: Sequence[_Step]) -> Route:
        path, ranks = self.layers.paths[number], self.layers.ranks
        across = [
            self._across(number, place) + self._shift(ranks[vertex])
            for place, vertex in enumerate(path)
        ]
        begin = self.begins[ranks[path[0]]] + self.flow.along
        end = self.begins[ranks[path[-1]]]
        places = [(begin, across[0])]
        for step in steps:
            places.extend(_bend(step, across[step.start], across[step.end]))
        places.append((end, across[-1]))
        points = tuple(self.flow.point(*place) for place in _straightened(places))
        return Route(points, tuple(self._tags(number, points)))

    def _tags(self, number: int, points: Sequence[Point]) -> Iterable[Tag]:
        for end, sign in ((self.ports.leaving[number], 1), (self.ports.entering[number], -1)):
            if not end.words:
                continue
            width = tag_width(end.words)
            distance = 5.0 if sign > 0 else 14.0
            half = width / 2 if self.flow.horizontal else TAG_SIZE / 2 + 2
            away = self.flow.point(sign * (distance + half), 0.0)
            base = points[0] if sign > 0 else points[-1]
            yield Tag(end.words, base.x + away.x, base.y + away.y, width)


@dataclass(slots=True)
class _Corridor:
    """The bends that stand side by side in one gap, or in the part of it in one band."""

    bends: list[tuple[_Net, int]]
    size: float
    before: bool
    after: bool

    @classmethod
    def of(cls, nets: Sequence[_Net], *, before: bool, after: bool) -> _Corridor:
        found: list[tuple[_Net, Bend]] = []
        for net in nets:
            bend = _bend_of(net, before=before, after=after)
            if bend is not None:
                found.append((net, bend))
        numbers = tracks([bend for _, bend in found])
        size = max(numbers, default=0) * STEP
        bends = [(net, number) for (net, _), number in zip(found, numbers, strict=True)]
        return cls(bends, size, before, after)

    def place(self, start: float) -> None:
        for net, number in self.bends:
            along = start + number * STEP
            if self.before:
                net.before_along = along
            if self.after:
                net.after_along = along


def _bend_of(net: _Net, *, before: bool, after: bool) -> Bend | None:
    """What there is of a net on this side of a fold (both sides when there is none)."""
    first, second = tuple(net.before if before else ()), tuple(net.after if after else ())
    ends = [*first, *second]
    if not ends or max(ends) - min(ends) < SAME and before and after:
        return None
    cut = bool(net.before and net.after)
    low = -FAR if cut and not before else min(ends)
    high = FAR if cut and not after else max(ends)
    return Bend(first, second, low, high)


def _bend(step: _Step, start: float, end: float) -> list[tuple[float, float]]:
    net = step.net
    first = net.before_along if step.starts_before else net.after_along
    last = net.before_along if step.ends_before else net.after_along
    if net.aisle is None or step.starts_before == step.ends_before:
        straight = abs(start - end) < SAME and step.starts_before != step.ends_before
        return [] if straight else [(first, start), (last, end)]
    return [(first, start), (first, net.aisle), (last, net.aisle), (last, end)]


def _straightened(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the points at which nothing turns."""
    kept: list[tuple[float, float]] = []
    for place in places:
        if len(kept) > 1 and _on_line(kept[-2], kept[-1], place):
            kept.pop()
        if not kept or kept[-1] != place:
            kept.append(place)
    return kept


def _on_line(
    one: tuple[float, float], middle: tuple[float, float], other: tuple[float, float]
) -> bool:
    return any(
        abs(one[axis] - middle[axis]) < SAME and abs(middle[axis] - other[axis]) < SAME
        for axis in (0, 1)
    )


def _unique(nets: Iterable[_Net]) -> list[_Net]:
    return list({id(net): net for net in nets}.values())
