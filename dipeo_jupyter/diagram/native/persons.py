"""The `persons` of a native file."""

from __future__ import annotations

from pydantic import JsonValue

from ..labels import label_fault
from ..model import Label, Person
from ..report import Report
from ..source import Path
from .entries import OURS, Entry

FORGETTING = ("forgettingMode", "forgetting_mode")

_OWN = frozenset({"id", "label", "type", *FORGETTING})


def build_person(entry: Entry, label: Label, report: Report) -> Person | None:
    """The person; None when a value is wrong, which is then noted."""
    path: Path = ("persons", label) if label else entry.path
    if fault := label_fault(label):
        report.add("bad_person", f"The label {label[:40]!r} of a person {fault}.", path)
    kept = entry.fields.get(OURS)
    plain = {key: value for key, value in entry.fields.items() if key not in _OWN}
    return report.build(Person, kept if isinstance(kept, dict) else plain, path)


def forgetting(entry: Entry) -> JsonValue:
    """What the jobs of this person remember, where a person of old says so itself."""
    mode = next((entry.fields[key] for key in FORGETTING if entry.fields.get(key)), None)
    return None if mode == "no_forget" else mode
