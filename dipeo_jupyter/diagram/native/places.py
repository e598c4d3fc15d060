"""Places in a native file, by the names that its parts have in the diagram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from ..source import Path
from ..yaml.events import Place
from .entries import OURS
from .outline import Outline, place_at

_ENDS = {"source_handle": "source", "target_handle": "target"}


class Places(Mapping[Path, Place]):
    """Line and column of each part that is asked for, looked up in the text only then.

    `names` leads from a part of the diagram, such as `("nodes", "argue")`, to where the file has
    it, such as `("nodes", 3)`; it may grow. Only these are listed; what is inside is found.
    """

    def __init__(self, text: str, names: Mapping[Path, Path]) -> None:
        self._text = text
        self._names = names

    def __getitem__(self, path: Path) -> Place:
        for spelling in self._spellings(path):
            offset = self._outline.offset(spelling)
            if offset is not None:
                return place_at(self._text, offset)
        raise KeyError(path)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _outline(self) -> Outline:
        return Outline(self._text)

    def _spellings(self, path: Path) -> Iterator[Path]:
        """The ways in which the file may say it, the most likely first."""
        for end in (2, 1):
            place = self._names.get(path[:end])
            if place is not None:
                yield from _inside(str(path[0]), place, path[end:])
        yield path
        yield ("metadata", *path)
        yield (OURS, *path)


def _inside(section: str, place: Path, rest: Path) -> Iterator[Path]:
    match section:
        case _ if not rest:
            yield place
        case "nodes" if rest[0] in ("type", "position"):
            yield (*place, *rest)
        case "nodes":
            yield (*place, "data", OURS, "props", *rest)
            yield (*place, "data", *rest)
            yield (*place, *rest)
        case "edges" if rest[0] == "data":
            yield (*place, "data", OURS, *rest)
            yield (*place, *rest)
            yield (*place, *rest[1:])
        case "edges":
            yield from _arrow(place, str(rest[0]))
        case _:
            for name in (rest[0], _camel(str(rest[0]))):
                for holder in ((OURS,), ("llm_config",), ("llmConfig",), ()):
                    yield (*place, *holder, name, *rest[1:])


def _arrow(place: Path, field: str) -> Iterator[Path]:
    names = ("content_type", "contentType") if field == "content_type" else (field,)
    for name in names:
        yield (*place, _ENDS.get(name, name))
        yield (*place, "data", name)


def _camel(name: str) -> str:
    """`system_prompt` as older files call it: `systemPrompt`."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
