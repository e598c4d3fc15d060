"""The one thread that writes: entries in groups as they gather, and other changes between them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from ...errors import JournalError
from ...protocol.events import Entry
from .ledger import Ledger
from .packing import MOST, Bursts
from .storage import Storage
from .trouble import sentence

T = TypeVar("T")
Failpoint: TypeAlias = Callable[[str, int], None]
"""Called as `before_commit` and `after_commit`, with how many entries are written by then."""
Waiter: TypeAlias = tuple[int, asyncio.AbstractEventLoop, "asyncio.Future[None]", bool]
"""Waits for a position; True when it is urgent."""

_log = logging.getLogger(__name__)
_GATHER = 0.03
"""How long entries gather, in seconds, when nobody waits for them."""
_SHARE, _LONGEST = 2, 0.003
"""How many times as long as the last group took to write, when somebody waits who only looks on;
and the most of it, in seconds, for they want to see what happens as it happens."""
_SOON = 0.02
_LAST_WORDS = 10.0


class Writer:
    """Keeps entries in order until they are written, however long that takes."""

    def __init__(
        self, storage: Storage, ledger: Ledger, *, group: int | None, failpoint: Failpoint | None
    ) -> None:
        self._storage = storage
        self._ledger = ledger
        self._group = group
        self._failpoint = failpoint or (lambda *_: None)
        self.pending: list[Entry] = []
        """What is not written yet. Only the thread takes from it, and only what is safe."""
        self.appended = 0
        """How many were taken so far; the end of it all is at this position."""
        self._written = 0
        self._taken = 0
        """The thread has to do with all up to this position, or is through with it."""
        self._bursts = Bursts()
        self._waiters: list[Waiter] = []
        self._jobs: list[Callable[[], None]] = []
        self._watchers: list[Callable[[str | None], None]] = []
        self._trouble: str | None = None
        self._failing_since: float | None = None
        self._is_urgent = False
        self._took = 0.0
        self._asleep = False
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="dipeo-journal", daemon=True)
        self._thread.start()

    def append(self, entry: Entry) -> None:
        """Take an entry, in no time: the event loop is at work."""
        self.pending.append(entry)
        self.appended += 1
        if self.appended >= self._bursts.due:
            self._gather()
        if self._asleep:
            self._wake()

    def _gather(self) -> None:
        with self._changed:
            first = self._bursts.next(self._taken)
            start = first - self._written
            entries = self.pending[start : start + MOST]
        self._bursts.gather(entries, first)

    def is_awaited(self) -> bool:
        return bool(self._waiters)

    def is_written(self, position: int | None) -> bool:
        return self._written >= (self.appended if position is None else position)

    async def written(self, position: int | None, *, urgent: bool) -> None:
        with self._changed:
            position = self.appended if position is None else position
            if self._written >= position:
                return
            if self._closing:
                raise JournalError("The journal is closed: nothing can be written any more.")
            loop = asyncio.get_running_loop()
            done = loop.create_future()
            self._waiters.append((position, loop, done, urgent))
            self._is_urgent = self._is_urgent or urgent
            self._changed.notify()
        await done

    def watch(self, on_trouble: Callable[[str | None], None]) -> None:
        self._watchers.append(on_trouble)
        if self._trouble:
            on_trouble(self._trouble)

    def do(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Change something else, in a transaction after all that was appended; wait for it."""
        future: Future[T] = Future()
        with self._changed:
            if self._closing:
                raise JournalError("The journal is closed.")
            self._jobs.append(lambda: self._finish(job, future))
            self._changed.notify()
        return future.result()

    def close(self) -> bool:
        """Write what is left, trying once more if there is trouble; False if that hangs."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_LAST_WORDS)
        return not self._thread.is_alive()

    # -- the thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        while self._wait():
            self._rest()
            closing = self._closing
            self._write_all()
            for job in self._take_jobs():
                job()
            if closing:
                break

    def _wait(self) -> bool:
        """Until there is something to do; False when it is over."""
        with self._changed:
            self._asleep = True
            # Appending looks at `_asleep` after it has appended, and we the other way round: one
            # of the two always sees the other.
            self._changed.wait_for(lambda: self.pending or self._jobs or self._closing)
            self._asleep = False
            return bool(self.pending or self._jobs)

    def _wake(self) -> None:
        with self._changed:
            self._asleep = False
            self._changed.notify()

    def _rest(self) -> None:
        """Let entries gather: few large transactions take less from the event loop than many."""
        with self._changed:
            if self._failing_since is None:
                if self._changed.wait_for(self._does_anybody_wait, _GATHER):
                    longest = min(_SHARE * self._took, _LONGEST)
                    self._changed.wait_for(self._must_go_on, longest)
            else:
                pause = self._storage.machine.again if self._trouble else _SOON
                self._changed.wait_for(lambda: self._jobs or self._closing, pause)

    def _must_go_on(self) -> bool:
        return bool(self._is_urgent or self._jobs or self._closing)

    def _does_anybody_wait(self) -> bool:
        return bool(self._waiters or self._jobs or self._closing)

    def _take_jobs(self) -> list[Callable[[], None]]:
        with self._changed:
            jobs, self._jobs = self._jobs, []
            return jobs

    def _write_all(self) -> None:
        left = len(self.pending)
        while left > 0:
            batch = self.pending[: self._group]
            self._taken = self._written + len(batch)
            started = time.monotonic()
            try:
                self._write(batch)
            except Exception as error:  # noqa: BLE001 - the thread must outlive all of them
                self._ledger.forget()
                self._failed(error, started)
                return
            left -= len(batch)
            self._took = time.monotonic() - started
            self._succeeded(len(batch))

    def _write(self, batch: list[Entry]) -> None:
        count = self._written + len(batch)
        with self._storage.transaction() as connection:
            self._ledger.write(connection, self._bursts.rows(batch, self._written))
            self._failpoint("before_commit", count)
        self._failpoint("after_commit", count)

    def _succeeded(self, count: int) -> None:
        with self._changed:
            del self.pending[:count]
            self._written += count
            ready = [waiter for waiter in self._waiters if waiter[0] <= self._written]
            if ready:
                self._waiters = [w for w in self._waiters if w[0] > self._written]
            self._is_urgent = any(waiter[3] for waiter in self._waiters)
            self._bursts.forget(self._written)
        _tell(ready, None)
        self._failing_since = None
        if self._trouble:
            self._report(None)

    def _failed(self, error: Exception, started: float) -> None:
        if self._failing_since is None:
            self._failing_since = started
        if time.monotonic() - self._failing_since < self._storage.machine.silent:
            return
        message = sentence(self._storage.path, error)
        if message != self._trouble:
            _log.warning(message, exc_info=error)
        with self._changed:
            waiters, self._waiters, self._is_urgent = self._waiters, [], False
        if message != self._trouble:
            self._report(message)
        _tell(waiters, message)

    def _report(self, trouble: str | None) -> None:
        self._trouble = trouble
        for on_trouble in [*self._watchers]:
            try:
                on_trouble(trouble)
            except Exception:  # noqa: BLE001 - the thread must outlive whoever listens
                _log.exception("A listener to the journal's trouble failed.")

    def _finish(self, job: Callable[[sqlite3.Connection], T], future: Future[T]) -> None:
        try:
            with self._storage.transaction() as connection:
                result = job(connection)
        except JournalError as error:
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            self._ledger.forget()
            future.set_exception(JournalError(sentence(self._storage.path, error)))
        else:
            future.set_result(result)


def _tell(waiters: list[Waiter], trouble: str | None) -> None:
    """Wake each event loop once, however many wait there."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[asyncio.Future[Any]]] = defaultdict(list)
    for _, loop, future, _ in waiters:
        by_loop[loop].append(future)
    for loop, futures in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, futures, trouble)


def _resolve(futures: list[asyncio.Future[Any]], trouble: str | None) -> None:
    for future in futures:
        if future.done():  # cancelled
            continue
        if trouble is None:
            future.set_result(None)
        else:
            future.set_exception(JournalError(trouble))
