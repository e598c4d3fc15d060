"""How a drawing is folded: a long flow goes on in the next band, as text goes on in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .flow import BOX_HEIGHT, BOX_WIDTH, Flow
from .lanes import Band, Layers
from .ranks import Arc

PAGE = 940.0
"""A drawing wider than this is made smaller by a notebook, in pixels."""
GAP = 52.0
SHRINKING = 1100.0
"""What it costs to show a drawing at half its size, in pixels of height."""
FOLD, CUT = 30.0, 60.0
"""What a fold costs, and each edge that is cut there beside the first, in pixels of height."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A way to draw some layers."""

    flow: Flow
    bands: tuple[Band, ...]


def best_shape(layers: Layers, arcs: Sequence[Arc]) -> Shape:
    """To the right, to the right in bands, or downwards: whatever reads best on a page."""
    depth = len(layers.layers)
    whole = (range(depth),)
    options = [
        (_cost(_length(whole[0]), _height(layers, whole[0])), Shape(Flow(horizontal=True), whole)),
        (_cost(*_downwards(layers)), Shape(Flow(horizontal=False), whole)),
    ]
    per_band = int((PAGE + GAP) // (BOX_WIDTH + GAP))
    if depth > per_band:
        cost, bands = _fold(layers, per_band, arcs)
        options.append((cost, Shape(Flow(horizontal=True), bands)))
    return min(options, key=lambda option: option[0])[1]


def _cost(width: float, height: float) -> float:
    shrinking = max(1.0, width / PAGE)
    return height / shrinking + SHRINKING * (shrinking - 1)


def _length(band: Band) -> float:
    return len(band) * (BOX_WIDTH + GAP) - GAP


def _stack(layers: Layers, rank: int, size: float) -> float:
    """How much room the boxes and lanes of one layer take."""
    boxes = sum(not layers.is_lane(vertex) for vertex in layers.layers[rank])
    return boxes * size + (len(layers.layers[rank]) - boxes) * 14.0


def _height(layers: Layers, band: Band) -> float:
    return max((_stack(layers, rank, BOX_HEIGHT + 26.0) for rank in band), default=0.0)


def _downwards(layers: Layers) -> tuple[float, float]:
    ranks = range(len(layers.layers))
    width = max((_stack(layers, rank, BOX_WIDTH + 30.0) for rank in ranks), default=0.0)
    return width, len(ranks) * (BOX_HEIGHT + GAP)


def _fold(
    layers: Layers, per_band: int, arcs: Sequence[Arc]
) -> tuple[float, tuple[Band, ...]]:
    """The cheapest way to fold: bands of even length, cut where few edges pass."""
    depth = len(layers.layers)
    cuts = _cuts(layers, arcs)
    least: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, depth + 1):
        options = []
        for begin in range(max(0, end - per_band), end):
            room = (per_band - (end - begin)) ** 2
            fold = FOLD + CUT * (cuts[begin] - 1) if begin else 0.0
            cost = least[begin][0] + _height(layers, range(begin, end)) + fold + room
            options.append((cost, begin))
        least.append(min(options))
    bands: list[Band] = []
    end = depth
    while end:
        begin = least[end][1]
        bands.append(range(begin, end))
        end = begin
    return least[depth][0], tuple(reversed(bands))


def _cuts(layers: Layers, arcs: Sequence[Arc]) -> Sequence[int]:
    """How many edges pass between each layer and the one before, either way."""
    changes = [0] * (len(layers.layers) + 1)
    for source, target in arcs:
        low, high = sorted((layers.ranks[source], layers.ranks[target]))
        changes[low + 1] += 1
        changes[high + 1] -= 1
    return list(accumulate(changes))[:-1]
