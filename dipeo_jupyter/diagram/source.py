"""What came of reading a text: the diagram, what is wrong with it, and where everything stands."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from pydantic import JsonValue

from ..errors import DiagramError, Problem
from .model import Diagram
from .yaml.blocks import place_in_block
from .yaml.events import Place
from .yaml.tree import Tree, compose

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the places of its parts: `("nodes", "argue", "prompt")` → line and column.

    Nodes and persons are reached by label, edges by index; an entry of a map is where its key is.
    Lines and columns count from 1.
    """

    text: str
    name: str
    marks: Mapping[Path, Place]

    def place_of(self, *path: str | int) -> Place | None:
        """Line and column of a part, or of the nearest part around it that is known."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.marks:
                return self.marks[path[:end]]
        return None

    def line_of(self, *path: str | int, within: int | None = None) -> int | None:
        """The line of a part, or of the nearest part around it that is known.

        Of a text that is written as a block, it may be the line `within` the text.
        """
        place = self.place_of(*path)
        if place and within and path in self.marks:
            place = place_in_block(self.text, place, (within, 1)) or place
        return place[0] if place else None

    def locate(self, problem: Problem) -> Problem:
        """The problem with its line and column: by its path, else by its node."""
        if problem.line is not None:
            return problem
        place = self.place_of(*problem.path)
        if place and problem.within and problem.path in self.marks:
            place = place_in_block(self.text, place, problem.within) or place
        if place is None and problem.node is not None:
            place = self.place_of("nodes", problem.node)
        return problem.at(*place) if place else problem


@dataclass(frozen=True, slots=True)
class Reading:
    """A diagram as far as it could be read, and all that is wrong with the text.

    Each problem has its line and column; they come in the order of the text.
    """

    diagram: Diagram
    source: Source
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems because of which the diagram is not what its author meant."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    def checked(self) -> Reading:
        """Itself; raises `DiagramError` with all errors when there are some."""
        if self.errors:
            raise DiagramError(*self.errors)
        return self


def read(text: str, name: str = "diagram") -> tuple[JsonValue, Source]:
    """The plain data that YAML text stands for, and where each piece of it stands.

    Text stays text: only `true`, `false`, `null`, `~` and decimal numbers are converted. Raises
    `DiagramError` for text that is no YAML, is ambiguous (one key twice) or too large.
    """
    tree = compose(text)
    data = None if tree is None else _spell_out(tree)
    return data, Source(text, name, Marks(lambda: _places_in(tree)))


class Marks(Mapping[Path, Place]):
    """Places by path, found out when the first is asked for: in a right text, nobody asks."""

    def __init__(self, find: Callable[[], dict[Path, Place]]) -> None:
        self._find = find

    @cached_property
    def _places(self) -> dict[Path, Place]:
        return self._find()

    def __getitem__(self, path: Path) -> Place:
        return self._places[path]

    def __contains__(self, path: object) -> bool:
        return path in self._places

    def __iter__(self) -> Iterator[Path]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def items(self) -> ItemsView[Path, Place]:
        return self._places.items()


def _places_in(tree: Tree | None) -> dict[Path, Place]:
    places: dict[Path, Place] = {}
    if tree is not None:
        _collect(tree, (), places)
    return places


def _collect(tree: Tree, path: Path, places: dict[Path, Place]) -> None:
    value = tree.value
    if isinstance(value, list):
        for index, item in enumerate(value):
            places[inner := (*path, index)] = item.place
            _collect(item, inner, places)
    elif isinstance(value, dict):
        for key, item in value.items():
            places[inner := (*path, key)] = item.place
            _collect(item, inner, places)


def _spell_out(tree: Tree) -> JsonValue:
    value = tree.value
    if isinstance(value, list):
        return [_spell_out(item) for item in value]
    if isinstance(value, dict):
        return {key: _spell_out(item) for key, item in value.items()}
    return value
