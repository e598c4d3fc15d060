"""Who watches a run sees everything once, and in order."""

from __future__ import annotations

import asyncio

from dipeo_jupyter.engine.watching import Watchers
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import MemoryJournal

STARTED = e.NodeStarted("ask", 1, {})
DONE = e.NodeCompleted("ask", 1, {})


class Run(MemoryJournal):
    """A journal of a run that comes to its end while it is read for the first time."""

    def __init__(self):
        super().__init__()
        self.entries = []
        self.watchers = Watchers("exec_1", self, lambda: len(self.entries), lambda: self.over)
        self.over = False

    def happen(self, event):
        entry = e.Entry("exec_1", len(self.entries) + (not event.ephemeral), 0.0, event)
        if not event.ephemeral:
            self.entries.append(entry)
            self.append(entry)
        self.watchers.show(entry)

    def read(self, execution_id, after=0, most=None):
        if not self.over:
            self.happen(e.TokenDelta(node="ask", activation=1, text="Hel"))
            self.happen(DONE)
            self.over = True
        return super().read(execution_id, after, most)


def test_what_is_said_while_the_journal_is_read_does_not_come_after_the_end():
    async def seen():
        run = Run()
        run.happen(STARTED)
        return [entry.event async for entry in run.watchers.events()]

    assert asyncio.run(seen()) == [STARTED, DONE]
