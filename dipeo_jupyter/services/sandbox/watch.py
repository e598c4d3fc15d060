"""Looks at the processes of a job from time to time, and says when they take too much.

The kernel limits each process; all of a job's together only this does, so it may come a moment
late. It is for Linux: elsewhere there is nothing to look at.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .limits import Limits
from .tiers import children

_FIRST, _PAUSE = 0.025, 0.05  # seconds
_FOLDER_PAUSES = 4  # counting files takes longer
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_MB = 1024**2
_KB = 1024


class Watch:
    """Watches one job; `too_much` is called once, with a sentence, when it takes too much.

    `folder` is the job's, when it lies on this machine's disk.
    """

    def __init__(
        self, limits: Limits, folder: Path | None, too_much: Callable[[str], None]
    ) -> None:
        self._limits = limits
        self._folder = folder
        self._too_much = too_much
        self._timer: asyncio.TimerHandle | None = None
        self._counting: asyncio.Future[str | None] | None = None
        self._looks = 0

    def start(self, process: int) -> None:
        self._again(process, _FIRST)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self, process: int, pause: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(pause, self._look, process)

    def _look(self, process: int) -> None:
        self._looks += 1
        sentence = self._excess(process) or self._folder_excess()
        if sentence is None:
            self._again(process, _PAUSE)
        else:
            self._timer = None
            self._too_much(sentence)

    def _excess(self, process: int) -> str | None:
        limits = self._limits
        family = tree(process)
        if len(family) > limits.processes:
            return f"The code had more than {limits.processes} processes at once and was stopped."
        threads, memory = 0, 0
        for each in family:
            of_this = _threads_and_memory(each)
            threads, memory = threads + of_this[0], memory + of_this[1]
        if threads > limits.threads:
            return f"The code had more than {limits.threads} threads at once and was stopped."
        # What processes share was counted for each of them; only now is it worth asking how much.
        if memory > limits.memory and sum(map(_own_memory, family)) > limits.memory:
            return (
                f"The code used more than {limits.memory // _MB} MB of memory and was stopped. "
                "Have it keep less at once."
            )
        return None

    def _folder_excess(self) -> str | None:
        if self._folder is None:
            return None
        if self._counting is None and self._looks % _FOLDER_PAUSES == 1:
            loop = asyncio.get_running_loop()
            with suppress(RuntimeError):  # when Python ends there are no other threads to do it in
                self._counting = loop.run_in_executor(None, _full, self._folder, self._limits)
        if self._counting is None or not self._counting.done():
            return None
        counted, self._counting = self._counting, None
        return counted.result()


def tree(process: int) -> list[int]:
    """A process and all that come from it."""
    found, waiting = [], [process]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += children(each)
    return found


def _threads_and_memory(process: int) -> tuple[int, int]:
    """How many threads a process has, and how many bytes are in memory."""
    with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - short-lived
        fields = file.read().rpartition(b")")[2].split()
        return int(fields[17]), int(fields[21]) * _PAGE
    return 0, 0


def _own_memory(process: int) -> int:
    """Its part of what is in memory, in bytes; what it shares is divided."""
    with suppress(OSError), open(f"/proc/{process}/smaps_rollup", "rb") as file:  # noqa: PTH123
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * _KB
    return _threads_and_memory(process)[1]


def _full(folder: Path, limits: Limits) -> str | None:
    """Whether there is too much in a folder; blocks."""
    files, size, waiting = 0, 0, [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                files += 1
                with suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if files > limits.files:
                    return f"The code made more than {limits.files:,} files and was stopped."
                if size > limits.folder:
                    return f"The code wrote more than {limits.folder // _MB} MB and was stopped."
    return None
