"""Why a journal cannot be written, in words for people."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from filelock import Timeout

_CAUSES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room"),
    sqlite3.SQLITE_READONLY: ("it may not be written to", "Give write permission"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "See that its folder exists"),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "Close that program"),
    sqlite3.SQLITE_LOCKED: ("another program keeps it locked", "Close that program"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "Look after the disk"),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", "Move it away and start again"),
    sqlite3.SQLITE_NOTADB: ("it is no journal any more", "Move it away and start again"),
    sqlite3.SQLITE_CONSTRAINT: (
        "another process has written to the same run",
        "Stop one of the two",
    ),
}


def sentence(path: Path, error: Exception) -> str:
    """What is the matter with the file, and what to do."""
    cause, advice = reason(error)
    return f"The journal {path} cannot be written: {cause}. {advice}; nothing is lost meanwhile."


def reason(error: Exception) -> tuple[str, str]:
    """The cause, and advice."""
    if isinstance(error, Timeout):
        return _CAUSES[sqlite3.SQLITE_BUSY]
    # The low byte is the kind, the rest its details (SQLITE_IOERR_WRITE, …).
    code = getattr(error, "sqlite_errorcode", None)
    known = _CAUSES.get(code & 0xFF) if code is not None else None
    if known:
        return known
    if isinstance(error, sqlite3.OperationalError) and "readonly" in str(error):
        return _CAUSES[sqlite3.SQLITE_READONLY]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower(), "See that its folder can be written to"
    return str(error) or type(error).__name__, "See that the file can be written to"
