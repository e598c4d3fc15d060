"""Python processes that wait for a job: each takes one, and ends with it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from ...errors import NodeError
from .child import Child

_log = logging.getLogger(__name__)
_OLDEST = 300.0  # seconds that a process waits for a job
_PAUSE = 0.02  # seconds in which the job that has just begun is not disturbed


class Pool:
    """Keeps some children started ahead, `size` of them from the first use on."""

    def __init__(self, make: Callable[[], Child], size: int) -> None:
        self._make = make
        self._size = size
        self._idle: deque[tuple[float, Child]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filling: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> Child:
        """A started child, which belongs to the caller from now on."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # what belongs to another loop is that one's to end
            self._forget()
            self._loop = loop
        while self._idle:
            child = self._idle.popleft()[1]
            if child.alive:
                self._fill()
                return child
            self._dismiss(child)
        child = self._make()
        await child.start()
        self._fill()
        return child

    async def aclose(self) -> None:
        """End all that wait. The next use starts them again."""
        if self._loop is not asyncio.get_running_loop():
            self._forget()
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.wait([self._filling])
        while self._idle:
            self._dismiss(self._idle.popleft()[1])
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _fill(self) -> None:
        if self._size and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self._start_more())

    async def _start_more(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(_PAUSE)
        while len(self._idle) < self._size:
            child = self._make()
            try:
                await child.start()
            except NodeError as error:
                _log.warning("no process could be started ahead of a job: %s", error)
                break
            self._idle.append((loop.time(), child))
        self._plan_leaving()

    def _plan_leaving(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._idle:
            when = self._idle[0][0] + _OLDEST
            self._timer = asyncio.get_running_loop().call_at(when, self._let_go)

    def _let_go(self) -> None:
        """Those that nobody needed for long; the others go when their time has come."""
        now = asyncio.get_running_loop().time()
        while self._idle and self._idle[0][0] + _OLDEST <= now:
            self._dismiss(self._idle.popleft()[1])
        self._plan_leaving()

    def _dismiss(self, child: Child) -> None:
        task = asyncio.create_task(child.end())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _forget(self) -> None:
        while self._idle:
            self._idle.popleft()[1].kill()
        self._loop = self._filling = self._timer = None
