"""Fulfils the port `Collections` by SQLAlchemy."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...diagram.suggest import did_you_mean
from ...engine.collections import Change, ColumnType, Query
from ...engine.collections import Table as Described
from ...errors import ServiceError
from .columns import fits, fitted, inferred
from .databases import Databases
from .reading import rows_of
from .stopping import Stop, StoppedError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

T = TypeVar("T")
Row = Mapping[str, Any]

CHUNK = 1000
"""Rows that are held, and handed to the database, at once."""
DONE = "dipeo_effects"
"""Beside the collections: which changes were made, so that none is made twice."""
KEPT = 90 * 24 * 3600
"""Seconds for which that is known."""

_NAME = re.compile(r"[^\W\d]\w{0,62}(\.[^\W\d]\w{0,62})?")
_AT_ONCE = 8
_MOST_TABLES = 500
_REPORTED = 100_000
_LOCK = 7_305_913


class SqlCollections:
    """Fulfils the port `Collections`: in a file below the root, and at the `urls` that are named.

    That a change was made is written in the same transaction as its rows; so, whenever it is tried
    again under the same key, the database itself knows.
    """

    def __init__(self, root: Path, urls: Mapping[str, str]) -> None:
        self._databases = Databases(root, urls)
        self._threads: ThreadPoolExecutor | None = None

    async def query(self, query: Query) -> list[dict[str, Any]]:
        """See the port."""

        def work(stop: Stop) -> list[dict[str, Any]]:
            with self._databases.named(query.database).reading(stop) as connection:
                return rows_of(connection, query)

        return await self._in_thread(work)

    async def change(self, change: Change) -> int:
        """See the port."""
        if not _NAME.fullmatch(change.collection) or _is_ours(change.collection):
            raise ServiceError(f"{change.collection!r} cannot be the name of a collection.")
        return await self._in_thread(lambda stop: self._change(change, stop))

    async def tables(self, database: str = "") -> list[Described]:
        """See the port."""

        def work(stop: Stop) -> list[Described]:
            found = self._databases.named(database)
            if self._databases.is_new(database):
                return []
            with found.reading(stop) as connection:
                return list(_described(connection))

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
        with database.writing(stop) as connection:
            done = _ledger(connection)
            if change.key and (known := _known(connection, done, change.key)) is not None:
                return known
            count = _put(connection, change, stop)
            if change.key:
                _note(connection, done, change.key, count)
            return count


def _is_ours(name: str) -> bool:
    return name.rpartition(".")[2].lower().startswith((DONE, "sqlite_"))


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
    _make(connection, table)
    return table


def _known(connection: Connection, done: Table, key: str) -> int | None:
    found = connection.execute(done.select().where(done.c.key == key)).first()
    return None if found is None else int(found[1])


def _note(connection: Connection, done: Table, key: str, count: int) -> None:
    now = time.time()
    connection.execute(done.delete().where(done.c.at < now - KEPT))
    connection.execute(done.insert(), {"key": key, "rows": count, "at": now})


# -- rows -----------------------------------------------------------------------------------------


def _put(connection: Connection, change: Change, stop: Stop) -> int:
    rows = iter(change.rows)
    first = list(islice(rows, CHUNK))
    table = _table(connection, change, first)
    fit = fits(table, decimals=connection.dialect.supports_native_decimal)
    count = 0
    for chunk in _chunks(chain(first, rows)):
        stop.check()
        for names, alike in groupby(enumerate(chunk, count + 1), lambda each: tuple(each[1])):
            _check_names(names, table, change)
            made = [fitted(row, fit, number, names) for number, row in alike]
            if change.replace:  # what stands twice in one statement is refused
                made = list({tuple(row[key] for key in change.keys): row for row in made}.values())
            connection.execute(_statement(connection, table, names, change), made)
        before, count = count, count + len(chunk)
        if change.on_rows and count // _REPORTED > before // _REPORTED:
            change.on_rows(count)
    return count


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _check_names(names: tuple[str, ...], table: Table, change: Change) -> None:
    known = list(table.columns.keys())
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"It has {', '.join(known)}."
            message = f"The collection {change.collection!r} has no column {name!r}. {hint}"
            raise ServiceError(message)
    if not names:
        raise ServiceError("A row has no column at all.")
    if change.replace and (missing := [key for key in change.keys if key not in names]):
        raise ServiceError(f"A row has no {missing[0]!r}, which is one of the `keys`.")


def _statement(connection: Connection, table: Table, names: tuple[str, ...], change: Change) -> Any:
    if not change.replace:
        return table.insert()
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415 - it is there by now
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment] # noqa: PLC0415
    adding = insert(table)
    others = {name: adding.excluded[name] for name in names if name not in change.keys}
    if not others:
        return adding.on_conflict_do_nothing(index_elements=list(change.keys))
    return adding.on_conflict_do_update(index_elements=list(change.keys), set_=others)


# -- tables ---------------------------------------------------------------------------------------


def _table(connection: Connection, change: Change, first: list[Row]) -> Table:
    """The table there is, else one that is made of what is known."""
    from sqlalchemy import MetaData, Table, inspect  # noqa: PLC0415 - it is there by now

    schema, name = _parts(change.collection)
    if inspect(connection).has_table(name, schema):
        return Table(name, MetaData(), schema=schema, autoload_with=connection, resolve_fks=False)
    columns: Mapping[str, ColumnType] = {
        **inferred(first, untyped=change.untyped),
        **change.columns,
    }
    if not columns:
        raise ServiceError(
            f"There is no collection {change.collection!r}, and no row to make it from: say its "
            "`columns`."
        )
    if lost := [key for key in change.keys if key not in columns]:
        hint = did_you_mean(lost[0], columns) or f"There are {', '.join(columns)}."
        raise ServiceError(f"There is no column {lost[0]!r} for the `keys`. {hint}")
    return _make(connection, _drawn(name, schema, columns, change.keys))


def _parts(collection: str) -> tuple[str | None, str]:
    schema, _, name = collection.rpartition(".")
    return schema or None, name


def _drawn(
    name: str, schema: str | None, columns: Mapping[str, ColumnType], keys: tuple[str, ...]
) -> Table:
    from sqlalchemy import Column, MetaData, Table  # noqa: PLC0415 - it is there by now

    made = []
    for column, what in columns.items():
        if not column or len(column.encode()) > 63 or not column.isprintable():  # noqa: PLR2004
            raise ServiceError(f"{column!r} cannot be the name of a column.")
        if what == "json" and column in keys:
            raise ServiceError(f"{column!r} holds objects, and cannot be one of the `keys`.")
        is_key = column in keys
        made.append(Column(column, _type(what), primary_key=is_key, autoincrement=False))
    return Table(name, MetaData(), *made, schema=schema)


def _type(what: ColumnType) -> Any:
    import sqlalchemy as sa  # noqa: PLC0415 - it is there by now
    from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415

    types: Mapping[ColumnType, Any] = {
        "text": sa.Text(),
        "integer": sa.BigInteger(),
        "number": sa.Double(),
        "boolean": sa.Boolean(),
        "date": sa.Date(),
        "datetime": sa.DateTime(),
        "json": sa.JSON().with_variant(JSONB(), "postgresql"),
    }
    return types[what]


def _make(connection: Connection, table: Table) -> Table:
    """Make a table if there is none; in PostgreSQL, two that do so at once would get in the way."""
    from sqlalchemy import inspect  # noqa: PLC0415 - it is there by now

    if inspect(connection).has_table(table.name, table.schema):
        return table
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    table.create(connection, checkfirst=True)
    return table


def _described(connection: Connection) -> Iterator[Described]:
    from sqlalchemy import inspect  # noqa: PLC0415 - it is there by now

    found = inspect(connection)
    for name in sorted([*found.get_table_names(), *found.get_view_names()])[:_MOST_TABLES]:
        if not _is_ours(name):
            columns = {each["name"]: str(each["type"]).lower() for each in found.get_columns(name)}
            keys = found.get_pk_constraint(name).get("constrained_columns") or ()
            yield Described(name, columns, tuple(keys))
