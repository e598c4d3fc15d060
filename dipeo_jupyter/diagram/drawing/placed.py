"""A drawing that keeps the places the file gives: they become layers, moved apart where needed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from .alignment import Distance, spread
from .bands import PAGE
from .flow import Flow
from .geometry import Point
from .lanes import Layers
from .ports import Ports, Wire
from .routing import Drawing, Router

SAME_LAYER = 0.4
"""Boxes whose places along the flow differ by less (in lengths of a box) share a layer."""
LONGEST_GAP = 160.0
"""Of what the file leaves empty between two boxes or layers, in pixels, no more is kept."""
STRETCH = 4.0
"""Places are spread by no more than this; what still overlaps is moved one by one."""
FIRM = 1000.0
"""How much more a box weighs than a lane, when both want the same place."""

WORK = 400_000
"""A tangle that takes more than this, in lanes times neighbours, is not drawn as it is placed."""


def placed_drawing(places: Sequence[Point], wires: Sequence[Wire]) -> Drawing | None:
    """Draw boxes where they are; only the edges between them are thought up here.

    Nothing when these are too many that lead too far.
    """
    flow = Flow(horizontal=_is_horizontal(places, wires))
    starts = [place.x if flow.horizontal else place.y for place in places]
    wishes = _closer([place.y if flow.horizontal else place.x for place in places], flow)
    layers, begins = _layers(flow, starts, wishes)
    if _work(layers, wires) > WORK:
        return None
    layers.paths = [
        list(wire.arc) if layers.ranks[wire.target] == layers.ranks[wire.source] + 1 else []
        for wire in wires
    ]
    layers.thread([wire.arc for wire in wires])
    ports = Ports.of(wires, flow)
    middles = _middles(layers, wishes, ports.distance(layers))
    ports.settle(layers, middles)
    longest = flow.along + LONGEST_GAP
    distances = [min(longest, after - before) for before, after in pairwise(begins)]
    if flow.horizontal and sum(distances) > PAGE - flow.along:
        squeeze = (PAGE - flow.along) / sum(distances)
        distances = [distance * squeeze for distance in distances]
    return Router(layers, ports, middles, [0.0, *distances]).draw()


def _work(layers: Layers, wires: Sequence[Wire]) -> float:
    """About how much there is to do: all lanes, times what stands in a layer."""
    steps = (layers.ranks[wire.target] - layers.ranks[wire.source] for wire in wires)
    lanes = sum(step - 1 if step > 0 else 1 - step for step in steps)
    return lanes * (len(layers.ranks) + lanes) / len(layers.layers)


def _closer(wishes: Sequence[float], flow: Flow) -> list[float]:
    """The places across the flow without the wide empty stripes between them."""
    stops = sorted(set(wishes))
    steps = (min(after - before, flow.across + LONGEST_GAP) for before, after in pairwise(stops))
    closer = dict(zip(stops, accumulate(steps, initial=0.0), strict=True))
    return [closer[wish] for wish in wishes]


def _is_horizontal(places: Sequence[Point], wires: Sequence[Wire]) -> bool:
    """Whether more edges lead to the right than down."""
    steps = [
        (
            places[wire.target].x - places[wire.source].x,
            places[wire.target].y - places[wire.source].y,
        )
        for wire in wires
    ]
    right = sum(1 for along, down in steps if along >= abs(down) and along > 0)
    down = sum(1 for along, down in steps if down > abs(along))
    return right >= down


def _layers(
    flow: Flow, starts: Sequence[float], wishes: Sequence[float]
) -> tuple[Layers, list[float]]:
    """Boxes that begin at about the same place share a layer; also where each layer begins."""
    ranks = [0] * len(starts)
    begins: list[float] = []
    for box in sorted(range(len(starts)), key=lambda each: (starts[each], each)):
        if not begins or starts[box] - begins[-1] >= SAME_LAYER * flow.along:
            begins.append(starts[box])
        ranks[box] = len(begins) - 1
    rows: list[list[int]] = [[] for _ in begins]
    for box in sorted(range(len(wishes)), key=lambda each: (wishes[each], each)):
        rows[ranks[box]].append(box)
    return Layers.of(len(starts), ranks, rows), begins


def _middles(layers: Layers, wishes: Sequence[float], distance: Distance) -> list[float]:
    """Boxes near their places, lanes as straight as these allow."""
    boxes = [[each for each in layer if not layers.is_lane(each)] for layer in layers.layers]
    stretch = _stretch(boxes, wishes, distance)
    middles = {box: wish * stretch for box, wish in enumerate(wishes)}
    for row in boxes:
        _push_apart(row, middles, distance, {})
    for path in layers.paths:
        _place_lanes(layers, path[1:-1], middles, middles[path[0]], distance)
    weights = dict.fromkeys(range(layers.count), FIRM)
    for layer in layers.layers:
        _push_apart(layer, middles, distance, weights)
    return [middles[vertex] for vertex in range(len(layers.ranks))]


def _stretch(boxes: Sequence[list[int]], wishes: Sequence[float], distance: Distance) -> float:
    needed = [1.0]
    for row in boxes:
        for one, other in pairwise(row):
            apart = wishes[other] - wishes[one]
            if apart > 0:
                needed.append(distance(one, other) / apart)
    return min(STRETCH, max(needed))


def _push_apart(
    layer: Sequence[int], middles: dict[int, float], distance: Distance, weights: dict[int, float]
) -> None:
    gaps = [distance(one, other) for one, other in pairwise(layer)]
    heavy = [weights.get(vertex, 1.0) for vertex in layer]
    found = spread([middles[vertex] for vertex in layer], heavy, gaps)
    middles.update(zip(layer, found, strict=True))


def _place_lanes(
    layers: Layers,
    lanes: Sequence[int],
    middles: dict[int, float],
    wish: float,
    distance: Distance,
) -> None:
    """Give the lanes of one edge one place, if there is one that is free in all its layers."""
    rooms = [_room(layers, lane, middles, distance) for lane in lanes]
    low = max((low for low, _ in rooms), default=0.0)
    high = min((high for _, high in rooms), default=0.0)
    for lane, room in zip(lanes, rooms, strict=True):
        least, most = (low, high) if low <= high else room
        middles[lane] = max(least, min(wish, most))


def _room(
    layers: Layers, lane: int, middles: dict[int, float], distance: Distance
) -> tuple[float, float]:
    layer = layers.layers[layers.ranks[lane]]
    at = layer.index(lane)
    before = next((each for each in reversed(layer[:at]) if each in middles), None)
    after = next((each for each in layer[at + 1 :] if each in middles), None)
    low = float("-inf") if before is None else middles[before] + distance(before, lane)
    high = float("inf") if after is None else middles[after] - distance(lane, after)
    return low, high
