"""Keeps a history up to date with its run, from its start over its end to whatever comes after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from ..client import Conversation
from ..protocol import commands as c
from ..protocol.events import Entry
from .history import History

Listener: TypeAlias = Callable[[Entry], None]
"""Is told each entry, pieces of answers included, when the history has it."""
BY_ITSELF = ("breakpoint", "journal", "budget", "closed")
"""Pauses that nobody has asked for just now: whoever waits for the run is told."""


class Following:
    """Lives on the loop on which the run is followed; `history` may be read from anywhere."""

    def __init__(self, conversation: Conversation, history: History) -> None:
        self.history = history
        self.listeners: list[Listener] = []
        self._conversation = conversation
        self._sent = 0
        self._stepping = False
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def begin(self) -> None:
        """Follow from now on, if nobody does: runs that are over can be gone on with."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
            self._task.add_done_callback(self._ended)

    async def send(self, command: c.Command, *, waits: bool = True) -> c.Ack:
        """Have a command obeyed; whatever comes of it is followed.

        Whoever does not wait for the run makes its steps while others do, who go on waiting.
        """
        self._stepping = waits and isinstance(command, c.StepExecution)
        ack = await self._conversation.client.send(command)
        self._sent += 1
        await self.begin()
        return ack

    async def wait(self) -> None:
        """Until the run is over, or stands by itself; questions are put to the cell that waits.

        A run that was paused before is not waited for, nor is one that nobody holds. One that
        somebody pauses meanwhile is: they will go on with it.
        """
        standing = asyncio.create_task(self._stands(was_paused=self.history.status == "paused"))
        attending = asyncio.create_task(self._conversation.attend())
        try:
            await asyncio.wait({standing, attending}, return_when=asyncio.FIRST_COMPLETED)
            (standing if standing.done() else attending).result()
        finally:
            standing.cancel()
            attending.cancel()
            await asyncio.wait({standing, attending})

    async def _follow(self) -> None:
        sent = None
        while sent != self._sent:  # whatever was obeyed meanwhile may have made it go on
            sent = self._sent
            async for entry in self._conversation.follow(len(self.history.entries)):
                if not entry.event.ephemeral:
                    self.history.apply(entry)
                    self._news.set()
                for listener in self.listeners:
                    listener(entry)
        ack = await self._conversation.client.send(
            c.GetExecution(execution_id=self._conversation.execution_id)
        )
        self.history.abandoned = not ack.result.live
        self._news.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nothing more is heard. Why not, those are told who wait; else nobody needs to know."""
        if not task.cancelled():
            task.exception()
        self._news.set()

    async def _stands(self, *, was_paused: bool) -> None:
        while True:
            self._news.clear()
            if self._task is not None and self._task.done():
                self._task.result()
                return
            if self._is_standing(was_paused=was_paused):
                return
            was_paused = was_paused and self.history.status == "paused"
            await self._news.wait()

    def _is_standing(self, *, was_paused: bool) -> bool:
        pause = self.history.pause
        if self.history.status != "paused" or pause is None:
            return False
        if pause.reason == "journal":  # what is under way waits for it
            return True
        by_itself = pause.reason in BY_ITSELF or (pause.reason == "steps" and self._stepping)
        return self.history.still and (was_paused or by_itself)
