"""A thread for what may never come back: humans, and what other people wrote."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Do it in a thread of its own, in the caller's context, without ever waiting for its end.

    The threads of `asyncio.to_thread` are few, all share them, and Python waits for them when it
    ends.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def do() -> None:
        try:
            result = work()
        except StopIteration as error:  # asyncio's futures do not take it, and would never be done
            done.set_exception(RuntimeError(f"StopIteration: {error}"))
        except BaseException as error:  # noqa: BLE001 - handed on to whoever awaits it
            done.set_exception(error)
        else:
            done.set_result(result)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(do,), name="dipeo-own", daemon=True).start()
    return asyncio.wrap_future(done)
