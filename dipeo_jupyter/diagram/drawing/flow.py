"""Which way a drawing flows. Everything below speaks of *along* (with the flow) and *across*."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import DEFAULT
from .geometry import Box, Point
from .text import fit, width_of

BOX_WIDTH, BOX_HEIGHT = 188.0, 60.0
TAG_SIZE = 11.0
TAG_ROOM = 120.0
"""The widest word on an edge, in pixels; a longer one ends in an ellipsis."""
PORT = 11.0
"""Between two edges at the same side of a box."""


@dataclass(frozen=True, slots=True)
class Flow:
    """To the right (`horizontal`) or downwards."""

    horizontal: bool

    @property
    def along(self) -> float:
        """The length of a box."""
        return BOX_WIDTH if self.horizontal else BOX_HEIGHT

    @property
    def across(self) -> float:
        """The breadth of a box that has few edges."""
        return BOX_HEIGHT if self.horizontal else BOX_WIDTH

    @property
    def inset(self) -> float:
        """From the corner of a box to the first edge; marks stand at the top right corner."""
        return 10.0 if self.horizontal else 50.0

    @property
    def box_gap(self) -> float:
        return 26.0 if self.horizontal else 30.0

    def port_room(self, words: str) -> float:
        """What an edge with these words needs of a side."""
        if not words:
            return PORT
        return TAG_SIZE + 6 if self.horizontal else tag_width(words) + 8

    def tag_room(self, words: str) -> float:
        """What the words on an edge need of the gap between two layers."""
        if not words:
            return 0.0
        return tag_width(words) + 2 if self.horizontal else TAG_SIZE + 7

    def point(self, along: float, across: float) -> Point:
        return Point(along, across) if self.horizontal else Point(across, along)

    def box(self, along: float, across: float, breadth: float) -> Box:
        if self.horizontal:
            return Box(along, across, self.along, breadth)
        return Box(across, along, breadth, self.along)


def handle_words(handle: str) -> str:
    """A source's handle as it stands on an edge: nothing for the default one."""
    return "" if handle == DEFAULT else handle.removeprefix("cond")


def tag_width(words: str) -> float:
    """How wide a tag is, with a little room around its words."""
    return width_of(words, TAG_SIZE) + 6


def tag_text(words: str) -> str:
    """As many of the words as fit on an edge."""
    return fit(words, TAG_ROOM, TAG_SIZE)
