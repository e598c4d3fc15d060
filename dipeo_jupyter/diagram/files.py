"""Read a diagram from wherever it is, in any of the three formats, and write it in any of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Literal, TypeAlias, get_args

from ..atomic import write_file
from ..errors import CommandError, DiagramError, Problem
from . import light, native, readable
from .model import Diagram
from .source import Reading, Source
from .suggest import with_nearest
from .yaml.events import MAX_TEXT

Readable: TypeAlias = str | Path | Diagram
"""A diagram, a file's path, or a diagram's text (with more than one line, or JSON)."""
Format: TypeAlias = Literal["light", "native", "readable"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[Format, str] = {
    "light": ".light.yaml",
    "native": ".native.json",
    "readable": ".readable.yaml",
}

_MODULES: dict[Format, ModuleType] = {"light": light, "native": native, "readable": readable}
_BY_NAME: dict[Format, re.Pattern[str]] = {
    "native": re.compile(r"\.json$", re.IGNORECASE),
    "readable": re.compile(r"\.readable\.ya?ml$", re.IGNORECASE),
    "light": re.compile(r"\.(light|dipeo)\.ya?ml$", re.IGNORECASE),
}
_ENDINGS = re.compile(r"(\.(light|native|readable|dipeo))?\.(ya?ml|json)$", re.IGNORECASE)
_BY_CONTENT: dict[Format, re.Pattern[str]] = {
    "native": re.compile(r"\s*\{"),
    "light": re.compile(r"^version:\s*[\"']?light\b", re.MULTILINE),
    "readable": re.compile(
        r"^((version|format):\s*[\"']?readable\b|(flow|workflow):)", re.MULTILINE
    ),
}
MOST_BYTES = 4 * MAX_TEXT
"""Of a file or of standard input; more is not read at all."""


def is_file(source: Readable) -> bool:
    """Whether it is a file that is read, and not a diagram or the text of one."""
    return isinstance(source, Path) or (isinstance(source, str) and not _is_text(source))


def load(source: Readable) -> Diagram:
    """The diagram in a file or a text; raises `DiagramError` with the line of every mistake."""
    return survey(source).checked().diagram


def survey(source: Readable, *, named: bool = True) -> Reading:
    """What can be read of a file or a text, and all that is wrong with it; never raises.

    With `named`, a diagram without a name is called as its file.
    """
    if isinstance(source, Diagram):
        return Reading(source, Source("", "diagram", {}))
    if isinstance(source, str) and _is_text(source):
        return survey_text(source)
    path = Path(source)
    try:
        text = _text_of(path)
    except DiagramError as error:
        return Reading(Diagram(), Source("", path.name, {}), error.problems)
    return survey_text(text, path.name, named=named)


def survey_text(text: str, name: str = "diagram", *, named: bool = False) -> Reading:
    """The same for a text that is called `name`."""
    reading: Reading = _MODULES[detect(text, name)].survey(text, name)
    if named and reading.diagram.name is None:
        called = name_of_file(name)
        return replace(reading, diagram=reading.diagram.model_copy(update={"name": called}))
    return reading


def name_of_file(file: str) -> str:
    """What a diagram is called whose file is called `file`."""
    return _ENDINGS.sub("", file)


def dumps(diagram: Diagram, to: Format = "light") -> str:
    """The diagram as text in a format; reading it gives the same diagram back."""
    text: str = _MODULES[to].dumps(diagram)
    return text


def converted(diagram: Diagram, to: Format) -> str:
    """The same as `dumps`, read again and compared before anybody relies on it.

    Raises `CommandError` when there is no such format, or it cannot hold the diagram.
    """
    if to not in _MODULES:
        message = with_nearest(f"There is no format {to!r}.", str(to), _MODULES)
        raise CommandError(message, code="unknown_format")
    text = dumps(diagram, to)
    again = survey_text(text, f"converted{SUFFIXES[to]}").checked().diagram
    if again != diagram:
        message = f"The {to} format cannot hold this diagram without a loss."
        raise CommandError(message, code="not_convertible")
    return text


def save(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a diagram's file; `CommandError` when it cannot be written or is there already."""
    if path.exists() and not overwrite:
        message = f"{str(path)!r} is there already. Write --force to replace it."
        raise CommandError(message, code="file_exists")
    try:
        write_file(path, text.encode())
    except OSError as error:
        message = f"{str(path)!r} cannot be written: {error.strerror}."
        raise CommandError(message, code="unwritable") from None


def detect(text: str, name: str = "") -> Format:
    """The format of a text: what it says itself, else what its name says, else light."""
    for format_, pattern in _BY_CONTENT.items():
        if pattern.search(text) if format_ != "native" else pattern.match(text):
            return format_
    return format_of_name(name) or "light"


def format_of_name(name: str) -> Format | None:
    """The format that a file's name stands for, if it stands for one."""
    return next((each for each, pattern in _BY_NAME.items() if pattern.search(name)), None)


def format_for(file: str | None, asked: Format | None = None) -> Format:
    """What to write: what was asked for, else what a file's name says; without a file, light.

    Raises `CommandError` for a name that says nothing.
    """
    found = asked or (format_of_name(file) if file else "light")
    if found is None:
        message = f"{file!r} does not say which format. Add --to {', --to '.join(FORMATS)}."
        raise CommandError(message, code="unknown_format")
    return found


def _is_text(source: str) -> bool:
    return "\n" in source or source.lstrip().startswith("{")


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe may never end.
            what = "it is a directory" if path.is_dir() else "it is no file"
            raise DiagramError(_unreadable(path, what))
        if path.stat().st_size > MOST_BYTES:
            message = f"The diagram {str(path)!r} has more than {MOST_BYTES:,} bytes."
            raise DiagramError(Problem("too_large", message))
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        no_text = isinstance(error, UnicodeDecodeError)
        reason = "it is no UTF-8 text" if no_text else getattr(error, "strerror", error)
        raise DiagramError(_unreadable(path, reason)) from None


def _unreadable(path: Path, reason: object) -> Problem:
    return Problem("unreadable", f"The diagram {str(path)!r} cannot be read: {reason}.")
