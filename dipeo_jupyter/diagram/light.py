"""Reads the light format: `nodes`, `connections` and `persons` in YAML, the way people write them.

All problems are found before any is raised. `light_writer` is the way back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from ..errors import DiagramError, Problem
from .labels import label_fault
from .light_endpoints import read_arrow, read_endpoint
from .light_places import light_places
from .light_writer import RESERVED, dumps
from .model import Diagram, Edge, Label, NodeSpec, Person
from .source import Path, Source, read
from .values import kind
from .wrong_values import wrong_values
from .yaml_tree import MOST_PROBLEMS

__all__ = ["dumps", "loads", "parse"]

Model = TypeVar("Model", bound=BaseModel)
Map = dict[str, JsonValue]


def loads(text: str) -> Diagram:
    """The diagram that light YAML describes. Raises `DiagramError` with all problems at once."""
    return parse(text)[0]


def parse(text: str, name: str = "diagram") -> tuple[Diagram, Source]:
    """The diagram and the places of its parts; `name` is what the text is called.

    Raises `DiagramError` with all problems at once, each with its line.
    """
    data, source = read(text, name)
    reader = _Reader(data, source)
    diagram = reader.diagram()
    if reader.problems:
        raise DiagramError(*sorted(reader.problems, key=lambda problem: problem.line or 0))
    return diagram, reader.source


@dataclass(frozen=True, slots=True)
class _Draft:
    """A node as written; `path` has its label, when that is good enough to find it by."""

    path: Path
    fields: Map
    label: Label | None


class _Reader:
    def __init__(self, data: JsonValue, source: Source) -> None:
        self.data = data
        self.source = source
        self.problems: list[Problem] = []

    def diagram(self) -> Diagram:
        entries = self.top_level()
        drafts = list(self.drafts(entries.get("nodes")))
        connections = [*self.entries(entries, "connections"), *self.entries(entries, "edges")]
        self.name_places(drafts, [path for path, _ in connections])
        labels = {draft.label: None for draft in drafts if draft.label is not None}
        nodes = [self.node(draft) for draft in drafts]
        edges = [self.edge(("edges", i), entry, labels) for i, (_, entry) in enumerate(connections)]
        fields = {
            "name": entries.get("name"),
            "description": entries.get("description"),
            "nodes": [node for node in nodes if node],
            "edges": [edge for edge in edges if edge],
            "persons": self.persons(entries.get("persons")),
            "extra": {key: entries[key] for key in entries if key not in RESERVED},
        }
        return self.build(Diagram, fields, ()) or Diagram()
