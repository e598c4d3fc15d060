"""From places across the flow to boxes and lines: gaps get their bends, layers their distance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .flow import TAG_SIZE, tag_width
from .geometry import Box, Point, Route, Tag
from .lanes import Band, Layers
from .nets import SAME, STEP, Net, Run, place_nets, place_runs
from .ports import Port, Ports
from .tracks import Bend, tracks

LEAD, TAIL = 15.0, 24.0
"""From a box to the first bend, and from the last bend to a box with its arrow."""
MIN_GAP = 46.0
AISLE = 20.0
"""Above and below the lines between two bands."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A part of a picture, with its top left corner at the origin."""

    boxes: list[Box]
    routes: list[Route]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Leg:
    """A piece of an edge across the flow: it stands in a net and leads from `start` to `end`."""

    net: Net
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Crossing:
    """An edge from one band to another: nets and the runs between them, by turns."""

    nets: list[Net]
    runs: list[Run]


class Router:
    """Draws layers whose boxes and lanes have their `middles` across the flow.

    `distances` are wishes: how far each layer begins after the one before, along the flow.
    """

    def __init__(
        self,
        layers: Layers,
        ports: Ports,
        middles: Sequence[float],
        distances: Sequence[float] = (),
    ) -> None:
        self.layers, self.ports, self.middles, self.distances = layers, ports, middles, distances
        self.flow = ports.flow
        self.band_of = {rank: n for n, band in enumerate(layers.bands) for rank in band}
        self.begins = [0.0] * len(layers.layers)
        self.shifts = [0.0] * len(layers.bands)
        self.shared: dict[tuple[int, int], Net] = {}
        self.nets: dict[int, list[Net]] = {}
        self.aisles: dict[int, dict[int, Run]] = {}
        self.margin: list[tuple[Net, int, int]] = []
        self.legs = [self._legs(number) for number in range(len(layers.paths))]
        self.crossings = {
            number: self._crossing(number) for number, path in enumerate(layers.paths) if not path
        }

    def draw(self) -> Drawing:
        length = self._place_along()
        breadth = self._place_across()
        boxes = [self._box(box) for box in range(self.layers.count)]
        routes = [self._route(number) for number in range(len(self.layers.paths))]
        corner = self.flow.point(length, breadth)
        return Drawing(boxes, routes, corner.x, corner.y)

    # --- what happens in the gaps -----------------------------------------------------------

    def _net(self, gap: int, port: Port | None = None) -> Net:
        """A net in a gap; edges that leave by the same port share theirs."""
        if port is not None and (id(port), gap) in self.shared:
            return self.shared[id(port), gap]
        net = Net(gap)
        self.nets.setdefault(gap, []).append(net)
        if port is not None:
            self.shared[id(port), gap] = net
        return net

    def _legs(self, number: int) -> list[_Leg]:
        path, ranks = self.layers.paths[number], self.layers.ranks
        places = [self.middles[vertex] for vertex in path]
        if path:
            places[0], places[-1] = self.ports.leaving[number].at, self.ports.entering[number].at
        legs: list[_Leg] = []
        for step, (one, other) in enumerate(pairwise(path)):
            leaves = step == 0
            turns = ranks[one] == ranks[other]
            starts_before = leaves if turns else ranks[one] < ranks[other]
            gap = ranks[one] if starts_before else ranks[one] - 1
            net = self._net(gap, self.ports.leaving[number] if leaves else None)
            net.meet(places[step], before=starts_before)
            net.meet(places[step + 1], before=starts_before == turns)
            legs.append(_Leg(net, places[step], places[step + 1]))
        return legs

    def _crossing(self, number: int) -> _Crossing:
        wire, ranks = self.ports.wires[number], self.layers.ranks
        port = self.ports.leaving[number]
        first = self._net(ranks[wire.source], port)
        first.meet(port.at, before=True)
        last = self._net(ranks[wire.target] - 1)
        last.meet(self.ports.entering[number].at, before=False)
        begin, end = self.band_of[ranks[wire.source]], self.band_of[ranks[wire.target]]
        first.leave(on=begin < end)
        last.leave(on=begin > end)
        return self._through_aisles(port, (first, last), (begin, end))

    def _through_aisles(
        self, port: Port, ends: tuple[Net, Net], bands: tuple[int, int]
    ) -> _Crossing:
        """Join two bends by the aisles between; past whole bands a line goes in the margin."""
        first, last = ends
        begin, end = bands
        on = begin < end
        near, far = (begin, end - 1) if on else (begin - 1, end)
        run = self.aisles.setdefault(near, {}).setdefault(id(port), Run())
        (run.above if on else run.below).append(first)
        if near == far:
            (run.below if on else run.above).append(last)
            return _Crossing([first, last], [run])
        outside = Net(-1)
        self.margin.append((outside, near, far))
        (run.below if on else run.above).append(outside)
        other = self.aisles.setdefault(far, {}).setdefault(id(outside), Run())
        (other.above if on else other.below).append(outside)
        (other.below if on else other.above).append(last)
        return _Crossing([first, outside, last], [run, other])

    # --- along the flow -----------------------------------------------------------------------

    def _place_along(self) -> float:
        start = self._place_margin()
        heads = []
        for band in self.layers.bands:
            nets = [net for net in self.nets.get(band.start - 1, ()) if net.after]
            size, place = place_nets(nets)
            heads.append((0.0 if size < 0 else size + self._tail(band.start), place))
        room = max((size for size, _ in heads), default=0.0)
        length = 0.0
        for band, (size, place) in zip(self.layers.bands, heads, strict=True):
            place(start + room - size)
            length = max(length, self._place_band(band, start + room))
        return length

    def _place_margin(self) -> float:
        bends = [Bend((), (near, far), *sorted((near, far))) for _, near, far in self.margin]
        numbers = tracks(bends)
        for (net, _, _), number in zip(self.margin, numbers, strict=True):
            net.along = number * STEP
        return (max(numbers, default=-1) + 1) * STEP

    def _place_band(self, band: Band, start: float) -> float:
        cursor = start
        for rank in band:
            self.begins[rank] = cursor
            cursor += self.flow.along
            nets = [net for net in self.nets.get(rank, ()) if net.before or rank + 1 in band]
            size, place = place_nets(nets)
            lead = self._lead(rank)
            if rank + 1 in band:
                tail = self._tail(rank + 1)
                gap = max(MIN_GAP, lead + max(size, 0.0) + tail)
                if self.distances:
                    gap = max(gap, self.distances[rank + 1] - self.flow.along)
                place(cursor + lead + (gap - lead - max(size, 0.0) - tail) / 2)
                cursor += gap
            else:
                place(cursor + lead)
                cursor += lead + size if size >= 0 else 0.0
        return cursor

    def _lead(self, rank: int) -> float:
        return LEAD + self._tag_room(rank, self.ports.leaving_sides)

    def _tail(self, rank: int) -> float:
        return TAIL + self._tag_room(rank, self.ports.entering_sides)

    def _tag_room(self, rank: int, sides: dict[int, list[Port]]) -> float:
        ports = (port for box in self.layers.layers[rank] for port in sides.get(box, ()))
        return max((self.flow.tag_room(port.words) for port in ports), default=0.0)

    # --- across the flow ----------------------------------------------------------------------

    def _place_across(self) -> float:
        """Stack the bands, with aisles between for the lines that lead on; give the breadth."""
        cursor = 0.0
        for number, band in enumerate(self.layers.bands):
            low, high = self._extent(band)
            self.shifts[number] = cursor - low
            cursor += high - low
            if number + 1 < len(self.layers.bands):
                runs = list(self.aisles.get(number, {}).values())
                cursor += 2 * AISLE + place_runs(runs, cursor + AISLE)
        return cursor

    def _extent(self, band: Band) -> tuple[float, float]:
        vertices = [vertex for rank in band for vertex in self.layers.layers[rank]]
        halves = [
            0.0 if self.layers.is_lane(vertex) else self.ports.breadth(vertex) / 2
            for vertex in vertices
        ]
        lows = (self.middles[each] - half for each, half in zip(vertices, halves, strict=True))
        highs = (self.middles[each] + half for each, half in zip(vertices, halves, strict=True))
        return min(lows, default=0.0), max(highs, default=0.0)

    # --- the result -----------------------------------------------------------------------------

    def _box(self, box: int) -> Box:
        breadth = self.ports.breadth(box)
        across = self.middles[box] - breadth / 2 + self._shift(box)
        return self.flow.box(self.begins[self.layers.ranks[box]], across, breadth)

    def _shift(self, box: int) -> float:
        return self.shifts[self.band_of[self.layers.ranks[box]]]

    def _route(self, number: int) -> Route:
        wire = self.ports.wires[number]
        begin = self.begins[self.layers.ranks[wire.source]] + self.flow.along
        end = self.begins[self.layers.ranks[wire.target]]
        start = self.ports.leaving[number].at + self._shift(wire.source)
        stop = self.ports.entering[number].at + self._shift(wire.target)
        places = [(begin, start), *self._turns(number, start, stop), (end, stop)]
        points = tuple(self.flow.point(*place) for place in _straightened(places))
        return Route(points, tuple(self._tags(number, points)))

    def _turns(self, number: int, start: float, stop: float) -> Iterable[tuple[float, float]]:
        if number not in self.crossings:
            shift = self._shift(self.ports.wires[number].source)
            for leg in self.legs[number]:
                if abs(leg.start - leg.end) >= SAME:
                    yield leg.net.along, leg.start + shift
                    yield leg.net.along, leg.end + shift
            return
        crossing = self.crossings[number]
        across = [start, *(run.across for run in crossing.runs), stop]
        for net, (before, after) in zip(crossing.nets, pairwise(across), strict=True):
            yield net.along, before
            yield net.along, after

    def _tags(self, number: int, points: Sequence[Point]) -> Iterable[Tag]:
        for port, sign in ((self.ports.leaving[number], 1), (self.ports.entering[number], -1)):
            if not port.words:
                continue
            width = tag_width(port.words)
            distance = 5.0 if sign > 0 else 13.0
            half = width / 2 if self.flow.horizontal else TAG_SIZE / 2 + 2
            away = self.flow.point(sign * (distance + half), 0.0)
            base = points[0] if sign > 0 else points[-1]
            yield Tag(port.words, base.x + away.x, base.y + away.y, width)


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
