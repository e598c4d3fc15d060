"""One call to a model while it goes on: what went wrong in it, and how long one waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar


class Call:
    """The state of one call, for all who have a part in it.

    It may take `timeout` seconds. As soon as something of the answer has come, it may not be silent
    for `silence` seconds; before that it may, since a model that thinks says nothing for minutes.
    With `ending` it is `whole` only when these bytes were among what came.
    """

    def __init__(self, timeout: float, silence: float, ending: bytes = b"") -> None:
        self.failures: list[Exception] = []
        self.timeout = timeout
        self.silence = silence
        self.fell_silent = False
        self.whole = not ending
        self._ending = ending
        self._tail = b""
        self._loop = asyncio.get_running_loop()
        self._end = 0.0
        self._limit: asyncio.Timeout | None = None

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """Raise `TimeoutError` in the block when it takes too long, or falls silent."""
        self._end = self._loop.time() + self.timeout
        try:
            async with asyncio.timeout_at(self._end) as limit:
                self._limit = limit
                yield
        except TimeoutError:
            self.fell_silent = limit.expired() and limit.when() != self._end
            raise

    def received(self, piece: bytes) -> None:
        """These bytes came."""
        self.heard()
        if not self.whole:
            seen = self._tail + piece
            self.whole = self._ending in seen
            self._tail = seen[1 - len(self._ending) :]

    def heard(self) -> None:
        """Something of the answer came, be it only a sign of life."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(self._end, self._loop.time() + self.silence))


CALL: ContextVar[Call] = ContextVar("call")
"""The call that goes on in this context."""
