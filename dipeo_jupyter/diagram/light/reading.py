"""Reads the light format: `nodes`, `connections` and `persons` in YAML, the way people write them.

All problems are found before any is raised. The parts of a file have a module each: `nodes`,
`edges`, `endpoints`, `persons`; `older` knows the files of earlier times. `writing` is the way
back.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from itertools import chain

from pydantic import JsonValue

from ..model import Diagram, Label, Person
from ..report import Map, Report, survey_yaml
from ..source import Marks, Path, Reading
from .edges import Nodes, build_edge, edge_entries, split_arrows
from .nodes import Draft, build_node, draft_nodes
from .older import person_map
from .persons import build_person
from .places import light_places
from .writing import RESERVED

_OLD_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


def loads(text: str) -> Diagram:
    """The diagram that light YAML describes. Raises `DiagramError` with all problems at once."""
    return survey(text).checked().diagram


def survey(text: str, name: str = "diagram") -> Reading:
    """What can be read of a text; `name` is what the text is called.

    Never raises: a text of which nothing can be read gives an empty diagram and the reason.
    """
    return survey_yaml(text, name, "light", _diagram)


def _diagram(data: Map, report: Report) -> Diagram:
    version = data.get("version")
    if version not in (None, "light") and not (
        isinstance(version, str) and _OLD_VERSION.fullmatch(version)
    ):
        message = f"This is not the light format, but `version: {str(version)[:40]}`."
        report.add("unknown_version", message, ("version",), "Write `version: light`.")
    report.warn_of_secrets(data)
    drafts = draft_nodes(data.get("nodes"), report)
    labels = dict.fromkeys(draft.label for draft in drafts if draft.label is not None)
    edges = _edges(data, drafts, labels, report) if drafts else []
    _learn_names(drafts, [place for place, _ in edges], report)
    nodes = [build_node(draft, report) for draft in drafts]
    ids = {draft.id: draft.label for draft in drafts if draft.id and draft.label}
    names = Nodes(labels, ids | {label: label for label in labels})
    built = [build_edge(("edges", i), entry, names, report) for i, (_, entry) in enumerate(edges)]
    fields = {
        "name": data.get("name"),
        "description": data.get("description"),
        "nodes": [node for node in nodes if node],
        "edges": [edge for edge in built if edge],
        "persons": _persons(data.get("persons"), report),
        "extra": {key: value for key, value in data.items() if key not in RESERVED},
    }
    return report.build(Diagram, fields, ()) or Diagram()


def _edges(
    data: Map, drafts: list[Draft], labels: Collection[Label], report: Report
) -> list[tuple[Path, JsonValue]]:
    """All edges of a file, those inside of nodes first; a chain is as many as it has arrows."""
    joins = any("->" in label for label in labels)
    inside = (entry for draft in drafts for entry in draft.edges)
    return [
        (place, fields)
        for place, entry in chain(inside, edge_entries(data, report))
        for fields in split_arrows(entry, labels, joins=joins)
    ]


def _learn_names(drafts: list[Draft], edges: list[Path], report: Report) -> None:
    nodes = {draft.place: draft.path for draft in drafts}
    parts = [*nodes.items(), *((place, ("edges", i)) for i, place in enumerate(edges))]
    source = report.source
    marks = Marks(lambda: light_places(source.marks, parts))
    report.source = replace(source, marks=marks)


def _persons(entries: JsonValue, report: Report) -> dict[Label, Person]:
    persons = {
        label: build_person(label, entry, ("persons", label), report)
        for label, entry in report.map(person_map(entries, report), ("persons",)).items()
    }
    return {label: person for label, person in persons.items() if person}
