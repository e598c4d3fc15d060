"""What happens in runs, on its way to one reader: all of it, or how they stand."""

from __future__ import annotations

import asyncio
import contextlib

from ..errors import DipeoError
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol import wire as w
from ..protocol.refusals import refusal_of
from .outbox import Outbox, Stream
from .standings import standings
from .users import User

MOMENT = 1.0
"""Seconds that what was read of the journal is held, when there is no room for it."""


class Telling:
    """The runs that a connection follows. It ends with `close`."""

    def __init__(self, user: User, outbox: Outbox) -> None:
        self._user = user
        self._outbox = outbox
        self._streams: dict[e.ExecutionId, asyncio.Task[None]] = {}
        self._told: dict[e.ExecutionId, Stream] = {}
        """How far each of them is."""
        self._standings: dict[e.ExecutionId, asyncio.Task[None]] = {}
        self._all_runs = self._brief = False

    def follow(self, execution_id: e.ExecutionId, after: int, seq: int) -> None:
        """Tell the entries of a run from now on, unless that is done already.

        The first is the one after number `after`; what had happened by `seq` is read already.
        """
        if execution_id not in self._streams:
            task = asyncio.create_task(self._tell(execution_id, after, seq))
            self._streams[execution_id] = task

    def follow_all(self, *, brief: bool) -> None:
        """Tell of all runs of the user: what happens in them, or with `brief` how they stand."""
        self._brief |= brief
        self._all_runs |= not brief
        for each in self._user.live:
            self.begun(each)

    def begun(self, execution_id: e.ExecutionId) -> None:
        """A run of this user has begun, or is gone on with."""
        if self._brief and execution_id not in self._standings:
            task = asyncio.create_task(self._tell_standings(execution_id))
            self._standings[execution_id] = task
        if self._all_runs:
            self.follow(execution_id, 0, 0)

    async def stop(self, execution_id: e.ExecutionId) -> None:
        """Tell nothing more of a run; when this returns, nothing more will be."""
        if (before := self._streams.pop(execution_id, None)) is not None:
            before.cancel()
            await asyncio.wait({before})

    def leave(self, execution_id: str) -> None:
        """Tell nothing more of a run, or of all."""
        if execution_id == w.ALL_RUNS:
            self._all_runs = self._brief = False
            for task in self._standings.values():
                task.cancel()
        for each in [each for each in self._streams if execution_id in (each, w.ALL_RUNS)]:
            self._streams.pop(each).cancel()

    async def catch_up(self) -> None:
        """Wait until all is told that has happened by now."""
        for run, stream in [*self._told.items()]:
            ack = await self._user.send(c.GetExecution(execution_id=run))
            await stream.reach(ack.seq)

    def close(self) -> None:
        for task in [*self._streams.values(), *self._standings.values()]:
            if task is not asyncio.current_task():
                task.cancel()
        self._streams.clear()
        self._standings.clear()

    async def _tell(self, execution_id: e.ExecutionId, after: int, seq: int) -> None:
        """Tell what happens in a run, until it is over.

        Nobody waits for a reader who is behind: it is told the rest from the journal, as soon as
        there is room for that. Only pieces of answers, which are not kept, are then left out.
        """
        stream = self._told[execution_id] = Stream(execution_id, after)
        try:
            while not await self._tell_some(stream, seq):
                await self._outbox.room()
                ack = await self._user.send(c.GetExecution(execution_id=execution_id))
                seq = ack.seq
            end = w.EndOfEvents(after_seq=stream.told)
            self._outbox.say(w.frame(end, execution_id=execution_id))
        except asyncio.CancelledError:
            self._outbox.drop(stream)
            raise
        except DipeoError as error:
            self._outbox.say(w.frame(refusal_of(error), execution_id=execution_id))
        finally:
            if self._streams.get(execution_id) is asyncio.current_task():
                del self._streams[execution_id]
            if self._told.get(execution_id) is stream:
                del self._told[execution_id]

    async def _tell_standings(self, execution_id: e.ExecutionId) -> None:
        """Tell how a run stands, as often as there is room for it."""
        try:
            async with contextlib.aclosing(standings(self._user, execution_id)) as summaries:
                async for summary in summaries:
                    await self._outbox.room()
                    told = w.Standing(summary=summary)
                    self._outbox.say(w.frame(told, execution_id=execution_id))
        except DipeoError as error:
            self._outbox.say(w.frame(refusal_of(error), execution_id=execution_id))
        finally:
            if self._standings.get(execution_id) is asyncio.current_task():
                del self._standings[execution_id]

    async def _tell_some(self, stream: Stream, seq: int) -> bool:
        """Tell as much as there is room for; True when that was all, and the run is over.

        What had happened by `seq` is read already, and worth a moment's waiting for room.
        """
        async with contextlib.aclosing(
            self._user.events(stream.execution_id, stream.told)
        ) as entries:
            async for entry in entries:
                if entry.seq <= seq:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(MOMENT):
                            await self._outbox.room()
                frame = await self._user.frames.of_large(entry)
                if not self._outbox.tell(stream, entry, frame):
                    return False
        return True
