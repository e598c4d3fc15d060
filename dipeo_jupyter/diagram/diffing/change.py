"""One difference between two diagrams, and all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from html import escape
from typing import Any, Final, Literal, TypeAlias

from pydantic import JsonValue

from .wording import Words, is_long, key_path, say, shown

Kind: TypeAlias = Literal[
    "name_changed",
    "description_changed",
    "extra_changed",
    "node_added",
    "node_removed",
    "node_renamed",
    "node_type_changed",
    "node_property_changed",
    "node_moved",
    "nodes_reordered",
    "edge_added",
    "edge_removed",
    "edge_changed",
    "edges_reordered",
    "person_added",
    "person_removed",
    "person_renamed",
    "person_field_changed",
]


class Absent(Enum):
    """What a value is that is not there, which is not the same as null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Value: TypeAlias = JsonValue | Absent
Step: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    `subject` is who changed: a node's label, a person's name, or an edge as `a → b`, each as it is
    called afterwards, unless it was removed. `path` leads to the value that differs, `before` and
    `after` are the value, or `ABSENT`.
    """

    kind: Kind
    subject: str = ""
    path: tuple[Step, ...] = ()
    before: Value = ABSENT
    after: Value = ABSENT

    def __str__(self) -> str:
        match self.kind:
            case "nodes_reordered" | "edges_reordered":
                return f"order of {self.kind.removesuffix('_reordered')} changed"
            case "node_renamed" | "person_renamed":
                who = "" if self.kind == "node_renamed" else "person "
                return f"{who}renamed {say(str(self.before))} → {say(self.subject)}"
            case "node_added" | "node_removed":
                return f"{self._words} {say(self.subject)} ({say(self._type)})"
            case "edge_added" | "edge_removed" | "person_added" | "person_removed":
                return f"{self._words} {say(self.subject)}"
            case _:
                return f"{self.title} {self._difference}"

    @property
    def title(self) -> str:
        """What differs: `verdict.prompt`, `person Judge model`, `edge a → b label`."""
        path, subject = key_path(self.path), say(self.subject)
        match self.kind:
            case "node_property_changed":
                return f"{subject}.{path}" if path[:1] != "[" else f"{subject}{path}"
            case "node_type_changed" | "node_moved":
                return f"{subject} {path}"
            case "edge_changed":
                return f"edge {subject} {path}"
            case "person_field_changed":
                return f"person {subject} {path}"
            case "extra_changed":
                return f"entry {path}"
            case _:
                return self.kind.removesuffix("_changed")

    @property
    def _words(self) -> str:
        return self.kind.replace("_", " ")

    @property
    def _type(self) -> str:
        spec = self.before if self.after is ABSENT else self.after
        return str(spec["type"]) if isinstance(spec, dict) else "?"

    @property
    def _difference(self) -> str:
        if self.is_long:
            return f"changed ({self.words})"
        if self.before is ABSENT:
            return f"added: {shown(self.after)}"
        if self.after is ABSENT:
            return f"removed (was {shown(self.before)})"
        before, after = shown(self.before, self.after), shown(self.after, self.before)
        return f"{before} → {after}" if before != after else f"changed ({before})"

    @property
    def is_long(self) -> bool:
        """Whether two texts differ of which at least one is too long for a line."""
        texts = [each for each in (self.before, self.after) if isinstance(each, str)]
        if self.kind in {"node_renamed", "person_renamed"}:
            return False
        return len(texts) == len((self.before, self.after)) and any(map(is_long, texts))

    @property
    def words(self) -> Words:
        """Of a text that changed, the words that went and came."""
        before, after = self.before, self.after
        return Words.between(
            before if isinstance(before, str) else "", after if isinstance(after, str) else ""
        )

    def to_dict(self) -> dict[str, Any]:
        """The change for machines; `before` or `after` is missing where there was no value."""
        values = {"before": self.before, "after": self.after}
        found = {name: value for name, value in values.items() if value is not ABSENT}
        about = {"kind": self.kind, "subject": self.subject, "path": list(self.path)}
        return {**about, **found, "text": str(self)}


@dataclass(frozen=True, slots=True)
class Diff:
    """All differences between two diagrams; false when there are none."""

    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) if self.changes else "No changes."

    def details(self) -> str:
        """The same, and below each long text the places that differ: `[-before-]{+after+}`."""
        lines: list[str] = []
        for change in self.changes:
            lines.append(str(change))
            if change.is_long:
                lines.extend(f"    {line}" for line in change.words.lines())
        return "\n".join(lines) if lines else str(self)

    def to_dict(self) -> dict[str, Any]:
        """The differences for machines, as JSON data."""
        return {"changed": bool(self), "changes": [change.to_dict() for change in self.changes]}

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython's hook
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self.changes:
            return f"<p>{self}</p>"
        return f"<ul>{''.join(map(_item, self.changes))}</ul>"


def _item(change: Change) -> str:
    text = escape(str(change))
    if not change.is_long:
        return f"<li>{text}</li>"
    return f"<li>{text}<br><small>{'<br>'.join(change.words.html_lines())}</small></li>"
