"""Work in a thread that can be called off."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StoppedError(Exception):
    """Nobody waits for the work any more."""


class Stop:
    """Says to work in a thread that nobody waits for it any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interrupt: Callable[[], None] | None = None
        self._is_set = False

    def set(self) -> None:
        """Have the work end, in the midst of a statement too."""
        with self._lock:
            self._is_set = True
            if self._interrupt is not None:
                self._interrupt()

    def check(self) -> None:
        """Raise `StoppedError` when it was called off."""
        if self._is_set:
            raise StoppedError

    @contextmanager
    def by(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While in the block, it is this that ends a statement."""
        with self._lock:
            self._interrupt = interrupt
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._interrupt = None
