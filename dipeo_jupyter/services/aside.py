"""A thread with an event loop of its own, for what belongs to one loop and serves many."""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# By name, since some policies give loops that cannot start processes: Jupyter's on Windows.
if sys.platform == "win32":
    _LOOP = asyncio.ProactorEventLoop
else:
    _LOOP = asyncio.SelectorEventLoop


class Aside:
    """A thread with an event loop of its own, started when first used.

    A process and its pipes belong to one loop, whoever calls and from whichever loop. `name` is
    what debuggers show; `goodbye` is done on the loop before it ends.
    """

    def __init__(self, name: str, goodbye: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name = name
        self._goodbye = goodbye
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Have it done there; the answer is for the loop of the caller."""
        with self._lock:
            if self._thread is None:
                self._open()
            return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def stop(self) -> None:
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._end()
            await asyncio.to_thread(thread.join)

    def _open(self) -> None:
        runner, over = asyncio.Runner(loop_factory=_LOOP), asyncio.Event()
        goodbye = self._goodbye  # the thread must not hold `self`, or nobody could let go of it

        async def until_over() -> None:
            await over.wait()
            await goodbye()

        def live() -> None:
            with runner:
                runner.run(until_over())

        self._loop = runner.get_loop()
        self._thread = threading.Thread(target=live, name=self._name, daemon=True)
        self._thread.start()
        self._end = weakref.finalize(self, self._loop.call_soon_threadsafe, over.set)
        self._end.atexit = False  # at the end of the process no thread can be closed properly
