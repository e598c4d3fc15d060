"""The tables, and how older files come to have them. `PRAGMA user_version` counts the steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from ...errors import JournalError

Step: TypeAlias = Sequence[str]

APPLICATION = 0x4469504A
"""`PRAGMA application_id`: marks the file as ours ("DiPJ")."""
CHECKED_WHOLE = 8 * 1024 * 1024
"""Files up to this size are read through when they are opened: it takes some milliseconds."""

# A step that was released is never changed: add another.
STEPS: Sequence[Step] = (
    (
        """CREATE TABLE runs(
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT, status TEXT NOT NULL,
            started REAL NOT NULL, events INTEGER NOT NULL, questions TEXT NOT NULL,
            owner TEXT, origin TEXT, parent TEXT) STRICT""",
        """CREATE TABLE entries(
            run INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL, time REAL NOT NULL,
            type TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(run, seq)) STRICT, WITHOUT ROWID""",
        # `body` is text, or a blob: text that was deflated.
        """CREATE TABLE contents(
            id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body ANY NOT NULL) STRICT""",
        """CREATE TABLE uses(
            run INTEGER NOT NULL REFERENCES runs, content INTEGER NOT NULL,
            PRIMARY KEY(run, content)) STRICT, WITHOUT ROWID""",
        # `key` is the key's hash: the key itself stands in the entry.
        """CREATE TABLE effects(
            key INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL,
            PRIMARY KEY(key, run, seq)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE letters(
            number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs,
            command TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 0, reply TEXT) STRICT""",
    ),
    ("ALTER TABLE runs ADD COLUMN thread TEXT",),
    (),  # rows of several events hold a node's start and end as one place
    ("ALTER TABLE runs ADD COLUMN usage TEXT",),  # JSON; NULL where nobody has counted
)


def inspect(connection: sqlite3.Connection, path: Path, steps: Sequence[Step] = STEPS) -> None:
    """Look at a file before anything is written to it. Raises `JournalError` if it is not ours."""
    try:
        version, application = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("user_version", "application_id")
        )
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        sound = _is_sound(connection, path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from error
    if not sound:
        raise _damaged(path, "parts of it are missing or wrong")
    if tables and application != APPLICATION:
        raise JournalError(
            f"The file {path} is no journal of dipeo_jupyter. Move it away, or set DIPEO_HOME to "
            "another folder; until then runs are kept in memory only."
        )
    if version > len(steps):
        raise JournalError(
            f"The journal {path} was made by a newer dipeo_jupyter (its format is {version}, "
            f"this one knows {len(steps)}). Install that one, or set DIPEO_HOME to another "
            "folder; until then runs are kept in memory only."
        )


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Take the steps that the file has not seen. To be called within a transaction."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for step in steps[version:]:
        for statement in step:
            connection.execute(statement)
    if version < len(steps):
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")


def _is_sound(connection: sqlite3.Connection, path: Path) -> bool:
    pages, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )
    if path.stat().st_size > CHECKED_WHOLE:
        wal = path.with_name(f"{path.name}-wal")
        unmoved = wal.exists() and wal.stat().st_size
        return bool(unmoved) or path.stat().st_size >= pages * size
    return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")


def _damaged(path: Path, why: str) -> JournalError:
    return JournalError(
        f"The journal {path} is damaged ({why}). It is kept as it is: move it away to begin a new "
        "one; until then runs are kept in memory only."
    )
