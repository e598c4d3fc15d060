"""A clock that tests own: who sleeps wakes at once, and what was slept is written down."""

from __future__ import annotations

import asyncio


class FakeClock:
    """Fulfils `engine.clock.Clock`. `pauses` are the sleeps so far, in seconds."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
