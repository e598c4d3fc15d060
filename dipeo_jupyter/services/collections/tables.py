"""The tables behind collections: found, made and described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...diagram.suggest import did_you_mean
from ...engine.ports.collections import Change, ColumnType
from ...engine.ports.collections import Table as Described
from ...errors import ServiceError
from .columns import inferred

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

DONE = "dipeo_effects"
"""Beside the collections: which changes were made, so that none is made twice."""

_MOST = 500
_LOCK = 7_305_913


def is_ours(name: str) -> bool:
    """Whether it is no collection, but something that a database or we need beside them."""
    return name.rpartition(".")[2].lower().startswith((DONE, "sqlite_"))


def table_for(connection: Connection, change: Change, first: Sequence[Mapping[str, Any]]) -> Table:
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
    return made_if_missing(connection, _drawn(name, schema, columns, change.keys))


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


def made_if_missing(connection: Connection, table: Table) -> Table:
    """Make a table if there is none; in PostgreSQL, two that do so at once would get in the way."""
    from sqlalchemy import inspect  # noqa: PLC0415 - it is there by now

    if inspect(connection).has_table(table.name, table.schema):
        return table
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    table.create(connection, checkfirst=True)
    return table


def described(connection: Connection) -> Iterator[Described]:
    """All collections there are, by name."""
    from sqlalchemy import inspect  # noqa: PLC0415 - it is there by now

    found = inspect(connection)
    for name in sorted([*found.get_table_names(), *found.get_view_names()])[:_MOST]:
        if not is_ours(name):
            columns = {each["name"]: str(each["type"]).lower() for each in found.get_columns(name)}
            keys = found.get_pk_constraint(name).get("constrained_columns") or ()
            yield Described(name, columns, tuple(keys))
