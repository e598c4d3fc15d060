"""Reads the native format: `nodes`, `handles`, `arrows` and `persons` in JSON, with ids.

`text` turns the text into plain data; the collections have a module each: `nodes`, `ends` and
`arrows`, `persons`. `places` finds lines and columns; `writing` is the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from ...errors import DiagramError, Problem
from .. import light
from ..model import Diagram, Edge, Label, NodeSpec, Person
from ..report import Map, Report
from ..source import Path, Reading, Source
from ..suggest import did_you_mean
from ..wrong_values import kind
from .arrows import build_edge
from .ends import Ends, read_handles
from .entries import OURS, TYPENAME, Entry, entries, ours, unique, without_typenames
from .nodes import PERSON, Surroundings, build_node, unplaced, wanted_label
from .persons import build_person, forgetting
from .places import Places
from .text import read_json

METADATA = "metadata"
FILLERS: Map = {"version": "2.0.0", "created": "", "modified": ""}
"""What the ancestor demands in `metadata`, and what is written when there is nothing to say."""
RESERVED = frozenset(
    {"nodes", "handles", "arrows", "edges", "connections", "persons", "name", "description"}
) | {"version", "format", OURS, TYPENAME}
"""The top-level entries that have a meaning, `metadata` aside; others are in `Diagram.extra`."""

_COMPILED = "executable"


def survey(text: str, name: str = "diagram") -> Reading:
    """What can be read of a text; `name` is what the text is called.

    Never raises: a text of which nothing can be read gives an empty diagram and the reason.
    """
    text = text.removeprefix("\ufeff")
    names: dict[Path, Path] = {}
    source = Source(text, name, {})
    try:
        data = _top_level(text)
        if data.get("version") == "light":
            return light.survey(text, name)
        source = Source(text, name, Places(text, names))
        report = Report(source)
        diagram = _Reader(data, names, report).diagram()
    except DiagramError as error:
        return Reading(Diagram(), source, tuple(map(source.locate, error.problems)))
    return Reading(diagram, source, report.in_order())


def _top_level(text: str) -> Map:
    data = read_json(text) if text.strip() else None
    if not isinstance(data, dict):
        message = f"A diagram is a map with `nodes` and `arrows`, not {kind(data)}."
        hint = 'Begin with `{"nodes": [`.'
        raise DiagramError(Problem("not_a_diagram", message, hint=hint).at(1, 1))
    stripped = without_typenames(data) if TYPENAME in text else data
    assert isinstance(stripped, dict)
    return stripped


class _Reader:
    """Puts the collections of one file together."""

    def __init__(self, data: Map, names: dict[Path, Path], report: Report) -> None:
        self.data = data
        self.names = names
        self.report = report

    def diagram(self) -> Diagram:
        self.refuse_others()
        found = entries(self.data, "nodes", self.report)
        people = entries(self.data, "persons", self.report)
        labels, persons = _labelled(found), _labelled(people)
        self.learn("nodes", labels, found)
        self.learn("persons", persons, people)
        memory = {
            label: mode
            for label, entry in zip(persons, people, strict=True)
            if (mode := forgetting(entry))
        }
        around = Surroundings(
            self.by_id(found, labels), self.by_id(people, persons), memory, unplaced(found)
        )
        nodes = self.nodes(found, labels, around)
        fields = {
            "name": self.about("name"),
            "description": self.about("description"),
            "nodes": nodes,
            "edges": self.edges(around.nodes),
            "persons": self.persons(people, persons),
            "extra": self.extra(),
        }
        self.warn_of_strangers(nodes, persons)
        self.report.warn_of_secrets(self.data)
        return self.report.build(Diagram, fields, ()) or Diagram()

    def refuse_others(self) -> None:
        if self.data.get("format") == _COMPILED:
            message = "This is a compiled diagram (`format: executable`), which cannot be edited."
            hint = "Open the diagram that it was compiled from."
            raise DiagramError(Problem("unknown_version", message, None, ("format",), hint))
        nodes = self.data.get("nodes")
        if not isinstance(nodes, dict | list):
            what = (
                "There are no `nodes`, so this is no diagram"
                if nodes is None
                else f"`nodes` cannot be {kind(nodes)}"
            )
            hint = 'Write `"nodes": [{"id": …, "type": …, "data": {"label": …}}]`.'
            path = ("nodes",) if "nodes" in self.data else ()
            problem = Problem("not_a_diagram", f"{what}.", None, path, hint)
            raise DiagramError(problem if path else problem.at(1, 1))

    def learn(self, section: str, labels: list[Label], found: list[Entry]) -> None:
        """Remember where the file has what the diagram knows by label."""
        parts = zip(labels, found, strict=True)
        self.names |= {(section, label): entry.path for label, entry in parts}

    def by_id(self, found: list[Entry], labels: list[Label]) -> dict[str, Label]:
        known: dict[str, Label] = {}
        for entry, label in zip(found, labels, strict=True):
            id_ = entry.id or label
            if self.report.full:
                break
            if known.setdefault(id_, label) != label:
                message = f"The id {id_[:40]!r} is taken already."
                hint = "Give each a name of its own."
                self.report.add("duplicate_id", message, (*entry.path, "id"), hint)
        return known

    def nodes(
        self, found: list[Entry], labels: list[Label], around: Surroundings
    ) -> list[NodeSpec]:
        nodes = [
            build_node(entry, label, around, self.report)
            for entry, label in zip(found, labels, strict=True)
            if not self.report.full
        ]
        return [node for node in nodes if node]

    def edges(self, labels: Mapping[str, Label]) -> list[Edge]:
        section = "arrows" if self.data.get("arrows") is not None else "edges"
        found = entries(self.data, section, self.report)
        self.names[("edges",)] = (section,)
        self.names |= {("edges", index): entry.path for index, entry in enumerate(found)}
        ends = Ends(labels, read_handles(entries(self.data, "handles", self.report), self.report))
        edges = [
            build_edge(entry, index, ends, self.report)
            for index, entry in enumerate(found)
            if not self.report.full
        ]
        return [edge for edge in edges if edge]

    def persons(self, found: list[Entry], labels: list[Label]) -> dict[Label, Person]:
        persons = {
            label: build_person(entry, label, self.report)
            for label, entry in zip(labels, found, strict=True)
            if not self.report.full
        }
        return {label: person for label, person in persons.items() if person}

    def about(self, field: str) -> JsonValue:
        """The name or description: in `metadata`, else beside it."""
        metadata = self.data.get(METADATA)
        inside = metadata.get(field) if isinstance(metadata, dict) else None
        return self.data.get(field) if inside is None else inside

    def extra(self) -> Map:
        extra: Map = {}
        for key, value in self.data.items():
            if key == METADATA:
                extra |= _metadata(value)
            elif key not in RESERVED:
                extra[key] = value
        return extra | ours(self.data)

    def warn_of_strangers(self, nodes: list[NodeSpec], persons: list[Label]) -> None:
        """A job may speak to somebody who is still to be written; then it cannot run."""
        known = set(persons)
        for node in nodes:
            field = next((key for key in PERSON if key in node.props), "")
            person = node.props.get(field)
            if self.report.full:
                break
            if isinstance(person, str) and person and person not in known:
                message = f"There is no person {person[:40]!r}."
                path = ("nodes", node.label, field)
                hint = did_you_mean(person, persons)
                self.report.include(
                    Problem("unknown_person", message, node.label, path, hint, "warning")
                )


def _labelled(found: list[Entry]) -> list[Label]:
    return unique(map(wanted_label, found))


def _metadata(value: JsonValue) -> Map:
    """What `metadata` says beside name and description, as an extra entry."""
    if not isinstance(value, dict):
        return {METADATA: value} if value is not None else {}
    rest = {
        key: each
        for key, each in value.items()
        if key not in ("name", "description") and (key not in FILLERS or FILLERS[key] != each)
    }
    return {METADATA: rest} if rest else {}
