"""The `persons` of a readable file: a list of maps with one label each, or one map of labels."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ..light.persons import build_person
from ..model import Label, Person
from ..report import Map, Report
from ..source import Path
from ..wrong_values import kind

_HINT = "Write `- Label:` and its fields below, further in than the label."


def person_entries(data: Map, report: Report) -> Iterator[tuple[Path, Label, JsonValue]]:
    """Path, label and fields of each person; the oldest files have them in `config`."""
    config = data.get("config")
    yield from _entries(data.get("persons"), ("persons",), report)
    if isinstance(config, dict):
        yield from _entries(config.get("persons"), ("config", "persons"), report)


def build_persons(
    entries: list[tuple[Path, Label, JsonValue]], report: Report
) -> dict[Label, Person]:
    """The persons; one in which something is wrong is left out, and that is noted."""
    persons: dict[Label, Person] = {}
    seen: dict[Label, Path] = {}
    for path, label, fields in entries:
        if seen.setdefault(label, path) != path:
            line = report.source.line_of(*seen[label])
            message = f"The label {label[:40]!r} is taken: a person on line {line} has it too."
            report.add("bad_person", message, path, "Remove or rename one of them.")
        elif person := build_person(label, fields, ("persons", label), report):
            persons[label] = person
    return persons


def _entries(
    persons: JsonValue, path: Path, report: Report
) -> Iterator[tuple[Path, Label, JsonValue]]:
    if not isinstance(persons, list):
        named = report.map(persons, path)
        yield from (((*path, label), label, fields) for label, fields in named.items())
        return
    for i, item in enumerate(persons):
        if isinstance(item, dict):
            yield from (((*path, i, label), label, fields) for label, fields in item.items())
        elif item is not None:
            message = f"A person is a label with its fields, not {kind(item)}."
            report.add("bad_person", message, (*path, i), _HINT)
