"""From the text of a template to its pieces: texts, values, and blocks of pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, TypeAlias

from ...errors import TemplateError
from .filters import FILTERS
from .values import shown, suggestion

LONGEST = 1_000_000
"""Characters in a template."""
_LONGEST_KEPT = 20_000
"""Longer ones are read anew each time, so that no cache keeps them in memory."""
_MOST_TAGS = 5_000
_LONGEST_TAG = 2_000
_DEEPEST = 20

_QUOTED = r"""(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')"""
_OPENING = re.compile(r"(?P<escape>\\{0,2})(?P<braces>\{{2,})")
_INSIDE = re.compile(rf"(?:[\[(]\s*{_QUOTED}\s*[\])]|(?!\}}\}}|\{{\{{).)*+", re.DOTALL)
_PATH = re.compile(rf"(?:\[\s*{_QUOTED}\s*\]|[^|])*+")
_ROOT = re.compile(r"[^.\[|]+")
_STEP = re.compile(
    rf"""\s*(?: \.(?P<key>[^.\[|]+)
              | \[\s*(?P<quoted>{_QUOTED})\s*\]
              | \[\s*(?P<index>-?[0-9]{{1,9}})\s*\]
              | \[\s*(?P<start>-?[0-9]{{1,9}})?\s*:\s*(?P<stop>-?[0-9]{{1,9}})?\s*\] )""",
    re.VERBOSE,
)
_FILTER = re.compile(
    rf"""\|\s*(?P<name>\w+)\s*
         (?: \(\s*(?: (?P<text>{_QUOTED}) | (?P<number>-?[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?) )?\s*\) )?
         \s*""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}

Step: TypeAlias = str | int | slice


@dataclass(frozen=True, slots=True)
class Path:
    """Leads to a value: a name, then keys, indexes and slices.

    `whole` is the text as written, since a name may hold any character. `wrong` says what is wrong
    with the rest, should there be no such name.
    """

    whole: str
    root: str
    steps: tuple[Step, ...] = ()
    wrong: str | None = None


class FilterCall(NamedTuple):
    name: str
    argument: Any


@dataclass(frozen=True, slots=True)
class Value:
    """`{{path | filters}}`. `optional` is the path without its `?`, when it ends in one."""

    offset: int
    path: Path
    optional: Path | None
    filters: tuple[FilterCall, ...]

    @property
    def may_be_missing(self) -> bool:
        return self.optional is not None or any(each.name == "default" for each in self.filters)


@dataclass(frozen=True, slots=True)
class Block:
    """`{{#if value}}…{{else}}…{{/if}}`, and the same with `unless` and `each`."""

    kind: str
    value: Value
    pieces: list[Piece] = field(default_factory=list)
    otherwise: list[Piece] = field(default_factory=list)

    @property
    def offset(self) -> int:
        return self.value.offset


Piece: TypeAlias = str | Value | Block


def place(template: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1."""
    return template.count("\n", 0, offset) + 1, offset - template.rfind("\n", 0, offset)


def fail(template: str, offset: int, message: str) -> NoReturn:
    """Raise `TemplateError` with the place of an offset."""
    line, column = place(template, offset)
    raise TemplateError(message, line=line, column=column)


def parse(template: str) -> tuple[Piece, ...]:
    """The pieces of a template. Raises `TemplateError`."""
    if len(template) > LONGEST:
        raise TemplateError(f"The template is longer than {LONGEST:,} characters.")
    return (_parse_once if len(template) <= _LONGEST_KEPT else _parse)(template)


def _parse(template: str) -> tuple[Piece, ...]:
    return tuple(_Parser(template).pieces())


_parse_once = lru_cache(maxsize=64)(_parse)


class _Tag(NamedTuple):
    offset: int
    text: str


class _Open(NamedTuple):
    """A block that is not closed yet, and where its pieces go now."""

    block: Block
    tag: _Tag
    chained: bool
    in_else: bool = False


class _Parser:
    def __init__(self, template: str) -> None:
        self._template = template
        self._open: list[_Open] = []
        self._top: list[Piece] = []

    def pieces(self) -> list[Piece]:
        tags = 0
        for token in self._tokens():
            match token:
                case str():
                    self._here().extend([token] if token else [])
                case _Tag():
                    tags += 1
                    if tags > _MOST_TAGS:
                        fail(self._template, token.offset, f"More than {_MOST_TAGS:,} tags.")
                    self._take(token)
        if self._open:
            tag = self._open[-1].tag
            fail(self._template, tag.offset, f"{_written(tag)} is never closed.")
        return self._top

    def _tokens(self) -> Iterator[str | _Tag]:
        position = 0
        while opening := _OPENING.search(self._template, position):
            yield self._template[position : opening.start()]
            position = opening.end()
            if opening["escape"] == "\\":
                yield opening["braces"]
                continue
            # `\\{{` is a backslash and a tag, `{{{` a brace and a tag.
            yield opening["escape"][:1] + opening["braces"][:-2]
            if self._template.startswith("!", position):
                position = self._end_of_comment(position - 2)
                continue
            tag = self._tag(position)
            yield tag
            position += len(tag.text) + 2
        yield self._template[position:]

    def _tag(self, start: int) -> _Tag:
        inside = _INSIDE.match(self._template, start)
        assert inside is not None
        if not self._template.startswith("}}", inside.end()):
            message = "`{{` is never closed. Write `\\{{` for two braces."
            fail(self._template, start - 2, message)
        if len(inside[0]) > _LONGEST_TAG:
            fail(self._template, start - 2, f"A tag has more than {_LONGEST_TAG:,} characters.")
        return _Tag(start - 2, inside[0])

    def _end_of_comment(self, offset: int) -> int:
        closing = "--}}" if self._template.startswith("{{!--", offset) else "}}"
        end = self._template.find(closing, offset)
        if end < 0:
            fail(self._template, offset, f"The comment is never closed by `{closing}`.")
        return end + len(closing)

    def _here(self) -> list[Piece]:
        if not self._open:
            return self._top
        innermost = self._open[-1]
        return innermost.block.otherwise if innermost.in_else else innermost.block.pieces

    def _take(self, tag: _Tag) -> None:
        text = tag.text.strip()
        match text[:1], text.split(maxsplit=2):
            case "#", _:
                name, rest = [*text[1:].split(maxsplit=1), "", ""][:2]
                self._open_block(tag, name, rest)
            case "/", _:
                self._close_block(tag, text[1:].strip())
            case _, ["else"]:
                self._turn_to_else(tag)
            case _, ["else", "if", *condition]:
                self._turn_to_else(tag)
                self._open_block(tag, "if", "".join(condition), chained=True)
            case _:
                self._here().append(self._value(tag, text))

    def _open_block(self, tag: _Tag, name: str, rest: str, *, chained: bool = False) -> None:
        if name not in {"if", "unless", "each"}:
            hint = suggestion(name, ["if", "unless", "each"])
            fail(self._template, tag.offset, f"There is no block `#{name[:20]}`.{hint}")
        if len(self._open) >= _DEEPEST:
            fail(self._template, tag.offset, f"More than {_DEEPEST} blocks inside each other.")
        block = Block(name, self._value(tag, rest))
        self._here().append(block)
        self._open.append(_Open(block, tag, chained))

    def _turn_to_else(self, tag: _Tag) -> None:
        if not self._open or self._open[-1].in_else:
            fail(self._template, tag.offset, f"{_written(tag)} belongs to no block.")
        self._open[-1] = self._open[-1]._replace(in_else=True)

    def _close_block(self, tag: _Tag, name: str) -> None:
        while self._open and self._open[-1].chained:
            self._open.pop()
        if not self._open:
            fail(self._template, tag.offset, f"{_written(tag)} closes nothing.")
        if self._open[-1].block.kind != name:
            kind = self._open[-1].block.kind
            fail(self._template, tag.offset, f"{_written(tag)} where `{{{{/{kind}}}}}` is due.")
        self._open.pop()

    def _value(self, tag: _Tag, text: str) -> Value:
        found = _PATH.match(text)
        assert found is not None
        written = found[0].strip()
        if not written:
            message = f"{_written(tag)} names nothing. Write `\\{{{{` for two braces."
            fail(self._template, tag.offset, message)
        filters = tuple(self._filters(tag, text[found.end() :]))
        optional = written[:-1].rstrip() if written.endswith("?") else ""
        return Value(tag.offset, _path(written), _path(optional) if optional else None, filters)

    def _filters(self, tag: _Tag, text: str) -> Iterator[FilterCall]:
        position = 0
        while position < len(text):
            found = _FILTER.match(text, position)
            if found is None:
                message = (
                    f"{_written(tag)} cannot be read after `|`. Write `| upper`, for instance."
                )
                fail(self._template, tag.offset, message)
            yield self._filter(tag, found)
            position = found.end()

    def _filter(self, tag: _Tag, found: re.Match[str]) -> FilterCall:
        name = found["name"]
        if name not in FILTERS:
            hint = suggestion(name, FILTERS)
            fail(self._template, tag.offset, f"There is no filter {shown(name)}.{hint}")
        accepts, argument = FILTERS[name].accepts, _argument(found)
        if argument is None:
            argument = FILTERS[name].otherwise
            if accepts and argument is None:
                example = "200" if int in accepts and str not in accepts else '"text"'
                fail(self._template, tag.offset, f"`{name}` needs a value: `{name}({example})`.")
        elif not isinstance(argument, accepts):
            fail(self._template, tag.offset, f"`{name}` cannot take this value in its brackets.")
        return FilterCall(name, argument)


def _written(tag: _Tag) -> str:
    return f"`{{{{{tag.text[:60]}}}}}`"


def _argument(found: re.Match[str]) -> str | int | float | None:
    if found["text"] is not None:
        return _unquoted(found["text"])
    number = found["number"]
    if number is None:
        return None
    return float(number) if "." in number else int(number)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda each: _ESCAPES.get(each[1], each[0]), text[1:-1])


def _path(text: str) -> Path:
    root = _ROOT.match(text)
    if root is None:
        return Path(text, text, wrong="does not begin with a name")
    steps: list[Step] = []
    position = root.end()
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            return Path(text, root[0].strip(), wrong=f"cannot be read at {shown(text[position:])}")
        steps.append(_step(found))
        position = found.end()
    return Path(text, root[0].strip(), tuple(steps))


def _step(found: re.Match[str]) -> Step:
    if found["key"] is not None:
        return found["key"].strip()
    if found["quoted"] is not None:
        return _unquoted(found["quoted"])
    if found["index"] is not None:
        return int(found["index"])
    start, stop = found["start"], found["stop"]
    return slice(int(start) if start else None, int(stop) if stop else None)
