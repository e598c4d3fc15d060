"""Text to value and back, by format; what `db` and `endpoint` put into files and take out of them.

Text that is to be written goes out as it is, in every format: whoever produced it knew the format.
Only JSON asks for more: text that is no JSON becomes a JSON string. In markdown, what is no text
stands in a fenced block of JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BeforeValidator

from ...diagram.language.values import kind
from ...errors import NodeError
from ..spellings import spelled
from .in_csv import from_csv, header_of, to_csv
from .in_json import as_cell, from_json, from_jsonl, is_json, to_json, to_jsonl
from .in_xml import from_xml, to_xml
from .in_yaml import from_yaml, to_yaml

Format = Literal["text", "json", "yaml", "csv", "xml", "jsonl", "markdown"]
SUFFIXES: Mapping[str, Format] = {
    **{f".{name}": name for name in get_args(Format)},
    ".txt": "text",
    ".log": "text",
    ".md": "markdown",
    ".yml": "yaml",
    ".ndjson": "jsonl",
}


def format_of(path: str, default: Format = "text") -> Format:
    """The format that a path's suffix stands for."""
    return SUFFIXES.get(PurePosixPath(path).suffix.lower(), default)


def format_named(name: Any) -> Any:
    """A format as people write it: its suffix (`md`, `.txt`) stands for it too."""
    if not isinstance(name, str):
        return name
    plain = name.strip().lower().removeprefix(".")
    return SUFFIXES.get(f".{plain}", plain) or None


FormatOrNone: TypeAlias = Annotated[
    Format | None,
    BeforeValidator(format_named),
    spelled(get_args(Format), ["txt", "md", "yml", "log", "ndjson"], optional=True),
]


def load(text: str, format: Format) -> Any:  # noqa: A002 - the word people use in diagrams
    """The value that a text stands for. Raises `NodeError` with the line at fault."""
    return _LOADERS[format](text)


def dump(value: Any, format: Format) -> str:  # noqa: A002
    """The text that stands for a value; text itself goes out as it is (see above).

    Raises `NodeError` for a value that the format cannot hold.
    """
    if isinstance(value, str):
        return value if format != "json" or is_json(value) else to_json(value)
    return _DUMPERS[format](value)


def structured(value: Any) -> Any:
    """A list or object that arrived as JSON text, as models write it; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") and is_json(value):
        return from_json(value)
    return value


def filled(value: Any, render: Callable[[str], Any]) -> Any:
    """The same value with each text in it rendered; keys of objects stay as they are."""
    match value:
        case str():
            return render(value)
        case list() | tuple():
            return [filled(each, render) for each in value]
        case dict():
            return {key: filled(each, render) for key, each in value.items()}
        case _:
            return value


def appended(old: str, value: Any, format: Format) -> str:  # noqa: A002
    """The text of a file after something was added at its end.

    Text and markdown: a line; jsonl and csv: a row, or one for each item of a list; json and yaml:
    one item of the list that the file must hold.
    """
    if format in ("json", "yaml"):
        return dump([*_list_in(old, format), structured(value)], format)
    if format == "xml":
        raise NodeError("Nothing can be appended to xml; read it, change it and write it.")
    start = old if not old or old.endswith("\n") else old + "\n"
    if format == "csv" and not isinstance(value, str):
        return start + to_csv(value, header=header_of(old))
    line = dump(value, format)
    return start + line + ("" if line.endswith("\n") else "\n")


def _list_in(old: str, format: Format) -> list[Any]:  # noqa: A002
    items = load(old, format) if old.strip() else []
    if not isinstance(items, list):
        raise NodeError(f"Only a list can be appended to, and the file holds {kind(items)}.")
    return items


def _to_text(value: Any) -> str:
    return to_json(value) if isinstance(value, list | dict) else as_cell(value)


def _to_markdown(value: Any) -> str:
    return f"```json\n{to_json(value)}```\n"


def _as_it_is(text: str) -> str:
    return text


_LOADERS: Mapping[Format, Callable[[str], Any]] = {
    "text": _as_it_is,
    "markdown": _as_it_is,
    "json": from_json,
    "jsonl": from_jsonl,
    "yaml": from_yaml,
    "csv": from_csv,
    "xml": from_xml,
}
_DUMPERS: Mapping[Format, Callable[[Any], str]] = {
    "text": _to_text,
    "markdown": _to_markdown,
    "json": to_json,
    "jsonl": to_jsonl,
    "yaml": to_yaml,
    "csv": to_csv,
    "xml": to_xml,
}
