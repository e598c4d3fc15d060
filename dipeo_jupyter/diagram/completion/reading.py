"""Reads YAML that is being typed, and finds what is being typed in it.

Never fails. What is not closed yet (a quote, a bracket) ends where the next line stands no further
in than the one that opened it; a line that stands nowhere belongs to what is above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from ..yaml.events import MAX_DEPTH

MARK = "\0"
"""Stands where the cursor is; no YAML text may contain it."""

_QUOTED = r'"(?:[^"\\\n]|\\.)*+"|' + r"'(?:[^'\n]|'')*+'"
_BLANK = re.compile(r"(?:[ \t\r\n]++|(?<![^\s])\#[^\n]*+|^(?:---|\.\.\.)[ \t]*+$)*+", re.MULTILINE)
_SPACES = re.compile(r"[ \t]*+")
_LINE_IS_OVER = re.compile(r"[ \t\r]*+((?<![^\s])\#[^\n]*+)?$", re.MULTILINE)
_LINE_BEGINS = re.compile(r"\n([ \t]*+)(?![ \t\r]*$|\#)", re.MULTILINE)
_DASH = re.compile(r"-(?=\s|\Z)")
_KEY = re.compile(
    rf"(?:{_QUOTED}|(?![-?]\s|[\[{{\"'#|>&*!%@])(?:[^\n#]|(?<=\S)#)+?)[ \t]*:(?=\s|\Z)"
)
_MARKER = re.compile(r"[&!][^\s,\[\]{}]*+[ \t]++")
_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*+[ \t]*+(\#[^\n]*+)?$", re.MULTILINE)
_PLAIN = re.compile(r"(?:[^\n#]|(?<=\S)\#)*+")
_FLOW_BLANK = re.compile(r"(?:[\s,]++|(?<![^\s])\#[^\n]*+)*+")
# Templates and handles that lack their quotes count as text: that is what is meant.
_FLOW_PLAIN = re.compile(
    r"""(?: \{\{[^{}\n]*+(?:\}\})?
          | (?<=\S)\[[^\],{}\n]*+\]?
          | :(?![\s,\[\]{}]|\Z)
          | (?<=\S)\#
          | [^,\[\]{}:\#\n] )++""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r'\\(["\\/])')


@dataclass(slots=True)
class Scalar:
    """A piece of text: `raw` as it is written without its quotes, `start` where that begins.

    `quote` is `"`, `'`, `|` (text below a key) or nothing.
    """

    raw: str
    start: int
    quote: str = ""
    closed: bool = True

    @property
    def text(self) -> str:
        """What it says, without the mark."""
        return self.decoded(self.raw.replace(MARK, ""))

    def decoded(self, raw: str) -> str:
        """What a part of it says. Of escapes, only the usual ones are understood."""
        match self.quote:
            case '"':
                return _ESCAPED.sub(r"\1", raw)
            case "'":
                return raw.replace("''", "'")
            case _:
                return raw


@dataclass(slots=True)
class Pair:
    """A key and its value. Without a `colon` it may still become something else."""

    key: Scalar
    value: Tree | None = None
    colon: bool = True
    stray: bool = False
    """Whether its line stands further in than those of its map."""


@dataclass(slots=True)
class Map:
    pairs: list[Pair] = field(default_factory=list)
    flow: bool = False

    def get(self, key: str) -> Tree | None:
        """The value under a key, if there is one."""
        return next((pair.value for pair in self.pairs if pair.key.text == key), None)

    def text(self, key: str) -> str:
        """The text under a key; nothing when there is none."""
        value = self.get(key)
        return value.text if isinstance(value, Scalar) else ""


@dataclass(slots=True)
class Sequence:
    items: list[Tree | None] = field(default_factory=list)
    flow: bool = False


Tree: TypeAlias = Scalar | Map | Sequence


def read(text: str) -> Map:
    """The text as far as it can be understood."""
    tree = _Reader(text).block(0, -1)
    return tree if isinstance(tree, Map) else Map()


class _Reader:
    """At each step `at` is where reading goes on. A `parent` is the column of what is around."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    # -- blocks -----------------------------------------------------------------------------------

    def column(self) -> int | None:
        """Go on to what stands next, on whatever line; its column, None at the end."""
        self.at = self.after(_BLANK)
        if self.at >= len(self.text):
            return None
        return self.at - self.text.rfind("\n", 0, self.at) - 1

    def block(self, least: int, parent: int) -> Tree | None:
        """What stands next, when it stands far enough to the right."""
        column = self.column()
        return None if column is None or column < least else self.node(column, parent)

    def node(self, column: int, parent: int) -> Tree | None:
        """What begins here."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                self.at = len(self.text)
                return None
            if _DASH.match(self.text, self.at):
                return self.sequence(column)
            if _KEY.match(self.text, self.at):
                return self.map(Map(), column)
            return self.lonely(column, parent)
        finally:
            self.depth -= 1

    def lonely(self, column: int, parent: int) -> Tree:
        """A value; a word that is being typed, or has keys below it, will become a key."""
        tree = self.value(parent)
        if isinstance(tree, Scalar) and tree.quote != "|":
            below = self.column() == column and _KEY.match(self.text, self.at)
            if below or MARK in tree.raw:
                return self.map(Map([Pair(tree, colon=False)]), column)
        return tree

    def sequence(self, column: int) -> Sequence:
        tree = Sequence()
        while (found := self.column()) is not None:
            last = tree.items[-1] if tree.items else None
            if found == column and _DASH.match(self.text, self.at):
                tree.items.append(self.item(column))
            elif found > column and isinstance(last, Map) and not last.flow:
                last.pairs.append(self.pair(found, stray=True))
            else:
                break
        return tree

    def item(self, column: int) -> Tree | None:
        self.at = _SPACES.match(self.text, self.at + 1).end()  # type: ignore[union-attr]
        self.skip_marker()
        return self.block(column + 1, column)

    def map(self, tree: Map, column: int) -> Map:
        """Read the pairs of a map whose keys stand in this column."""
        while (found := self.column()) is not None and found >= column:
            tree.pairs.append(self.pair(found, stray=found != column))
        return tree

    def pair(self, column: int, *, stray: bool) -> Pair:
        if _DASH.match(self.text, self.at):
            start = self.at
            return Pair(Scalar("", start), self.sequence(column), stray=True)
        key = _KEY.match(self.text, self.at)
        if key is None:
            value = self.value(column)
            word = value if isinstance(value, Scalar) else Scalar("", self.at)
            return Pair(word, colon=False, stray=stray)
        written = key[0][:-1].rstrip()
        quote = written[0] if written[0] in "\"'" else ""
        inside = written[1:-1] if quote else written
        scalar = Scalar(inside, self.at + len(quote), quote)
        self.at = key.end()
        return Pair(scalar, self.after_colon(column), stray=stray)

    def after_colon(self, column: int) -> Tree | None:
        self.at = self.after(_SPACES)
        self.skip_marker()
        if not _LINE_IS_OVER.match(self.text, self.at):
            return self.value(column)
        below = self.column()
        if below == column and _DASH.match(self.text, self.at):
            return self.sequence(column)
        return self.block(column + 1, column)

    # -- values -----------------------------------------------------------------------------------

    def value(self, parent: int) -> Tree:
        """A value that is no block; what stands behind it on its line is left out."""
        char = self.text[self.at]
        if char in "|>" and _BLOCK_TEXT.match(self.text, self.at):
            return self.block_text(parent)
        if (char in "{[" and not self.text.startswith("{{", self.at)) or char in "\"'":
            stop = self.stop(parent)
            tree = self.flow(stop) if char in "{[" else self.quoted(stop)
            if not _LINE_IS_OVER.match(self.text, self.at):
                self.at = self.end_of_line()
            return tree
        return self.plain(parent)

    def plain(self, parent: int) -> Scalar:
        start, end = self.at, self.after(_PLAIN)
        while True:
            self.at = end if end > start else start + 1
            below = self.column()
            begins_something = _DASH.match(self.text, self.at) or _KEY.match(self.text, self.at)
            if below is None or below <= parent or begins_something or self.at <= end:
                break
            end = self.after(_PLAIN)
        self.at = max(end, start + 1)
        return Scalar(self.text[start : self.at].rstrip(" \t\r\n"), start)

    def block_text(self, parent: int) -> Scalar:
        start = min(self.end_of_line() + 1, len(self.text))
        self.at = self.stop(parent)
        return Scalar(self.text[start : self.at], start, "|")

    def quoted(self, stop: int) -> Scalar:
        quote, start = self.text[self.at], self.at + 1
        at = start
        while at < stop:
            if self.text[at] == "\\" and quote == '"':
                at += 2
            elif self.text[at] != quote:
                at += 1
            elif quote == "'" and self.text.startswith("''", at):
                at += 2
            else:
                self.at = at + 1
                return Scalar(self.text[start:at], start, quote)
        self.at = stop
        return Scalar(self.text[start:stop], start, quote, closed=False)

    def flow(self, stop: int) -> Map | Sequence:
        """A map or list in brackets, which ends at `stop` at the latest."""
        tree = Map(flow=True) if self.text[self.at] == "{" else Sequence(flow=True)
        self.at += 1
        self.depth += 1
        while (at := self.after(_FLOW_BLANK)) < stop and self.depth <= MAX_DEPTH:
            self.at = at
            if self.text[at] in "}]":
                self.at += 1
                break
            self.skip_marker()
            if isinstance(tree, Map):
                tree.pairs.append(self.flow_pair(stop))
            else:
                tree.items.append(self.flow_value(stop))
        else:
            self.at = stop
        self.depth -= 1
        return tree

    def flow_pair(self, stop: int) -> Pair:
        key = self.flow_value(stop)
        scalar = key if isinstance(key, Scalar) else Scalar("", self.at)
        self.at = min(self.after(_SPACES), stop)
        if not self.text.startswith(":", self.at) or self.at >= stop:
            return Pair(scalar, colon=False)
        self.at = self.after(_SPACES, self.at + 1)
        self.skip_marker()
        if self.at >= stop or self.text[self.at] in ",}]\n":
            return Pair(scalar)
        return Pair(scalar, self.flow_value(stop))

    def flow_value(self, stop: int) -> Tree:
        char = self.text[self.at]
        if char in "{[" and not self.text.startswith("{{", self.at):
            return self.flow(stop)
        if char in "\"'":
            return self.quoted(stop)
        start = self.at
        found = _FLOW_PLAIN.match(self.text, start, stop)
        self.at = found.end() if found else start + 1
        return Scalar(self.text[start : self.at].rstrip(), start)

    # -- places -----------------------------------------------------------------------------------

    def after(self, pattern: re.Pattern[str], at: int | None = None) -> int:
        """Where a pattern that fits everywhere ends."""
        found = pattern.match(self.text, self.at if at is None else at)
        assert found is not None
        return found.end()

    def skip_marker(self) -> None:
        """Go over an anchor or a tag, if one stands here."""
        if found := _MARKER.match(self.text, self.at):
            self.at = found.end()

    def end_of_line(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def stop(self, parent: int) -> int:
        """The end of the last line before one that stands no further in than the parent."""
        for begin in _LINE_BEGINS.finditer(self.text, self.at):
            if len(begin[1]) <= parent and self.text[begin.end() : begin.end() + 1] not in "}]":
                return begin.start()
        return len(self.text)
