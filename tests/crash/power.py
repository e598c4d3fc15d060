"""A disk whose power can be cut: SQLite writes to it, and what would be left is kept as an image.

What was synced is there afterwards. Of what was written since, a part is: each write whole, torn
between two sectors, or not at all, and none of them before the others for certain. The folder is
in order, as that of a file system with a journal of its own is.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512


@dataclass
class Kept:
    """A file: what is safe of it, and what was done to it since (None: cut to that length)."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.since:
            _apply(self.safe, *change)
        self.since.clear()

    def image(self, dice: random.Random) -> bytes:
        content = bytearray(self.safe)
        for offset, data in self.since:
            fate = dice.choice(("whole", "lost", "torn"))
            if data is None or fate == "whole":
                if fate != "lost":
                    _apply(content, offset, data)
            elif fate == "torn":
                cut = dice.randrange(0, len(data) + 1, SECTOR)
                if dice.random() < 0.5:
                    _apply(content, offset, data[:cut])
                else:
                    _apply(content, offset + cut, data[cut:])
        return bytes(content)


class Disk(apsw.VFS):
    """Calls `before` ahead of everything that changes a file.

    Where not `full`, SQLite is told to be content with less than the journal asks for.
    """

    def __init__(self, name: str, before: Callable[[Disk], None], *, full: bool = True) -> None:
        super().__init__(name, "")
        self.name = name
        self.files: dict[str, Kept] = {}
        self._before = before
        self._full = full

    def connect(self, path: Path, read_only: bool) -> sqlite3.Connection:
        """The journal's door to a file: see `Machine.connect`."""
        writing = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        mode = apsw.SQLITE_OPEN_READONLY if read_only else writing
        db = apsw.Connection(str(path), flags=mode, vfs=self.name)
        return Connection(db, full=self._full)  # type: ignore[return-value]

    def image(self, dice: random.Random) -> dict[str, bytes]:
        """The files as they would be found after a power cut now."""
        return {name: file.image(dice) for name, file in self.files.items()}

    def changes(self) -> None:
        self._before(self)

    def xOpen(self, name: Any, flags: list[int]) -> File:  # noqa: N802 - SQLite's name
        return File(self, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        self.changes()
        if Path(name).exists():  # else SQLite takes the error for an answer, and apsw does not
            super().xDelete(name, sync)
        self.files.pop(Path(name).name, None)


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        path = name if isinstance(name, str) or name is None else name.filename()
        self._disk = disk
        self._kept = disk.files.setdefault(Path(path).name, Kept()) if path else Kept()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.changes()
        super().xWrite(data, offset)
        self._kept.since.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.changes()
        super().xTruncate(size)
        self._kept.since.append((size, None))

    def xSync(self, flags: int) -> None:  # noqa: N802 - the machine's own disk is not at stake
        self._disk.changes()
        self._kept.sync()


class Connection:
    """As much of `sqlite3.Connection` as the journal asks for."""

    def __init__(self, db: apsw.Connection, *, full: bool) -> None:
        self._db = db
        self._full = full

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        if sql == "PRAGMA synchronous = FULL" and not self._full:
            sql = "PRAGMA synchronous = NORMAL"
        before = self._db.total_changes()
        cursor = self._db.cursor().execute(sql, parameters)
        return Cursor(cursor, self._db.last_insert_rowid(), self._db.total_changes() - before)

    def close(self) -> None:
        # One that only reads may not lock the file for itself: SQLite takes that for an answer.
        with suppress(apsw.IOError):
            self._db.close()


@dataclass
class Cursor:
    rows: apsw.Cursor
    lastrowid: int
    rowcount: int

    def fetchone(self) -> Any:
        return self.rows.fetchone()

    def fetchall(self) -> list[Any]:
        return self.rows.fetchall()

    def __iter__(self) -> Any:
        return iter(self.rows)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data
