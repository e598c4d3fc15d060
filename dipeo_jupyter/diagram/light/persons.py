"""One person, as all formats understand it."""

from __future__ import annotations

from pydantic import JsonValue

from ..labels import label_fault
from ..model import Label, Person
from ..report import Report
from ..source import Path
from ..wrong_values import kind


def build_person(label: Label, fields: JsonValue, path: Path, report: Report) -> Person | None:
    """The person; None when a value is wrong, which is then noted."""
    if fault := label_fault(label):
        report.add("bad_person", f"The label {label[:40]!r} of a person {fault}.", path)
    if isinstance(fields, dict):
        return report.build(Person, fields, path)
    message = f"The person {label[:40]!r} must be a map of fields, not {kind(fields)}."
    hint = "Its indentation is probably wrong: fields stand further in than the person's label."
    report.add("bad_person", message, path, hint)
    return None
