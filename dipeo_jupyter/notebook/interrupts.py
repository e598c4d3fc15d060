"""The stop button, and Ctrl-C: what they find a cell doing, and what becomes of its run."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from ..errors import CommandError

if TYPE_CHECKING:
    from .run import Run


class _OneLine(BaseException):
    def _render_traceback_(self) -> list[str]:
        """IPython's hook: where a cell was stopped is no news."""
        return [f"KeyboardInterrupt: {self}"]


class Stopped(_OneLine, KeyboardInterrupt):
    """Whoever waited was interrupted; the message says what became of it."""


class StoppedTask(_OneLine, asyncio.CancelledError):
    """The same in a task: with a `KeyboardInterrupt` it would end the loop, and so the kernel."""


class Interrupted(Stopped):
    """Whoever waited for a run was interrupted. The run is paused, unless it had just ended.

    With the `name` of the variable that holds the run, the message says how to go on by it.
    """

    def __init__(self, run: Run, name: str | None = None) -> None:
        how = f"`dipeo.resume({run.id!r})` goes on with it."
        if name is not None:
            how = f"`{name}.resume()` goes on with it, `await {name}` waits for it."
        super().__init__(f"the run is {run.status}.{'' if run.over else f' {how}'}")
        self.run = run


def stopped(run: Run, name: str | None = None) -> Interrupted:
    """Stop what runs, so that nothing that is done is lost; the error to raise."""
    with contextlib.suppress(CommandError):  # the run is over
        run.pause(now=True)
    return Interrupted(run, name)


def unbegun(stop: KeyboardInterrupt) -> Stopped:
    """What to raise when nothing had begun yet; one that says what became of it already stands."""
    return stop if isinstance(stop, Stopped) else Stopped("nothing was begun.")


@contextmanager
def held() -> Iterator[None]:
    """Hold the stop button back in the code within, and raise `KeyboardInterrupt` at its end.

    For what must not be cut in two: a run that has begun, and that nobody knows yet. Pressed twice,
    the button works at once. Only the main thread is ever interrupted: there is nothing to hold in
    others.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            before(number, frame)
        pressed = True

    signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


@contextmanager
def heard() -> Iterator[None]:
    """Have the stop button raise `KeyboardInterrupt` in what waits within.

    In a cell that awaits, ipykernel's own handler tells the loop, which stands still meanwhile.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
