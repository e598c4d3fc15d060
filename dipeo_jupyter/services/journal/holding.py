"""Who holds which run, and what others want of it: all in the writer's thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from ...engine.ports import Letter
from ...errors import JournalError
from ...protocol.events import ExecutionId
from .encoding import to_text


def claim(
    connection: sqlite3.Connection,
    run: ExecutionId,
    owner: str,
    alive: Callable[[str | None], str | None],
) -> bool:
    """Take a run whose holder is nobody, dead, or this one. Unknown runs cannot be held."""
    row = connection.execute("SELECT owner FROM runs WHERE id = ?", (run,)).fetchone()
    if row is None or alive(row[0]) not in (None, owner):
        return False
    connection.execute("UPDATE runs SET owner = ? WHERE id = ?", (owner, run))
    return True


def release(connection: sqlite3.Connection, run: ExecutionId, owner: str) -> None:
    """Let a run go, if it is held by this one."""
    connection.execute("UPDATE runs SET owner = NULL WHERE id = ? AND owner = ?", (run, owner))


def release_all(connection: sqlite3.Connection, owner: str) -> None:
    """Let all runs of this holder go."""
    connection.execute("UPDATE runs SET owner = NULL WHERE owner = ?", (owner,))


def post(connection: sqlite3.Connection, run: ExecutionId, command: Mapping[str, Any]) -> int:
    """Leave a command for a run's holder, and give its number."""
    cursor = connection.execute(
        "INSERT INTO letters(run, command) SELECT number, ? FROM runs WHERE id = ?",
        (to_text(command, maybe_long=True), run),
    )
    if not cursor.rowcount or cursor.lastrowid is None:
        raise JournalError(f"There is no run {run} in the journal.")
    return cursor.lastrowid


def is_letter_waiting(connection: sqlite3.Connection, owner: str) -> bool:
    """For any connection."""
    found = connection.execute(
        "SELECT 1 FROM letters JOIN runs ON runs.number = run WHERE taken = 0 AND owner = ?"
        " LIMIT 1",
        (owner,),
    )
    return found.fetchone() is not None


def take_letters(connection: sqlite3.Connection, owner: str) -> list[Letter]:
    """The letters for runs of this holder, which nobody else gets after this."""
    rows = connection.execute(
        "SELECT letters.number, runs.id, command FROM letters JOIN runs ON runs.number = run"
        " WHERE taken = 0 AND owner = ? ORDER BY letters.number",
        (owner,),
    ).fetchall()
    connection.executemany(
        "UPDATE letters SET taken = 1 WHERE number = ?", [(number,) for number, _, _ in rows]
    )
    return [Letter(number, run, json.loads(command)) for number, run, command in rows]


def reply(connection: sqlite3.Connection, number: int, answer: Mapping[str, Any]) -> None:
    """Put down what came of a letter."""
    connection.execute(
        "UPDATE letters SET reply = ? WHERE number = ?", (to_text(answer, maybe_long=True), number)
    )


def replied(connection: sqlite3.Connection, number: int) -> Mapping[str, Any] | None:
    """For any connection."""
    row = connection.execute("SELECT reply FROM letters WHERE number = ?", (number,)).fetchone()
    return json.loads(row[0]) if row and row[0] else None


def withdraw(connection: sqlite3.Connection, number: int) -> bool:
    """Take a letter back, if nobody has taken it out."""
    # The row stays, so that nobody else's letter gets the number.
    cursor = connection.execute(
        "UPDATE letters SET taken = 1 WHERE number = ? AND taken = 0", (number,)
    )
    return cursor.rowcount > 0
