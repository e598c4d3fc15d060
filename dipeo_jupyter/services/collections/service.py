"""Fulfils the port `Collections` by SQLAlchemy."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...engine.ports.collections import Change, Query
from ...engine.ports.collections import Table as Described
from ...errors import ServiceError
from .databases import Databases
from .putting import put
from .reading import rows_of
from .stopping import Stop, StoppedError
from .tables import DONE, described, is_ours, made_if_missing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

T = TypeVar("T")

KEPT = 90 * 24 * 3600
"""Seconds for which that is known."""

_NAME = re.compile(r"[^\W\d]\w{0,62}(\.[^\W\d]\w{0,62})?")
_AT_ONCE = 8


class SqlCollections:
    """Fulfils the port `Collections`: in a file below the root, and at the `urls` that are named.

    That a change was made is written in the same transaction as its rows; so, whenever it is tried
    again under the same key, the database itself knows.
    """

    def __init__(self, root: Path, urls: Mapping[str, str]) -> None:
        self._databases = Databases(root, urls)
        self._threads: ThreadPoolExecutor | None = None

    def look(self, database: str = "") -> object:
        """See the port."""
        return self._databases.look(database)

    async def query(self, query: Query) -> list[dict[str, Any]]:
        """See the port."""

        def work(stop: Stop) -> list[dict[str, Any]]:
            with self._databases.named(query.database).reading(stop) as connection:
                return rows_of(connection, query)

        return await self._in_thread(work)

    async def change(self, change: Change) -> int:
        """See the port."""
        if not _NAME.fullmatch(change.collection) or is_ours(change.collection):
            raise ServiceError(f"{change.collection!r} cannot be the name of a collection.")
        return await self._in_thread(lambda stop: self._change(change, stop))

    async def tables(self, database: str = "") -> list[Described]:
        """See the port."""

        def work(stop: Stop) -> list[Described]:
            found = self._databases.named(database)
            if self._databases.is_new(database):
                return []
            with found.reading(stop) as connection:
                return list(described(connection))

        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[Stop], T]) -> T:
        """Do it in a thread; when that is cancelled, only return once it has ended."""
        self._threads = self._threads or ThreadPoolExecutor(_AT_ONCE, "collections")
        stop = Stop()
        future = self._threads.submit(work, stop)
        waiting = asyncio.ensure_future(asyncio.wrap_future(future))
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            await asyncio.to_thread(stop.set)  # a database is asked for it by the network
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                waiting.exception()  # nobody waits for it any more
            raise
        except StoppedError:
            raise ServiceError("The work was called off.") from None

    def _change(self, change: Change, stop: Stop) -> int:
        database = self._databases.named(change.database)
        if change.replace and database.kind not in ("sqlite", "postgresql"):
            raise ServiceError(f"`upsert` is for SQLite and PostgreSQL, not for {database.kind}.")
        with database.writing(stop, change.on_wait) as connection:
            done = _ledger(connection)
            if change.key and (known := _known(connection, done, change.key)) is not None:
                return known
            count = put(connection, change, stop)
            if change.key:
                _note(connection, done, change.key, count)
            return count


# -- what was done before -------------------------------------------------------------------------


def _ledger(connection: Connection) -> Table:
    from sqlalchemy import Column, Double, Integer, MetaData, String, Table  # noqa: PLC0415

    table = Table(
        DONE,
        MetaData(),
        Column("key", String(500), primary_key=True),
        Column("rows", Integer),
        Column("at", Double, index=True),
    )
    made_if_missing(connection, table)
    return table


def _known(connection: Connection, done: Table, key: str) -> int | None:
    found = connection.execute(done.select().where(done.c.key == key)).first()
    return None if found is None else int(found[1])


def _note(connection: Connection, done: Table, key: str, count: int) -> None:
    now = time.time()
    connection.execute(done.delete().where(done.c.at < now - KEPT))
    connection.execute(done.insert(), {"key": key, "rows": count, "at": now})
