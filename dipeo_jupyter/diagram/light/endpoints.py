"""The ends of a connection as text: `argue`, `argue[first]`, `done?_condtrue`, `done?.false`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from ...errors import DiagramError, Problem
from ..model import DEFAULT, Label
from ..suggest import did_you_mean

HANDLES = (DEFAULT, "first", "condtrue", "condfalse", "success", "error", "results")
"""What may follow a label without brackets (`check_condtrue`)."""
BRANCHES = {"true": "condtrue", "false": "condfalse"}
"""Short names of handles."""
_MOST_BRACKETS = 10


class Endpoint(NamedTuple):
    """One end of an edge."""

    label: Label
    handle: str


def read_endpoint(text: str, labels: Collection[Label]) -> Endpoint:
    """What a text means among these labels: first of all a label, however it looks.

    Raises `DiagramError` when it names no node. In brackets any handle may stand: which ones a node
    has is the business of its type.
    """
    found = find_endpoint(text, labels)
    if found is None:
        raise DiagramError(_unknown_node(text, labels))
    return found


def find_endpoint(text: str, labels: Collection[Label]) -> Endpoint | None:
    """The same; None when the text names no node."""
    if text in labels:
        return Endpoint(text, DEFAULT)
    for spelling in (str, _spaced, _underscored):
        for label, handle in _readings(text):
            if spelling(label) in labels:
                return Endpoint(spelling(label), BRANCHES.get(handle, handle))
    return None


def write_endpoint(label: Label, handle: str, labels: Collection[Label]) -> str:
    """The text that `read_endpoint` understands as this end among these labels."""
    if handle == DEFAULT and label in labels:
        return label
    text = f"{label}[{handle}]"
    # A label may look like another one's handle; spaces before the bracket tell them apart.
    while text in labels:
        text = f"{text[:-1]} ]"
    return text


def _readings(text: str) -> Iterator[Endpoint]:
    yield Endpoint(text, DEFAULT)
    at = len(text) if text.endswith("]") else 0
    for _ in range(_MOST_BRACKETS):
        # A handle may have brackets in its name, and so may a label.
        if (at := text.rfind("[", 0, at)) < 0:
            break
        yield Endpoint(text[:at], text[at + 1 : -1].strip())
    for separator in "_.":
        label, _, handle = text.rpartition(separator)
        if label and (handle in HANDLES or handle in BRANCHES):
            yield Endpoint(label, handle)


def _spaced(label: str) -> str:
    return label.replace("_", " ")


def _underscored(label: str) -> str:
    return label.replace(" ", "_")


def _unknown_node(text: str, labels: Collection[Label]) -> Problem:
    *_, (label, _) = _readings(text)
    message = f"The connection names {_shown(label)}, but no node has this label."
    if label.rstrip("- ") in labels:  # `a --> b`, as in other languages of diagrams
        return Problem("unknown_node", message, hint="An arrow is written `->`.")
    return Problem("unknown_node", message, hint=did_you_mean(label, labels))


def _shown(text: str) -> str:
    most = 60
    return repr(text if len(text) <= most else text[:most] + "…")
