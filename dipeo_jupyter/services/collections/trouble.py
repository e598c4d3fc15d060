"""The errors of databases, in our words and without what was to be kept secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import ServiceError

_HINTS = {
    "not authorized": "A query only reads: write it with SELECT, and change rows by `insert`.",
    "read-only transaction": "A query only reads; change rows by `insert` or `upsert`.",
    "data-modifying": "A query only reads; change rows by `insert` or `upsert`.",
    "no such table": "`%dipeo show collections` lists the collections there are.",
    "relation": "`%dipeo show collections` lists the collections there are.",
    "ON CONFLICT": "`upsert` needs `keys` that no two rows share: those of a primary key.",
    "database is locked": "Another run or program writes into it; try again when it is done.",
    "not a database": "Put back what it was, or move the file away to begin anew.",
    "UNIQUE constraint": "There is a row with the same keys already; `upsert` replaces it.",
    "duplicate key": "There is a row with the same keys already; `upsert` replaces it.",
    "could not determine data type": "Say what it is, for instance `CAST(:name AS text)`.",
}
_LONGEST = 500


@contextmanager
def explained(url: Any) -> Iterator[None]:
    """Turn errors of SQLAlchemy and of drivers into `ServiceError`."""
    from sqlalchemy import exc  # noqa: PLC0415 - it is there by now

    try:
        yield
    except exc.DBAPIError as error:
        passing = isinstance(error, exc.OperationalError) and _may_pass(error)
        said = _without_secrets(_first_line(error.orig or error), url)
        trouble = ServiceError(
            f"The database says: {said}. {_hint(said)}".strip(),
            retryable=passing,
            kind="connection" if passing else "other",
        )
    except sqlite3.Error as error:
        said = _first_line(error)
        trouble = ServiceError(
            f"The database says: {said}. {_hint(said)}".strip(), retryable="locked" in said
        )
    except exc.SQLAlchemyError as error:
        trouble = ServiceError(f"{_without_secrets(_first_line(error), url)}.")
    except OverflowError:
        trouble = ServiceError("A whole number is too large for the database: write it as text.")
    else:
        return
    # Not inside `except`: the foreign error holds the values, and the address with its password.
    raise trouble


def _may_pass(error: Any) -> bool:
    said = str(error.orig).lower()
    lasting = ("no such", "syntax", "near ", "readonly", "unable to open", "authentication")
    return not any(each in said for each in lasting)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(". ")[:_LONGEST]


def _hint(said: str) -> str:
    return next((hint for part, hint in _HINTS.items() if part in said), "")


def _without_secrets(said: str, url: Any) -> str:
    password = getattr(url, "password", None)
    return said.replace(str(password), "…") if password else said
