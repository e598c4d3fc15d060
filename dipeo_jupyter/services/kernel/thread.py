"""A thread in which somebody's code runs, and which can be told to stop."""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE = 1.0
"""Seconds that code has to end when it is told to."""


class Stoppable(Generic[T]):
    """Work that begins at once, in a thread of its own."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._stopped = False
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()
        self._done = asyncio.wrap_future(done)
        # Not one of asyncio's own, which are few, and which Python waits for when it ends.
        start = partial(copy_context().run, self._live, done)
        threading.Thread(target=start, name="dipeo-kernel-job", daemon=True).start()

    async def result(self) -> T:
        """Wait for it; who is cancelled meanwhile leaves it running."""
        return await asyncio.shield(self._done)

    async def stop(self) -> bool:
        """Raise `KeyboardInterrupt` in it, and wait a moment; whether it has ended.

        It is raised between two steps of Python: code that waits in a library ends when that
        comes back.
        """
        with self._lock:
            self._stopped = True
            if self._thread is not None:
                _interrupt(self._thread)
        await asyncio.wait({self._done}, timeout=PATIENCE)
        if self._done.done() and not self._done.cancelled():
            self._done.exception()  # nobody asks for it any more
        return self._done.done()

    def _live(self, done: Future[T]) -> None:
        try:
            result = self._worked()
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            done.set_exception(error)
        else:
            done.set_result(result)

    def _worked(self) -> T:
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            self._thread = threading.get_ident()
        try:
            return self._work()
        finally:
            with self._lock:
                self._thread = None


def _interrupt(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
    )
