"""The functions of expressions, and what one evaluation may cost."""

# ruff: noqa: ARG001 (all are called alike, the meter first, whether they need it or not)
from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...errors import ExpressionError
from .values import CONTAINER, JSON, SCALAR, kind, weigh

STEPS = 20_000
LONGEST_TEXT = 100_000
LONGEST_LIST = 10_000
_BITS = 256
_LONGEST_PATTERN = 200
_LONGEST_NUMERAL = 100
_PLACES = 100


class Meter:
    """Stops an evaluation that grows too dear, before the memory or the time is spent."""

    def __init__(self) -> None:
        self._steps = STEPS

    def spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise ExpressionError("The expression takes too many steps; use a job.")

    def make(self, like: str | Sequence[Any], size: int) -> None:
        """Announce a text or list of this size."""
        text = isinstance(like, str)
        if size > (LONGEST_TEXT if text else LONGEST_LIST):
            what = f"text of {size} characters" if text else f"list of {size} items"
            raise ExpressionError(f"An expression cannot make a {what}; use a job.")
        self.spend(size // 100 if text else size)

    def read(self, value: Any) -> Any:
        """Announce that a whole value is compared or searched, at every level."""
        if isinstance(value, str):
            self.spend(len(value) // 1000)
        else:
            self.weigh(value, STEPS * 100, per_item=100)
        return value

    def weigh(self, value: Any, limit: int, *, per_item: int = 1) -> None:
        """Announce that all of a value is gone through, and that it holds JSON values only."""
        try:
            self.spend(weigh(value, limit, per_item=per_item) // 100)
        except OverflowError as error:
            raise ExpressionError("The expression reads too large a value; use a job.") from error
        except TypeError as error:
            raise ExpressionError(f"{error}; expressions take no others.") from error


def admit(value: Any) -> Any:
    """A value as it may take part. Raises `ExpressionError` for Python objects and huge numbers."""
    if not isinstance(value, JSON):
        message = f"This is {kind(value)}; expressions take JSON values (text, numbers, lists, …)."
        raise ExpressionError(message)
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ExpressionError(f"A number has more than {_BITS} bits.")
    return value


def texts(*values: Any) -> bool:
    """Whether all are text."""
    return all(isinstance(each, str) for each in values)


def numbers(*values: Any) -> bool:
    """Whether all are numbers; true and false count as 1 and 0, as in Python."""
    return all(isinstance(each, int | float) for each in values)


class Function(NamedTuple):
    """What stands behind a name: it is given the meter, then `least` to `most` values."""

    run: Callable[..., Any]
    least: int = 1
    most: int = 1

    @property
    def arity(self) -> str:
        """How many values it takes, in words."""
        match self.least, self.most:
            case 1, 1:
                return "1 value"
            case least, most if least == most:
                return f"{least} values"
            case least, most if most == LONGEST_LIST:
                return f"at least {least} value"
            case least, most:
                return f"{least} or {most} values"


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        message = f"{name}() needs text, not {kind(value)}. Write str(x) if that is meant."
        raise ExpressionError(message)
    return value


def _items(meter: Meter, name: str, value: Any) -> list[Any]:
    if not isinstance(value, CONTAINER):
        raise ExpressionError(f"{name}() needs a list, not {kind(value)}.")
    meter.spend(len(value))
    return [admit(each) for each in value]


def _alike(meter: Meter, name: str, value: Any) -> list[Any]:
    items = _items(meter, name, value)
    if not (numbers(*items) or texts(*items)):
        raise ExpressionError(f"{name}() needs numbers only, or texts only.")
    meter.read(items)
    return items


def _length(meter: Meter, value: Any) -> int:
    if not isinstance(value, (str, *CONTAINER)):
        raise ExpressionError(f"len() needs text, a list or an object, not {kind(value)}.")
    return len(value)


def _extreme(name: str, choose: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    def run(meter: Meter, *values: Any) -> Any:
        items = _alike(meter, name, values[0] if len(values) == 1 else values)
        if not items:
            raise ExpressionError(f"{name}() of an empty list is nothing; ask for len() first.")
        return choose(items)

    return run


def _sum(meter: Meter, value: Any) -> Any:
    items = _items(meter, "sum", value)
    if not numbers(*items):
        raise ExpressionError("sum() needs a list of numbers.")
    return sum(items)


def _sorted(meter: Meter, value: Any) -> list[Any]:
    items = _alike(meter, "sorted", value)
    meter.make(items, len(items))
    return sorted(items)


def _absolute(meter: Meter, value: Any) -> Any:
    if not numbers(value):
        raise ExpressionError(f"abs() needs a number, not {kind(value)}.")
    return abs(value)


def _round(meter: Meter, value: Any, places: Any = None) -> Any:
    if not numbers(value):
        raise ExpressionError(f"round() needs a number, not {kind(value)}.")
    if places is not None and not (isinstance(places, int) and abs(places) <= _PLACES):
        raise ExpressionError(f"round() takes at most {_PLACES} places.")
    return round(value, places)


def _number(name: str, convert: Callable[[Any], Any]) -> Callable[..., Any]:
    def run(meter: Meter, value: Any) -> Any:
        if not (numbers(value) or texts(value)):
            raise ExpressionError(f"{name}() needs a number or text, not {kind(value)}.")
        if isinstance(value, str) and len(value) > _LONGEST_NUMERAL:
            raise ExpressionError(f"{name}() was given a text too long to be a number.")
        try:
            return convert(value)
        except (ValueError, OverflowError) as error:
            raise ExpressionError(f"{name}() was given {kind(value)} that is no number.") from error

    return run


def _string(meter: Meter, value: Any) -> str:
    if isinstance(value, CONTAINER):
        # Before it is printed: an item takes three characters at least.
        meter.weigh(value, LONGEST_TEXT, per_item=3)
    text = str(value)
    meter.make(text, len(text))
    return text


def _truth(meter: Meter, value: Any) -> bool:
    return bool(value)


def _altered(name: str, change: Callable[[str], str]) -> Callable[..., Any]:
    def run(meter: Meter, value: Any) -> str:
        text = _text(name, value)
        meter.make(text, len(text))
        return change(text)

    return run


def contains(meter: Meter, whole: Any, wanted: Any) -> bool:
    """Whether a text, list or object has this part, item or key."""
    match whole:
        case str() if not isinstance(wanted, str):
            raise ExpressionError(f"A text contains only texts, not {kind(wanted)}.")
        case dict():
            if not isinstance(wanted, SCALAR):
                raise ExpressionError(f"An object has no keys that are {kind(wanted)}.")
        case str() | list() | tuple():
            meter.read(whole)
            meter.read(wanted)
        case _:
            message = f"Only a text, a list or an object can be searched, not {kind(whole)}."
            raise ExpressionError(message)
    return wanted in whole


def _at_edge(name: str, test: Callable[[str, str], bool]) -> Callable[..., Any]:
    def run(meter: Meter, value: Any, edge: Any) -> bool:
        return test(_text(name, value), _text(name, edge))

    return run


def _matches(meter: Meter, value: Any, pattern: Any) -> bool:
    """Whether the whole text fits: `*` is any text, `?` one character, `[ab]` one of these.

    No regular expressions of the user's: those can take for ever.
    """
    text, glob = _text("matches", value), _text("matches", pattern)
    if len(glob) > _LONGEST_PATTERN:
        raise ExpressionError(f"The pattern is longer than {_LONGEST_PATTERN} characters.")
    meter.spend(len(text) * len(glob) // 100)
    return re.match(fnmatch.translate(glob), text) is not None


FUNCTIONS: dict[str, Function] = {
    "len": Function(_length),
    "min": Function(_extreme("min", min), most=LONGEST_LIST),
    "max": Function(_extreme("max", max), most=LONGEST_LIST),
    "any": Function(lambda meter, value: any(_items(meter, "any", value))),
    "all": Function(lambda meter, value: all(_items(meter, "all", value))),
    "sum": Function(_sum),
    "abs": Function(_absolute),
    "round": Function(_round, most=2),
    "int": Function(_number("int", int)),
    "float": Function(_number("float", float)),
    "str": Function(_string),
    "bool": Function(_truth),
    "sorted": Function(_sorted),
    "lower": Function(_altered("lower", str.lower)),
    "upper": Function(_altered("upper", str.upper)),
    "strip": Function(_altered("strip", str.strip)),
    "contains": Function(contains, 2, 2),
    "startswith": Function(_at_edge("startswith", str.startswith), 2, 2),
    "endswith": Function(_at_edge("endswith", str.endswith), 2, 2),
    "matches": Function(_matches, 2, 2),
}
