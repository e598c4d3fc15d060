"""A journal in any case: in the file if that can be, else in memory."""

from __future__ import annotations

from pathlib import Path

from ...engine.ports import Journal
from ...errors import JournalError
from .memory import MemoryJournal
from .sqlite import SqliteJournal


def open_journal(home: Path | None) -> tuple[Journal, str | None]:
    """The journal of a folder; None keeps it in memory.

    The sentence says why a journal that should be in a file is in memory, and what to do.
    """
    if home is None:
        return MemoryJournal(), None
    try:
        return SqliteJournal(home), None
    except JournalError as error:
        return MemoryJournal(), str(error)
