"""Pieces of SVG: numbers, words and lines with round corners."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot
from xml.sax.saxutils import escape

from .geometry import Point
from .palette import paint
from .text import clean

CORNER = 8.0
ARROW = 8.0


def number(value: float) -> str:
    """At most one decimal, and the same text for the same place."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def words(text: str) -> str:
    """Text from anywhere, safe inside an element or a quoted attribute."""
    return escape(clean(text), {'"': "&quot;"})


def line(points: Sequence[Point], colour: str, *, dashed: bool = False) -> str:
    """A line with round corners and an arrow at its end."""
    shaft = [*points[:-1], _toward(points[-1], points[-2], ARROW - 1)]
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    path = _rounded(shaft)
    return (
        f'<path d="{path}" {paint(stroke=colour)} fill="none" stroke-width="1.5"{dash}/>'
        f'<path d="{_arrow(points[-2], points[-1])}" {paint(fill=colour)}/>'
    )


def _toward(start: Point, goal: Point, distance: float) -> Point:
    length = hypot(goal.x - start.x, goal.y - start.y) or 1.0
    share = distance / length
    return Point(start.x + (goal.x - start.x) * share, start.y + (goal.y - start.y) * share)


def _place(point: Point) -> str:
    return f"{number(point.x)} {number(point.y)}"


def _rounded(points: Sequence[Point]) -> str:
    parts = [f"M{_place(points[0])}"]
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        near = min(hypot(corner.x - end.x, corner.y - end.y) for end in (before, after))
        radius = min(CORNER, near / 2)
        entry, leave = _toward(corner, before, radius), _toward(corner, after, radius)
        parts.append(f"L{_place(entry)}Q{_place(corner)} {_place(leave)}")
    parts.append(f"L{_place(points[-1])}")
    return "".join(parts)


def _arrow(before: Point, tip: Point) -> str:
    base = _toward(tip, before, ARROW)
    across = Point((base.y - tip.y) / 2, (tip.x - base.x) / 2)
    one, other = (Point(base.x + k * across.x, base.y + k * across.y) for k in (1, -1))
    return f"M{_place(tip)}L{_place(one)}L{_place(other)}z"
