"""Where the entries of runs are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..protocol.events import Entry, ExecutionId


class MemoryJournal:
    """Keeps the entries for as long as the process lives."""

    def __init__(self) -> None:
        self._entries: defaultdict[ExecutionId, list[Entry]] = defaultdict(list)

    def append(self, entry: Entry) -> None:
        self._entries[entry.execution_id].append(entry)

    def read(self, execution_id: ExecutionId, after: int = 0) -> Sequence[Entry]:
        # Entries are numbered without gaps from 1, so the number is the place.
        return self._entries[execution_id][after:]
