"""From the text of an expression to a tree that holds nothing but what is allowed."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NoReturn

from ...errors import ExpressionError
from .values import shown

LONGEST = 4096
KEPT = 128
"""Expressions whose trees are remembered: a diagram is read again and again."""
"""Characters in an expression."""
DEEPEST = 50
"""Brackets inside brackets, and signs or `not` in a row."""
_TALLEST = 100
_DIGITS = 77
_SHORT = 40

_TOKEN = re.compile(
    r'''
    (?P<space>    (?: [ \t\n] | \#[^\n]* )+ )
  | (?P<text>     """(?:[^\\]|\\.)*?""" | "(?!"")(?:[^"\\\n]|\\.)*"
                | \'\'\'(?:[^\\]|\\.)*?\'\'\' | '(?!'')(?:[^'\\\n]|\\.)*' )
  | (?P<number>   (?: [0-9][0-9_]*\.?[0-9_]* | \.[0-9][0-9_]* ) (?: [eE][-+]?[0-9]+ )? )
  | (?P<word>     [^\W0-9]\w* )
  | (?P<operator> [!=]== | [=!<>:]= | && | \|\| | \*\* | << | >> | // | \{\{ | . )
    ''',
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = frozenset({"==", "!=", "<=", ">=", "//", *"<>+-*/%.,:()[]{}"})
_WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "True", "False", "None"})
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_BAD_ESCAPE = re.compile(r"""\\(?![\n\\'"abfnrtvxNuU0-3]|[4-7](?![0-7]{2}))""")
_WHOLE_ESCAPE = re.compile(r"\\\\")

_INSTEAD = {
    "&&": "Write `and`.",
    "||": "Write `or`.",
    "===": "Write `==`.",
    "!==": "Write `!=`.",
    "!": "Write `not`.",
    "&": "Write `and`.",
    "|": "Write `or`.",
    "=": "Write `==` to compare.",
    ":=": "Nothing can be assigned here; write `==` to compare.",
    "**": "Write `x * x`.",
    "{{": "Names stand here without braces.",
    "$": "Names stand here without `$`.",
    "for": "any, all, min, max, sum and sorted take a whole list.",
    "lambda": "Functions cannot be made here.",
    "“": "Write plain quotes.",
    "”": "Write plain quotes.",
    "‘": "Write plain quotes.",
    "’": "Write plain quotes.",
}

_ALLOWED: tuple[type[ast.AST], ...] = (
    *(ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Call, ast.Constant),
    *(ast.Attribute, ast.Subscript, ast.Name, ast.List, ast.Tuple, ast.Dict),
)
_BEYOND: dict[type[ast.AST], str] = {
    ast.Set: "There are no sets here. Write a list: [ ].",
    ast.Starred: "A list cannot be unpacked here.",
    ast.Slice: "A slice stands alone between its brackets.",
}
_METHODS = {
    "get": "{0}[{1}]",
    "keys": "{0}",
    "includes": "contains({0}, {1})",
    "contains": "contains({0}, {1})",
    "startsWith": "startswith({0}, {1})",
    "endsWith": "endswith({0}, {1})",
    "toLowerCase": "lower({0})",
    "toUpperCase": "upper({0})",
    "trim": "strip({0})",
    "lower": "lower({0})",
    "upper": "upper({0})",
    "strip": "strip({0})",
    "startswith": "startswith({0}, {1})",
    "endswith": "endswith({0}, {1})",
}


@lru_cache(maxsize=KEPT)
def parse(text: str) -> ast.expr:
    """The tree of an expression. Raises `ExpressionError` for all that is not allowed."""
    text = _with_plain_newlines(text)
    _scan(text)
    try:
        # In brackets, so that an expression may go over several lines, as YAML writes it.
        tree = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        _unreadable(text, error)
    except (ValueError, MemoryError, RecursionError) as error:
        message = "The expression cannot be read; write it in a simpler way."
        raise ExpressionError(message) from error
    # All heights first: to describe a node is only safe when it is no tower.
    for node in list(_nodes(text, tree)):
        _check(text, node)
    return tree


def place(text: str, node: ast.expr) -> tuple[int, int]:
    """Line and column of a node, from 1."""
    lines = f"({_with_plain_newlines(text)}\n)".split("\n")
    # The parser counts bytes, and the bracket before the first line.
    before = lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="ignore")
    return node.lineno, len(before) + (node.lineno > 1)


def source(text: str, node: ast.expr) -> str:
    """How a part was written, on one line."""
    segment = ast.get_source_segment(f"({_with_plain_newlines(text)}\n)", node) or ""
    return " ".join(segment.split())


def _with_plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse(text: str, node: ast.expr, message: str) -> NoReturn:
    line, column = place(text, node)
    raise ExpressionError(message, line=line, column=column)


def _refuse_at(text: str, offset: int, message: str) -> NoReturn:
    column = offset - text.rfind("\n", 0, offset)
    raise ExpressionError(message, line=text.count("\n", 0, offset) + 1, column=column)


def _scan(text: str) -> None:
    """Keep from Python's parser what it would choke on, and name what has a better form here."""
    if len(text) > LONGEST:
        raise ExpressionError(f"The expression is longer than {LONGEST} characters; use a job.")
    tokens = list(_tokens(text))
    if not tokens:
        raise ExpressionError("The expression is empty.", line=1, column=1)
    signs = 0
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        signs = signs + 1 if token[0] in {"-", "+", "not"} else 0
        if signs > DEEPEST:
            _refuse_at(text, token.start(), f"More than {DEEPEST} signs in a row.")
        if complaint := _complaint(token, following):
            _refuse_at(text, token.start(), complaint)
    _scan_brackets(text, tokens)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    for token in _TOKEN.finditer(text):
        if token[0] in {'"', "'"}:
            # At once: each further quote would be followed to the end of the text again.
            _refuse_at(text, token.start(), "The text is never closed.")
        if token.lastgroup != "space":
            yield token


def _complaint(token: re.Match[str], following: re.Match[str] | None) -> str | None:
    touches = following.lastgroup if following and following.start() == token.end() else None
    match token.lastgroup:
        case "operator" if token[0] not in _OPERATORS:
            return f"{token[0]!r} means nothing here. {_INSTEAD.get(token[0], '')}".rstrip()
        case "word" if touches == "text" and token[0] not in _WORDS:
            return f"A text has no `{token[0]}` before its quotes here; join texts with +."
        case "word" if keyword.iskeyword(token[0]) and token[0] not in _WORDS:
            hint = _INSTEAD.get(token[0], f'For a key of that name write x["{token[0]}"].')
            return f"`{token[0]}` cannot be used here. {hint}"
        case "number" if touches == "word":
            return "Numbers are decimal, such as 3 or 0.5, and end before a letter."
        case "number" if len(token[0]) > _DIGITS:
            return f"The number has more than {_DIGITS} digits."
        case "text" if _BAD_ESCAPE.search(_WHOLE_ESCAPE.sub("", token[0])):
            return r"A backslash in a text is written twice: `\\`."
    return None


def _scan_brackets(text: str, tokens: list[re.Match[str]]) -> None:
    opened: list[re.Match[str]] = []
    for token in tokens:
        if token.lastgroup != "operator":
            continue
        if token[0] in _CLOSING:
            opened.append(token)
        elif token[0] in _CLOSING.values() and not (
            opened and _CLOSING[opened.pop()[0]] == token[0]
        ):
            _refuse_at(text, token.start(), f"`{token[0]}` closes nothing.")
        if len(opened) > DEEPEST:
            _refuse_at(text, token.start(), f"More than {DEEPEST} brackets inside each other.")
    if opened:
        _refuse_at(text, opened[-1].start(), f"`{opened[-1][0]}` is never closed.")


def _unreadable(text: str, error: SyntaxError) -> NoReturn:
    lines = text.split("\n")
    line, column = error.lineno or 1, error.offset or 1
    if line > len(lines):
        line, column = len(lines), len(lines[-1]) + 2
    column = max(1, column - (line == 1))
    near = lines[line - 1][column - 1 :].strip()[:_SHORT]
    shouted = re.search(r"\b(AND|OR|NOT|IN|IS)\b", text)
    hint = f" Write `{shouted[0].lower()}`." if shouted else ""
    where = f"near {shown(near)}" if near else "at its end"
    message = f"The expression cannot be understood {where}.{hint}"
    raise ExpressionError(message, line=line, column=column) from error


def _nodes(text: str, tree: ast.expr) -> Iterator[ast.expr]:
    """Every node from the top down. A slice counts as a part of its subscript."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, height = waiting.pop()
        if isinstance(node, ast.expr):
            if height > _TALLEST:
                _refuse(text, node, f"More than {_TALLEST} steps inside each other; use a job.")
            yield node
        children: list[ast.AST] = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            children = [node.value, *ast.iter_child_nodes(node.slice)]
        waiting += [(each, height + 1) for each in children]


def _check(text: str, node: ast.expr) -> None:
    match node:
        case ast.Call(func=ast.Attribute() as method):
            _refuse(text, node, _instead_of_method(text, method, node.args))
        case ast.Call(func=function) if not isinstance(function, ast.Name):
            _refuse(text, node, "Only a function's name can stand before `(`.")
        case ast.Constant(value=value) if not isinstance(value, str | int | float | None):
            _refuse(text, node, f"`{value!r}` cannot be used here.")
        case ast.Compare(ops=ops, comparators=others):
            for operator, other in zip(ops, others, strict=True):
                if isinstance(operator, ast.Is | ast.IsNot) and not _is_fixed(other):
                    _refuse(text, other, "`is` compares with None alone. Write `==`.")
        case _ if not isinstance(node, _ALLOWED):
            _refuse(text, node, _BEYOND.get(type(node), "This cannot be used here."))


def _is_fixed(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=None | True | False) | ast.Name(id="null" | "true" | "false"):
            return True
        case _:
            return False


def _instead_of_method(text: str, method: ast.Attribute, arguments: list[ast.expr]) -> str:
    form = _METHODS.get(method.attr)
    written = [source(text, each) for each in (method.value, *arguments)]
    if form is None or form.count("{") > len(written) or max(map(len, written)) > _SHORT:
        return f"Values have no methods here, so there is no `.{method.attr}()`."
    return f"Values have no methods here. Write `{form.format(*written)}`."
