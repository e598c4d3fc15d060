"""Runs on cards: when there is one, what it shows, and what is left of it in the end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from IPython.display import display

from ...built import SCRIPT
from ...engine.own_thread import in_thread
from ...protocol import wire as w
from ...protocol.events import FINAL_EVENTS, Entry, ExecutionPaused, InputRequired
from ..run import Run
from ..watched import Eyes
from .cell import Cell, cell_here
from .feed import Feed
from .mime import WIDGET
from .obeying import Reply, Take, obey
from .static import bundle_of

SOON = 0.15
"""Seconds: a run that is over by then is shown when it is, and never as one that goes on."""
PATIENCE = 2.0
"""Seconds that a front end may take to show a card; longer, and it is taken for one that cannot."""
FAREWELL = 5.0
"""Seconds that a card which is not shown any more is kept, for front ends that are behind."""
RESTS = (*FINAL_EVENTS, ExecutionPaused, InputRequired)


class Face(Protocol):
    """A card as a widget."""

    model_id: str

    def observe(self, handler: Any, names: str) -> None: ...
    def close(self) -> None: ...

    def tell(self, run: Run, entries: Sequence[Entry]) -> None:
        """Show what has happened."""
        ...

    def reply(self, reply: Reply) -> None:
        """Show what came of a command."""
        ...

    def rest(self, run: Run) -> None:
        """Keep how it stands, for pages that are opened later."""
        ...


def show(run: Run) -> bool:
    """Show a run by a card; False where that cannot be, or where there is nothing to do.

    A cell that shows it already shows it once.
    """
    cell = cell_here()
    if cell is None:
        return False
    for card in run.watched:
        if card.cell == cell.id:
            return card.settle(anew=True)
    if run.final:
        return False
    Shown(run, cell).display()
    return True


@contextmanager
def showing(run: Run) -> Iterator[None]:
    """Show it while a cell awaits it."""
    cell = cell_here()
    if cell is None:
        yield
        return
    shown = Shown(run, cell)
    soon = asyncio.create_task(shown.display_soon())
    try:
        yield
    finally:
        soon.cancel()
        shown.settle()


def wait(run: Run) -> Run:
    """Wait for it in a cell that cannot await, and show it meanwhile."""
    cell = cell_here()
    if cell is None:
        return run.wait()
    shown = Shown(run, cell)
    try:
        try:
            return run.wait(SOON)
        except TimeoutError:
            shown.display()
        return run.wait()
    finally:
        shown.settle()


class Shown:
    """A run on a card in a cell; fulfils `watched.Card`. It keeps up for as long as both live.

    What is shown is told on the loop of the run. What is kept in the notebook is made in threads:
    a large picture would hold up the run.
    """

    def __init__(self, run: Run, cell: Cell) -> None:
        self.cell = cell.id
        self._run = run
        self._loop = run.watched.loop
        self._context = contextvars.copy_context()
        self._feed = Feed(self._tell)
        self._face: Face | None = None
        self._output = f"dipeo-{run.id}-{cell.id}"
        self._kept: object = None
        """What the output holds."""
        self._live = False
        """Whether that has the card in it."""
        self._withdrawn = False
        self._one_at_a_time = threading.Lock()
        self.eyes = Eyes(self._loop, SOON + PATIENCE)
        run.watched.add(self)

    async def display_soon(self) -> None:
        """Display it unless the run is over before anybody could look at it."""
        await asyncio.sleep(SOON)
        self.display()

    def display(self) -> None:
        """Begin to show it, from the cell that it belongs to."""
        if self._run.final:
            return
        seen = len(self._run.events)
        self._face = _face(self._run, self._take)
        self._face.observe(self._looked_at, "_view_count")
        self._keep(live=True)
        self._loop.call(partial(self._follow, seen))
        if self._run.over:
            self._loop.submit(self._retire())

    def settle(self, *, anew: bool = False) -> bool:
        """Show how it stands now that its cell has ended; False when it does not show it.

        With `anew`, one that was over too soon to be shown is, if something can be done with it.
        """
        if anew and self._face is None:
            self.display()
            return self._face is not None
        with self._one_at_a_time:
            if self._face is None or self._withdrawn:
                return False
            # That of a failed run is let go of later: if it failed at once, it may still be opened.
            if self.eyes.ever_open or (self._run.over and not self._run.final):
                self._keep(live=not self._run.final)
            else:  # nobody has seen it, and it is shown in the usual way
                self._withdrawn = True
                display({}, raw=True, display_id=self._output, update=True)
                self._loop.submit(self._close())
            return not self._withdrawn

    # -- what the run says ------------------------------------------------------------------------

    def _follow(self, seen: int) -> None:
        self._run.watched.listen(self._hear)
        if missed := self._run.events[seen:]:
            self._tell(missed)

    def _hear(self, entry: Entry) -> None:
        if self._withdrawn:
            return
        self._feed.add(entry)
        if isinstance(entry.event, RESTS):
            self._feed.flush()
            self._context.copy().run(in_thread, self._rest)

    def _tell(self, entries: Sequence[Entry]) -> None:
        assert self._face is not None
        self._face.tell(self._run, entries)

    def _rest(self) -> None:
        with self._one_at_a_time:
            if self._withdrawn or self._face is None:
                return
            if not self._run.final:
                self._face.rest(self._run)
                self._keep(live=True)
                if self._run.over:
                    self._loop.submit(self._retire())
            elif self.eyes.ever_open:
                self._keep(live=False)
                self._loop.submit(self._close())

    # -- what people do ---------------------------------------------------------------------------

    def _looked_at(self, change: dict[str, Any]) -> None:
        self.eyes.tell(looking=bool(change["new"]))

    def _take(self, said: Any) -> None:
        self._loop.submit(self._obey(said))

    async def _obey(self, said: Any) -> None:
        self.eyes.tell(looking=True)
        reply, command = await obey(said, self._run.watched.obey)
        assert self._face is not None
        self._feed.flush()
        self._face.reply(reply)
        if isinstance(command, w.Subscribe):
            self._tell(self._run.events[command.after_seq :])

    # -- what the notebook keeps ------------------------------------------------------------------

    def _keep(self, *, live: bool) -> None:
        """Put how it stands into the output, below the card while that is live."""
        holds = (live, len(self._run.events))
        if holds == self._kept:
            return
        data, metadata = bundle_of(self._run)
        if live:
            assert self._face is not None
            view = {"version_major": 2, "version_minor": 0, "model_id": self._face.model_id}
            data = {WIDGET: view, **data}
        again = self._kept is not None
        display(data, metadata=metadata, raw=True, display_id=self._output, update=again)
        self._kept, self._live = holds, live

    async def _retire(self) -> None:
        """Let go of the card of a failed run when nobody looks, unless it has gone on by then."""
        await asyncio.sleep(FAREWELL)
        await self.eyes.closed()
        if self._run.over and not self._withdrawn:
            await self._context.copy().run(in_thread, self._end)
            await self._close()

    def _end(self) -> None:
        with self._one_at_a_time:
            if self._run.over:
                self._keep(live=False)

    async def _close(self) -> None:
        """Let go of the card; a page that was loaded again has nothing else to show.

        A run that has gone on meanwhile keeps its card.
        """
        await asyncio.sleep(FAREWELL)
        await self.eyes.closed()
        assert self._face is not None
        if await self._context.copy().run(in_thread, self._withdraw):
            self._face.close()

    def _withdraw(self) -> bool:
        """Show nothing more, if the output does not hold the card."""
        with self._one_at_a_time:
            self._withdrawn = self._withdrawn or not self._live
            return self._withdrawn


def _face(run: Run, take: Take) -> Face:
    if SCRIPT.is_file():
        from .interactive import card_for  # noqa: PLC0415 - slow, and only for those who look

        return card_for(run, take)
    from .plain import PlainCard  # noqa: PLC0415 - as above

    return PlainCard(run, take)
