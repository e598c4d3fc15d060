"""A drawing of so many edges that nobody could follow one: ordered columns and straight lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, sqrt
from typing import TypeAlias

from .flow import BOX_HEIGHT, BOX_WIDTH
from .geometry import Box, Point, Route
from .lanes import Layers
from .ordering import order
from .ports import Wire
from .ranks import Arc
from .routing import Drawing

Cell: TypeAlias = tuple[int, int]
"""A column, and the row in it."""
End: TypeAlias = tuple[int, bool]
"""One end of an edge by its number: where it leaves (`True`), or enters."""

DENSE = ((250, 6.0), (5000, 2.5))
"""A part with more edges than the first, and more for each box than the second, is dense."""
LANES = 40_000
"""So is one whose edges pass more layers than this, all together."""
GAP, BOX_GAP = 130.0, 26.0
"""Between two columns, where straight lines need room to part, and between boxes in one."""
UNEVEN = 3
"""So many times as long as broad, or as broad as long, layers may make a drawing."""
ROOM, TALLEST = 2.0, 2 * BOX_HEIGHT
"""What an edge would like to have of a side, and what a box gives at most, in pixels."""
INSET = 10.0
NEAR, STEP = 24.0, 8.0
"""How far a line leads out of its column to come back to it, and how much more for each box."""


def is_crowded(count: int, edges: int) -> bool:
    """Whether so many edges join the boxes that finding a way for each would help nobody."""
    return any(edges > max(many, share * count) for many, share in DENSE)


def is_dense(count: int, arcs: Sequence[Arc], ranks: Sequence[int]) -> bool:
    """Whether edges are too many, or pass too many layers, to find a way for each."""
    if is_crowded(count, len(arcs)):
        return True
    onward = (ranks[target] - ranks[source] - 1 for source, target in arcs)
    return sum(lanes for lanes in onward if lanes > 0) > LANES


def dense_drawing(count: int, wires: Sequence[Wire], ranks: Sequence[int]) -> Drawing:
    """Every edge is a straight line between sides that face each other, without its words.

    Within a column a line leads out to the right and back.
    """
    near = {wire.arc for wire in wires if ranks[wire.target] - ranks[wire.source] == 1}
    columns = _columns(order(count, sorted(near), ranks), count)
    cells = {box: (at, row) for at, column in enumerate(columns) for row, box in enumerate(column)}
    sides = _sides(wires, cells)
    boxes, height = _boxes(columns, sides)
    ends = _ends(sides, boxes)
    routes = [
        Route(tuple(_line(ends[number, True], ends[number, False], _bow(wire.arc, cells))))
        for number, wire in enumerate(wires)
    ]
    width = len(columns) * (BOX_WIDTH + GAP)
    return Drawing([boxes[box] for box in range(count)], routes, width, height)


def _columns(ordered: Layers, count: int) -> list[list[int]]:
    """The layers; all boxes evenly in their order, when that would be very long or very wide."""
    breadth, length = BOX_HEIGHT + BOX_GAP, BOX_WIDTH + GAP
    wide = ceil(sqrt(count * breadth / length))
    tall = ceil(count / wide)
    if len(ordered.layers) <= UNEVEN * wide and max(map(len, ordered.layers)) <= UNEVEN * tall:
        return ordered.layers
    boxes = [box for layer in ordered.layers for box in layer]
    return [boxes[begin : begin + tall] for begin in range(0, count, tall)]


def _sides(wires: Sequence[Wire], cells: Mapping[int, Cell]) -> dict[tuple[int, bool], list[End]]:
    """The ends of edges at the left of each box and (`True`) the right, from top to bottom."""
    found: dict[tuple[int, bool], list[tuple[Cell, End]]] = {}
    for number, (source, target) in enumerate(wire.arc for wire in wires):
        for box, other, leaves in ((source, target, True), (target, source, False)):
            (here, _), (there, row) = cells[box], cells[other]
            end = (row, there), (number, leaves)
            found.setdefault((box, there >= here), []).append(end)
    return {side: [end for _, end in sorted(ends)] for side, ends in found.items()}


def _boxes(
    columns: Sequence[Sequence[int]], sides: Mapping[tuple[int, bool], Sequence[End]]
) -> tuple[dict[int, Box], float]:
    """The boxes, broader where many edges are, in columns around one middle; and their height."""

    def breadth(box: int) -> float:
        most = max(len(sides.get((box, right), ())) for right in (False, True))
        return max(BOX_HEIGHT, min(TALLEST, most * ROOM + 2 * INSET))

    heights = [sum(breadth(box) + BOX_GAP for box in column) - BOX_GAP for column in columns]
    height = max(heights)
    boxes: dict[int, Box] = {}
    for at, column in enumerate(columns):
        top = (height - heights[at]) / 2
        for box in column:
            boxes[box] = Box(at * (BOX_WIDTH + GAP), top, BOX_WIDTH, breadth(box))
            top += boxes[box].height + BOX_GAP
    return boxes, height


def _ends(
    sides: Mapping[tuple[int, bool], Sequence[End]], boxes: Mapping[int, Box]
) -> dict[End, Point]:
    """Where edges leave and enter, spread evenly over the side of a box."""
    places: dict[End, Point] = {}
    for (number, right), ends in sides.items():
        box = boxes[number]
        step = (box.height - 2 * INSET) / len(ends)
        for at, end in enumerate(ends):
            across = box.y + INSET + step * (at + 0.5)
            places[end] = Point(box.right if right else box.x, across)
    return places


def _bow(arc: Arc, cells: Mapping[int, Cell]) -> float:
    """How far the line leads out, when it comes back to its own column."""
    (begin, row), (end, other) = (cells[box] for box in arc)
    return min(GAP - NEAR, NEAR + STEP * abs(row - other)) if begin == end else 0.0


def _line(start: Point, stop: Point, bow: float) -> Iterator[Point]:
    yield start
    if bow:
        yield Point(start.x + bow, start.y)
        yield Point(start.x + bow, stop.y)
    yield stop
