"""A thread with an event loop of its own, for what would hold up everybody else."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_A_MOMENT = 0.0002


class Aside:
    """A thread with an event loop of its own, started when first used.

    litellm imports and counts tokens on the loop it is called on, half a second at a time; nobody
    else may wait for that. And its connections belong to one loop, whoever calls.
    """

    def __init__(self, goodbye: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._goodbye = goodbye
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Have it done there; the answer is for the loop of the caller."""
        with self._lock:
            if self._thread is None:
                self._open()
            done = asyncio.run_coroutine_threadsafe(work, self._loop)
        answer = asyncio.wrap_future(done)
        done.add_done_callback(_give_way)  # behind what hands the answer over
        return answer

    async def stop(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._end()
            await asyncio.to_thread(thread.join)

    def _open(self) -> None:
        runner, over = asyncio.Runner(loop_factory=asyncio.new_event_loop), asyncio.Event()
        goodbye = self._goodbye  # the thread must not hold `self`, or nobody could let go of it

        async def until_over() -> None:
            await over.wait()
            await goodbye()

        def live() -> None:
            with runner:
                runner.run(until_over())

        self._loop = runner.get_loop()
        self._thread = threading.Thread(target=live, name="litellm", daemon=True)
        self._thread.start()
        self._end = weakref.finalize(self, self._loop.call_soon_threadsafe, over.set)
        self._end.atexit = False  # at the end of the process no thread can be closed properly


def _give_way(done: Future[Any]) -> None:
    # litellm goes on with its books for milliseconds; whoever waits for the answer would wait for
    # that, too, until the interpreter takes its lock away from this thread.
    if not done.cancelled():
        time.sleep(_A_MOMENT)
