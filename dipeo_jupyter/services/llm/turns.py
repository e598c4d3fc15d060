"""Whose turn it is to ask a provider: so many at once, so many a minute, first come, first served.

There are libraries for the second half. Those looked at let a newcomer overtake who waits, allow
twice the number in the first minute, or cannot be given a clock; and it is one deque.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...engine.clock import Clock
from ...settings import ModelLimits
from ..providers import provider_of

_MINUTE = 60.0


class Turns:
    """The queues in front of all providers. Whoever waits may be cancelled at any time."""

    def __init__(self, limits: ModelLimits, clock: Clock) -> None:
        self._limits = limits
        self._at_once = {provider_of(name): most for name, most in limits.at_once.items()}
        self._per_minute = {provider_of(name): most for name, most in limits.per_minute.items()}
        self._clock = clock
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def turn(self, provider: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it to the end of the block."""
        queue = self._queues.get(provider)
        if queue is None:
            at_once = self._at_once.get(provider, self._limits.usually_at_once)
            queue = _Queue(at_once, self._per_minute.get(provider), self._clock)
            self._queues[provider] = queue
        async with queue.places:
            if queue.starts is not None:
                await queue.start(queue.starts)
            yield

    def change_loop(self) -> None:
        """Nobody waits any more; whoever comes next does so on another event loop."""
        for queue in self._queues.values():
            queue.open()


class _Queue:
    """The queue in front of one provider. `starts` are the newest calls, the oldest first."""

    def __init__(self, at_once: int, per_minute: int | None, clock: Clock) -> None:
        self._at_once = at_once
        self._clock = clock
        self.starts: deque[float] | None = None if per_minute is None else deque(maxlen=per_minute)
        self.open()

    def open(self) -> None:
        self.places = asyncio.Semaphore(self._at_once)
        self._first = asyncio.Lock()

    async def start(self, starts: deque[float]) -> None:
        """Wait until so many calls have begun within the last minute that one more may."""
        async with self._first:
            if len(starts) == starts.maxlen:
                # A sleep may end a little early.
                while (wait := starts[0] + _MINUTE - self._clock.monotonic()) > 0:
                    await self._clock.sleep(wait)
            starts.append(self._clock.monotonic())
