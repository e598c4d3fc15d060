"""JSON text as plain data: strictly, within limits, and with plain words for what is wrong."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from pydantic import JsonValue

from ...errors import DiagramError, Problem
from ..source import Path
from ..yaml.events import MAX_DEPTH, MAX_TEXT, too_large
from .mistakes import CODE, explain
from .outline import Outline, open_brackets, place_at

MAX_JSON = 2 * MAX_TEXT
"""Characters: JSON needs about twice as many as YAML for the same diagram."""
MOST_PARTS = 1_000_000
MOST_LEVELS = MAX_DEPTH + 2
"""Values stand up to two levels deeper than in YAML."""
_MOST_DIGITS = 4300
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKENS = re.compile(
    r"(?P<open>[\[{])|(?P<close>[\]}])|(?P<number>-?(?:NaN|Infinity|\d[\d.eE+-]*))"
    rf"|(?P<string>{_STRING.pattern})(?P<colon>[ \t\n\r]*:)?",
    re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def read_json(text: str) -> JsonValue:
    """The data that a text stands for.

    Raises `DiagramError` for what is no JSON, is ambiguous (one key twice), cannot be kept (`NaN`)
    or is too large, with line and column.
    """
    _refuse_much(text)
    try:
        data = _decode(text)
    except RecursionError:
        raise _too_deep(text) from None
    if _depth_exceeds(data, MOST_LEVELS):
        raise _too_deep(text)
    if _MAYBE_SURROGATE.search(text):
        _refuse_half_characters(data, text)
    return data


def _decode(text: str) -> JsonValue:
    try:
        data: JsonValue = _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise DiagramError(explain(error, text)) from None
    except _RefusedError as error:
        raise DiagramError(_located(error.problem, text)) from None
    return data


class _RefusedError(Exception):
    """Something that the decoder hands over without its place."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def _no_key_twice(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise _RefusedError(Problem("duplicate_key", "", hint="Remove or rename one of them."))
    return entries


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _unkept(digits)
    return number


def _not_too_long(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise _unkept(digits)
    return int(digits)


def _no_number(name: str) -> float:
    message = f"{name} is not a number that JSON knows."
    raise _RefusedError(Problem(CODE, message, hint="Write `null`, or put it in quotes."))


def _unkept(digits: str) -> _RefusedError:
    message = f"{digits[:40]} is not a number that can be kept."
    return _RefusedError(Problem("bad_value", message, hint="If this is text, put it in quotes."))


_STRICT = json.JSONDecoder(
    object_pairs_hook=_no_key_twice,
    parse_float=_finite,
    parse_int=_not_too_long,
    parse_constant=_no_number,
)


def _located(problem: Problem, text: str) -> Problem:
    """The problem with its place: all before it is correct JSON."""
    if problem.code == "duplicate_key":
        key, first, second = _second_key(text)
        line = place_at(text, first)[0]
        message = f"The key {key[:40]!r} stands twice in one map, here and on line {line}."
        return replace(problem, message=message).at(*place_at(text, second))
    numbers = (found for found in _TOKENS.finditer(text) if found["number"])
    return problem.at(*place_at(text, next(filter(_is_refused, numbers)).start()))


def _is_refused(number: re.Match[str]) -> bool:
    try:
        _STRICT.raw_decode(number[0])
    except _RefusedError:
        return True
    return False


def _second_key(text: str) -> tuple[str, int, int]:
    """The first key that stands twice in one map, and where it does."""
    maps: list[dict[str, int]] = []
    for token in _TOKENS.finditer(text):
        if token["open"]:
            maps.append({})
        elif token["close"]:
            maps.pop()
        elif token["colon"]:
            key = json.loads(token["string"]) if "\\" in token[0] else token["string"][1:-1]
            first = maps[-1].setdefault(key, token.start())
            if first != token.start():
                return key, first, token.start()
    raise AssertionError("no key stands twice")


def _refuse_much(text: str) -> None:
    if len(text) > MAX_JSON:
        raise too_large(f"The text has more than {MAX_JSON:,} characters.")
    # Counting is cheap, and only now and then wrong because of what stands in quotes.
    if _parts(text) > MOST_PARTS and _parts(_STRING.sub("", text)) > MOST_PARTS:
        raise too_large(f"The text has more than {MOST_PARTS:,} parts.")


def _parts(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def _too_deep(text: str) -> DiagramError:
    brackets = open_brackets(text, MOST_LEVELS + 1)
    message = f"This is nested more than {MOST_LEVELS} levels deep."
    return too_large(message, place_at(text, brackets[-1] if brackets else 0))


def _depth_exceeds(data: JsonValue, most: int) -> bool:
    level = [data]
    for _ in range(most + 1):
        maps = [value.values() for value in level if isinstance(value, dict)]
        lists = [value for value in level if isinstance(value, list)]
        if not maps and not lists:
            return False
        level = [*chain.from_iterable(maps), *chain.from_iterable(lists)]
    return True


def _refuse_half_characters(data: JsonValue, text: str) -> None:
    for path in _half_characters(data, ()):
        message = "An escape here stands for half a character, which no text can hold."
        problem = Problem(CODE, message, hint="Write both halves, or the character itself.")
        raise DiagramError(problem.at(*place_at(text, Outline(text).offset(path) or 0)))


def _half_characters(value: JsonValue, path: Path) -> Iterator[Path]:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if _SURROGATE.search(key):
                yield (*path, key)
            yield from _half_characters(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _half_characters(inner, (*path, index))
