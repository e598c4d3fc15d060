"""Which databases there are, and how each is opened.

A diagram names a database and never an address: which one the name stands for, and with which
password, is said by the configuration. Every piece of work has a connection of its own, so that
nothing of one (a lock, a setting, an open transaction) is left to the next.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...diagram.suggest import did_you_mean
from ...errors import ServiceError
from .stopping import Stop
from .trouble import explained

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FILE = Path(".dipeo", "collections.db")
"""Where collections are, below the root of the run, when the configuration says nothing else.

Files with a leading dot are out of reach for all nodes that read and write files, so that no
diagram can put a forged database there.
"""
PATIENCE = 60.0
"""Seconds that a write waits for others of the same SQLite file."""
_BUSY = 0.25
_OPENING = 10
_PRAGMAS = ("foreign_keys = ON", "trusted_schema = OFF", "mmap_size = 0")
_LIBRARIES = {"MySQLdb": "mysqlclient", "psycopg2": "psycopg2-binary"}
"""Those whose modules have other names."""
_NEEDED = "Collections need the library SQLAlchemy: pip install 'dipeo_jupyter[sql]'."


@dataclass(frozen=True, slots=True)
class Database:
    """One that the configuration names, or the file of the run's root."""

    name: str
    engine: Engine

    @property
    def kind(self) -> str:
        """What it is: `sqlite`, `postgresql`."""
        return str(self.engine.dialect.name)

    @contextmanager
    def reading(self, stop: Stop) -> Iterator[Connection]:
        """A connection that is never committed."""
        with self._connected(stop) as connection:
            if (file := _file_of(connection)) is not None:
                _patiently(stop, lambda: _begin_reading(file))
            elif self.kind == "postgresql":
                connection.execution_options(postgresql_readonly=True)
            elif self.kind in ("mysql", "mariadb"):
                connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(
        self, stop: Stop, on_wait: Callable[[], None] | None = None
    ) -> Iterator[Connection]:
        """A connection whose work is committed at the end, or undone."""
        with self._connected(stop) as connection:
            file = _file_of(connection)
            if file is not None:
                _patiently(stop, lambda: _begin_writing(file), on_wait)
            try:
                yield connection
                stop.check()
                if file is not None:  # readers may keep it from that for a moment
                    _patiently(stop, file.commit)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def _connected(self, stop: Stop) -> Iterator[Connection]:
        url = self.engine.url
        with explained(url), self.engine.connect() as connection, stop.by(_end(connection)):
            yield connection


class Databases:
    """The databases of one root; `urls` are those that have a name, `""` the usual one."""

    def __init__(self, root: Path, urls: Mapping[str, str]) -> None:
        self._file = root.absolute() / FILE
        self._urls = urls
        self._known: dict[str, Database] = {}

    def named(self, name: str) -> Database:
        """The database of this name; raises `ServiceError` when there is none."""
        name = name.strip().lower()
        if name not in self._known:
            self._known[name] = Database(name, self._engine(name))
        return self._known[name]

    def look(self, name: str) -> str:
        """The name as it is known; raises `ServiceError` when none is so called, or none can be."""
        name = name.strip().lower()
        if find_spec("sqlalchemy") is None:
            raise ServiceError(_NEEDED)
        if name and name not in self._urls:
            raise ServiceError(self._unknown(name))
        return name

    def is_new(self, name: str) -> bool:
        """Whether nothing was ever put into it: the usual one is made at the first change."""
        return not name and not self._urls.get("") and not self._file.exists()

    def _engine(self, name: str) -> Engine:
        try:
            # Slow to import, and many runs need no database.
            from sqlalchemy import make_url  # noqa: PLC0415
            from sqlalchemy.exc import ArgumentError  # noqa: PLC0415
        except ImportError:
            raise ServiceError(_NEEDED) from None
        self.look(name)
        if not (address := self._urls.get(name)):
            return _sqlite_engine(self._file)
        variable = f"DIPEO_{name.upper()}_DATABASE_URL" if name else "DIPEO_DATABASE_URL"
        try:
            url = make_url(address)
        except ArgumentError:
            message = f"{variable} is no URL of a database; one is postgresql://me@localhost/facts."
            raise ServiceError(message) from None
        if url.get_backend_name() == "sqlite":
            if not url.database or url.database == ":memory:":
                raise ServiceError(f"{variable} names no file: write sqlite:////whole/path.db.")
            return _sqlite_engine(Path(url.database).absolute(), variable)
        return _server_engine(url, variable)

    def _unknown(self, name: str) -> str:
        known = [each for each in self._urls if each]
        hint = did_you_mean(name, known) or ""
        shown = name if name.isidentifier() else "NAME"
        return (
            f"There is no database {name!r}. {hint} Whoever starts the server or the kernel names "
            f"one by DIPEO_{shown.upper()}_DATABASE_URL; a diagram cannot."
        ).replace("  ", " ")


