"""What a template writes for a value, and the filters that stand after `|`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ...errors import TemplateError
from .values import kind, weigh

LONGEST_OUTPUT = 2_000_000
"""Characters in a rendered template, and in each text on the way to it."""
STEPS = 100_000
"""Tags filled in, and the work for large values."""


class Undefined:
    """Stands for what is not there and may be missing: false, and written as nothing."""

    def __bool__(self) -> bool:
        return False


UNDEFINED = Undefined()


class Pen:
    """Writes values as text, and stops a template that grows too dear."""

    def __init__(self) -> None:
        self._steps = STEPS

    def spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise TemplateError("The template takes too many steps. Show less, or use a job.")

    def text(self, value: Any) -> str:
        """How a value looks in a text: None is nothing, lists and objects are JSON in lines."""
        if value is None or value is UNDEFINED:
            return ""
        text = value if isinstance(value, str) else self._json(value)
        self.spend(len(text) // 100)
        return text

    def compact(self, value: Any) -> str:
        """A value as JSON on one line."""
        try:
            # Weighed first, since this encoder cannot be stopped on its way.
            self.spend(weigh(value, 100 * STEPS, per_item=25) // 100)
            text = json.dumps(value, ensure_ascii=False)
        except OverflowError as error:
            raise too_long() from error
        except (TypeError, ValueError, RecursionError) as error:
            raise _no_json(value, error) from error
        if len(text) > LONGEST_OUTPUT:
            raise too_long()
        return text

    def _json(self, value: Any) -> str:
        pieces: list[str] = []
        size = 0
        try:
            for piece in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value):
                size += len(piece)
                if size > LONGEST_OUTPUT:
                    raise too_long()
                pieces.append(piece)
        except (TypeError, ValueError, RecursionError) as error:
            raise _no_json(value, error) from error
        self.spend(size // 40)
        return "".join(pieces)


def too_long() -> TemplateError:
    """The error for a text that outgrows its limit."""
    message = f"The text grows beyond {LONGEST_OUTPUT:,} characters. Show less: `[:10]`."
    return TemplateError(message)


def _no_json(value: Any, error: Exception) -> TemplateError:
    return TemplateError(f"This is {kind(value)} that cannot be written as JSON: {error}.")


def _truncate(pen: Pen, value: Any, length: Any) -> str:
    text = pen.text(value)
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def _default(_: Pen, value: Any, instead: Any) -> Any:
    return instead if value is None or value is UNDEFINED else value


def _lines(pen: Pen, value: Any, _: Any) -> list[str]:
    lines = pen.text(value).splitlines()
    pen.spend(len(lines))
    return lines


def _join(pen: Pen, value: Any, between: Any) -> str:
    items = _list("join", value)
    pen.spend(len(items))
    texts = [pen.text(each) for each in items]
    if sum(map(len, texts)) + len(between) * len(texts) > LONGEST_OUTPUT:
        raise too_long()
    return str(between).join(texts)


def _list(name: str, value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TemplateError(f"`{name}` needs a list, not {kind(value)}.")
    return value


def _length(_: Pen, value: Any, __: Any) -> int:
    if not isinstance(value, str | list | tuple | dict):
        raise TemplateError(f"`length` needs text, a list or an object, not {kind(value)}.")
    return len(value)


def _end(name: str, index: int) -> Callable[[Pen, Any, Any], Any]:
    def run(_: Pen, value: Any, __: Any) -> Any:
        items = value if isinstance(value, str) else _list(name, value)
        return items[index] if items else None

    return run


class Filter(NamedTuple):
    """Changes a value, with one argument, or none when `accepts` is empty."""

    run: Callable[[Pen, Any, Any], Any]
    accepts: tuple[type, ...] = ()
    otherwise: Any = None
    """The argument when none is written; None means that one must be."""


FILTERS: dict[str, Filter] = {
    "upper": Filter(lambda pen, value, _: pen.text(value).upper()),
    "lower": Filter(lambda pen, value, _: pen.text(value).lower()),
    "trim": Filter(lambda pen, value, _: pen.text(value).strip()),
    "json": Filter(lambda pen, value, _: pen.compact(value)),
    "lines": Filter(_lines),
    "length": Filter(_length),
    "first": Filter(_end("first", 0)),
    "last": Filter(_end("last", -1)),
    "truncate": Filter(_truncate, (int,)),
    "default": Filter(_default, (str, int, float)),
    "join": Filter(_join, (str,), ", "),
}
