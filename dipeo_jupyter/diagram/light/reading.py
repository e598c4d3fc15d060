"""Reads the light format: `nodes`, `connections` and `persons` in YAML, the way people write them.

All problems are found before any is raised. The parts of a file have a module each: `nodes`,
`edges`, `endpoints`; `writing` is the way back.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from ...errors import DiagramError, Problem
from ..labels import label_fault
from ..model import Diagram, Label, Person
from ..source import Path, Reading, Source, read
from ..wrong_values import kind
from .edges import build_edge, edge_entries
from .nodes import Draft, build_node, draft_nodes
from .places import light_places
from .report import Map, Report
from .writing import RESERVED


def loads(text: str) -> Diagram:
    """The diagram that light YAML describes. Raises `DiagramError` with all problems at once."""
    return survey(text).checked().diagram


def survey(text: str, name: str = "diagram") -> Reading:
    """What can be read of a text; `name` is what the text is called.

    Never raises: a text of which nothing can be read gives an empty diagram and the reason.
    """
    source = Source(text, name, {})
    try:
        data, source = read(text, name)
        report = Report(source)
        diagram = _diagram(_top_level(data), report)
    except DiagramError as error:
        return Reading(Diagram(), source, error.problems)
    return Reading(diagram, report.source, report.in_order())


def _top_level(data: JsonValue) -> Map:
    if isinstance(data, dict):
        return data
    message = f"A diagram is a map with a list of `nodes`, not {kind(data)}."
    hint = "Begin with `version: light` and `nodes:`."
    raise DiagramError(Problem("not_a_diagram", message, hint=hint).at(1, 1))


def _diagram(data: Map, report: Report) -> Diagram:
    if data.get("version") not in (None, "light"):
        message = f"This is not the light format, but `version: {data['version']}`."
        report.add("not_a_diagram", message, ("version",), "Write `version: light`.")
    drafts = draft_nodes(data.get("nodes"), report)
    # Without nodes every edge would be wrong.
    entries = list(edge_entries(data, report)) if isinstance(data.get("nodes"), list) else []
    _learn_names(drafts, [place for place, _ in entries], report)
    labels = dict.fromkeys(draft.label for draft in drafts if draft.label is not None)
    nodes = [build_node(draft, report) for draft in drafts]
    edges = [
        build_edge(("edges", i), entry, labels, report) for i, (_, entry) in enumerate(entries)
    ]
    fields = {
        "name": data.get("name"),
        "description": data.get("description"),
        "nodes": [node for node in nodes if node],
        "edges": [edge for edge in edges if edge],
        "persons": _persons(data.get("persons"), report),
        "extra": {key: value for key, value in data.items() if key not in RESERVED},
    }
    return report.build(Diagram, fields, ()) or Diagram()


def _learn_names(drafts: list[Draft], edges: list[Path], report: Report) -> None:
    names = {draft.place: draft.path for draft in drafts}
    names |= {place: ("edges", i) for i, place in enumerate(edges)}
    source = report.source
    report.source = replace(source, marks=light_places(source.marks, names))


def _persons(entries: JsonValue, report: Report) -> dict[Label, Person]:
    if isinstance(entries, list):
        hint = "Write `label:` and its fields below, without dashes."
        report.add(
            "bad_person", "`persons` must be a map of labels, not a list.", ("persons",), hint
        )
        return {}
    persons = {
        label: _person(label, entry, report)
        for label, entry in report.map(entries, ("persons",)).items()
    }
    return {label: person for label, person in persons.items() if person}


def _person(label: Label, entry: JsonValue, report: Report) -> Person | None:
    path = ("persons", label)
    if fault := label_fault(label):
        report.add("bad_person", f"The label {label[:40]!r} of a person {fault}.", path)
    if isinstance(entry, dict):
        return report.build(Person, entry, path)
    message = f"The person {label!r} must be a map of fields, not {kind(entry)}."
    hint = "Its indentation is probably wrong: fields stand further in than the person's label."
    report.add("bad_person", message, path, hint)
    return None
