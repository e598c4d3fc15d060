"""The rows of large files, one after the other: no more of a file is held than a piece of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator
from typing import Any, BinaryIO

from ..diagram.language.values import kind
from ..errors import NodeError
from .formats import Format, load

LONGEST_LINE = 10_000_000
"""Bytes of one line of JSONL."""


def rows_in(file: BinaryIO, format: Format) -> Generator[dict[str, Any], None, None]:  # noqa: A002
    """The rows of a CSV or JSONL file; raises `NodeError` with the line at fault."""
    if format == "csv":
        return csv_rows(file)
    if format == "jsonl":
        return _jsonl_rows(file)
    raise NodeError(
        f"Only csv and jsonl can be read row by row, not {format}: name the `format`, or "
        "read the file and insert what it holds.",
        field="format",
    )


def csv_rows(file: BinaryIO) -> Generator[dict[str, Any], None, None]:
    """One object for each row below the first, which names the columns. Cells are text."""
    # Without its file when it is let go of: that is not ours to close.
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next((row for row in reader if row), [])
        if len(set(header)) < len(header):
            raise NodeError(f"A column stands twice in {', '.join(header)}.")
        wide = len(header)
        for row in reader:
            if len(row) == wide:
                yield dict(zip(header, row, strict=True))
            elif row and len(row) < wide:
                yield dict(zip(header, row + [""] * (wide - len(row)), strict=True))
            elif row:
                raise NodeError(
                    f"The text is not valid CSV (line {reader.line_num}): {len(row)} cells under "
                    f"{wide} columns."
                )
    except csv.Error as error:
        message = f"The text is not valid CSV (line {reader.line_num}): {error}."
        raise NodeError(message) from None
    except UnicodeDecodeError:
        message = f"The file is not text in UTF-8 (about line {reader.line_num}). Save it as UTF-8."
        raise NodeError(message) from None
    finally:
        text.detach()


def _jsonl_rows(file: BinaryIO) -> Generator[dict[str, Any], None, None]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise NodeError(f"Line {number:,} has more than {LONGEST_LINE:,} bytes.")
        if line.isspace():
            continue
        row = _parsed(line, number)
        if not isinstance(row, dict):
            raise NodeError(f"Line {number:,} is no object, but {kind(row)}.")
        yield row


def _parsed(line: bytes, number: int) -> Any:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise NodeError(f"Line {number:,} is not text in UTF-8. Save the file as UTF-8.") from None
    try:
        return load(text, "json")
    except NodeError as error:
        raise NodeError(f"Line {number:,}: {error}") from None
