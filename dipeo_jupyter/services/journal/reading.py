"""Rows to what people ask for."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from pydantic_core import from_json

from ...engine.ports import RecordedEffect, RunRecord
from ...errors import JournalError
from ...protocol import events as e
from .decoding import decode, difference_in, seen_of
from .encoding import unpacked
from .ledger import SUMMARY, key_number, summary_of
from .packing import SEVERAL, events_of

Shown: TypeAlias = dict[str | None, tuple[int, tuple[str, ...]]]
"""What each person was last shown, and the number of the entry that says so."""
PAGE_CHARACTERS = 2_000_000
"""A page is ended by the entry that makes it longer."""
MOST_ENDS = 32


class Reading:
    """Decodes entries of one run, on a connection that shows one state of the file."""

    def __init__(self, connection: sqlite3.Connection, number: int, run: e.ExecutionId) -> None:
        self._connection = connection
        self._number = number
        self._run = run
        self._contents: dict[int, str | bytes] = {}
        self._seen: dict[int, tuple[str, ...]] = {}
        self._characters = 0

    def after(self, seq: int) -> list[e.Entry]:
        """The entries with greater numbers."""
        if not seq:  # one question instead of thousands
            rows = self._connection.execute(
                "SELECT id, body FROM uses JOIN contents ON id = content WHERE run = ?",
                (self._number,),
            )
            self._contents = dict(rows.fetchall())
        found: list[e.Entry] = []
        for row in self._rows(seq, -1):
            found += self._of(row)
        return [entry for entry in found if entry.seq > seq] if seq else found

    def page(self, seq: int, most: int, pages: Pages) -> tuple[list[e.Entry], bool]:
        """The first of these entries; and whether that is all there are."""
        last = pages.end_of(self._run, seq)
        self._seen = dict(last.values())
        found: list[e.Entry] = []
        whole = True
        for row in self._rows(seq, most + 1):
            if len(found) >= most or self._characters > PAGE_CHARACTERS:
                whole = False
                break
            self._characters += len(row[3])
            found += [entry for entry in self._of(row) if entry.seq > seq]
        whole = whole and len(found) <= most
        del found[most:]
        for each in found:
            if isinstance(each.event, e.NodeCompleted) and each.event.seen:
                last[each.event.person] = (each.seq, each.event.seen)
        if found and not whole:
            pages.keep(self._run, found[-1].seq, last)
        return found, whole

    def _rows(self, seq: int, most: int) -> sqlite3.Cursor:
        return self._connection.execute(
            # From the row that holds the next entry: it may stand in the middle of several.
            "SELECT seq, time, type, body FROM entries WHERE run = ?1 AND seq >= coalesce("
            "(SELECT max(seq) FROM entries WHERE run = ?1 AND seq <= ?2), 0) ORDER BY seq LIMIT ?3",
            (self._number, seq + 1, most),
        )

    def _of(self, row: tuple[int, float, str, str]) -> list[e.Entry]:
        return self._several(row[0], row[3]) if row[2] == SEVERAL else [self.entry(*row)]

    def _several(self, first: int, body: str) -> list[e.Entry]:
        try:
            places = events_of(first, from_json(body))
            return [e.Entry(self._run, seq, time, event) for seq, time, event in places]
        except (ValueError, TypeError) as error:
            raise self._unreadable(first, error) from error

    def entry(self, seq: int, time: float, kind: str, body: str) -> e.Entry:
        """The entry of a row. Raises `JournalError` when there is none in it."""
        try:
            event = decode(kind, body, self._content, self._base)
        except JournalError as error:
            raise self._unreadable(seq, error) from error
        if isinstance(event, e.NodeCompleted) and event.seen:
            self._seen[seq] = event.seen
        return e.Entry(self._run, seq, time, event)

    def _unreadable(self, seq: int, error: Exception) -> JournalError:
        return JournalError(
            f"Entry {seq} of {self._run} cannot be read: {error}. The journal was changed by "
            "something else; this run is lost, others are not."
        )

    def _content(self, content: int) -> str:
        body = self._contents.get(content)
        if body is None:
            row = self._connection.execute(
                "SELECT body FROM contents WHERE id = ?", (content,)
            ).fetchone()
            if row is None:
                raise LookupError(content)
            body = row[0]
        text = self._contents[content] = unpacked(body)
        self._characters += len(text)
        return text

    def _base(self, seq: int) -> tuple[str, ...]:
        """What an entry says was seen, for which others before it may have to be looked at."""
        # Not by recursion: a chain can be longer than Python's calls go deep.
        todo = [seq]
        while todo:
            difference = self._difference(todo[-1])
            base, count = difference[0], difference[2]
            if count and base not in self._seen:
                if base >= todo[-1]:  # forged: it would never end
                    raise LookupError(base)
                todo.append(base)
            else:
                self._seen[todo.pop()] = seen_of(difference, self._seen.__getitem__)
        return self._seen[seq]

    def _difference(self, seq: int) -> list[Any]:
        if seq in self._seen:
            return [0, 0, 0, *self._seen[seq]]
        row = self._connection.execute(
            "SELECT body FROM entries WHERE run = ? AND seq = ?", (self._number, seq)
        ).fetchone()
        if row is None:
            raise LookupError(seq)
        return difference_in(row[0])


class Pages:
    """What each person was last shown at the ends of the pages that were read latest.

    The next page begins from there: it would have to be looked for in all pages before.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[e.ExecutionId, int], Shown] = {}
        self._lock = threading.Lock()

    def end_of(self, run: e.ExecutionId, seq: int) -> Shown:
        with self._lock:
            return dict(self._ends.get((run, seq), {}))

    def keep(self, run: e.ExecutionId, seq: int, shown: Shown) -> None:
        with self._lock:
            self._ends[run, seq] = shown
            if len(self._ends) > MOST_ENDS:
                del self._ends[next(iter(self._ends))]


