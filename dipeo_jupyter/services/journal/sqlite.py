"""The journal in a file, which several processes may use at once."""

from __future__ import annotations

import atexit
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...engine.ports import Letter, RecordedEffect, RunRecord
from ...errors import JournalError
from ...protocol.events import Entry, ExecutionId
from . import holding, pruning, reading
from .ledger import Ledger
from .owners import Owners
from .storage import Machine, Storage
from .trouble import reason
from .writer import Failpoint, Writer


class SqliteJournal:
    """Fulfils the port `Journal` with the file `journal.db` in a folder.

    `group` limits how many entries are written at once. Raises `JournalError` when the folder or
    the file cannot be used; the sentence says why, and the file is left as it is.
    """

    has_neighbours: bool = True

    def __init__(
        self,
        home: Path,
        *,
        group: int | None = None,
        failpoint: Failpoint | None = None,
        machine: Machine | None = None,
    ) -> None:
        home = home.absolute()
        with _explained(home):
            self._storage = Storage(home, machine or Machine())
            try:
                self._letters = self._storage.reader()
                self._owners = Owners(home)
            except BaseException:
                self._storage.close()
                raise
        self.owner = self._owners.id
        self._ledger = Ledger(self.owner)
        self._writer = Writer(self._storage, self._ledger, group=group, failpoint=failpoint)
        self._pages = reading.Pages()
        self._letters_version = -1
        self._letters_lock = threading.Lock()
        self._closed = False
        # On the event loop each call counts.
        self.append = self._writer.append
        atexit.register(self.close)

    def position(self) -> int:
        return self._writer.appended

    def is_written(self, position: int | None = None) -> bool:
        return self._writer.is_written(position)

    def is_awaited(self) -> bool:
        return self._writer.is_awaited()

    async def written(self, position: int | None = None, *, urgent: bool = True) -> None:
        await self._writer.written(position, urgent=urgent)

    def watch(self, on_trouble: Callable[[str | None], None]) -> None:
        self._writer.watch(on_trouble)

    def read(
        self, execution_id: ExecutionId, after: int = 0, most: int | None = None
    ) -> Sequence[Entry]:
        # Whatever leaves the list afterwards is in the file by then.
        pending = self._pending(lambda entry: entry.execution_id == execution_id)
        with self._reading() as connection:
            if most is None:
                entries, whole = reading.entries(connection, execution_id, after), True
            else:
                entries, whole = reading.page(connection, execution_id, after, most, self._pages)
        last = entries[-1].seq if entries else after
        newer = [entry for entry in pending if entry.seq > last] if whole else []
        return (entries + newer)[:most]

    def effects(self, key: str) -> Sequence[RecordedEffect]:
        pending = self._pending(lambda entry: reading.key_in(entry) == key)
        with self._reading() as connection:
            entries = reading.effects(connection, key)
        known = {(entry.execution_id, entry.seq) for entry in entries}
        newer = [entry for entry in pending if (entry.execution_id, entry.seq) not in known]
        return [reading.recorded(entry) for entry in [*reversed(newer), *entries]]

    def runs(self, prefix: str = "") -> Sequence[RunRecord]:
        with suppress(JournalError):  # as far as it is written then
            self._writer.do(_nothing)
        with self._reading() as connection:
            return reading.runs(connection, prefix, self._owners.alive)

    def claim(self, execution_id: ExecutionId) -> bool:
        alive, owner = self._owners.alive, self.owner
        return self._writer.do(lambda db: holding.claim(db, execution_id, owner, alive))

    def release(self, execution_id: ExecutionId) -> None:
        self._writer.do(lambda db: holding.release(db, execution_id, self.owner))

    def post(self, execution_id: ExecutionId, command: Mapping[str, Any]) -> int:
        return self._writer.do(lambda db: holding.post(db, execution_id, command))

    def letters(self) -> Sequence[Letter]:
        if not self._is_letter_waiting():
            return []
        return self._writer.do(lambda db: holding.take_letters(db, self.owner))

    def reply(self, number: int, answer: Mapping[str, Any]) -> None:
        self._writer.do(lambda db: holding.reply(db, number, answer))

    def replied(self, number: int) -> Mapping[str, Any] | None:
        with self._reading() as connection:
            return holding.replied(connection, number)

    def withdraw(self, number: int) -> bool:
        return self._writer.do(lambda db: holding.withdraw(db, number))

    def prune(self, keep_last: int) -> Sequence[ExecutionId]:
        return self._writer.do(lambda db: self._prune(db, keep_last))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if self._writer.close():  # else the thread still has the connection
            self._let_go()
        self._owners.close()

    # -- helpers ----------------------------------------------------------------------------------

    def _let_go(self) -> None:
        # In trouble others find this owner dead instead.
        with suppress(sqlite3.Error, OSError), self._storage.transaction() as connection:
            holding.release_all(connection, self.owner)
        with self._letters_lock:  # closed while it is in use, it takes the process down
            self._letters.close()
        self._storage.close()

    def _prune(self, connection: sqlite3.Connection, keep_last: int) -> list[ExecutionId]:
        self._ledger.forget()
        return pruning.prune(connection, keep_last)

    def _pending(self, wanted: Callable[[Entry], bool]) -> list[Entry]:
        return [entry for entry in self._writer.pending.copy() if wanted(entry)]

    def _is_letter_waiting(self) -> bool:
        with self._letters_lock:
            if self._closed:
                return False
            version = self._letters.execute("PRAGMA data_version").fetchone()[0]
            if version == self._letters_version:
                return False
            waiting = holding.is_letter_waiting(self._letters, self.owner)
            if not waiting:
                self._letters_version = version
            return waiting

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _explained(self._storage.path), self._storage.reading() as connection:
            yield connection


def _nothing(connection: sqlite3.Connection) -> None:
    """A job that is done when all before it is."""


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        cause, advice = reason(error)
        raise JournalError(
            f"The journal {path} cannot be used: {cause}. {advice}, or set DIPEO_HOME to another "
            "folder; until then runs are kept in memory only."
        ) from error
