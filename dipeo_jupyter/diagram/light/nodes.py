"""The `nodes` of a light file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import JsonValue

from ...errors import Problem
from ..labels import label_fault
from ..model import Label, NodeSpec
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind
from ..yaml.events import MAX_DEPTH
from .older import nested_edges, node_list, present_shape


@dataclass(frozen=True, slots=True)
class Draft:
    """A node as written. `path` has its label, unless there is none or another node has it.

    `id` is another name that edges may use; `edges` are those that stand inside the node.
    """

    place: Path
    path: Path
    label: Label | None
    fields: Map
    id: str | None = None
    edges: tuple[tuple[Path, JsonValue], ...] = ()


def draft_nodes(nodes: JsonValue, report: Report) -> list[Draft]:
    """The nodes with their labels; empty entries of a list are left out."""
    dashes = isinstance(nodes, dict) and any(key.startswith("-") for key in nodes)
    if dashes or not isinstance(nodes, list | dict):
        _report_no_list(nodes, report)
        return []
    drafts: list[Draft] = []
    first: dict[Label, Path] = {}
    for place, entry in node_list(nodes):
        if isinstance(entry, dict):
            drafts.append(_draft(place, entry, first, report))
        else:
            message = f"A node is a map with `label` and `type`, not {kind(entry)}."
            colon = isinstance(entry, str) and ":" in entry
            hint = "Put a space after the colon." if colon else None
            report.add("bad_value", message, place, hint)
    return drafts


def build_node(draft: Draft, report: Report) -> NodeSpec | None:
    """The node; None when a value in it is wrong, which is then noted."""
    fields = dict(draft.fields)
    label, node_type = fields.pop("label", None), fields.pop("type", None)
    if node_type is None or node_type == "":
        who = f"The node {draft.label[:40]!r}" if draft.label else "A node"
        report.add("missing_type", f"{who} has no `type`.", draft.path, "Write `type: …`.")
        node_type = "?"
    known: Map = {
        "label": "" if label is None else label,
        "type": node_type,
        "position": fields.pop("position", None),
    }
    props = report.map(fields.pop("props", None), (*draft.place, "props"))
    return report.build(NodeSpec, known | {"props": props | fields}, draft.path)


def _report_no_list(nodes: JsonValue, report: Report) -> None:
    hint = "Write `nodes:` and below it a list: `- label: …`."
    match nodes:
        case None:
            message = "There are no `nodes`."
        case dict():
            message, hint = "`nodes` must be a list.", "Put a space after each dash: `- label: …`."
        case _:
            message = f"`nodes` must be a list, not {kind(nodes)}."
    place = report.source.place_of("nodes") or (1, 1)
    report.include(Problem("not_a_diagram", message, path=("nodes",), hint=hint).at(*place))


def _draft(place: Path, entry: Map, first: dict[Label, Path], report: Report) -> Draft:
    fields = _expand(present_shape(entry), place, report)
    label = fields.get("label")
    draft = Draft(place, _name(place, label, first, report), None, fields)
    if not isinstance(label, str) or not label.strip():
        return draft
    known_as = entry.get("id")
    edges = tuple(nested_edges(place, label, fields))
    return replace(
        draft, label=label, id=known_as if isinstance(known_as, str) else None, edges=edges
    )


def _name(place: Path, label: JsonValue, first: dict[Label, Path], report: Report) -> Path:
    """The path under which the node is known from now on; what is wrong with it is noted."""
    if label is None or (isinstance(label, str) and not label.strip()):
        report.add("missing_label", "A node has no `label`.", place, "Write `label: …`.")
    elif not isinstance(label, str):
        pass  # said when the node is built
    elif fault := label_fault(label):
        report.add("bad_label", f"The label {label[:40]!r} {fault}.", (*place, "label"))
    elif first.setdefault(label, place) == place:
        return ("nodes", label)
    else:
        _report_duplicate(place, label, first, report)
    return place


def _report_duplicate(place: Path, label: Label, first: dict[Label, Path], report: Report) -> None:
    if report.full:
        return
    number = 1
    while f"{label}~{number}" in first:
        number += 1
    line = report.source.line_of(*first[label], "label")
    message = f"The label {label!r} is taken: a node on line {line} has it too."
    hint = f"Call this one {f'{label}~{number}'!r}, for instance."
    report.add("duplicate_label", message, (*place, "label"), hint)


def _expand(entry: Map, place: Path, report: Report) -> Map:
    """`a.b: v` as `{a: {b: v}}`, and no keys that begin with `__`."""
    expanded: Map = {}
    for key, value in entry.items():
        parts = key.split(".")
        if key.startswith("__"):
            continue
        if len(parts) > MAX_DEPTH:
            message = f"`{key[:40]}` has more than {MAX_DEPTH} parts."
            report.add("bad_value", message, place)
        elif not _put(expanded, parts if all(parts) else [key], value):
            message = f"`{key}` and another entry exclude each other."
            report.add("bad_value", message, (*place, key), "Write one map instead.")
    return expanded


def _put(into: Map, parts: list[str], value: JsonValue) -> bool:
    """Whether there was room for the value."""
    for part in parts[:-1]:
        inner = into.setdefault(part, {})
        if not isinstance(inner, dict):
            return False
        into = inner
    key = parts[-1]
    old = into.get(key)
    if isinstance(old, dict) and isinstance(value, dict):
        value = old | value
    elif key in into:
        return False
    into[key] = value
    return True
