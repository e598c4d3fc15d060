"""Where in a diagram the cursor stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .reading import MARK, Map, Pair, Scalar, Sequence, Tree

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """The text that is being typed: the value at `path`, or a key of the map there.

    `trees` are the maps and lists on the way, from the outermost. `key` is whether it may be a key;
    `lonely` whether it stands alone where a map might begin, and so may be a value just as well.
    """

    path: Path
    trees: tuple[Map | Sequence, ...]
    scalar: Scalar
    key: bool = False
    lonely: bool = False
    colon: bool = False
    stray: bool = False

    @property
    def typed(self) -> str:
        """What is written before the cursor, as it stands there."""
        return self.scalar.raw.partition(MARK)[0]

    @property
    def rest(self) -> str:
        """What is written behind the cursor."""
        return self.scalar.raw.partition(MARK)[2]

    @property
    def said(self) -> str:
        """What is said before the cursor."""
        return self.scalar.decoded(self.typed)

    @property
    def flow(self) -> bool:
        """Whether brackets are around."""
        return any(tree.flow for tree in self.trees)

    @property
    def around(self) -> Map | Sequence:
        """The map or list that it is part of."""
        return self.trees[-1]


def find(tree: Tree | None, path: Path = (), trees: tuple[Map | Sequence, ...] = ()) -> Spot | None:
    """The spot of the mark; None when it stands in a comment, or where nothing can be typed."""
    match tree:
        case Scalar() if MARK in tree.raw:
            return Spot(path, trees, tree)
        case Sequence():
            steps = enumerate(tree.items)
            found = (find(item, (*path, i), (*trees, tree)) for i, item in steps)
        case Map():
            found = (_find_in_pair(pair, path, (*trees, tree)) for pair in tree.pairs)
        case _:
            return None
    return next((spot for spot in found if spot is not None), None)


def _find_in_pair(pair: Pair, path: Path, trees: tuple[Map | Sequence, ...]) -> Spot | None:
    if MARK not in pair.key.raw:
        return find(pair.value, (*path, pair.key.text), trees)
    around = trees[-1]
    lonely = isinstance(around, Map) and len(around.pairs) == 1 and not pair.colon
    return Spot(path, trees, pair.key, key=True, lonely=lonely, colon=pair.colon, stray=pair.stray)
