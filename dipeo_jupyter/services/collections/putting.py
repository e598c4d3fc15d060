"""Rows into a table, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any

from ...diagram.language.values import kind
from ...diagram.suggest import did_you_mean
from ...engine.ports.collections import Change
from ...errors import ServiceError
from .columns import Fit, fit_for
from .stopping import Stop
from .tables import table_for

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

Row = Mapping[str, Any]

CHUNK = 1000
"""Rows that are held, and handed to the database, at once."""
_REPORTED = 100_000
_MISFITS = (ValueError, TypeError, OverflowError, ArithmeticError)


def put(connection: Connection, change: Change, stop: Stop) -> int:
    """Put all rows of a change where they belong; how many there were."""
    rows = iter(change.rows)
    first = list(islice(rows, CHUNK))
    table = table_for(connection, change, first)
    ways: dict[tuple[str, ...], _Way] = {}
    count = 0
    for chunk in _chunks(chain(first, rows)):
        stop.check()
        for names, alike in groupby(enumerate(chunk, count + 1), lambda each: tuple(each[1])):
            if names not in ways:
                _check_names(names, table, change)
                ways[names] = _Way(connection, table, names, change)
            ways[names].put(alike)
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


class _Way:
    """How rows with these columns, in this order, get into the table."""

    def __init__(
        self, connection: Connection, table: Table, names: tuple[str, ...], change: Change
    ) -> None:
        self._names = names
        self._keys = [names.index(key) for key in change.keys] if change.replace else []
        statement = _statement(connection, table, names, change)
        dialect = connection.dialect
        fits = [
            fit_for(table.columns[name], decimals=dialect.supports_native_decimal) for name in names
        ]
        if dialect.name != "sqlite":
            self._fits = fits
            self._send: Callable[[list[tuple[Any, ...]]], Any] = lambda rows: connection.execute(
                statement, [dict(zip(names, row, strict=True)) for row in rows]
            )
            return
        # Straight to the driver, which takes a third of the time.
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        order = [names.index(name) for name in compiled.positiontup]
        sql = str(compiled)
        self._fits = [
            _bound(fit, table.columns[name], dialect) for fit, name in zip(fits, names, strict=True)
        ]
        if order == list(range(len(names))):
            self._send = lambda rows: connection.exec_driver_sql(sql, rows)
        else:
            self._send = lambda rows: connection.exec_driver_sql(
                sql, [tuple(row[at] for at in order) for row in rows]
            )

    def put(self, rows: Iterable[tuple[int, Row]]) -> None:
        made, fits = [], self._fits
        for number, row in rows:
            try:
                values = zip(fits, row.values(), strict=True)
                made.append(tuple([fit(value) for fit, value in values]))
            except _MISFITS:
                raise self._misfit(number, row) from None
        if self._keys:  # what stands twice in one statement is refused
            made = list({tuple(row[at] for at in self._keys): row for row in made}.values())
        self._send(made)

    def _misfit(self, number: int, row: Row) -> ServiceError:
        cells = zip(self._fits, row.items(), strict=True)
        name, value = next(cell for fit, cell in cells if not _is_fitting(fit, cell[1]))
        shown = repr(str(value)[:50]) if isinstance(value, str | int | float) else kind(value)
        return ServiceError(
            f"Row {number:,}: {shown} does not fit the column {name!r}. Make the collection "
            f"with `columns: {{{name}: text}}`, or mend the row."
        )


def _is_fitting(fit: Fit, value: Any) -> bool:
    try:
        fit(value)
    except _MISFITS:
        return False
    return True


def _bound(fit: Fit, column: Column[Any], dialect: Any) -> Fit:
    """The value as the driver takes it."""
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return fit

    def bound(value: Any) -> Any:
        fitting = fit(value)
        return None if fitting is None else process(fitting)

    return bound


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
