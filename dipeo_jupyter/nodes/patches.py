"""Unified diffs: read, and applied to a text.

A hunk is looked for where it says, then further and further away, and at last without the outermost
lines around its changes (`fuzz`). Lines that are not changed stay exactly as they are in the text,
ends of lines included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from ..errors import NodeError

Kind: TypeAlias = Literal[" ", "-", "+"]

MOST_HUNKS = 2_000
FARTHEST = 10_000
"""Lines from where a hunk should be to where it is still looked for."""

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_FENCE = re.compile(r"\A\s*```[^\n]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_OTHER = re.compile(r"^(\*{15}|\d+(,\d+)?[acd]\d+(,\d+)?$|\d+(,\d+)?[acd]$)", re.MULTILINE)
_NULL = "/dev/null"
_BEHIND = ("", "-- ")
"""Lines behind the last hunk: nothing, or the signature of a mail."""
_SIDES: Mapping[Kind, tuple[Kind, ...]] = {" ": ("-", "+"), "-": ("-",), "+": ("+",)}


@dataclass(slots=True)
class Hunk:
    """One place to change: the first line there, counted from 1, and what was and what will be."""

    start: int
    lines: list[tuple[Kind, str]] = field(default_factory=list)
    ends: dict[Kind, bool] = field(default_factory=dict)
    """Sides whose last line has no end."""

    def reversed(self, start: int) -> Hunk:
        """What takes it back."""
        turned: dict[Kind, Kind] = {" ": " ", "-": "+", "+": "-"}
        lines = [(turned[kind], text) for kind, text in self.lines]
        return Hunk(start, lines, {turned[kind]: ends for kind, ends in self.ends.items()})


@dataclass(slots=True)
class FilePatch:
    """What a diff says of one file."""

    old: str
    new: str
    hunks: list[Hunk] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Where each hunk stands in the new text."""

    @property
    def creates(self) -> bool:
        return self.old == _NULL

    def reversed(self) -> FilePatch:
        """What takes it back."""
        turned = [hunk.reversed(at) for hunk, at in zip(self.hunks, self.starts, strict=True)]
        return FilePatch(self.new, self.old, turned, [hunk.start for hunk in self.hunks])

    def of_hunks(self, numbers: Sequence[int]) -> str:
        """A diff of these hunks alone, numbered from 1."""
        pieces = [f"--- {self.old}", f"+++ {self.new}"]
        for number in numbers:
            hunk, start = self.hunks[number - 1], self.starts[number - 1]
            old, new = (sum(kind in side for kind, _ in hunk.lines) for side in (" -", " +"))
            pieces.append(f"@@ -{hunk.start},{old} +{start},{new} @@")
            pieces += [kind + line for kind, line in hunk.lines]
        return "\n".join(pieces) + "\n"


class Applied(NamedTuple):
    """The text with the hunks in it that fit, and the numbers, from 1, of those that do not."""

    text: str
    rejected: list[int]
    moved: int
    """Hunks that were found elsewhere, or with fewer lines around them."""


def read_diff(text: str, *, strict: bool) -> list[FilePatch]:
    """The files of a diff; raises `NodeError`. If `strict`, hunks have as many lines as they say.

    A block of Markdown around it, as models write it, is left out.
    """
    fenced = _FENCE.match(text)
    lines = [line.rstrip("\r") for line in (fenced[1] if fenced else text).split("\n")]
    found = _Reader(lines, strict=strict).files()
    if not any(each.hunks for each in found):
        other = _OTHER.search(text)
        hint = " Make it with `diff -u`." if other else ""
        raise NodeError(f"This is no unified diff: it has no line with @@ … @@.{hint}")
    return [each for each in found if each.hunks]


class _Reader:
    def __init__(self, lines: Sequence[str], *, strict: bool) -> None:
        self._lines = lines
        self._strict = strict
        self._at = 0

    def files(self) -> list[FilePatch]:
        found = [FilePatch("", "")]
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if self._begins_file():
                old, new = self._lines[self._at : self._at + 2]
                found.append(FilePatch(_name(old), _name(new)))
                self._at += 2
            elif head := _HUNK.match(line):
                self._at += 1
                patch = found[-1]
                patch.hunks.append(self._hunk(head))
                patch.starts.append(int(head[3]))
                if sum(len(each.hunks) for each in found) > MOST_HUNKS:
                    raise NodeError(f"The diff has more than {MOST_HUNKS:,} hunks.")
            else:
                self._at += 1
        return found

    def _begins_file(self) -> bool:
        both = self._lines[self._at : self._at + 2]
        return len(both) > 1 and both[0].startswith("--- ") and both[1].startswith("+++ ")

    def _hunk(self, head: re.Match[str]) -> Hunk:
        hunk, line = Hunk(int(head[1])), self._at
        left: dict[Kind, int] = {"-": int(head[2] or 1), "+": int(head[4] or 1)}
        hunk.lines.extend(self._body(hunk, left))
        if self._strict and any(left.values()):
            raise NodeError(
                f"Line {line} of the diff says {_counted(head)}, and what follows has not as many. "
                "Correct it, or write `validate_patch: false`."
            )
        return hunk

    def _body(self, hunk: Hunk, left: dict[Kind, int]) -> Iterator[tuple[Kind, str]]:
        before: Kind = " "
        while self._at < len(self._lines):
            line = self._lines[self._at]
            full = left["-"] <= 0 and left["+"] <= 0
            if _HUNK.match(line) or (self._begins_file() and (full or not self._strict)):
                return
            if line.startswith("\\"):
                hunk.ends |= dict.fromkeys(_SIDES[before], True)
                self._at += 1
                continue
            kind, text = _kind(line)
            if kind is None or (full and (self._strict or line in _BEHIND)):
                return
            before = kind
            for side in _SIDES[kind]:
                left[side] -= 1
            self._at += 1
            yield kind, text


