"""CSV, whose first row names the columns.

A list of objects is a header and rows, a list of lists is rows alone, other lists are one column.
Cells are text and stay text when read (`007` is no number).
"""

from __future__ import annotations

import csv
import functools
import io
from typing import Any

from ...diagram.language.values import kind
from ...errors import NodeError
from .in_json import as_cell
from .mistakes import invalid


def from_csv(text: str) -> list[dict[str, str]]:
    """A row for each, by the names of the columns. Raises `NodeError`, as all readers do."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise invalid("CSV", reader.line_num, str(error)) from None
    if not rows:
        return []
    header = rows[0][1]
    if len(set(header)) < len(header):
        raise invalid("CSV", 1, f"a column stands twice in {', '.join(header)}")
    for line, row in rows:
        if len(row) > len(header):
            raise invalid("CSV", line, f"{len(row)} cells under {len(header)} columns")
    return [dict(zip(header, row + [""] * len(header), strict=False)) for _, row in rows[1:]]


def header_of(text: str) -> list[str] | None:
    """The names of the columns, if there are any."""
    rows = csv.reader(io.StringIO(text, newline=""))
    return next((row for row in rows if row), None)


def to_csv(value: Any, header: list[str] | None = None) -> str:
    """Rows under a header that is there already, or with the header they need."""
    rows: list[Any] = [value] if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise NodeError(f"csv needs a list of objects or of lists, and this is {kind(value)}.")
    if all(isinstance(row, dict) for row in rows):
        columns = header or list(dict.fromkeys(key for row in rows for key in row))
        table = [_under(columns, row) for row in rows]
        return _text(table if header or not columns else [columns, *table])
    if not all(isinstance(row, list) for row in rows):
        # Plain values: one more row of a table, or a table of one column.
        rows = [rows] if header else [["value"], *([row] for row in rows)]
    if header and (wide := max(map(len, rows))) > len(header):
        raise NodeError(f"A row has {wide} cells, and the csv has {len(header)} columns.")
    return _text(rows)


def _under(columns: list[str], row: dict[str, Any]) -> list[Any]:
    if unknown := [key for key in row if key not in columns]:
        raise NodeError(f"The csv has no column {unknown[0]!r}; it has {', '.join(columns)}.")
    return [row.get(column) for column in columns]


def _text(rows: list[list[Any]]) -> str:
    table = [[as_cell(each) for each in row] for row in rows]
    # The writer itself does not see that a lone carriage return needs quotes.
    returns = any("\r" in cell for row in table for cell in row)
    stream = io.StringIO()
    writer = functools.partial(csv.writer, stream, lineterminator="\n")
    (writer(quoting=csv.QUOTE_ALL) if returns else writer()).writerows(table)
    return stream.getvalue()
