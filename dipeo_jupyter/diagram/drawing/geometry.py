"""What a layout is made of. Units are pixels, `y` grows downwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..model import Label


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node stands; `x` and `y` are its top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Tag:
    """A word on an edge; `x` and `y` are its middle."""

    text: str
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge from its source's side to its target's.

    A line with right angles, or a straight one where there are too many to follow.
    """

    points: tuple[Point, ...]
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands. `routes` go by the edge's place in `diagram.edges`.

    An edge that names a node which does not exist has no route.
    """

    boxes: Mapping[Label, Box]
    routes: Mapping[int, Route]
    width: float
    height: float