def apply(text: str, patch: FilePatch, fuzz: int, *, loose: bool = False) -> Applied:
    """The text with a patch in it. If `loose`, spaces and tabs may differ."""
    source = _Lines.of(text)
    looking = _Looking(source.lines, _squeezed if loose else _as_it_is)
    result: list[str] = []
    done, shift, moved, rejected = 0, 0, 0, []
    for number, hunk in enumerate(patch.hunks, 1):
        found = looking.place(hunk, done, shift, fuzz)
        if found is None:
            rejected.append(number)
            continue
        place, cut, lines = found
        moved += bool(place.shift != 0 or cut)
        shift += place.shift
        result += source.lines[done : place.at]
        at = place.at
        for kind, line in lines:
            if kind == "+":
                result.append(line)
                continue
            if kind == " ":
                result.append(source.lines[at])
            at += 1
        done = at
        if at == len(source.lines) and (hunk.ends or not source.lines):
            source.ends = not hunk.ends.get("+", False)
    result += source.lines[done:]
    return Applied(source.joined(result), rejected, moved)


class _Place(NamedTuple):
    at: int
    shift: int


@dataclass(slots=True)
class _Lines:
    """A text as lines without their ends; `end` is the end that they have."""

    lines: list[str]
    end: str
    ends: bool
    """Whether the last line has one, too."""

    @classmethod
    def of(cls, text: str) -> _Lines:
        windows = text.count("\r\n") * 2 > text.count("\n")
        lines = text.split("\n")
        ends = lines[-1] == ""
        if ends:
            lines.pop()
        if windows:
            lines = [line.removesuffix("\r") for line in lines]
        return cls(lines, "\r\n" if windows else "\n", ends)

    def joined(self, lines: Sequence[str]) -> str:
        return self.end.join(lines) + (self.end if self.ends and lines else "")


class _Looking:
    """Looks for hunks in the lines of a text, which are compared in some way."""

    def __init__(self, lines: Sequence[str], compared: Callable[[str], str]) -> None:
        self._lines = [compared(line) for line in lines]
        self._compared = compared

    def place(
        self, hunk: Hunk, after: int, shift: int, fuzz: int
    ) -> tuple[_Place, int, list[tuple[Kind, str]]] | None:
        """Where a hunk fits behind a line, how much of it had to be left out, and the rest."""
        only_adds = all(kind == "+" for kind, _ in hunk.lines)
        # A hunk that only adds stands behind the line that it names.
        first = hunk.start if only_adds else max(hunk.start - 1, 0)
        before = len(hunk.lines) + 1
        for cut in range(fuzz + 1):
            head, lines = _trimmed(hunk.lines, cut)
            old = [self._compared(line) for kind, line in lines if kind != "+"]
            if len(lines) == before or not (old or only_adds):
                return None
            before = len(lines)
            at = self._nearest(old, first + head + shift, after)
            if at is not None:
                return _Place(at, at - first - head - shift), cut, lines
        return None

    def _nearest(self, old: Sequence[str], wanted: int, after: int) -> int | None:
        last = len(self._lines) - len(old)
        if not old:
            return min(max(wanted, after), last)
        for distance in range(FARTHEST):
            for at in {wanted - distance, wanted + distance}:
                if not after <= at <= last or self._lines[at] != old[0]:
                    continue
                if self._lines[at : at + len(old)] == old:
                    return at
            if wanted - distance < after and wanted + distance > last:
                return None
        return None


def _trimmed(lines: Sequence[tuple[Kind, str]], cut: int) -> tuple[int, list[tuple[Kind, str]]]:
    """The lines without the outermost ones that do not change; how many are left out before."""
    kept = list(lines)
    head = 0
    while head < cut and kept and kept[0][0] == " ":
        kept.pop(0)
        head += 1
    for _ in range(cut):
        if kept and kept[-1][0] == " ":
            kept.pop()
    return head, kept


def _kind(line: str) -> tuple[Kind | None, str]:
    match line[:1]:
        case "" | " ":
            return " ", line[1:]
        case "-":
            return "-", line[1:]
        case "+":
            return "+", line[1:]
        case _:
            return None, line


def _name(line: str) -> str:
    """The file that a line `--- a/name<tab>time` names."""
    name = line[4:].partition("\t")[0].strip().strip('"')
    return name if name == _NULL else name.removeprefix("a/").removeprefix("b/")


def _counted(head: re.Match[str]) -> str:
    return f"{head[2] or 1} lines before and {head[4] or 1} after"


def _as_it_is(line: str) -> str:
    return line.rstrip("\r")


def _squeezed(line: str) -> str:
    return " ".join(line.split())
