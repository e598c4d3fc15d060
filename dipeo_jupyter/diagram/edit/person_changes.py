"""Writes what is different in the persons of a light file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from ..model import Label, Person
from ..older import person_fields
from .outline import Outline
from .sections import Sections
from .spans import Span, aliases
from .splicing import Splicing, cannot
from .styles import write_like

Persons = Mapping[Label, Person]
Rewrite = Callable[[Span, Label, Label], None]


class PersonChanges:
    """The persons before and after."""

    def __init__(
        self, outline: Outline, cut: Splicing, sections: Sections, old: Persons, new: Persons
    ) -> None:
        self._text, self._outline = outline.text, outline
        self._cut, self._sections = cut, sections
        self._old, self._new = old, new

    @property
    def are_same(self) -> bool:
        """Whether nothing is different."""
        old, new = self._old, self._new
        return list(old) == list(new) and all(new[label] is old[label] for label in old)

    def values(self, lost: frozenset[str]) -> None:
        """Write the values that changed."""
        self._each(self._person_values, lost)

    def entries(self, lost: frozenset[str]) -> None:
        """Write the persons that changed, and those that need a lost anchor."""
        self._each(self._whole_person, lost)

    def section(self, _: frozenset[str]) -> None:
        """Write all persons, if any changed."""
        if self._old != self._new:
            fields = {label: _fields(person) for label, person in self._new.items()}
            self._sections.write("persons", fields)

    def _each(self, rewrite: Rewrite, lost: frozenset[str]) -> None:
        old, new = self._old, self._new
        if self.are_same and not lost:
            return
        section = self._outline.top("persons")
        if section is None or section[1].kind != "map" or not section[1].entries or not new:
            self.section(lost)
            return
        span = section[1]
        renamed = dict(zip(old, new, strict=True)) if len(old) == len(new) else {}
        for key, value in span.entries:
            now = renamed.get(key.value, key.value)
            if now not in new:
                self._cut.remove_entry(span, key.value)
                continue
            if now != key.value:
                self._rename_key(span, key, now)
            if new[now] is not old.get(key.value) or aliases(value) & lost:
                rewrite(span, key.value, now)
        for label in new if len(new) > len(old) else ():
            if label not in old:
                self._cut.add_entry(span, label, _fields(new[label]))

    def _rename_key(self, span: Span, key: Span, label: Label) -> None:
        written = write_like(self._text, key, label, flow=span.flow)
        if written is None or "\n" in written:
            cannot("the label is no simple key")
        self._cut.put(key.start, key.end, written)

    def _whole_person(self, span: Span, label: Label, now: Label) -> None:
        found = span.find(label)
        assert found is not None
        self._cut.replace(span, *found, _fields(self._new[now]))

    def _person_values(self, span: Span, label: Label, now: Label) -> None:
        found = span.find(label)
        assert found is not None
        if found[1].kind != "map":
            self._whole_person(span, label, now)
            return
        old, new = _fields(self._old[label]), _fields(self._new[now])
        spelled = {field: _spelling(found[1], field) for field in old | new}
        self._cut.change(
            span,
            *found,
            {spelled[field]: value for field, value in old.items()},
            {spelled[field]: value for field, value in new.items()},
        )


def _spelling(span: Span, field: str) -> str:
    """How a person's field is called in a file."""
    names = [key.value for key, _ in span.entries]
    return next((name for name in names if field in person_fields({name: None})), field)


def _fields(person: Person) -> dict[str, JsonValue]:
    return person.model_dump(exclude_unset=True)
