"""An event loop on its own thread, so that a busy cell does not hold up a run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dipeo", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` over there, in the context of the caller, and return at once.

        The context is what ties printed text and questions to the cell that started the work.
        Cancelling the future cancels the work.
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Callable[[], object]) -> None:
        """Have it called over there, soon."""
        self._loop.call_soon_threadsafe(work)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Start `work` over there and wait for it here."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the background loop cannot wait for itself")
        return self.submit(work).result()

    def close(self) -> None:
        """Stop the loop and its thread; work that is under way is cancelled."""
        self.cancel()
        self.run(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cancel(self) -> None:
        """End all work that is under way, and wait for it."""
        self.run(self._cancel_all())

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _shut_down(self) -> None:
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()
