"""How runs that have much to do share an event loop with each other, and with everybody else.

Whoever works at length does so in stretches. Between two of them it waits for its turn, and at each
turn of the loop only one of all who wait gets theirs: however many runs there are, nobody else
waits for longer than one stretch. What cannot be done in stretches is done in a thread.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

P = ParamSpec("P")
T = TypeVar("T")

STRETCH = 0.003
"""Seconds that are worked at one go."""
FIRST_STRETCH = 0.001
"""The same for who has just begun, or woken: many others may have at the same turn of the loop."""


class _Queue:
    """Those who wait for their turn on one event loop, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self, loop: asyncio.AbstractEventLoop) -> None:
        mine = loop.create_future()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            loop.call_soon(self._let_one, loop)
        await mine

    def _let_one(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():  # else nobody waits for it any more
                first.set_result(None)
                break
        if self._waiting:
            loop.call_soon(self._let_one, loop)


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


async def my_turn() -> None:
    """Let others have the event loop, until it is time for the next stretch of work."""
    loop = asyncio.get_running_loop()
    queue = _queues.get(loop)
    if queue is None:
        queue = _queues[loop] = _Queue()
    await queue.turn(loop)


_calculating: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def at_length(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calculate it in a thread, like `asyncio.to_thread`, but one after the other.

    Several at once would only take Python's lock from each other, and each time that the event loop
    lets it go, it would wait for all of them.
    """
    loop = asyncio.get_running_loop()
    lock = _calculating.get(loop)
    if lock is None:
        lock = _calculating[loop] = asyncio.Lock()
    async with lock:
        return await asyncio.to_thread(work, *args, **kwargs)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Make many objects that stay.

    Meanwhile Python does not look for garbage: it would walk through all there is, again and again.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Stretch:
    """The work that somebody does at one go, who has just begun or woken."""

    def __init__(self) -> None:
        self._enough = monotonic() + FIRST_STRETCH

    async def go_on(self) -> None:
        """Go on at once, or at the next turn when this was enough for now."""
        if monotonic() > self._enough:
            await my_turn()
            self._enough = monotonic() + STRETCH


async def paced(values: Iterable[T]) -> AsyncGenerator[T, None]:
    """The same values, in stretches."""
    stretch = Stretch()
    for each in values:
        await stretch.go_on()
        yield each
