"""Templates: `{{path | filter}}` and `{{#if}} {{#unless}} {{#each}}` blocks, filled in one pass.

What was put in is text from then on: braces inside a value are never looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import TemplateError
from .filters import FILTERS, LONGEST_OUTPUT, UNDEFINED, as_text
from .template_syntax import Block, Path, Piece, Value, fail, parse
from .values import MissingPartError, kind, part, shown, suggestion

_STEPS = 200_000
_LOOP_NAMES = ("this", "@index", "@first", "@last", "@key")
_Loop = Mapping[str, Any]
_NO_LOOP: _Loop = {}


def render(template: str, names: Mapping[str, Any]) -> str:
    """The template with values filled in; of `names`, only those it uses are read.

    Raises `TemplateError` with line and column for what is not defined, unless it is written
    `{{name?}}` or has a `default(…)`.

    >>> render("Dear {{who.name}}{{#each xs}}, {{this | upper}}{{/each}}",
    ...        {"who": {"name": "Ann"}, "xs": ["a", "b"]})
    'Dear Ann, A, B'
    """
    rendering = _Rendering(template, names)
    rendering.write(parse(template), _NO_LOOP)
    return rendering.text()


def check(template: str) -> None:
    """Raise `TemplateError` when the text is no template, whatever the names stand for."""
    for value in _values(parse(template)):
        if value.path.wrong:
            fail(template, value.offset, _cannot_be_read(value.path))


def names_in(template: str) -> frozenset[str]:
    """The names a template needs: not those of its loops, nor those that may be missing.

    Raises `TemplateError`.
    """
    return frozenset(_needed(parse(template), frozenset()))


def _cannot_be_read(path: Path) -> str:
    return f"{shown(path.whole)} {path.wrong}."


def _values(pieces: Iterable[Piece]) -> Iterator[Value]:
    for piece in pieces:
        match piece:
            case Value():
                yield piece
            case Block():
                yield piece.value
                yield from _values(piece.pieces)
                yield from _values(piece.otherwise)


def _needed(pieces: Iterable[Piece], given: frozenset[str]) -> Iterator[str]:
    for piece in pieces:
        match piece:
            case Value(path=path):
                if path.root not in given and not piece.may_be_missing:
                    yield path.root
            case Block(kind=block, value=value):
                yield from _needed([value], given)
                inside = given | _given_inside(block, value)
                yield from _needed(piece.pieces, inside)
                yield from _needed(piece.otherwise, given)


def _given_inside(block: str, value: Value) -> frozenset[str]:
    """What a block makes sure of: a loop its own names, `{{#if x?}}` that x is there."""
    loop = _LOOP_NAMES if block == "each" else ()
    sure = value.optional and block != "unless"
    return frozenset(loop) | ({value.optional.root} if value.optional and sure else frozenset())


class _Rendering:
    """One rendering of one template."""

    def __init__(self, template: str, names: Mapping[str, Any]) -> None:
        self._template = template
        self._names = names
        self._output: list[str] = []
        self._size = 0
        self._steps = _STEPS

    def text(self) -> str:
        return "".join(self._output)

    def write(self, pieces: Iterable[Piece], loop: _Loop) -> None:
        for piece in pieces:
            match piece:
                case str():
                    self._put(piece)
                case Value():
                    self._at(piece, lambda value=piece: self._put(self._text(value, loop)))
                case Block(kind="each"):
                    self._each(piece, loop)
                case Block():
                    self._if(piece, loop)

    def _put(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST_OUTPUT:
            raise TemplateError(f"The text grows beyond {LONGEST_OUTPUT:,} characters.")
        self._output.append(text)
