"""Read a diagram from wherever it is: a text, a file, or one that is there already."""

from __future__ import annotations

from pathlib import Path

from ..errors import DiagramError, Problem
from . import light
from .model import Diagram
from .source import Source

Readable = str | Path | Diagram
"""A diagram, a file's path, or light YAML (text with more than one line)."""


def load(source: Readable) -> Diagram:
    """The diagram in a file or a text; raises `DiagramError` with the line of every mistake."""
    return read(source)[0]


def read(source: Readable) -> tuple[Diagram, Source | None]:
    """The same, with the text it was read from, in which errors can be pointed at."""
    if isinstance(source, Diagram):
        return source, None
    if isinstance(source, str) and "\n" in source:
        return light.parse(source, "diagram")
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        no_text = isinstance(error, UnicodeDecodeError)
        reason = "it is no UTF-8 text" if no_text else getattr(error, "strerror", error)
        message = f"The diagram {str(source)!r} cannot be read: {reason}."
        raise DiagramError(Problem("unreadable", message)) from None
    diagram, marks = light.parse(text, path.name)
    if diagram.name is None:
        name = path.stem.removesuffix(".light").removesuffix(".dipeo")
        diagram = diagram.model_copy(update={"name": name})
    return diagram, marks
