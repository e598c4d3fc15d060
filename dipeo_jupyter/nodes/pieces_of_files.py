"""Some lines or rows of a file, which may be larger than what can be held."""

from __future__ import annotations

import asyncio
import io
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO, Self, TypeVar

from ..diagram.suggest import did_you_mean
from ..engine.ports import Files
from ..errors import NodeError
from .formats import Format
from .streams import rows_in

T = TypeVar("T")

_RANGE = re.compile(r"(?P<one>[1-9]\d*)|(?P<first>[1-9]\d*)?:(?P<last>\d+)?")
_OFTEN = 1000
_LONGEST = 1_000_000
_HIGHEST = 50 * _LONGEST


@dataclass(frozen=True, slots=True)
class Span:
    """`5`, `1:120`, `10:` or `:20`: from `first` to `last`, which is None for the end."""

    first: int
    last: int | None

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What is written; None when it is no range."""
        found = _RANGE.fullmatch(text.strip())
        if found is None:
            return None
        if found["one"]:
            return cls(int(found["one"]), int(found["one"]))
        return cls(int(found["first"] or 1), int(found["last"]) if found["last"] else None)

    def holds(self, number: int) -> bool:
        return number >= self.first and not self.ended(number)

    def ended(self, number: int) -> bool:
        """Whether it ends before this number."""
        return self.last is not None and number > self.last


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows, and which of their columns (None: all). `most` is how many characters."""

    span: str
    columns: tuple[str, ...] | None
    most: int


async def read_lines(files: Files, path: str, ranges: tuple[str, ...], most: int) -> str:
    """The lines in these ranges, one after the other; raises `NodeError` for one beyond the end."""
    spans = [span for span in map(Span.read, ranges) if span]

    def work(file: BinaryIO, going: Callable[[], None]) -> str:
        chosen: list[list[str]] = [[] for _ in spans]
        number = total = 0
        for number, line in _lines(file, going):
            if all(span.ended(number) for span in spans):
                break
            for span, lines in zip(spans, chosen, strict=True):
                if span.holds(number):
                    lines.append(line)
                    total += len(line)
            if total > most:
                raise NodeError(f"These lines have more than {most:,} characters.", field="lines")
        for span in spans:
            if span.first > max(number, 1):
                message = f"There is no line {span.first}; there are {number}."
                raise NodeError(message, field="lines")
        return "".join("".join(lines) for lines in chosen)

    return await _in_thread(files, path, work)


async def read_rows(files: Files, path: str, form: Format, wanted: Rows) -> tuple[Any, int]:
    """These rows, and how many characters they have; nothing else of the file is held."""
    span = Span.read(wanted.span)
    if span is None:
        message = f"{wanted.span!r} is no range of rows: write 5, 1:120, 10: or :20."
        raise NodeError(message, field="rows")

    def work(file: BinaryIO, going: Callable[[], None]) -> tuple[Any, int]:
        rows, total = [], 0
        with closing(rows_in(file, form)) as found:
            for number, row in enumerate(found, 1):
                if number % _OFTEN == 0:
                    going()
                if span.ended(number):
                    break
                if number >= span.first:
                    rows.append(kept := _columns_of(row, wanted.columns, form))
                    total += sum(len(name) + len(str(cell)) + 6 for name, cell in kept.items())
                if total > wanted.most:
                    message = f"These rows have more than {wanted.most:,} characters."
                    raise NodeError(message, field="columns" if wanted.span == ":" else "rows")
        return rows, total

    return await _in_thread(files, path, work)


def _columns_of(
    row: dict[str, Any], columns: tuple[str, ...] | None, form: Format
) -> dict[str, Any]:
    if columns is None:
        return row
    if form == "csv" and (missing := [name for name in columns if name not in row]):
        hint = did_you_mean(missing[0], row) or f"It has {', '.join(row)}."
        raise NodeError(f"There is no column {missing[0]!r}. {hint}", field="columns")
    return {name: row.get(name) for name in columns}


def _lines(file: BinaryIO, going: Callable[[], None]) -> Iterator[tuple[int, str]]:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    number = 0
    try:
        while line := text.readline(_LONGEST):
            number += 1
            if number % _OFTEN == 0:
                going()
            while line[-1] not in "\r\n" and (more := text.readline(_LONGEST)):
                going()
                line += more
                if len(line) > _HIGHEST:
                    raise NodeError(f"Line {number:,} has more than {_HIGHEST:,} characters.")
            yield number, line
    except UnicodeDecodeError:
        message = f"The file is not text in UTF-8 (about line {number + 1}). Save it as UTF-8."
        raise NodeError(message) from None
    finally:
        text.detach()


async def _in_thread(
    files: Files, path: str, work: Callable[[BinaryIO, Callable[[], None]], T]
) -> T:
    """Read a file in a thread, which ends soon after nobody waits for it any more."""
    called_off = threading.Event()

    def going() -> None:
        if called_off.is_set():
            raise asyncio.CancelledError

    def read() -> T:
        with files.opened(path) as file:
            return work(file, going)

    try:
        return await asyncio.to_thread(read)
    finally:
        called_off.set()
