"""What a template writes for a value, and the filters that stand after `|`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import TemplateError
from .values import kind, weigh

LONGEST_OUTPUT = 2_000_000
"""Characters in a rendered template, and in each text on the way to it."""


class Undefined:
    """Stands for what is not there and may be missing; it is written as nothing."""


UNDEFINED = Undefined()


def as_text(value: Any) -> str:
    """How a value looks in a text. Raises `TemplateError` for Python objects and huge values."""
    match value:
        case str():
            return value
        case None | Undefined():
            return ""
        case _:
            return _as_json(value)


def _as_json(value: Any) -> str:
    pieces: list[str] = []
    size = 0
    try:
        for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value):
            size += len(piece)
            if size > LONGEST_OUTPUT:
                raise _too_long()
            pieces.append(piece)
    except (TypeError, ValueError, RecursionError) as error:
        raise _no_json(value, error) from error
    return "".join(pieces)


def _as_compact_json(value: Any, _: Any) -> str:
    # Weighed first, since this encoder cannot be stopped on its way.
    try:
        weigh(value, LONGEST_OUTPUT)
        return json.dumps(value, ensure_ascii=False)
    except OverflowError as error:
        raise _too_long() from error
    except (TypeError, ValueError, RecursionError) as error:
        raise _no_json(value, error) from error


def _too_long() -> TemplateError:
    message = f"More than {LONGEST_OUTPUT:,} characters. Show less, for instance with [:10]."
    return TemplateError(message)


def _no_json(value: Any, error: Exception) -> TemplateError:
    if isinstance(value, dict | list | tuple):
        return TemplateError(f"{kind(value)} cannot be written as JSON: {error}.")
    return TemplateError(f"{kind(value)} cannot be written into a text.")


def _truncate(value: Any, length: Any) -> str:
    text = as_text(value)
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def _default(value: Any, instead: Any) -> Any:
    return instead if value is None or value is UNDEFINED else value


def _join(value: Any, between: Any) -> str:
    items = [as_text(each) for each in _list("join", value)]
    if sum(map(len, items)) + len(between) * len(items) > LONGEST_OUTPUT:
        raise _too_long()
    return str(between).join(items)


def _list(name: str, value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TemplateError(f"`{name}` needs a list, not {kind(value)}.")
    return value


def _length(value: Any, _: Any) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise TemplateError(f"`length` needs text, a list or an object, not {kind(value)}.")
    return len(value)


def _end(name: str, index: int) -> Callable[[Any, Any], Any]:
    def run(value: Any, _: Any) -> Any:
        items = value if isinstance(value, str) else _list(name, value)
        return items[index] if items else None

    return run


class Filter(NamedTuple):
    """Changes a value, with one argument, or none when `accepts` is empty."""

    run: Callable[[Any, Any], Any]
    accepts: tuple[type, ...] = ()
    otherwise: Any = None
    """The argument when none is written; None asks for one."""


FILTERS: dict[str, Filter] = {
    "upper": Filter(lambda value, _: as_text(value).upper()),
    "lower": Filter(lambda value, _: as_text(value).lower()),
    "trim": Filter(lambda value, _: as_text(value).strip()),
    "lines": Filter(lambda value, _: as_text(value).splitlines()),
    "json": Filter(_as_compact_json),
    "length": Filter(_length),
    "first": Filter(_end("first", 0)),
    "last": Filter(_end("last", -1)),
    "truncate": Filter(_truncate, (int,)),
    "default": Filter(_default, (str, int, float)),
    "join": Filter(_join, (str,), ", "),
}
