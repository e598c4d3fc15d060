"""Small signs on a grid of 16 by 16: what kind a node is, and how it stands with it.

Each is the `d` of a path that is stroked, not filled.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyph:
    """A sign, in the colour of its kind, on a ground of the same kind."""

    path: str
    colour: str


KINDS = {
    "start": Glyph("M5.5 3v10L13 8z", "green"),
    "condition": Glyph("M8 1.2 14.8 8 8 14.8 1.2 8zM8 5v3.4M8 10.9v.1", "amber"),
    "job": Glyph("M5 4.2 1.2 8 5 11.8M11 4.2 14.8 8 11 11.8M9.2 2.8 6.8 13.2", "blue"),
    "person_job": Glyph(
        "M3 2.5h10A1.5 1.5 0 0 1 14.5 4v5.5A1.5 1.5 0 0 1 13 11H8l-3.5 3v-3H3"
        "A1.5 1.5 0 0 1 1.5 9.5V4A1.5 1.5 0 0 1 3 2.5zM4.5 5.5h7M4.5 8H9",
        "violet",
    ),
    "person_batch_job": Glyph(
        "M5.5 1.5h7.5A1.5 1.5 0 0 1 14.5 3v5.5M2.5 4.5H10.5"
        "a1 1 0 0 1 1 1V10a1 1 0 0 1-1 1H6.5L4 13.5V11H2.5a1 1 0 0 1-1-1V5.5"
        "a1 1 0 0 1 1-1zM4 7.7h5",
        "violet",
    ),
    "db": Glyph(
        "M2.5 4C2.5 2.6 5 1.5 8 1.5S13.5 2.6 13.5 4 11 6.5 8 6.5 2.5 5.4 2.5 4z"
        "V12C2.5 13.4 5 14.5 8 14.5S13.5 13.4 13.5 12V4"
        "M2.5 8C2.5 9.4 5 10.5 8 10.5S13.5 9.4 13.5 8",
        "teal",
    ),
    "endpoint": Glyph("M3.5 15V1.5H13L10.8 5 13 8.5H3.5", "orange"),
    "user_response": Glyph(
        "M14.8 8A6.8 6.8 0 1 1 1.2 8 6.8 6.8 0 1 1 14.8 8z"
        "M6 6.3A2.1 2.1 0 1 1 9 8.2C8.3 8.6 8 9 8 9.6M8 11.7v.1",
        "pink",
    ),
    "notion": Glyph(
        "M3.5 1.5H9.5L12.5 4.5V14.5H3.5zM9.5 1.5V4.5H12.5M6 8h4M6 11h4",
        "grey",
    ),
    "api_job": Glyph(
        "M14.8 8A6.8 6.8 0 1 1 1.2 8 6.8 6.8 0 1 1 14.8 8zM1.2 8h13.6"
        "M8 1.2C4.4 5 4.4 11 8 14.8M8 1.2C11.6 5 11.6 11 8 14.8",
        "teal",
    ),
    "hook": Glyph(
        "M10.8 1.5v7.7a4 4 0 1 1-8 0V7.5L5.5 10M12.3 1.5H9.3",
        "orange",
    ),
    "template_job": Glyph(
        "M5.5 2.5C3.5 2.5 4.5 8 2.2 8 4.5 8 3.5 13.5 5.5 13.5"
        "M10.5 2.5C12.5 2.5 11.5 8 13.8 8 11.5 8 12.5 13.5 10.5 13.5M6.8 6.5h2.4M6.8 9.5h2.4",
        "blue",
    ),
    "json_schema_validator": Glyph(
        "M8 1.2 13.8 3.4V8C13.8 11.4 11.3 13.8 8 14.8 4.7 13.8 2.2 11.4 2.2 8V3.4z"
        "M5.2 8 7.3 10.2 11 5.8",
        "green",
    ),
    "diff_patch": Glyph(
        "M2.5 1.5h11v13h-11zM8 3.8v4.4M5.8 6h4.4M5.8 11.5h4.4",
        "blue",
    ),
}
OTHER_NAMES = {
    "code_job": "job",
    "code": "job",
    "personjob": "person_job",
    "llm": "person_job",
    "agent": "person_job",
    "person_batch": "person_batch_job",
    "personbatchjob": "person_batch_job",
    "if": "condition",
    "branch": "condition",
    "end": "endpoint",
    "finish": "endpoint",
    "userresponse": "user_response",
}
"""What files call a kind of node, too; capitals and hyphens make no difference."""
OTHER_KIND = Glyph("M8 1.2 13.9 4.6V11.4L8 14.8 2.1 11.4V4.6zM8 7.9v.2", "grey")


def kind_of(type_: str) -> str:
    """The kind of node that a type stands for, however a file writes it."""
    name = type_.strip().lower().replace("-", "_")
    return OTHER_NAMES.get(name, name)


def glyph_of(type_: str) -> Glyph:
    """The sign of a type; all that are not known share one."""
    return KINDS.get(kind_of(type_), OTHER_KIND)


MARKS = {
    "pending": Glyph("M4.6 8v.1M8 8v.1M11.4 8v.1", "idle"),
    "running": Glyph("M6.3 4.8V11.2L11.6 8z", "run"),
    "waiting": Glyph("M6 6.2A2.1 2.1 0 1 1 9 8C8.3 8.4 8 8.7 8 9.3M8 11.6v.1", "wait"),
    "paused": Glyph("M6.2 5V11M9.8 5V11", "pause"),
    "completed": Glyph("M4.5 8.3 7 10.8 11.5 5.5", "done"),
    "failed": Glyph("M5.2 5.2 10.8 10.8M10.8 5.2 5.2 10.8", "fail"),
    "cancelled": Glyph("M5.4 5.4H10.6V10.6H5.4z", "idle"),
    "skipped": Glyph("M4.8 8H11.2", "idle"),
    "cached": Glyph("M11.3 8.6A3.4 3.4 0 1 1 10.7 6M11.2 3.6V6.2H8.6", "reuse"),
}
