"""Places in a light file, by the names that nodes and edges have once they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..source import Path
from ..yaml.events import Place

_ENDS = {"from": "source", "to": "target", "type": "content_type"}


def light_places(marks: Mapping[Path, Place], names: Mapping[Path, Path]) -> dict[Path, Place]:
    """The marks of a file, and those of its parts under their new names.

    `names` leads from a part in the file, such as `("nodes", 3)`, to its name, such as
    `("nodes", "argue")`. A property beside `label` goes before one of the same name in `props`.
    """
    places = {path: place for path, place in marks.items() if path[:1] != ("edges",)}
    for section in ("connections", "edges"):
        if (section,) in marks:
            places.setdefault(("edges",), marks[section,])
    parts = [
        (names[path[:2]], path[2:], place) for path, place in marks.items() if path[:2] in names
    ]
    for inside_props in (False, True):
        for name, rest, place in parts:
            if (rest[:1] == ("props",)) is inside_props:
                for path in _spellings(name, rest):
                    places.setdefault(path, place)
    return places


def _spellings(name: Path, rest: Path) -> Iterator[Path]:
    """`a.b` is where `a` and `a, b` are; what stands in `props` is a property of the node."""
    if name[0] == "edges":
        yield (*name, _ENDS.get(str(rest[0]), rest[0]), *rest[1:]) if rest else name
    elif rest[:1] == ("props",):
        yield (*name, *rest[1:])
    elif rest:
        parts = str(rest[0]).split(".")
        for end in range(1, len(parts)):
            yield (*name, *parts[:end])
        yield (*name, *parts, *rest[1:])
    else:
        yield name
