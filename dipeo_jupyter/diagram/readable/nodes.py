"""The `nodes` of a readable file, brought into the shape that the light format's reader builds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ...errors import DiagramError, Problem
from ..light.nodes import Draft
from ..light.older import NESTED
from ..model import Label
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from .inference import infer_type
from .keys import Key, read_key

PERSON_ID = "person_"
"""What the ancestor puts before a person's label when it makes an id of it."""
_PERSON_FIELDS = ("person", "personId")
_OLDEST_TYPES = {
    **dict.fromkeys(("llm", "person"), "person_job"),
    **dict.fromkeys(("if", "branch"), "condition"),
    **dict.fromkeys(("end", "finish"), "endpoint"),
}
_WRITE = "Write `- Label @(x,y):` and its fields below, further in."


@dataclass(frozen=True, slots=True)
class Step:
    """A node as written. `path` leads to its key; `entry` is how the light format says it.

    `connections` are those that begin there, under the names that they have inside of nodes.
    """

    path: Path
    key: Key
    entry: Map
    connections: Map


def read_steps(data: Map, report: Report) -> list[Step]:
    """All nodes, each with the connections that stand inside of it."""
    section = "nodes" if "nodes" in data else "workflow"
    if "nodes" in data and "workflow" in data:
        message = "`nodes` and `workflow` exclude each other; only the first is read."
        report.add("not_a_diagram", message, ("workflow",))
    steps = [
        _step(path, text, fields, report)
        for path, text, fields in _entries(data.get(section), section, report)
    ]
    named = [step for step in steps if _has_label(step, report)]
    return named if section == "nodes" else [_from_workflow(step) for step in named]


def labels_of(steps: list[Step]) -> dict[Label, None]:
    """The labels, in their order."""
    return dict.fromkeys(step.key.label for step in steps)


def with_type(draft: Draft, exits: Collection[str], *, first: bool) -> Draft:
    """The draft with the type that it must have, if it says none itself."""
    if draft.fields.get("type") not in (None, ""):
        return draft
    names = [name for name in draft.fields if name not in {"label", "type", "position", "props"}]
    props = draft.fields.get("props")
    names += props if isinstance(props, dict) else ()
    node_type = infer_type(draft.label, names, exits, first=first)
    return replace(draft, fields=draft.fields | {"type": node_type})


def with_person(draft: Draft, persons: Collection[Label]) -> Draft:
    """The draft with its person's label where the ancestor wrote an id: `person_Judge`.

    What stands in `props` is left as it is.
    """
    found: Map = {
        name: named
        for name in _PERSON_FIELDS
        if (named := person_named(draft.fields.get(name), persons))
    }
    return replace(draft, fields=draft.fields | found) if found else draft


def person_named(value: JsonValue, persons: Collection[Label]) -> Label | None:
    """The person that an id stands for; None when the value is a label already, or no id."""
    if not isinstance(value, str) or value in persons or not value.startswith(PERSON_ID):
        return None
    name = value.removeprefix(PERSON_ID)
    return next((each for each in (name, name.replace("_", " ")) if each in persons), None)


def means_another_person(props: Mapping[str, JsonValue], persons: Collection[Label]) -> bool:
    """Whether a person in these properties would be read as an id."""
    return any(person_named(props.get(name), persons) for name in _PERSON_FIELDS)


def _entries(
    nodes: JsonValue, section: str, report: Report
) -> Iterator[tuple[Path, str, JsonValue]]:
    """Path, key and fields of each node; empty entries of the list are left out."""
    match nodes:
        case dict():
            yield from (((section, key), key, fields) for key, fields in nodes.items())
        case list():
            for i, item in enumerate(nodes):
                if isinstance(item, str):
                    yield (section, i), item, {}
                elif isinstance(item, dict) and item:
                    key, fields = _only(item, (section, i), report)
                    yield (section, i, key), key, fields
                elif item is not None:
                    message = f"A node is a label with its fields, not {kind(item)}."
                    report.add("bad_value", message, (section, i), _WRITE)
        case _:
            none = f"`{section}` must be a list, not {kind(nodes)}."
            message = "There are no `nodes`." if nodes is None else none
            place = report.source.place_of(section) or (1, 1)
            problem = Problem("not_a_diagram", message, path=(section,), hint=_WRITE)
            report.include(problem.at(*place))


def _only(item: Map, path: Path, report: Report) -> tuple[str, JsonValue]:
    """The one key of an item and its fields; what stands beside the key is noted."""
    key, *beside = item
    fields = item[key]
    if beside:
        message = f"The node {key[:40]!r} and {beside[0][:40]!r} stand side by side in one entry."
        hint = "Fields stand further in than the label of their node; each node has its own dash."
        report.add("bad_value", message, (*path, beside[0]), hint)
        # Most likely these are its fields, and further complaints would only confuse.
        return key, fields or {name: item[name] for name in beside}
    return key, fields


def _step(path: Path, text: str, fields: JsonValue, report: Report) -> Step:
    key = _key(text, path, report)
    if fields is not None and not isinstance(fields, dict):
        message = f"The node {key.label[:40]!r} must be a map of fields, not {kind(fields)}."
        hint = "Its indentation is probably wrong: fields stand further in than the label."
        report.add("bad_value", message, path, hint)
        fields = {}
    fields = dict(fields or {})
    entry: Map = {"label": key.label}
    for name in ("type", "position"):
        said = getattr(key, name)
        if said is not None and fields.get(name) is not None:
            message = f"The {name} of {key.label[:40]!r} stands in its key and below it."
            hint = "Remove one; a label that only looks as if it said so needs double quotes."
            report.add("bad_value", message, (*path, name), hint)
        elif said is not None:
            fields[name] = said.model_dump() if name == "position" else said
    if "label" in fields:
        # The label stands in the key, so this is a property that is called so.
        props = report.map(fields.pop("props", None), (*path, "props"))
        fields["props"] = {"label": fields.pop("label")} | props
    connections = {name: fields.pop(name) for name in NESTED if name in fields}
    return Step(path, key, entry | fields, connections)


def _key(text: str, path: Path, report: Report) -> Key:
    try:
        key = read_key(text)
    except DiagramError as error:
        for problem in error.problems:
            report.include(replace(problem, path=path))
        # Whoever names the node leaves out what was meant as its position.
        return Key(text.rpartition("@(")[0].strip())
    return key


def _has_label(step: Step, report: Report) -> bool:
    if not step.key.label.strip():
        report.add("missing_label", "A node has no label.", step.path, _WRITE)
        return False
    return True


def _from_workflow(step: Step) -> Step:
    """The step with today's names for those of its time."""
    entry = dict(step.entry)
    if isinstance(node_type := entry.get("type"), str):
        entry["type"] = _OLDEST_TYPES.get(node_type.lower(), node_type)
    if "condition" in entry and "expression" not in entry:
        entry["expression"] = entry.pop("condition")
    return replace(step, entry=entry)
