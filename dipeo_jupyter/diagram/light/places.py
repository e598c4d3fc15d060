"""Places in a light file, by the names that nodes and edges have once they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..source import Path
from ..yaml.events import MAX_DEPTH, Place
from .edges import SECTIONS

_ENDS = {
    "from": "source",
    "to": "target",
    "type": "content_type",
    "contentType": "content_type",
}
# An edge may stand inside a node.
_DEPTHS = (2, 4)
_INSIDE = {("props",), ("data",)}


def light_places(
    marks: Mapping[Path, Place], names: Mapping[Path, Path] | Iterable[tuple[Path, Path]]
) -> dict[Path, Place]:
    """The marks of a file, and those of its parts under their new names.

    `names` leads from a part in the file, such as `("nodes", 3)`, to its name, such as
    `("nodes", "argue")`; a part may have several. A property beside `label` goes before one of the
    same name in `props`.
    """
    places = {path: place for path, place in marks.items() if path[:1] != ("edges",)}
    for section in SECTIONS:
        if (section,) in marks:
            places.setdefault(("edges",), marks[section,])
    called: dict[Path, list[Path]] = {}
    for part, name in names.items() if isinstance(names, Mapping) else names:
        called.setdefault(part, []).append(name)
    parts = [
        (name, path[depth:], place)
        for path, place in marks.items()
        for depth in _DEPTHS[: len(path) // 2]
        for name in called.get(path[:depth], ())
    ]
    for inside in (False, True):
        for name, rest, place in parts:
            if (rest[:1] in _INSIDE) is inside:
                for path in _spellings(name, rest):
                    places.setdefault(path, place)
    return places


def _spellings(name: Path, rest: Path) -> Iterator[Path]:
    """`a.b` is where `a` and `a, b` are; what stands in `props` is a property of the node."""
    if name[0] == "edges":
        yield (*name, _ENDS.get(str(rest[0]), rest[0]), *rest[1:]) if rest else name
    elif rest[:1] in _INSIDE:
        yield (*name, *rest[1:])
        yield (*name, *rest)
    elif rest:
        parts = str(rest[0]).split(".", MAX_DEPTH)
        for end in range(1, len(parts)):
            yield (*name, *parts[:end])
        yield (*name, *parts, *rest[1:])
    else:
        yield name
