"""What a job prints, apart from what the notebook prints in the same process at the same time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Write = Callable[[str], None]

_STREAMS = ("stdout", "stderr")
_writers: ContextVar[dict[str, Write] | None] = ContextVar("dipeo_job_output", default=None)
_lock = threading.Lock()
_users = 0


class _Divided:
    """A stream that is the job's for the job, and else what it was."""

    def __init__(self, name: str, usual: Any) -> None:
        self._name, self._usual = name, usual

    def write(self, text: str) -> int:
        writers = _writers.get()
        if writers is None:
            return int(self._usual.write(text) or 0)
        writers[self._name](text)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for each in lines:
            self.write(each)

    def flush(self) -> None:
        if _writers.get() is None:
            self._usual.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)


@contextmanager
def printing_to(stdout: Write, stderr: Write) -> Iterator[None]:
    """Hand what is printed in this context on, until its end; other threads print as before."""
    _divide()
    token = _writers.set({"stdout": stdout, "stderr": stderr})
    try:
        yield
    finally:
        _writers.reset(token)
        _unite()


def _divide() -> None:
    global _users  # noqa: PLW0603 - the streams are the process's, and so is who uses them
    with _lock:
        _users += 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            if not isinstance(stream, _Divided):
                setattr(sys, name, _Divided(name, stream))


def _unite() -> None:
    global _users  # noqa: PLW0603 - as above
    with _lock:
        _users -= 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            if not _users and isinstance(stream, _Divided):
                setattr(sys, name, stream._usual)  # noqa: SLF001 - it is ours
