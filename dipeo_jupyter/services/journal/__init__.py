"""Where the entries of runs are kept: in memory, or in one SQLite file that outlives the process.

Both fulfil the port `Journal`. Start reading at `sqlite.py`, which puts the parts together:
`writer` (the one thread that writes, and what it does in trouble), `ledger` (entries to rows),
`encoding` and `decoding` (events to text and back), `reading`, `holding` (who holds a run, letters
between processes), `pruning`, `storage` (the file itself), `schema`. `summary` is what both kinds
of journal know of a run at a glance. Nothing here knows what a run does next.
"""

from .memory import MemoryJournal
from .opening import open_journal
from .sqlite import SqliteJournal

__all__ = ["MemoryJournal", "SqliteJournal", "open_journal"]
