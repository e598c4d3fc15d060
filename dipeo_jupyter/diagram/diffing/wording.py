"""Differences in words: values as short as can be, and texts word by word."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

from ..drawing.palette import PALETTE
from ..drawing.text import clean

SHORT = 40
"""A value with at most so many letters is shown whole."""
NEARBY = 6
"""So many words are shown on either side of those that changed."""
MOST_WORDS = 1_500
"""In a longer stretch of changed text no words are looked for that stayed."""
_WORD = re.compile(r"\s*\S+\s*|\s+")
_PLAIN = re.compile(r"[^\s\"',{}\[\]→]+( [^\s→]+)*")
_PLAIN_KEY = re.compile(r"[^\s.\[\]\"']+")
ADDED, REMOVED = PALETTE["done"].light, PALETTE["fail"].light


def is_long(text: str) -> bool:
    """Whether a text is too long, or of too many lines, to be shown in a line."""
    return len(text) > SHORT or "\n" in text.strip("\n")


def say(name: str) -> str:
    """A name as part of a line."""
    return clean(name) or '""'


def key_path(path: Sequence[str | int]) -> str:
    """`retry.max_attempts`, `tools[2].name`, `["a.b"].c`."""
    found = ""
    for step in path:
        if isinstance(step, int):
            found += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            found += f".{step}" if found else step
        else:
            found += f"[{json.dumps(step, ensure_ascii=False)}]"
    return clean(found)


def shown(value: Any, other: Any = None) -> str:
    """A value in a line, where `other` is what it is told apart from."""
    match value:
        case None:
            return "none"
        case str():
            return _text(value, quoted=not isinstance(other, str) and other is not None)
        case {"x": int() | float() as x, "y": int() | float() as y, **rest} if not rest:
            return f"({x:g}, {y:g})"
        case dict() | list():
            whole = clean(json.dumps(value, ensure_ascii=False, default=str))
            return whole if len(whole) <= SHORT else _size(value)
        case _:
            return clean(json.dumps(value, ensure_ascii=False, default=str))


def _text(text: str, *, quoted: bool) -> str:
    if is_long(text):
        return _count(len(text.split()), "word")
    plain = _PLAIN.fullmatch(text) and clean(text) == text and not _means_something(text)
    return (
        text
        if plain and not quoted and " " not in text
        else clean(json.dumps(text, ensure_ascii=False))
    )


def _means_something(text: str) -> bool:
    """Whether a text would look like a number, true or false, or nothing."""
    try:
        json.loads(text)
    except ValueError:
        return text == "none"
    return True


def _size(value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, dict):
        return "{" + _count(len(value), "entry") + "}"
    return "[" + _count(len(value), "item") + "]"


def _count(count: int, thing: str) -> str:
    several = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count} {thing if count == 1 else several}"


class Piece(NamedTuple):
    """A stretch of two texts: the same words in both, or words that went and came."""

    before: list[str]
    after: list[str]

    @property
    def same(self) -> bool:
        return [each.strip() for each in self.before] == [each.strip() for each in self.after]


@dataclass(frozen=True, slots=True)
class Words:
    """Two texts side by side, in pieces."""

    pieces: tuple[Piece, ...]

    @classmethod
    def between(cls, before: str, after: str) -> Words:
        one, other = _WORD.findall(before), _WORD.findall(after)
        bare, other_bare = [each.strip() for each in one], [each.strip() for each in other]
        return cls(
            tuple(
                Piece(one[i:j], other[k:m])
                for i, j, k, m in _stretches(bare, other_bare)
                if j > i or m > k
            )
        )

    def __str__(self) -> str:
        changed = [piece for piece in self.pieces if not piece.same]
        if not changed:
            return "spaces only"
        removed, added = (sum(map(len, side)) for side in zip(*changed, strict=True))
        return f"−{removed} +{added} words"

    def lines(self) -> Iterator[str]:
        """Each place that differs with a few words around it: `[-before-]{+after+}`."""
        for begin, middle, end in self._places():
            yield f"{begin}{' '.join(map(_plain_marks, middle))}{end}"

    def html_lines(self) -> Iterator[str]:
        """The same as HTML, with what went struck out and what came underlined."""
        for begin, middle, end in self._places():
            yield f"{escape(begin)}{' '.join(map(_html_marks, middle))}{escape(end)}"

    def _places(self) -> Iterator[tuple[str, list[Piece], str]]:
        """Changed pieces that stand close together, with the words before and after them."""
        group: list[Piece] = []
        start = ""
        for piece in self.pieces:
            if not piece.same or (group and len(piece.after) <= NEARBY):
                group.append(piece)
                continue
            if group:
                yield start, group, _after(piece)
                group = []
            start = _before(piece)
        if group and group[-1].same:
            yield start, group[:-1], _after(group[-1])
        elif group:
            yield start, group, ""


def _plain_marks(piece: Piece) -> str:
    if piece.same:
        return _joined(piece.after)
    removed = f"[-{_joined(piece.before)}-]" if piece.before else ""
    return removed + (f"{{+{_joined(piece.after)}+}}" if piece.after else "")


def _html_marks(piece: Piece) -> str:
    if piece.same:
        return escape(_joined(piece.after))
    return _mark("del", REMOVED, piece.before) + _mark("ins", ADDED, piece.after)


def _mark(tag: str, colour: str, words: Sequence[str]) -> str:
    return f'<{tag} style="color:{colour}">{escape(_joined(words))}</{tag}>' if words else ""


def _joined(words: Sequence[str]) -> str:
    return clean("".join(words))


def _before(piece: Piece) -> str:
    near = _joined(piece.after[-NEARBY:])
    return f"… {near} " if len(piece.after) > NEARBY else f"{near} "


def _after(piece: Piece) -> str:
    near = _joined(piece.after[:NEARBY])
    return f" {near} …" if len(piece.after) > NEARBY else f" {near}"


def _stretches(before: list[str], after: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where the texts are the same and where they are not: from, to; from, to."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    yield 0, head, 0, head
    one, other = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(one), len(other)) > MOST_WORDS:
        yield head, head + len(one), head, head + len(other)
    else:
        matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
        for _, i, j, k, m in matcher.get_opcodes():
            yield head + i, head + j, head + k, head + m
    yield len(before) - tail, len(before), len(after) - tail, len(after)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
