"""The `persons` of a native file."""

from __future__ import annotations

from pydantic import JsonValue

from ..light import persons as light
from ..model import Label, Person
from ..report import Report
from ..source import Path
from .entries import OURS, Entry

FORGETTING = ("forgettingMode", "forgetting_mode")

_OWN = frozenset({"id", "label", "type", *FORGETTING})


def build_person(entry: Entry, label: Label, report: Report) -> Person | None:
    """The person; None when a value is wrong, which is then noted."""
    path: Path = ("persons", label) if label else entry.path
    kept = entry.fields.get(OURS)
    plain = {key: value for key, value in entry.fields.items() if key not in _OWN}
    return light.build_person(label, kept if isinstance(kept, dict) else plain, path, report)


def forgetting(entry: Entry) -> JsonValue:
    """What the jobs of this person remember, where a person of old says so itself."""
    mode = next((entry.fields[key] for key in FORGETTING if entry.fields.get(key)), None)
    return None if mode == "no_forget" else mode
