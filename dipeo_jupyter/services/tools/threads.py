"""Threads for what other people wrote, which may never come back."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_own_thread(work: Callable[[], T]) -> T:
    """Do it in a thread that nobody else needs, and that does not keep the process alive.

    Those of `asyncio.to_thread` are few, all share them, and Python waits for them when it ends.
    A call that is cancelled leaves its thread to itself.
    """
    done: Future[T] = Future()
    context = contextvars.copy_context()

    def live() -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(context.run(work))
        except StopIteration as error:  # no future takes it
            done.set_exception(RuntimeError(f"StopIteration: {error}"))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is awaited
            done.set_exception(error)

    threading.Thread(target=live, name="dipeo-tool", daemon=True).start()
    return await asyncio.wrap_future(done)