def page(
    connection: sqlite3.Connection, run: e.ExecutionId, after: int, most: int, pages: Pages
) -> tuple[list[e.Entry], bool]:
    """Some of the entries of a run from there on; and whether they are all."""
    row = connection.execute("SELECT number FROM runs WHERE id = ?", (run,)).fetchone()
    return Reading(connection, row[0], run).page(after, most, pages) if row else ([], True)


def entries(connection: sqlite3.Connection, run: e.ExecutionId, after: int) -> list[e.Entry]:
    """The entries of a run from there on."""
    row = connection.execute("SELECT number FROM runs WHERE id = ?", (run,)).fetchone()
    return Reading(connection, row[0], run).after(after) if row else []


def effects(connection: sqlite3.Connection, key: str) -> list[e.Entry]:
    """The entries that end an effect of this key, the newest first."""
    rows = connection.execute(
        "SELECT runs.number, runs.id, seq, time, type, body FROM effects"
        " JOIN entries USING(run, seq) JOIN runs ON runs.number = run"
        " WHERE key = ? ORDER BY time DESC, run DESC, seq DESC",
        (key_number(key),),
    ).fetchall()
    found = [Reading(connection, number, run).entry(*rest) for number, run, *rest in rows]
    return [entry for entry in found if key_in(entry) == key]


def key_in(entry: e.Entry) -> str | None:
    """The key of the effect that it records; None when it records none."""
    event = entry.event
    return event.key if isinstance(event, e.EffectCompleted) and not event.reused else None


def recorded(entry: e.Entry) -> RecordedEffect:
    """The effect that an `EffectCompleted` records."""
    assert isinstance(entry.event, e.EffectCompleted)
    event = entry.event
    return RecordedEffect(
        entry.execution_id, event.node, event.activation, event.effect, event.value
    )


def runs(
    connection: sqlite3.Connection, prefix: str, alive: Callable[[str | None], str | None]
) -> Sequence[RunRecord]:
    """The runs whose ids begin so, the newest first."""
    rows = connection.execute(
        f"SELECT owner, {SUMMARY} FROM runs WHERE substr(id, 1, length(?1)) = ?1"  # noqa: S608
        " ORDER BY number DESC",
        (prefix,),
    ).fetchall()
    living = {owner: alive(owner) for owner in {row[0] for row in rows}}
    return [summary_of(row[1:]).record(living[row[0]]) for row in rows]
