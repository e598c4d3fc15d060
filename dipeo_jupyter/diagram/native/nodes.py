"""The `nodes` of a native file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ..labels import label_fault
from ..model import Label, NodeSpec
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from .entries import OURS, Entry, ours

MEMORY = ("memory", "memorize_to", "memory_profile", "memory_config", "memory_settings")
PERSON = ("person", "personId", "person_id")
"""What the property is called that says to whom a node speaks."""
_BESIDE = frozenset({"id", "type", "position", "data", "label"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one node must know of the file: the labels by id of all nodes and persons.

    `memory` is what a person's own forgetting stands for; `unplaced`, that no node has a position.
    """

    nodes: Mapping[str, Label]
    persons: Mapping[str, Label]
    memory: Mapping[Label, JsonValue]
    unplaced: bool

    def with_labels(self, props: Map) -> Map:
        """The properties with labels wherever they name a node or a person by id."""
        named = dict(props)
        for key in (*PERSON, "memory_person"):
            if isinstance(person := props.get(key), str):
                named[key] = self.persons.get(person, person)
        if "node_indices" in props:
            named["node_indices"] = _translated(props["node_indices"], self.nodes)
        if "ignore_person" in props:
            ignored = props["ignore_person"]
            if isinstance(ignored, str) and ignored not in self.persons:
                named["ignore_person"] = _translated_commas(ignored, self.persons)
            else:
                named["ignore_person"] = _translated(ignored, self.persons)
        return named


def wanted_label(entry: Entry) -> str:
    """The label that a node or a person asks for; its id when it has none."""
    data = entry.fields.get("data")
    inside = data.get("label") if isinstance(data, dict) else None
    for label in (inside, entry.fields.get("label")):
        if isinstance(label, str) and label.strip():
            return label
    return entry.id


def build_node(entry: Entry, label: Label, around: Surroundings, report: Report) -> NodeSpec | None:
    """The node; None when a value in it is wrong, which is then noted."""
    path: Path = ("nodes", label)
    if not label:
        report.add("missing_label", "A node has neither `label` nor `id`.", entry.path)
        return None
    if fault := label_fault(label):
        report.add("bad_value", f"The label {label[:40]!r} {fault}.", (*path, "label"))
    _check_written_label(entry, label, report)
    fields = entry.fields
    node_type = fields.get("type")
    if node_type is None or node_type == "":
        hint = 'Write `"type": …`.'
        report.add("missing_type", f"The node {label[:40]!r} has no `type`.", path, hint)
        node_type = "?"
    data = report.map(fields.get("data"), (*entry.path, "data"))
    known: Map = {
        "label": label,
        "type": node_type,
        "position": _position(fields, ours(data), around),
    }
    return report.build(NodeSpec, known | {"props": _props(fields, data, around)}, path)


def unplaced(found: Sequence[Entry]) -> bool:
    """Whether no node has a place: all of them lie in the corner, one above the other."""
    return all(is_corner(entry.fields.get("position")) for entry in found)


def is_corner(position: object) -> bool:
    """Whether a position is where nodes lie that have none; the format demands one."""
    return isinstance(position, Mapping) and position.get("x") == 0 == position.get("y")


def _position(fields: Map, marks: Map, around: Surroundings) -> JsonValue:
    position = fields.get("position")
    placed = marks.get("placed", not around.unplaced)
    return None if is_corner(position) and placed is False else position


def _props(fields: Map, data: Map, around: Surroundings) -> Map:
    kept = ours(data).get("props")
    if isinstance(kept, dict):
        return kept
    beside = {key: fields[key] for key in fields if key not in _BESIDE and key not in data}
    inside = {key: data[key] for key in data if key not in ("label", OURS)}
    props = around.with_labels(inside | beside)
    person = next((props[key] for key in PERSON if isinstance(props.get(key), str)), None)
    silent = not any(key in props for key in MEMORY)
    if silent and isinstance(person, str) and person in around.memory:
        return props | {"memory": around.memory[person]}
    return props


def _check_written_label(entry: Entry, label: Label, report: Report) -> None:
    data = entry.fields.get("data")
    for fields in (data if isinstance(data, dict) else {}, entry.fields):
        written = fields.get("label")
        if written is not None and not isinstance(written, str):
            message = f"`label` must be text, not {kind(written)}."
            report.add("bad_value", message, ("nodes", label, "label"), "Put it in quotes.")


def _translated(value: JsonValue, labels: Mapping[str, Label]) -> JsonValue:
    if isinstance(value, str):
        return labels.get(value, value)
    if isinstance(value, list):
        return [labels.get(each, each) if isinstance(each, str) else each for each in value]
    return value


def _translated_commas(text: str, labels: Mapping[str, Label]) -> JsonValue:
    ids = [each.strip() for each in text.split(",")]
    named: list[JsonValue] = [labels.get(each, each) for each in ids]
    if named == ids:
        return text
    return named if any("," in str(each) for each in named) else ", ".join(map(str, named))