def _server_engine(url: Any, variable: str) -> Engine:
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - see `_engine`
    from sqlalchemy.exc import NoSuchModuleError  # noqa: PLC0415

    options: dict[str, Any] = {}
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "postgresql+psycopg":
        options = {"connect_timeout": _OPENING, "application_name": "dipeo_jupyter"}
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=options)
    except NoSuchModuleError:
        raise ServiceError(f"{variable}: SQLAlchemy knows no {url.drivername}.") from None
    except ImportError as error:
        library = _LIBRARIES.get(str(error.name), error.name)
        if url.drivername.endswith("psycopg"):  # which may be there, and lack a part
            library = "psycopg[binary]"
        raise ServiceError(f"{variable} needs a driver: pip install '{library}'.") from None
    engine.dialect.use_insertmanyvalues_wo_returning = True  # many rows in one statement
    return engine


def _sqlite_engine(path: Path, variable: str | None = None) -> Engine:
    """One for this file; without a `variable` that names it, it is ours, and made."""
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - see `_engine`

    def connect() -> sqlite3.Connection:
        if variable is None:
            _prepare(path)
        elif not path.exists():
            raise ServiceError(
                f"{variable}: there is no file {path}. Correct the path (a whole one has four "
                "slashes), or make the file: an empty one will do."
            )
        uri = f"{path.as_uri()}?mode={'rw' if variable else 'rwc'}"
        # Without a level, transactions begin where we say, also those that make tables.
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=_BUSY, check_same_thread=False
        )
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _prepare(path: Path) -> None:
    """Make the folder and the file, for the user alone."""
    home = path.parent
    home.mkdir(parents=True, mode=0o700, exist_ok=True)
    if home.is_symlink() or path.is_symlink():
        raise ServiceError(f"{path} is reached by a link, which is not followed.")
    if not (ignore := home / ".gitignore").exists():
        ignore.write_text("*\n")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))


def _file_of(connection: Connection) -> sqlite3.Connection | None:
    """What SQLAlchemy speaks with, if that is a file of SQLite."""
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None


def _begin_writing(file: sqlite3.Connection) -> None:
    # Looks into the file, so it may be locked.
    file.execute("PRAGMA synchronous = FULL")
    file.execute("BEGIN IMMEDIATE")


def _begin_reading(file: sqlite3.Connection) -> None:
    file.execute("BEGIN")
    try:
        file.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except BaseException:
        file.rollback()
        raise


def _patiently(
    stop: Stop, work: Callable[[], Any], on_wait: Callable[[], None] | None = None
) -> None:
    """Do it as soon as others let go of the file; `on_wait` is called when they have it."""
    until = time.monotonic() + PATIENCE
    while True:
        stop.check()
        try:
            work()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            if on_wait is not None:
                on_wait()
                on_wait = None
        else:
            return


def _end(connection: Connection) -> Callable[[], None]:
    """What ends the statement that is under way, from another thread."""
    driver: Any = connection.connection.driver_connection
    for name in ("interrupt", "cancel_safe", "cancel"):  # of SQLite, of psycopg, of others
        if hasattr(driver, name):
            return cast("Callable[[], None]", getattr(driver, name))
    return lambda: None
