"""Conditions: one Python expression over JSON values, evaluated by hand and within limits.

Nothing is ever compiled or executed, `x.y` is the key `y` of an object and nothing else, and only
the functions of `functions.py` and those handed in can be called.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from ..errors import ExpressionError
from .language.expression_syntax import KEPT, parse, place, source
from .language.functions import FUNCTIONS, Meter, admit, contains, numbers, texts
from .language.values import SCALAR, MissingPartError, kind, part, shown, suggestion

_JSON_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
_NO_FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType({})
_CALCULATE: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
}
_ORDER: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
}


def evaluate(
    text: str,
    names: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] = _NO_FUNCTIONS,
) -> Any:
    """The value of an expression over `names`; they are only read, and only those it uses.

    `functions` can be called beside the built-in ones and are given JSON values; when one cannot
    do its work, it raises `ExpressionError`, `TypeError`, `ValueError` or `LookupError`.
    Raises `ExpressionError` with the place and the reason, whatever is wrong.

    >>> evaluate("score > 3 and 'ok' in lower(answer)", {"score": 4, "answer": "OK!"})
    True
    """
    return _Evaluation(text, names, functions).value(parse(text))


def check(text: str, functions: Collection[str] | None = None) -> None:
    """Raise `ExpressionError` when the text is no expression, whatever the names stand for.

    When the names of the handed-in `functions` are given, calls of unknown ones are wrong too.
    """
    calls = _calls(text)
    if functions is None:
        return
    known = {*FUNCTIONS, *functions}
    for node in calls:
        if _called(node) not in known:
            line, column = place(text, node)
            raise ExpressionError(_unknown_function(node, known), line=line, column=column)


@lru_cache(maxsize=KEPT)
def names_in(text: str) -> frozenset[str]:
    """The names an expression needs. Raises `ExpressionError` as `check` does."""
    tree = parse(text)
    called = {id(node.func) for node in _calls(text)}
    used = (
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called
    )
    return frozenset(used) - _JSON_WORDS.keys()


@lru_cache(maxsize=KEPT)
def _calls(text: str) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(parse(text)) if isinstance(node, ast.Call))


def _called(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Name)
    return node.func.id


def _unknown_function(node: ast.Call, known: Collection[str]) -> str:
    name = _called(node)
    hint = suggestion(name, known) or f" There are {', '.join(sorted(known))}."
    return f"There is no function {shown(name)}.{hint}"


class _Evaluation:
    """One evaluation of one expression."""

    def __init__(
        self, text: str, names: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self._text = text
        self._names = names
        self._functions = functions
        self._meter = Meter()

    def value(self, node: ast.expr) -> Any:
        """The value of a part. The innermost part that fails gives the error its place."""
        try:
            return admit(_METHODS[type(node)](self, node))
        except ExpressionError as error:
            if error.line is None:
                error.line, error.column = place(self._text, node)
            raise
        except ZeroDivisionError as error:
            raise self._error(node, "A number is divided by zero.") from error
        except (RecursionError, ArithmeticError, MemoryError, TypeError, ValueError) as error:
            message = f"This cannot be worked out: {error}."
            raise self._error(node, message) from error

    def _error(self, node: ast.expr, message: str) -> ExpressionError:
        line, column = place(self._text, node)
        return ExpressionError(message, line=line, column=column)

    def constant(self, node: ast.Constant) -> Any:
        return node.value

    def name(self, node: ast.Name) -> Any:
        try:
            return self._names[node.id]
        except KeyError:
            if node.id in _JSON_WORDS:
                return _JSON_WORDS[node.id]
        if node.id in FUNCTIONS or node.id in self._functions:
            raise ExpressionError(f"{shown(node.id)} is a function: write `{node.id}(…)`.")
        hint = suggestion(node.id, self._names)
        raise ExpressionError(f"{shown(node.id)} is not known here.{hint}")

    def attribute(self, node: ast.Attribute) -> Any:
        return self._part(node.value, node.attr)

    def subscript(self, node: ast.Subscript) -> Any:
        if isinstance(node.slice, ast.Slice):
            return self._slice(self.value(node.value), node.slice)
        return self._part(node.value, self.value(node.slice))

    def _part(self, node: ast.expr, key: Any) -> Any:
        whole = self.value(node)
        try:
            return part(whole, key)
        except MissingPartError as error:
            written = source(self._text, node)
            hint = f" Write `len({written})`." if key == "length" else error.hint
            raise ExpressionError(f"{shown(written)} {error.lacks}.{hint}") from error

    def _slice(self, whole: Any, node: ast.Slice) -> Any:
        if not isinstance(whole, str | list | tuple):
            raise ExpressionError(f"Only texts and lists have slices, not {kind(whole)}.")
        start, stop, step = (self._end(each) for each in (node.lower, node.upper, node.step))
        if step == 0:
            raise ExpressionError("The step of a slice cannot be 0.")
        chosen = slice(start, stop, step)
        self._meter.make(whole, len(range(*chosen.indices(len(whole)))))
        return whole[chosen]

    def _end(self, node: ast.expr | None) -> int | None:
        value = self.value(node) if node else None
        if not isinstance(value, int | None):
            raise ExpressionError(f"A slice takes whole numbers, not {kind(value)}.")
        return value

    def several(self, node: ast.List | ast.Tuple) -> Any:
        items = [self.value(each) for each in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)

    def dictionary(self, node: ast.Dict) -> dict[Any, Any]:
        keys = [self.value(each) for each in node.keys if each]
        if not all(isinstance(each, SCALAR) for each in keys):
            raise ExpressionError("A key is text, a number, true, false or None.")
        return dict(zip(keys, (self.value(each) for each in node.values), strict=True))

    def choice(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def both_or_either(self, node: ast.BoolOp) -> Any:
        stop_at = isinstance(node.op, ast.Or)
        result: Any = None
        for each in node.values:
            result = self.value(each)
            if bool(result) is stop_at:
                break
        return result

    def signed(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not value
        if not numbers(value):
            raise ExpressionError(f"A sign needs a number, not {kind(value)}.")
        return -value if isinstance(node.op, ast.USub) else +value

    def calculation(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        sign, calculate = _CALCULATE[type(node.op)]
        if sign == "+" and (texts(left, right) or _lists(left, right)):
            self._meter.make(left, len(left) + len(right))
        elif not numbers(left, right):
            message = f"`{sign}` cannot take {kind(left)} and {kind(right)}."
            raise ExpressionError(message + _conversion(sign, left, right))
        return calculate(left, right)

    def comparison(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            if not self._compare(sign, left, right):
                return False
            left = right
        return True

    def _compare(self, sign: ast.cmpop, left: Any, right: Any) -> bool:
        match sign:
            case ast.Is():
                return left is right
            case ast.IsNot():
                return left is not right
            case ast.Eq() | ast.NotEq():
                equal = bool(self._meter.read(left) == self._meter.read(right))
                return equal is isinstance(sign, ast.Eq)
            case ast.In() | ast.NotIn():
                return contains(self._meter, right, left) is isinstance(sign, ast.In)
            case _:
                return self._order(sign, left, right)

    def _order(self, sign: ast.cmpop, left: Any, right: Any) -> bool:
        symbol, precedes = _ORDER[type(sign)]
        if not (numbers(left, right) or texts(left, right)):
            message = f"`{symbol}` cannot compare {kind(left)} with {kind(right)}."
            raise ExpressionError(message + _conversion(symbol, left, right))
        return precedes(self._meter.read(left), self._meter.read(right))

    def call(self, node: ast.Call) -> Any:
        name = _called(node)
        values = [self.value(each) for each in node.args]
        if name in self._functions:
            return self._call_given(name, values)
        if name not in FUNCTIONS:
            raise ExpressionError(_unknown_function(node, {*FUNCTIONS, *self._functions}))
        function = FUNCTIONS[name]
        if not function.least <= len(values) <= function.most:
            raise ExpressionError(f"{name}() takes {function.arity}, not {len(values)}.")
        return function.run(self._meter, *values)

    def _call_given(self, name: str, values: list[Any]) -> Any:
        try:
            return self._functions[name](*values)
        except (TypeError, ValueError, LookupError) as error:
            raise ExpressionError(f"{name}() cannot answer: {error}.") from error


def _lists(left: Any, right: Any) -> bool:
    return isinstance(left, list) and isinstance(right, list)


def _conversion(sign: str, left: Any, right: Any) -> str:
    if not (texts(left) and numbers(right)) and not (numbers(left) and texts(right)):
        return ""
    if sign == "+":
        return " Write str(x) around the number."
    return " Write float(x) around the text."


_METHODS: dict[type[ast.expr], Callable[[_Evaluation, Any], Any]] = {
    ast.Constant: _Evaluation.constant,
    ast.Name: _Evaluation.name,
    ast.Attribute: _Evaluation.attribute,
    ast.Subscript: _Evaluation.subscript,
    ast.List: _Evaluation.several,
    ast.Tuple: _Evaluation.several,
    ast.Dict: _Evaluation.dictionary,
    ast.IfExp: _Evaluation.choice,
    ast.BoolOp: _Evaluation.both_or_either,
    ast.UnaryOp: _Evaluation.signed,
    ast.BinOp: _Evaluation.calculation,
    ast.Compare: _Evaluation.comparison,
    ast.Call: _Evaluation.call,
}
