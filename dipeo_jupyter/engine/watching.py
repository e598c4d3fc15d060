"""Those who watch a run: each sees everything once, in order, and nothing that could be lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from ..errors import JournalError
from ..protocol import events as e
from .pace import Stretch, at_length, paced
from .ports import PAGE, Journal


class Watchers:
    """The watchers of one run. An entry is shown when it is safe in the journal.

    `reached` tells the number of the last entry, `is_over` whether there will be no more.
    """

    def __init__(
        self,
        execution_id: e.ExecutionId,
        journal: Journal,
        reached: Callable[[], int],
        is_over: Callable[[], bool],
    ) -> None:
        self._execution_id = execution_id
        self._journal = journal
        self._reached = reached
        self._is_over = is_over
        self.queues: set[asyncio.Queue[e.Entry]] = set()
        self._unseen: deque[tuple[e.Entry, int]] = deque()
        """What they are to see when it is safe, and the position of the journal at which it is."""
        self._showing: asyncio.Task[None] | None = None

    async def events(self, after: int = 0) -> AsyncIterator[e.Entry]:
        """Yield what happened after entry `after`, then what happens, until the run is over."""
        # Nothing gathers for somebody who is far behind.
        while self._reached() - after > PAGE and (page := await self._page(after)):
            async for entry in paced(page):
                after = entry.seq
                yield entry
        queue: asyncio.Queue[e.Entry] = asyncio.Queue()
        self.queues.add(queue)
        try:
            # Whatever happens while this is read comes by both ways.
            end = self._reached()
            while after < end and (page := await self._page(after)):
                async for entry in paced(page):
                    after = entry.seq
                    yield entry
            stretch = Stretch()
            while not (self._is_over() and queue.empty() and not self._unseen):
                if queue.empty():
                    entry = await queue.get()
                    stretch = Stretch()
                else:
                    await stretch.go_on()
                    entry = queue.get_nowait()
                # What is ephemeral bears the number of what it follows, which may be read by now.
                if entry.seq > after or (entry.event.ephemeral and entry.seq == after):
                    yield entry
        finally:
            self.queues.discard(queue)
            if not self.queues and self._showing is not None:
                self._showing.cancel()
                self._showing = None
                self._unseen.clear()

    def show(self, entry: e.Entry) -> None:
        """Let all see an entry as soon as it is safe; one task waits for that, for all."""
        if not self._unseen and (entry.event.ephemeral or self._journal.is_written()):
            self._give(entry)
            return
        self._unseen.append((entry, self._journal.position()))
        if self._showing is None:
            self._showing = asyncio.create_task(self._show_what_is_safe())

    async def _show_what_is_safe(self) -> None:
        while self._unseen:
            await kept(self._journal, self._unseen[0][1], urgent=False)
            self._give(self._unseen.popleft()[0])
            while self._unseen and self._journal.is_written(self._unseen[0][1]):
                self._give(self._unseen.popleft()[0])
        self._showing = None

    def _give(self, entry: e.Entry) -> None:
        for queue in self.queues:
            queue.put_nowait(entry)

    async def _page(self, after: int) -> Sequence[e.Entry]:
        """Some of the entries after this one, which are safe."""
        read, journal = self._journal.read, self._journal
        if not journal.has_neighbours:  # in memory: nothing to wait for
            return read(self._execution_id, after, PAGE)
        page = await at_length(read, self._execution_id, after, PAGE)
        if not journal.is_written(position := journal.position()):
            await kept(journal, position)
        return page


async def kept(journal: Journal, position: int | None = None, *, urgent: bool = True) -> None:
    """Wait until all up to a position (None: all that has happened) is safe, or cannot be.

    Of what cannot be kept, the runs say so themselves.
    """
    with contextlib.suppress(JournalError):
        await journal.written(position, urgent=urgent)
