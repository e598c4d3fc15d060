"""The file of a cassette: read again when somebody has changed it, written by one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ...diagram.files import save
from ...diagram.yaml.events import MAX_TEXT
from ...errors import CommandError, DiagramError, ServiceError
from .misses import explain_miss
from .text import Recording, Request, read_recordings, written

PATIENCE = 60.0
"""Seconds to wait for others who record on the same cassette."""


@dataclass
class Take:
    """One run's way through a cassette: which of the answers to a request is next.

    Turns count from 0, by the request's key, in the order of asking; so that of several who ask
    the same at once each gets its own answer again.
    """

    known: dict[str, int] = field(default_factory=dict)
    """How many answers there were when a request was first made."""
    recorded: dict[str, list[int]] = field(default_factory=dict)
    """The turns whose answers this run has recorded."""
    _taken: dict[str, set[int]] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def turn(self, key: str) -> Iterator[int]:
        """The next turn of a request; when nothing comes of it, it is the next one again."""
        self._order.setdefault(key, len(self._order))
        taken = self._taken.setdefault(key, set())
        turn = next(number for number in count() if number not in taken)
        taken.add(turn)
        try:
            yield turn
        except BaseException:
            taken.discard(turn)
            raise

    def asked_before(self, key: str, other: str) -> bool:
        """Whether this run made the one request, and only then the other."""
        order = self._order
        return key in order and other in order and order[key] < order[other]


class Cassette:
    """Recorded answers in a file; `name` is its path as people know it.

    Every method may block, and is safe in any thread.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        here = Path.cwd()
        below = self.path.is_relative_to(here)
        self.name = str(self.path.relative_to(here) if below else self.path)
        self._lock = threading.Lock()
        self._seen: object = None
        self._recordings: list[Recording] = []
        self._by_key: dict[str, list[Recording]] = {}

    def __len__(self) -> int:
        """How many answers there are; raises `ServiceError` when the file is broken."""
        with self._lock:
            self._refresh()
            return sum(len(each.answers) for each in self._recordings)

    def find(self, key: str, turn: int, take: Take, *, repeat: bool = False) -> Any:
        """The answer to a request in this turn of a run; None when there is none.

        With `repeat`, the last one stands for all that would come after it. Raises `ServiceError`
        when the file is broken.
        """
        with self._lock:
            self._refresh()
            answers = [x for each in self._by_key.get(key, ()) for x in each.answers]
            known = take.known.setdefault(key, len(answers))
        if repeat:
            return answers[min(turn, len(answers) - 1)] if answers else None
        # What has come since was recorded for others, or for earlier turns of this run.
        return answers[turn] if turn < min(known, len(answers)) else None

    def record(self, new: Recording, turn: int, take: Take, *, replace: bool = False) -> None:
        """Add the answer of a new recording; it is on the disk when this returns.

        With `replace`, the first answer that a run records for a request takes the place of all
        that were there. Raises `ServiceError` when the file is broken, and leaves it as it is, or
        when it cannot be written.
        """
        with self._lock, self._alone():
            self._refresh()
            try:
                self._add(new, turn, take, replace=replace)
                self._write()
            except BaseException:
                self._seen = None  # what is in the file counts
                raise
            take.recorded.setdefault(new.key, []).append(turn)

    def miss(self, request: Request) -> ServiceError:
        """Why there is no answer to a request, which is not to be made again."""
        with self._lock:
            why = explain_miss(request, self._recordings)
        return ServiceError(
            f"The cassette {self.name!r} has no answer to this request. {why}\n"
            "Record it with the mode `auto`."
        )

    def _add(self, new: Recording, turn: int, take: Take, *, replace: bool) -> None:
        same = self._by_key.get(new.key, [])
        recorded = take.recorded.get(new.key, [])
        if not same:
            self._recordings.insert(self._position(new.key, take), new)
        elif replace and not recorded:
            first, *others = same
            first.answers[:] = new.answers
            for each in others:
                self._recordings.remove(each)
        else:
            answers = same[-1].answers
            at = max(0, len(answers) - sum(each > turn for each in recorded))
            answers[at:at] = new.answers
        for each in same:
            each.__dict__.pop("text", None)

    def _position(self, key: str, take: Take) -> int:
        """At the end, but before what this run asked later: parallel branches keep their order."""
        position = len(self._recordings)
        while position and take.asked_before(key, self._recordings[position - 1].key):
            position -= 1
        return position

    def _refresh(self) -> None:
        """Read the file, unless it is the one that was read or written last."""
        try:
            found = self.path.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen == self._seen:
                return
            text = self.path.read_text(encoding="utf-8-sig") if self.path.is_file() else None
        except FileNotFoundError:
            seen, text = None, ""
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", "it is no UTF-8 text")
            raise self._unreadable(f"{reason}.") from None
        if text is None:
            raise self._unreadable("it is no file.")
        try:
            recordings = read_recordings(text)
        except DiagramError as error:
            raise self._unreadable(str(error.problems[0])) from None
        self._know(recordings)
        self._seen = seen

    def _know(self, recordings: list[Recording]) -> None:
        self._recordings, self._by_key = recordings, {}
        for each in recordings:
            self._by_key.setdefault(each.key, []).append(each)

    def _write(self) -> None:
        try:
            text = written(self._recordings)
            if len(text) > MAX_TEXT:
                raise self._unwritable(f"it would have more than {MAX_TEXT:,} characters.")
            save(self.path.resolve(), text, overwrite=True)
        except DiagramError as error:
            raise self._unwritable(str(error.problems[0])) from None
        except CommandError as error:
            raise self._unwritable(str(error)) from None
        self._know(self._recordings)
        found = self.path.stat()
        self._seen = (found.st_ino, found.st_mtime_ns, found.st_size)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While nobody else records; a lock stands beside the file, since that is replaced."""
        real = self.path.resolve()
        lock = FileLock(real.with_name(f".{real.name}.lock"), timeout=PATIENCE)
        try:
            real.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise self._unwritable("another program does not let go of it.") from None
        except OSError as error:
            raise self._unwritable(f"{error.strerror}.") from None
        try:
            yield
        finally:
            lock.release()

    def _unreadable(self, reason: str) -> ServiceError:
        return ServiceError(f"The cassette {self.name!r} cannot be read: {reason}")

    def _unwritable(self, reason: str) -> ServiceError:
        return ServiceError(f"An answer cannot be recorded on {self.name!r}: {reason}")
