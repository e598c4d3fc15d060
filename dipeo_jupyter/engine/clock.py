"""Time, as something that can be handed in: tests own theirs and never wait."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Unix seconds: what a calendar shows, may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment: what a stopwatch shows, never jumps."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real one."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
