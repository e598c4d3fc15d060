"""Who watches a run sees everything once, and in order."""

from __future__ import annotations

import asyncio

from dipeo_jupyter.engine.watching import Watchers
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import MemoryJournal
from tests.running import diagram_of

from .world import World, play

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


ASKING = """
persons:
  Ann: {service: openai, model: small}
nodes:
  - {label: ask, type: person_job, props: {person: Ann, prompt: Hello}}
"""


def test_pieces_of_an_answer_are_shown_and_not_kept():
    async def story(world: World) -> tuple[bool, bool]:
        run_id = await world.start(diagram_of(ASKING), paused=True)

        async def watch() -> list[e.AnyEvent]:
            return [entry.event async for entry in world.engine.events(run_id)]

        watching = asyncio.create_task(watch())
        await world.resume(run_id)
        shown = await watching
        kept = world.past(run_id).events
        return any(each.ephemeral for each in shown), any(each.ephemeral for each in kept)

    assert play(story) == (True, False)
