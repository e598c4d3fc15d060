"""Statements that only read.

Values are bound, never written into the text; so the text is the diagram's own, and the question is
what it may ask for. The first word and the number of statements are looked at here; that nothing
changes is up to the database itself, which knows its language: SQLite asks `_permit` about every
single thing that a statement does, PostgreSQL gets it as a cursor in a transaction that only reads.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...diagram.suggest import did_you_mean
from ...errors import ServiceError
from .plain import plain, weight

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, TextClause

    from ...engine.ports.collections import Query

MAX_WEIGHT = 50_000_000
"""Characters, about, that one query may give."""

_FIRST = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
_WORDS = ("select", "with", "values", "table")
_PIECES = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(;)", re.DOTALL)
_HARMLESS = (
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
)
_FORBIDDEN_FUNCTIONS = ("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit")
_AT_ONCE = 500


def rows_of(connection: Connection, query: Query) -> list[dict[str, Any]]:
    """All rows that a statement gives; raises `ServiceError` when there are too many."""
    kind = connection.dialect.name
    statement, values = _bound(_checked(query.sql, kind), query.parameters, kind)
    options = {"stream_results": True, "max_row_buffer": _AT_ONCE}
    with _guarded(connection):
        result = connection.execution_options(**options).execute(statement, values)
        try:
            return _gathered(result, query.limit)
        finally:
            result.close()


def _gathered(result: CursorResult[Any], limit: int) -> list[dict[str, Any]]:
    names = list(result.keys())
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ServiceError(f"The query gives two columns {twice!r}: name one with `AS`.")
    rows: list[dict[str, Any]] = []
    total = 0
    for part in result.partitions(_AT_ONCE):
        for each in part:
            rows.append(row := dict(zip(names, map(plain, each), strict=True)))
            total += weight(row)
        if len(rows) > limit:
            raise ServiceError(
                f"The query gives more than {limit:,} rows: set a higher `limit`, or ask for "
                "fewer (WHERE, LIMIT, or a sum of them)."
            )
        if total > MAX_WEIGHT:
            raise ServiceError(f"The query gives more than {MAX_WEIGHT:,} characters.")
    return rows


def _checked(sql: str, kind: str) -> str:
    """The statement without the `;` at its end."""
    found = _FIRST.match(sql)
    if found is None or found[1].lower() not in _WORDS:
        began = f", not {found[1]!r}" if found else ""
        raise ServiceError(
            f"A query begins with SELECT, WITH or VALUES{began}: it only reads. Rows are changed "
            "by `insert` and `upsert`."
        )
    sql = sql.strip().rstrip(";").rstrip()
    # The two others see for themselves that it is one, and know their comments and quotes better.
    if kind not in ("sqlite", "postgresql") and any(each[1] for each in _PIECES.finditer(sql)):
        raise ServiceError("A query is one statement: remove what comes after the `;`.")
    return sql


def _bound(sql: str, given: Mapping[str, Any], kind: str) -> tuple[TextClause, dict[str, Any]]:
    from sqlalchemy import bindparam, text  # noqa: PLC0415 - it is there by now

    statement = text(sql)
    wanted = statement.compile().params
    values: dict[str, Any] = {}
    for name in wanted:
        if name not in given:
            hint = did_you_mean(name, given) or "Write `\\:` for a colon that is none."
            raise ServiceError(f"There is no value for `:{name}`. {hint}")
        values[name] = given[name]
        if isinstance(values[name], dict):
            raise ServiceError(f"`:{name}` is an object; only text, numbers, … can be looked for.")
        if values[name] == [] and kind == "postgresql":
            raise ServiceError(f"`:{name}` is empty, and PostgreSQL wants to know: a list of what?")
        if isinstance(values[name], list):  # x IN :xs
            statement = statement.bindparams(bindparam(name, expanding=True))
    return statement, values


@contextmanager
def _guarded(connection: Connection) -> Iterator[None]:
    file = connection.connection.driver_connection
    if not isinstance(file, sqlite3.Connection):
        yield
        return
    file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_WEIGHT)
    file.execute("PRAGMA query_only = ON")
    file.set_authorizer(_permit)
    try:
        yield
    finally:
        file.set_authorizer(None)


def _permit(action: int, _: str | None, name: str | None, *__: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (name or "").lower() in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _HARMLESS else sqlite3.SQLITE_DENY
