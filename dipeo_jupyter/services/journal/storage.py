"""The file: its folder, its connections, and the lock around everything that writes."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from filelock import FileLock

from ...errors import JournalError
from . import schema

Connect: TypeAlias = Callable[[Path, bool], sqlite3.Connection]
"""Opens the file; the second argument says whether for reading only."""

_log = logging.getLogger(__name__)
_FAR = re.compile(r"nfs|cifs|smb|fuse|9p|afs|ceph|lustre|gluster|gpfs|vboxsf|prl_fs|drvfs")
_POLL = 0.005
_OLDEST = (3, 37)
"""Has strict tables."""
_PRAGMAS = (
    "synchronous = FULL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "wal_autocheckpoint = 1000",
    "journal_size_limit = 16777216",
    "mmap_size = 0",
)


def connect(path: Path, read_only: bool) -> sqlite3.Connection:  # noqa: FBT001 - a port's shape
    """A plain connection, in autocommit mode, that any thread may use."""
    uri = path.absolute().as_uri() + ("?mode=ro" if read_only else "?mode=rwc")
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a journal takes from the machine around it; tests hand in others. Times in seconds.

    `busy` is how long another writer is waited for, `silent` how long trouble may last before it
    is reported, `again` how often it is tried after that.
    """

    connect: Connect = connect
    mounts: Path = Path("/proc/mounts")
    busy: float = 5.0
    silent: float = 0.5
    again: float = 1.0


class Storage:
    """One `journal.db`: a connection that writes, and others that only read."""

    def __init__(self, home: Path, machine: Machine) -> None:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise JournalError(
                f"This Python's SQLite is {sqlite3.sqlite_version}, and a journal in a file needs "
                "3.37: use a newer Python; until then runs are kept in memory only."
            )
        self.machine = machine
        self.path = home.absolute() / "journal.db"
        _prepare(self.path)
        # SQLite before 3.51.3 may damage a WAL file when two processes write and move its pages
        # at the same moment: one process at a time does either.
        self._lock = FileLock(home / "journal.lock", mode=0o600, thread_local=False)
        self._idle: list[sqlite3.Connection] = []
        with self._locked():
            self._inspect()
            self.writer = self._open_writer()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and no other process writes meanwhile."""
        with self._locked():
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # it may be gone already, with the error
                    self.writer.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows one state of the file for as long as it is held."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.reader()
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def reader(self) -> sqlite3.Connection:
        """A new connection for reading."""
        connection = self.machine.connect(self.path, True)  # noqa: FBT003
        connection.execute(f"PRAGMA busy_timeout = {int(self.machine.busy * 1000)}")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        with suppress(sqlite3.Error, OSError), self._locked():
            self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            # SQLite moves pages at the last close as well.
            self.writer.close()
        self.writer.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock.acquire(timeout=self.machine.busy, poll_interval=_POLL):
            yield

    def _inspect(self) -> None:
        if self.path.stat().st_size:
            connection = self.reader()
            try:
                schema.inspect(connection, self.path)
            finally:
                connection.close()

    def _open_writer(self) -> sqlite3.Connection:
        connection = self.machine.connect(self.path, False)  # noqa: FBT003
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        _log.info("The journal is %s, SQLite is %s.", self.path, sqlite3.sqlite_version)
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA busy_timeout = {int(self.machine.busy * 1000)}")
        if not self.path.stat().st_size:
            # Most journals are small, and each table takes a page at least.
            connection.execute("PRAGMA page_size = 2048")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA journal_mode = {self._mode()}")
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        schema.migrate(connection)
        connection.execute("COMMIT")

    def _mode(self) -> str:
        far = far_file_system(self.path, self.machine.mounts)
        if far is None:
            return "WAL"
        _log.warning(
            "The journal %s lies on %s, where SQLite's fast mode is not safe; the slow one is "
            "used. A DIPEO_HOME on a local disk is better.",
            self.path,
            far,
        )
        return "DELETE"


def far_file_system(path: Path, mounts: Path) -> str | None:
    """The type of the file system if other machines may share it, as far as the system tells."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:  # no Linux
        return None
    points = [line.split()[1:3] for line in lines if len(line.split()) > 2]  # noqa: PLR2004
    whole = path.resolve()
    # The last of equals lies on top.
    holding = [
        (len(where), index, kind)
        for index, (where, kind) in enumerate(points)
        if whole.is_relative_to(_unescaped(where))
    ]
    kind = max(holding)[2] if holding else ""
    return kind if _FAR.match(kind) else None


def _unescaped(where: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), where)


def _prepare(path: Path) -> None:
    """Make the folder and the file, for the user alone."""
    home = path.parent
    if not home.exists():
        home.mkdir(parents=True, mode=0o700)
    ignore = home / ".gitignore"
    # In a folder that is used for other things too, it is not ours to hide them.
    if not ignore.exists() and (home.name.startswith(".") or not any(home.iterdir())):
        ignore.write_text("*\n")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
