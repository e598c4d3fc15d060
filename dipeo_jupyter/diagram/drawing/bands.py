"""How a drawing is folded: a long flow goes on in the next band, as text goes on in a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from .flow import BOX_HEIGHT, BOX_WIDTH, Flow
from .lanes import Band, Layers
from .ranks import Arc

PAGE = 940.0
"""A drawing wider than this is made smaller by a notebook, in pixels."""
GAP = 52.0
"""Between two layers, and between two boxes in a layer with the lanes there, about."""
SHRINKING = 1100.0
"""What it costs to show a drawing at half its size, in pixels of height."""
FOLD, CUT = 30.0, 25.0
"""What a fold costs, and each edge that is cut there beside the first, in pixels of height."""


LONE = 40.0
"""What a band with a single layer costs, in pixels of height."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A way to draw some layers; `cost` is what speaks against it, whatever its size."""

    flow: Flow
    bands: tuple[Band, ...]
    cost: float = 0.0


def shapes(layers: Layers, arcs: Sequence[Arc]) -> Iterator[Shape]:
    """To the right in bands, when it is long; to the right; downwards."""
    depth = len(layers.layers)
    per_band = int((PAGE + GAP) // (BOX_WIDTH + GAP))
    if depth > per_band:
        yield _folded(layers, arcs, per_band)
    yield Shape(Flow(horizontal=True), (range(depth),))
    yield Shape(Flow(horizontal=False), (range(depth),))


def reading_cost(width: float, height: float) -> float:
    """How hard a drawing of this size is to read: height is to be scrolled, width shrinks."""
    shrinking = max(1.0, width / PAGE)
    return height / shrinking + SHRINKING * (shrinking - 1)


def _folded(layers: Layers, arcs: Sequence[Arc], per_band: int) -> Shape:
    """The cheapest way to fold: bands of even length, cut where few edges pass."""
    depth = len(layers.layers)
    heights = [len(layer) * (BOX_HEIGHT + GAP / 2) for layer in layers.layers]
    folds = [FOLD + CUT * max(0, cut - 1) for cut in _cuts(layers, arcs)]
    folds[0] = 0.0
    least: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, depth + 1):
        options = []
        for begin in range(max(0, end - per_band), end):
            uneven = (per_band - (end - begin)) ** 2 + LONE * (end - begin == 1)
            cost = least[begin][0] + max(heights[begin:end]) + folds[begin] + uneven
            options.append((cost, begin))
        least.append(min(options))
    cuts = [depth]
    while cuts[-1]:
        cuts.append(least[cuts[-1]][1])
    bands = tuple(range(begin, end) for end, begin in pairwise(cuts))[::-1]
    return Shape(Flow(horizontal=True), bands, sum(folds[band.start] for band in bands))


def _cuts(layers: Layers, arcs: Sequence[Arc]) -> Sequence[int]:
    """How many edges pass between each layer and the one before, either way."""
    changes = [0] * (len(layers.layers) + 1)
    for source, target in arcs:
        low, high = sorted((layers.ranks[source], layers.ranks[target]))
        changes[low + 1] += 1
        changes[high + 1] -= 1
    return list(accumulate(changes))[:-1]
