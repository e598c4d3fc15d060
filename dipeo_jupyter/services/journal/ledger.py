"""Entries to rows. All of it happens in the writer's thread, within a transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import chain
from typing import Any

from ...protocol import events as e
from .encoding import Seen, encode, packed, to_text, whole_characters
from .packing import SEVERAL, Row
from .summary import Summary

_ROWS = 64
_KNOWN_CHARACTERS = 4_000_000
_TABLES = {
    "INSERT INTO entries VALUES": 5,
    "INSERT OR IGNORE INTO uses VALUES": 2,
    "INSERT INTO effects VALUES": 3,
}


@dataclass(slots=True, eq=False)
class Run:
    """A run as the writer knows it, beside what stands in its row."""

    number: int
    summary: Summary
    seen: Seen = field(default_factory=dict)
    uses: set[int] = field(default_factory=set)


class Ledger:
    """Writes entries. What it remembers is lost by `forget`, and found again in the file."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._version = -1
        self.forget()

    def forget(self) -> None:
        """To be called when a transaction failed, or rows were deleted."""
        self._seen: defaultdict[e.ExecutionId, Seen] = defaultdict(dict)
        self._forget_rows()

    def _forget_rows(self) -> None:
        self._runs: dict[e.ExecutionId, Run] = {}
        self._contents: dict[str, int] = {}
        self._characters = 0

    def write(self, connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
        """Write entries of any runs, in their order, as they share rows."""
        self._forget_if_changed(connection)
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self._effects: list[tuple[Any, ...]] = []
        self._uses: list[tuple[Any, ...]] = []
        touched: set[Run] = set()
        for entries, body in rows:
            entry = entries[0]
            self._run = run = self._runs.get(entry.execution_id) or self._find(entry)
            touched.add(run)
            if body is None:
                self._write_singly(run, entries)
                continue
            self._rows.append((run.number, entry.seq, entry.time, SEVERAL, body))
            run.summary.follow_all(entries)
        _insert(connection, "INSERT INTO entries VALUES", self._rows)
        _insert(connection, "INSERT OR IGNORE INTO uses VALUES", self._uses)
        _insert(connection, "INSERT INTO effects VALUES", self._effects)
        for run in touched:
            self._update(run)

    def _write_singly(self, run: Run, entries: Sequence[e.Entry]) -> None:
        for entry in entries:
            event, seq = entry.event, entry.seq
            body = encode(event, seq, run.seen, self._put)
            self._rows.append((run.number, seq, entry.time, event.type, body))
            run.summary.follow(entry)
            if isinstance(event, e.EffectCompleted) and not event.reused:
                self._effects.append((key_number(event.key), run.number, seq))

    def _forget_if_changed(self, connection: sqlite3.Connection) -> None:
        # It differs when another connection has written since.
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version or self._characters > _KNOWN_CHARACTERS:
            # What was seen is told by entries of our own, which nobody changes.
            self._forget_rows()
        self._version = version

    def _find(self, entry: e.Entry) -> Run:
        run = self._known(entry.execution_id) or self._begin(entry)
        run.seen = self._seen[entry.execution_id]
        self._runs[entry.execution_id] = run
        return run

    def _known(self, execution_id: e.ExecutionId) -> Run | None:
        row = self._connection.execute(
            f"SELECT number, {SUMMARY} FROM runs WHERE id = ?",  # noqa: S608 - our own columns
            (execution_id,),
        ).fetchone()
        return Run(row[0], summary_of(row[1:])) if row else None

    def _begin(self, entry: e.Entry) -> Run:
        """A new run belongs to whoever writes its first entry."""
        cursor = self._connection.execute(
            "INSERT INTO runs(id, status, started, events, questions, owner)"
            " VALUES(?, 'pending', ?, 0, '[]', ?)",
            (entry.execution_id, entry.time, self._owner),
        )
        assert cursor.lastrowid is not None
        return Run(cursor.lastrowid, Summary(entry.execution_id, entry.time))

    def _update(self, run: Run) -> None:
        summary = run.summary
        self._connection.execute(
            "UPDATE runs SET name = ?, status = ?, events = ?, questions = ?, origin = ?,"
            " parent = ?, thread = ?, usage = ? WHERE number = ?",
            (
                whole_characters(summary.name) if summary.name else summary.name,
                summary.status,
                summary.events,
                to_text(list(summary.questions)) if summary.questions else "[]",
                summary.origin,
                summary.parent,
                whole_characters(summary.thread) if summary.thread else summary.thread,
                None if summary.usage is None else _told(summary.usage),
                run.number,
            ),
        )
        if summary.status in e.OVER:  # it will hardly go on
            self._runs.pop(summary.execution_id, None)
            self._seen.pop(summary.execution_id, None)

    def _put(self, text: str) -> int:
        content = self._contents.get(text)
        if content is None:
            content = self._contents[text] = self._keep(text)
            self._characters += len(text)
        if content not in self._run.uses:
            self._run.uses.add(content)
            self._uses.append((self._run.number, content))
        return content

    def _keep(self, text: str) -> int:
        hashed = blake2b(text.encode(), digest_size=16).digest()
        cursor = self._connection.execute(
            "INSERT INTO contents(hash, body) VALUES(?, ?) ON CONFLICT DO NOTHING",
            (hashed, packed(text)),
        )
        if cursor.rowcount:
            assert cursor.lastrowid is not None
            return cursor.lastrowid
        found = self._connection.execute("SELECT id FROM contents WHERE hash = ?", (hashed,))
        return int(found.fetchone()[0])


SUMMARY = "id, started, name, status, events, questions, origin, parent, thread, usage"
"""The columns of a run that make its summary."""


def summary_of(row: Sequence[Any]) -> Summary:
    """A run's summary from these columns."""
    execution_id, started, name, status, events, questions, *rest = row
    origin, parent, thread, used = rest
    asked = dict.fromkeys((label, activation) for label, activation in json.loads(questions))
    usage = None if used is None else e.Usage.model_validate_json(used)
    return Summary(
        execution_id, started, name, status, events, asked, origin, parent, thread, usage
    )


def _told(usage: e.Usage) -> str:
    return to_text(usage.model_dump(exclude_defaults=True))


def key_number(key: str) -> int:
    """The key of an effect as a number of 64 bits."""
    hashed = blake2b(key.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(hashed, signed=True)


def _insert(connection: sqlite3.Connection, insert: str, rows: list[tuple[Any, ...]]) -> None:
    # Python lets go of its lock at each statement, and has to wait for a busy event loop to get it
    # back: one statement for many rows takes a quarter of the time that `executemany` does.
    whole = len(rows) - len(rows) % _ROWS
    statement = _statement(insert, _ROWS)
    for start in range(0, whole, _ROWS):
        connection.execute(statement, [*chain.from_iterable(rows[start : start + _ROWS])])
    if whole < len(rows):
        statement = _statement(insert, len(rows) - whole)
        connection.execute(statement, [*chain.from_iterable(rows[whole:])])


@cache
def _statement(insert: str, rows: int) -> str:
    row = f"({', '.join('?' * _TABLES[insert])})"
    return f"{insert} {', '.join([row] * rows)}"
