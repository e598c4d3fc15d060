"""Where edges leave and enter their boxes, and how broad that makes the boxes."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from .alignment import Distance, spread
from .flow import Flow
from .lanes import Layers
from .ranks import Arc

STRAIGHT = 1e6
"""How much more a port weighs that can make its edge straight."""
BESIDE_BOX, BESIDE_LANE = 20.0, 12.0
"""From a lane to its neighbour, in pixels."""
NUDGE = 6.0
"""How far an entry moves off a line that it would seem to continue."""
FAR = 1e9
"""Beyond everything: where an edge leaves its band."""


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge between two boxes by number, with the words at its ends.

    Edges that leave a box by the same handle leave it at the same place.
    """

    source: int
    target: int
    handle: str
    leaving: str = ""
    entering: str = ""

    @property
    def arc(self) -> Arc:
        return self.source, self.target


@dataclass(slots=True)
class Port:
    """A place on a side of a box; `wires` are the edges there by number."""

    box: int
    words: str
    wires: list[int] = field(default_factory=list)
    at: float = 0.0


Side: TypeAlias = list[Port]


@dataclass(slots=True)
class Ports:
    """`leaving` and `entering` have the port of each wire."""

    wires: Sequence[Wire]
    flow: Flow
    leaving: list[Port]
    entering: list[Port]
    leaving_sides: dict[int, Side]
    entering_sides: dict[int, Side]

    @classmethod
    def of(cls, wires: Sequence[Wire], flow: Flow) -> Ports:
        handles: dict[tuple[int, str], Port] = {}
        found = cls(wires, flow, [], [], {}, {})
        for number, wire in enumerate(wires):
            port = handles.get((wire.source, wire.handle))
            if port is None:
                port = handles[wire.source, wire.handle] = Port(wire.source, wire.leaving)
                found.leaving_sides.setdefault(wire.source, []).append(port)
            port.wires.append(number)
            found.leaving.append(port)
            entry = Port(wire.target, wire.entering, [number])
            found.entering_sides.setdefault(wire.target, []).append(entry)
            found.entering.append(entry)
        return found

    def breadth(self, box: int) -> float:
        """How broad a box must be for the edges at both its sides."""
        sides = (self.leaving_sides.get(box, []), self.entering_sides.get(box, []))
        needed = max(sum(self.flow.port_room(port.words) for port in side) for side in sides)
        return max(self.flow.across, needed + 2 * self.flow.inset)

    def distance(self, layers: Layers) -> Distance:
        """How far two neighbours in a layer must be apart, from middle to middle."""
        halves = [
            0.0 if layers.is_lane(vertex) else self.breadth(vertex) / 2
            for vertex in range(len(layers.ranks))
        ]

        def distance(one: int, other: int) -> float:
            lanes = layers.is_lane(one) + layers.is_lane(other)
            gap = (self.flow.box_gap, BESIDE_BOX, BESIDE_LANE)[lanes]
            return halves[one] + halves[other] + gap

        return distance

    def settle(self, layers: Layers, middles: Sequence[float]) -> None:
        """Find the place of every port, so that edges are straight where they can be."""
        for port in [*self.leaving, *self.entering]:
            port.at = middles[port.box]
        # At first both ends give way by half, then those that leave follow those that enter.
        for share in (0.5, 1.0):
            for side in self.leaving_sides.values():
                ways = [self._ways_out(port, layers, middles, share) for port in side]
                self._place(side, ways, middles)
            for side in self.entering_sides.values():
                self._place(side, [self._way_in(port, layers, middles) for port in side], middles)
        self._nudge(layers, middles)

    def _nudge(self, layers: Layers, middles: Sequence[float]) -> None:
        """Move entries where two lines would change places, and so seem to be one."""
        lines = self._lines_after(layers, middles)
        for box, side in self.entering_sides.items():
            room = self.breadth(box) / 2 - self.flow.inset + NUDGE
            every = lines.get(layers.ranks[box] - 1, [])
            for port in side:
                number = port.wires[0]
                near = every[bisect(every, (port.at - NUDGE,)) : bisect(every, (port.at + NUDGE,))]
                start = self._last_turn(layers.paths[number], number, middles)
                if not any(abs(end - start) < NUDGE and wire != number for _, end, wire in near):
                    continue
                for at in (port.at + NUDGE, port.at - NUDGE):
                    apart = all(
                        abs(at - each.at) >= self._apart(port, each) - 1
                        for each in side
                        if each is not port
                    )
                    if apart and abs(at - middles[box]) <= room:
                        port.at = at
                        break

    def _last_turn(self, path: list[int], number: int, middles: Sequence[float]) -> float:
        return middles[path[-2]] if path[1:-1] else self.leaving[number].at

    def _lines_after(
        self, layers: Layers, middles: Sequence[float]
    ) -> dict[int, list[tuple[float, float, int]]]:
        """For each rank the lines that leave it: where from and where to, sorted, and the wire."""
        lines: dict[int, list[tuple[float, float, int]]] = {}
        for number, path in enumerate(layers.paths):
            places = [middles[vertex] for vertex in path]
            if path:
                places[0], places[-1] = self.leaving[number].at, self.entering[number].at
            for step, (one, other) in enumerate(pairwise(path)):
                if layers.ranks[one] < layers.ranks[other]:
                    line = (places[step], places[step + 1], number)
                    lines.setdefault(layers.ranks[one], []).append(line)
        for near in lines.values():
            near.sort()
        return lines

    def _apart(self, one: Port, other: Port) -> float:
        if one.words and other.words:
            return (self.flow.port_room(one.words) + self.flow.port_room(other.words)) / 2
        return NUDGE

    def _ways_out(
        self, port: Port, layers: Layers, middles: Sequence[float], share: float
    ) -> _Ways:
        ways = _Ways([], [])
        for number in port.wires:
            path = layers.paths[number]
            if not path:
                ways.turning.append(_beyond(layers, port.box, self.wires[number].target))
            elif layers.ranks[path[1]] == layers.ranks[port.box]:
                ways.turning.append(middles[path[1]])
            elif layers.is_lane(path[1]):
                ways.onward.append(middles[path[1]])
            else:
                here, there = port.at, self.entering[number].at
                near = abs(here - there) <= self.flow.across - 2 * self.flow.inset
                ways.onward.append(here + (there - here) * share if near else there)
        return ways

    def _way_in(self, port: Port, layers: Layers, middles: Sequence[float]) -> _Ways:
        number = port.wires[0]
        path = layers.paths[number]
        if not path:
            return _Ways([], [_beyond(layers, port.box, self.wires[number].source)])
        if not layers.is_lane(path[-2]):
            return _Ways([self.leaving[number].at], [])
        if layers.ranks[path[-2]] == layers.ranks[port.box]:
            return _Ways([], [middles[path[-2]]])
        return _Ways([middles[path[-2]]], [])

    def _place(self, side: Side, ways: list[_Ways], middles: Sequence[float]) -> None:
        middle = middles[side[0].box]
        order = sorted(range(len(side)), key=lambda place: ways[place].key(middle))
        side[:], ways = [side[place] for place in order], [ways[place] for place in order]
        rooms = [self.flow.port_room(port.words) for port in side]
        half = self.breadth(side[0].box) / 2 - self.flow.inset
        wishes = [way.wish(middle, half) for way in ways]
        gaps = [(one + other) / 2 for one, other in pairwise(rooms)]
        places = spread([wish for wish, _ in wishes], [weight for _, weight in wishes], gaps)
        low, high = middle - half + rooms[0] / 2, middle + half - rooms[-1] / 2 - sum(gaps)
        for port, place, offset in zip(side, places, _sums(gaps), strict=True):
            port.at = min(max(place, low + offset), high + offset)


def _sums(gaps: Sequence[float]) -> list[float]:
    sums = [0.0]
    for gap in gaps:
        sums.append(sums[-1] + gap)
    return sums


def _beyond(layers: Layers, here: int, there: int) -> float:
    return FAR if layers.ranks[there] > layers.ranks[here] else -FAR


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where the edges of a port go: onwards to these places, or around to these."""

    onward: list[float]
    turning: list[float]

    def key(self, middle: float) -> tuple[int, float]:
        """The order along a side in which edges do not cross: who turns nearest is outermost."""
        if self.onward:
            return 1, sum(self.onward) / len(self.onward)
        mean = sum(self.turning) / len(self.turning)
        return (0 if mean < middle else 2), -mean

    def wish(self, middle: float, half: float) -> tuple[float, float]:
        """Where the port would like to be, and how much it would."""
        near = [place for place in self.onward if abs(place - middle) <= half]
        return (near[len(near) // 2], STRAIGHT) if near else (middle, 1.0)
