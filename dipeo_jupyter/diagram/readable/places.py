"""Places in a readable file, by the names that its parts have once they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..light.places import light_places
from ..source import Path
from ..yaml.events import Place

EDGE_FIELDS = {
    "from": "source_handle",
    "handle": "source_handle",
    "to": "target",
    "in": "target_handle",
    "as": "content_type",
    "contentType": "content_type",
    "type": "content_type",
    "naming": "label",
}
"""What the words of a connection are called in the model."""
# A label may be a property too, since the node's own stands in its key.
_NODE_FIELDS: dict[str | int, Path] = {"label": ("props", "label")}


def in_light_shape(marks: Mapping[Path, Place], nodes: list[Path]) -> dict[Path, Place]:
    """The marks as if the nodes, whose keys stand at these paths, were a list of light nodes."""
    numbers = {path: i for i, path in enumerate(nodes)}
    shaped = {path: place for path, place in marks.items() if path[0] not in ("nodes", "edges")}
    for section in ("workflow", "nodes"):
        if (section,) in marks:
            shaped["nodes",] = marks[section,]
    for path, i in numbers.items():
        # A node that is only a text has no key, but a place in the list.
        for name in ((), ("type",), ("position",)):
            shaped["nodes", i, *name] = marks[path]
    for path, place in marks.items():
        found = _inside(path, numbers)
        if found is not None:
            i, rest = found
            shaped["nodes", i, *_NODE_FIELDS.get(rest[0], rest[:1]), *rest[1:]] = place
    return shaped


def readable_places(
    marks: Mapping[Path, Place],
    nodes: Mapping[Path, Path],
    others: Iterable[tuple[Path, Path]],
    sources: Mapping[Path, Path],
) -> dict[Path, Place]:
    """The marks in light shape, and those of all parts under their new names.

    `nodes` and `others` (persons and edges) lead from a part to its name, `sources` from the
    name of an edge's source to the part where it stands.
    """
    places = light_places(marks, nodes)
    called: dict[Path, list[Path]] = {}
    for part, name in others:
        called.setdefault(part, []).append(name)
    for path, place in marks.items():
        for end in range(len(path), 1, -1):
            for name in called.get(path[:end], ()):
                places.setdefault((*name, *_edge_rest(name, path[end:])), place)
    places |= {name: marks[part] for name, part in sources.items()}
    if ("flow",) in marks:
        places["edges",] = marks["flow",]
    return places


def _edge_rest(name: Path, rest: Path) -> Path:
    if name[0] == "edges" and rest:
        return (EDGE_FIELDS.get(str(rest[0]), rest[0]), *rest[1:])
    return rest


def _inside(path: Path, numbers: Mapping[Path, int]) -> tuple[int, Path] | None:
    for end in (2, 3):
        if len(path) > end and path[:end] in numbers:
            return numbers[path[:end]], path[end:]
    return None
