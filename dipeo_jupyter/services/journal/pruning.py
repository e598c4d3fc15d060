"""Which runs to forget, and how the file forgets them."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ...protocol.events import OVER, ExecutionId
from .ledger import SUMMARY, summary_of
from .summary import Summary

_TABLES = ("entries", "uses", "effects", "letters")


def to_forget(runs: Sequence[Summary], keep_last: int) -> list[ExecutionId]:
    """The finished runs but the last so many, with their parts; `runs` and result oldest first.

    A run stays, with all its parts, while an unfinished one has its past from any of them.
    """
    parts = defaultdict(list)
    for run in runs:
        parts[run.parent].append(run)
    finished = [run for run in parts[None] if run.status in OVER]
    needed = _origins_of_unfinished(runs)
    forgotten: set[ExecutionId] = set()
    for run in finished[: max(0, len(finished) - keep_last)]:
        tree = set(_tree(run, parts))
        if not tree & needed:
            forgotten |= tree
    return [run.execution_id for run in runs if run.execution_id in forgotten]


def prune(connection: sqlite3.Connection, keep_last: int) -> list[ExecutionId]:
    """Forget, and give the room back; contents go that no other run uses."""
    rows = connection.execute(
        f"SELECT {SUMMARY} FROM runs ORDER BY number"  # noqa: S608 - our own columns
    ).fetchall()
    forgotten = to_forget([summary_of(row) for row in rows], keep_last)
    if forgotten:
        _delete(connection, forgotten)
    return forgotten


def _origins_of_unfinished(runs: Sequence[Summary]) -> set[ExecutionId]:
    origins = {run.execution_id: run.origin for run in runs}
    needed: set[ExecutionId] = set()
    for run in runs:
        origin = run.origin if run.status not in OVER else None
        while origin is not None and origin not in needed:
            needed.add(origin)
            origin = origins.get(origin)
    return needed


def _tree(run: Summary, parts: dict[ExecutionId | None, list[Summary]]) -> Iterable[ExecutionId]:
    todo = [run]
    while todo:
        run = todo.pop()
        yield run.execution_id
        todo += parts.get(run.execution_id, [])


def _delete(connection: sqlite3.Connection, forgotten: Sequence[ExecutionId]) -> None:
    connection.execute("CREATE TEMP TABLE forgotten(run INTEGER PRIMARY KEY)")
    connection.executemany(
        "INSERT INTO forgotten SELECT number FROM runs WHERE id = ?", [(run,) for run in forgotten]
    )
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE run IN (SELECT run FROM forgotten)")  # noqa: S608
    connection.execute("DELETE FROM runs WHERE number IN (SELECT run FROM forgotten)")
    connection.execute("DELETE FROM contents WHERE id NOT IN (SELECT content FROM uses)")
    connection.execute("DROP TABLE forgotten")
    _give_back(connection)


def _give_back(connection: sqlite3.Connection) -> None:
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    # Python takes one step of this statement, and each step frees one page.
    for _ in range(free):
        connection.execute("PRAGMA incremental_vacuum(1)")
