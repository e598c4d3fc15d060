"""Templates: `{{path | filter}}` and `{{#if}} {{#unless}} {{#each}}` blocks, filled in one pass.

What was put in is text from then on: braces inside a value are never looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import TemplateError
from .language.filters import FILTERS, LONGEST_OUTPUT, UNDEFINED, Pen, Undefined, too_long
from .language.template_syntax import Block, Path, Piece, Step, Value, fail, parse, place
from .language.values import JSON, MissingPartError, kind, part, shown

_INDEX = re.compile(r"[0-9]{1,9}")
_LOOP_NAMES = ("this", "@index", "@first", "@last", "@key")
_Loop = Mapping[str, Any]
_NO_LOOP: _Loop = {}


def render(
    template: str, names: Mapping[str, Any], quoted: Callable[[str], str] | None = None
) -> str:
    """The template with values filled in; of `names`, only those it uses are read.

    Raises `TemplateError` with line and column for what is not defined, unless it is written
    `{{name?}}` or has a `default(…)`. Where the text is of another language, as an address is,
    `quoted` makes of each value what stands for it there.

    >>> render("Dear {{who.name}}{{#each xs}}, {{this | upper}}{{/each}}",
    ...        {"who": {"name": "Ann"}, "xs": ["a", "b"]})
    'Dear Ann, A, B'
    """
    rendering = _Rendering(template, names, quoted)
    rendering.write(parse(template), _NO_LOOP)
    return rendering.text()


def value(template: str, names: Mapping[str, Any]) -> Any:
    """What a template stands for that is nothing but one `{{path}}`; of any other, its text.

    Raises `TemplateError` as `render` does.

    >>> value("{{who.pets}}", {"who": {"pets": ["Tom"]}})
    ['Tom']
    """
    pieces = parse(template)
    match [piece for piece in pieces if piece != ""]:
        case [Value() as only]:
            found = _Rendering(template, names).value(only)
            return None if found is UNDEFINED else found
        case _:
            return render(template, names)


def check(template: str) -> None:
    """Raise `TemplateError` when the text is no template, whatever the names stand for."""
    for value in _values(parse(template)):
        path = value.optional or value.path
        if path.wrong:
            fail(template, value.offset, f"{shown(path.whole)} {path.wrong}.")


def names_in(template: str) -> frozenset[str]:
    """The names a template needs: not those of its loops, nor those that may be missing.

    Raises `TemplateError`.
    """
    return frozenset(_needed(parse(template), frozenset()))


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
    own = frozenset(_LOOP_NAMES if block == "each" else ())
    return own | {value.optional.root} if value.optional and block != "unless" else own


class _LostError(Exception):
    """A path leads nowhere: the step at which it ends, or None when its name is not known."""

    def __init__(self, path: Path, at: int | None, missing: MissingPartError) -> None:
        super().__init__(path.whole)
        self.path = path
        self.at = at
        self.missing = missing

    def explained(self, loop: _Loop) -> str:
        path, at = self.path, self.at
        subject = path.whole if path.wrong else _written(path, at or 0)
        return f"{shown(subject)} {self.missing.lacks}.{self._hint(loop)}"

    def _hint(self, loop: _Loop) -> str:
        path, at, this = self.path, self.at, loop.get("this")
        if path.wrong:
            return ""
        if at is not None and path.steps[at] == "length":
            return f" Write `{{{{{_written(path, at)} | length}}}}`."
        if at is None and path.root in _LOOP_NAMES:
            return " It is known inside `{{#each}}` alone."
        if at is None and isinstance(this, dict) and path.root in this:
            return f" Write `{{{{this.{path.whole}}}}}`."
        if at is None and self.missing.hint.startswith(" There is"):  # nothing alike
            return f" Give it to the run, or lead an edge with this label here.{self.missing.hint}"
        optional = f"`{{{{{path.whole[:60]}?}}}}` if it may be missing"
        return self.missing.hint or f" Write {optional}, `\\{{{{` for braces."


class _Rendering:
    """One rendering of one template."""

    def __init__(
        self,
        template: str,
        names: Mapping[str, Any],
        quoted: Callable[[str], str] | None = None,
    ) -> None:
        self._template = template
        self._names = names
        self._quoted = quoted
        self._pen = Pen()
        self._output: list[str] = []
        self._size = 0

    def text(self) -> str:
        return "".join(self._output)

    def value(self, value: Value) -> Any:
        try:
            return self._value(value, _NO_LOOP)
        except TemplateError as error:
            error.line, error.column = place(self._template, value.offset)
            raise

    def write(self, pieces: Sequence[Piece], loop: _Loop) -> None:
        self._pen.spend(1 + len(pieces))
        for piece in pieces:
            try:
                match piece:
                    case str():
                        self._put(piece)
                    case Value():
                        text = self._pen.text(self._value(piece, loop))
                        self._put(self._quoted(text) if self._quoted else text)
                    case Block(kind="each"):
                        self._each(piece, loop)
                    case Block():
                        self._if(piece, loop)
            except TemplateError as error:
                if error.line is None and not isinstance(piece, str):
                    error.line, error.column = place(self._template, piece.offset)
                raise

    def _put(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST_OUTPUT:
            raise too_long()
        self._output.append(text)

    def _if(self, block: Block, loop: _Loop) -> None:
        holds = bool(self._value(block.value, loop)) is (block.kind == "if")
        self.write(block.pieces if holds else block.otherwise, loop)

    def _each(self, block: Block, loop: _Loop) -> None:
        entries = self._entries(self._value(block.value, loop))
        if not entries:
            self.write(block.otherwise, loop)
        last = len(entries) - 1
        for index, (key, item) in enumerate(entries):
            around = (item, index, index == 0, index == last, key)
            self.write(block.pieces, dict(zip(_LOOP_NAMES, around, strict=True)))

    def _entries(self, value: Any) -> list[tuple[Any, Any]]:
        match value:
            case list() | tuple():
                self._pen.spend(len(value))
                return list(enumerate(value))
            case dict():
                self._pen.spend(len(value))
                return list(value.items())
            case None | Undefined():
                return []
            case _:
                message = f"`{{{{#each}}}}` goes over a list or an object, not {kind(value)}."
                raise TemplateError(message)

    def _value(self, value: Value, loop: _Loop) -> Any:
        result = self._found(value, loop)
        if not isinstance(result, JSON) and result is not UNDEFINED:
            message = f"{shown(value.path.whole)} is {kind(result)}, not a JSON value."
            raise TemplateError(message)
        for name, argument in value.filters:
            if result is not UNDEFINED or name == "default":
                result = FILTERS[name].run(self._pen, result, argument)
        return result

    def _found(self, value: Value, loop: _Loop) -> Any:
        try:
            return self._followed(value.path, loop)
        except _LostError as error:
            lost = error
        if value.optional:
            try:
                return self._followed(value.optional, loop)
            except _LostError as error:
                lost = error
        if value.may_be_missing and not lost.path.wrong:
            return UNDEFINED
        raise TemplateError(lost.explained(loop)) from lost

    def _followed(self, path: Path, loop: _Loop) -> Any:
        known = loop if path.root in loop else self._names
        try:
            return known[path.whole]
        except KeyError:
            return self._step_by_step(path, known)

    def _step_by_step(self, path: Path, known: Mapping[str, Any]) -> Any:
        if path.wrong:
            raise _LostError(path, None, MissingPartError(path.wrong))
        try:
            current = known[path.root]
        except KeyError as error:
            missing = MissingPartError("is not known here", path.root, known)
            raise _LostError(path, None, missing) from error
        for at, step in enumerate(path.steps):
            try:
                current = self._part(current, step)
            except MissingPartError as missing:
                raise _LostError(path, at, missing) from missing
        return current

    def _part(self, value: Any, step: Step) -> Any:
        if isinstance(step, slice):
            if not isinstance(value, str | list | tuple):
                raise MissingPartError(f"is {kind(value)} and has no slices")
            self._pen.spend(len(value) // 100)
            return value[step]
        if isinstance(value, list | tuple) and isinstance(step, str) and _INDEX.fullmatch(step):
            step = int(step)
        return part(value, step)


def _written(path: Path, steps: int) -> str:
    keys = (f".{each}" if isinstance(each, str) else f"[{each}]" for each in path.steps[:steps])
    return path.root + "".join(keys)
