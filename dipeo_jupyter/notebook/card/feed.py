"""Entries of a run on their way to a card: together, and not too often."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from ...protocol.events import Entry, TokenDelta

INTERVAL = 0.05
"""Seconds, at least, from one message to the next; a Jupyter server drops what is too much."""
Tell: TypeAlias = Callable[[list[Entry]], None]


class Feed:
    """Belongs to the loop on which the run is followed.

    What it tells, it tells in the context in which it was made: that of the cell with the card.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._context = contextvars.copy_context()
        self._waiting: list[Entry] = []
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, entry: Entry) -> None:
        """Tell an entry: at once if nothing was told just now."""
        self._waiting.append(entry)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            pause = max(0.0, self._next - loop.time())
            self._timer = loop.call_later(pause, self.flush, context=self._context)

    def flush(self) -> None:
        """Tell what waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._next = asyncio.get_running_loop().time() + INTERVAL
            self._tell(list(merged(waiting)))


def merged(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same with one piece of each answer, where several came with no event between them."""
    pieces: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.event, TokenDelta):
            pieces.setdefault((entry.event.node, entry.event.activation), []).append(entry)
        else:
            yield from map(_joined, pieces.values())
            pieces.clear()
            yield entry
    yield from map(_joined, pieces.values())


def _joined(pieces: list[Entry]) -> Entry:
    events = [each.event for each in pieces]
    text = "".join(each.text for each in events if isinstance(each, TokenDelta))
    first = events[0]
    assert isinstance(first, TokenDelta)
    return pieces[0]._replace(
        event=TokenDelta(node=first.node, activation=first.activation, text=text)
    )
