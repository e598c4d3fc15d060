"""What nodes need of databases: questions, changes, and who answers and makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

ColumnType = Literal["text", "integer", "number", "boolean", "date", "datetime", "json"]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement of SQL that only reads, and the values of its `:names`.

    More than `limit` rows are an error.
    """

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 1000
    database: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to be added to a collection, all of them or none.

    When there is none of this name it is made, of these `columns`; without them, of what the first
    rows need. In one that is made, `keys` are the columns by which rows are told apart. With
    `replace`, a row takes the place of the one that has the same keys. The `key` is the same
    whenever this very change is tried again, and it is made only once. `rows` are gone through in
    a thread, which reports to `on_rows` how many there were so far, and calls `on_wait` when it has
    to wait for somebody else who writes; those that are `untyped` have
    texts alone, which may stand for numbers and dates.
    """

    collection: str
    rows: Iterable[Mapping[str, Any]] = ()
    columns: Mapping[str, ColumnType] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    untyped: bool = False
    replace: bool = False
    database: str = ""
    key: str = ""
    on_rows: Callable[[int], None] | None = None
    on_wait: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a database: its columns with what each holds, and those that tell rows apart."""

    name: str
    columns: Mapping[str, str]
    keys: tuple[str, ...] = ()


class Collections(Protocol):
    """Tables of databases; which ones there are is said by the configuration alone.

    `""` is the database that needs no name. Every method raises `ServiceError`; when it is
    cancelled, nothing of it goes on or stays.
    """

    def look(self, database: str = "") -> object:
        """Raise it when there is no such database, as far as it shows without asking one."""
        ...

    async def query(self, query: Query) -> list[dict[str, Any]]:
        """The rows that a statement gives, as JSON values."""
        ...

    async def change(self, change: Change) -> int:
        """Make it; how many rows there were."""
        ...

    async def tables(self, database: str = "") -> list[Table]:
        """All collections there are, by name."""
        ...
