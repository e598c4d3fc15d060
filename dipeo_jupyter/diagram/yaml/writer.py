"""Plain data as YAML text, in block style, that reads back as exactly the same data."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NoReturn

from ...errors import DiagramError, Problem
from ..source import Path
from .events import MAX_DEPTH, MAX_TEXT
from .scalars import is_block_text, write_scalar

_STEP = 2
# Longer keys must be marked with `?`; YAML's own limit is 1024 characters.
_LONGEST_KEY = 200


class Flow(dict[str, Any]):
    """A map of single values to be written on one line: `{x: 1, y: 2}`."""


def write_yaml(data: dict[str, Any]) -> str:
    """The text of a map that is not empty, with an empty line around each long entry.

    Raises `DiagramError` for what could not be read back: other objects than plain data, numbers
    that are not finite, too many levels, too much text.
    """
    entries = [_entry(key, value, 0, ()) for key, value in data.items()]
    text = entries[0]
    for above, entry in pairwise(entries):
        long = above.count("\n") > 1 or entry.count("\n") > 1
        text += f"\n{entry}" if long else entry
    if len(text) > MAX_TEXT:
        _refuse("too_large", f"The diagram has more than {MAX_TEXT:,} characters as YAML.", ())
    return text


def _entry(key: str, value: Any, indent: int, path: Path) -> str:
    path = (*path, key)
    pad = " " * indent
    name = _scalar(key, path)
    if len(name) > _LONGEST_KEY:
        name = f"? {name}\n{pad}"
    return f"{pad}{name}:{_value(value, indent + _STEP, path)}\n"


def _item(value: Any, indent: int, path: Path) -> str:
    text = _value(value, indent + _STEP, path)
    if isinstance(value, dict | list | tuple):
        # The first entry of a map or list stands on the line of its dash.
        text = " " + text.lstrip("\n ")
    return f"{' ' * indent}-{text}\n"


def _value(value: Any, indent: int, path: Path) -> str:
    """What follows `key:` or `-`: a space and a single line, or a line break and many lines."""
    if isinstance(value, dict | list | tuple) and indent >= MAX_DEPTH * _STEP:
        _refuse("too_large", f"This is nested more than {MAX_DEPTH} levels deep.", path)
    match value:
        case Flow():
            return f" {{{', '.join(f'{key}: {_scalar(value[key], path)}' for key in value)}}}"
        case dict() if value:
            lines = [_entry(key, value[key], indent, path) for key in value]
        case list() | tuple() if value:
            lines = [_item(item, indent, (*path, i)) for i, item in enumerate(value)]
        case dict():
            return " {}"
        case list() | tuple():
            return " []"
        case str() if is_block_text(value):
            return _block(value, " " * indent)
        case _:
            return f" {_scalar(value, path)}"
    return "\n" + "".join(lines).removesuffix("\n")


def _block(text: str, pad: str) -> str:
    header = "|" if text.endswith("\n") else "|-"
    lines = text.removesuffix("\n").split("\n")
    return "\n".join([f" {header}", *(pad + line if line else "" for line in lines)])


def _scalar(value: Any, path: Path) -> str:
    if value is not None and not isinstance(value, str | int | float):
        _refuse("bad_value", f"YAML cannot hold a Python {type(value).__name__}.", path)
    try:
        return write_scalar(value)
    except ValueError:
        _refuse("bad_value", "YAML can hold only finite numbers and whole characters.", path)


def _refuse(code: str, message: str, path: Path) -> NoReturn:
    raise DiagramError(Problem(code, message, path=path))
