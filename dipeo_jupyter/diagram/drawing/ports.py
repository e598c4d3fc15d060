"""Where edges leave and enter their boxes, and how broad that makes the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .alignment import Distance, spread
from .flow import Flow
from .lanes import Layers
from .ranks import Arc

STRAIGHT = 1e6
"""How much more a port weighs that can make its edge straight."""
BESIDE_BOX, BESIDE_LANE = 20.0, 12.0
"""From a lane to its neighbour, in pixels."""


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
        for box, side in self.leaving_sides.items():
            ends = {id(port): self._ends(port, layers, middles) for port in side}
            side.sort(key=lambda port, ends=ends: ends[id(port)].key(middles[port.box]))  # type: ignore[misc]
            self._place(box, side, [ends[id(port)] for port in side], middles[box])
        for box, side in self.entering_sides.items():
            ends = {id(port): self._origin(port, layers, middles) for port in side}
            side.sort(key=lambda port, ends=ends: ends[id(port)].key(middles[port.box]))  # type: ignore[misc]
            self._place(box, side, [ends[id(port)] for port in side], middles[box])

    def _ends(self, port: Port, layers: Layers, middles: Sequence[float]) -> _Ends:
        ends = _Ends([], [])
        for number in port.wires:
            following = layers.paths[number][1]
            if layers.ranks[following] == layers.ranks[port.box]:
                ends.turning.append(middles[following])
            elif layers.is_lane(following):
                ends.onward.append(middles[following])
            else:
                ends.onward.append(self._meeting(middles[port.box], middles[following]))
        return ends

    def _meeting(self, here: float, there: float) -> float:
        """Between two boxes that overlap, an edge is straight half way between their middles."""
        near = self.flow.across - 2 * self.flow.inset
        return (here + there) / 2 if abs(here - there) <= near else there

    def _origin(self, port: Port, layers: Layers, middles: Sequence[float]) -> _Ends:
        previous = layers.paths[port.wires[0]][-2]
        if not layers.is_lane(previous):
            return _Ends([self.leaving[port.wires[0]].at], [])
        if layers.ranks[previous] == layers.ranks[port.box]:
            return _Ends([], [middles[previous]])
        return _Ends([middles[previous]], [])

    def _place(self, box: int, side: Side, ends: list[_Ends], middle: float) -> None:
        rooms = [self.flow.port_room(port.words) for port in side]
        half = self.breadth(box) / 2 - self.flow.inset
        wishes = [end.wish(middle, half) for end in ends]
        gaps = [(one + other) / 2 for one, other in zip(rooms, rooms[1:], strict=False)]
        places = spread([wish for wish, _ in wishes], [weight for _, weight in wishes], gaps)
        low, high = middle - half + rooms[0] / 2, middle + half - rooms[-1] / 2 - sum(gaps)
        for port, place, offset in zip(side, places, _sums(gaps), strict=True):
            port.at = min(max(place, low + offset), high + offset)


def _sums(gaps: Sequence[float]) -> list[float]:
    sums = [0.0]
    for gap in gaps:
        sums.append(sums[-1] + gap)
    return sums


@dataclass(frozen=True, slots=True)
class _Ends:
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
