"""Answers in a file of SQLite, which all processes of this machine share.

The well-known library for this, diskcache, has had no release since 2023, and reads its file with
pickle unless it is told not to (CVE-2025-69872): whoever can write there could run code here.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from ...engine.clock import Clock, SystemClock
from ...errors import ServiceError

NAME = "responses.db"
BUSY = 1.0
"""Seconds to wait for other processes, which need a few milliseconds each."""

EXACT = 60.0
"""Seconds to which it is known when an answer was last asked for: to note it takes a while."""

_log = logging.getLogger(__name__)
_POLL = 0.005
_REAL_TIME = SystemClock()
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SET_UP = """
PRAGMA trusted_schema = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
"""
_TABLES = (
    """CREATE TABLE IF NOT EXISTS responses (
        key TEXT PRIMARY KEY, made REAL NOT NULL, used REAL NOT NULL, text TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS by_made ON responses (made)",
    "CREATE INDEX IF NOT EXISTS by_used ON responses (used)",
)
T = TypeVar("T")


class ResponseFile:
    """Fulfils `Store` by the file `responses.db` in a folder, for the user alone.

    An answer is kept for some `seconds`; when all take more than so many `megabytes`, those go
    first that were not asked for the longest time. A damaged file is begun anew.
    """

    def __init__(
        self, home: Path, *, seconds: float, megabytes: float, clock: Clock = _REAL_TIME
    ) -> None:
        self._path = home.absolute() / NAME
        self._seconds = seconds
        self._limit = megabytes * 1e6
        self._clock = clock

    def get(self, key: str) -> str | None:
        now = self._clock.time()

        def work(connection: sqlite3.Connection) -> str | None:
            found = connection.execute(
                "SELECT text, used FROM responses WHERE key = ? AND made > ?",
                (key, now - self._seconds),
            ).fetchone()
            if found is None:
                return None
            text, used = found
            if now - used > EXACT:
                connection.execute("UPDATE responses SET used = ? WHERE key = ?", (now, key))
            return str(text)

        return self._do(work)

    def put(self, key: str, text: str) -> None:
        now = self._clock.time()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM responses WHERE made <= ?", (now - self._seconds,))
            connection.execute(
                "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?)", (key, now, now, text)
            )
            self._make_room(connection)

        self._do(work)

    def _make_room(self, connection: sqlite3.Connection) -> None:
        def number(query: str) -> int:
            return int(connection.execute(query).fetchone()[0])

        page = number("PRAGMA page_size")
        while (number("PRAGMA page_count") - number("PRAGMA freelist_count")) * page > self._limit:
            some = 1 + number("SELECT count(*) FROM responses") // 100
            oldest = "SELECT rowid FROM responses ORDER BY used, rowid LIMIT ?"
            gone = connection.execute(f"DELETE FROM responses WHERE rowid IN ({oldest})", (some,))  # noqa: S608
            if not gone.rowcount:
                return

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # One at a time opens the file, so that nobody has it open when it is taken away, and
            # WAL does without the shared memory that some file systems have not.
            lock = FileLock(self._path.with_suffix(".lock"), mode=0o600)
            with lock.acquire(timeout=BUSY, poll_interval=_POLL):
                try:
                    return self._once(work)
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                        raise
                _log.warning("The response cache %s is damaged; it is begun anew.", self._path)
                self._remove()
                return self._once(work)
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or str(error)
            said = f"The response cache {self._path} cannot be used: {why}."
            raise ServiceError(said) from None

    def _once(self, work: Callable[[sqlite3.Connection], T]) -> T:
        # SQLite gives its other files the mode of this one.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(self._path, timeout=BUSY, isolation_level=None)) as connection:
            if not self._path.stat().st_size:
                connection.execute("PRAGMA auto_vacuum = FULL")  # a smaller limit makes it smaller
            connection.executescript(_SET_UP)
            connection.execute("BEGIN IMMEDIATE")
            for table in _TABLES:
                connection.execute(table)
            result = work(connection)
            connection.execute("COMMIT")
            return result

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(NAME + suffix).unlink(missing_ok=True)
