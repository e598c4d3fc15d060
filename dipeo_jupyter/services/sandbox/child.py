"""One job's process group, from its start to nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from subprocess import PIPE
from typing import Any, Self, cast

from ...errors import NodeError
from .folder import JobFolder
from .launch import Launch, Limits, environment
from .outcome import Said
from .output import Captured, Lines, Live

_GRACE = 0.1  # seconds for what the job left in the background to finish its output


class _Streams(asyncio.SubprocessProtocol):
    """Drains stdout and stderr, and notes the end of the process and of its pipes.

    asyncio's own `Process.wait` also waits for the pipes, which a grandchild may hold open.
    """

    def __init__(self, limit: int, live: Live) -> None:
        self.captured = {1: Captured(limit), 2: Captured(limit)}
        self._lines = {1: Lines(), 2: Lines()}
        self._live = live
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.captured[fd].add(data)
        if self._live.open:
            self._live.add(self._lines[fd].add(data))

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def show_rest(self) -> None:
        for lines in self._lines.values():
            self._live.add(lines.end())
        self._live.flush()


class _Report(asyncio.Protocol):
    """Drains the pipe by which the result comes."""

    def __init__(self, limit: int) -> None:
        self.captured = Captured(limit)
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.captured.add(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


class Child:
    """A running job: `async with` starts it, and at the end kills, reaps and removes all of it."""

    def __init__(self, launch: Launch, limits: Limits, on_output: Callable[[str], None]) -> None:
        self._launch = launch
        self._folder = JobFolder()
        self._live = Live(on_output)
        self._streams = _Streams(limits.output, self._live)
        self._report = _Report(limits.result)
        self._pipe: asyncio.ReadTransport | None = None
        self._process: asyncio.SubprocessTransport | None = None

    async def __aenter__(self) -> Self:
        try:
            await _to_the_end(self._start())
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._end()

    async def finished(self) -> int:
        """Wait for the job; its exit code, or minus the number of the signal that ended it."""
        assert self._process is not None
        await self._streams.exited.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._streams.closed.wait()
                await self._report.closed.wait()
        self._streams.show_rest()
        return cast(int, self._process.get_returncode())

    @property
    def said(self) -> Said:
        """What the job has written so far."""
        stdout, stderr = self._streams.captured[1], self._streams.captured[2]
        return Said(stdout.text, stderr.text, self._report.captured)

    async def _start(self) -> None:
        await asyncio.to_thread(self._folder.make, self._launch.script)
        reading, writing = os.pipe()
        try:
            self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: self._report, os.fdopen(reading, "rb", buffering=0)
            )
            self._process = await self._spawn(writing)
        finally:
            os.close(writing)
        stdin = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
        stdin.write(self._launch.stdin)
        stdin.close()

    async def _spawn(self, report: int) -> asyncio.SubprocessTransport:
        reports = self._launch.reports
        try:
            process, _ = await asyncio.get_running_loop().subprocess_exec(
                lambda: self._streams,
                *self._launch.command,
                *([str(report)] if reports else []),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=self._folder.work,
                env=environment(self._launch, self._folder.work),
                pass_fds=[report] if reports else [],
                start_new_session=True,
            )
        except OSError as error:
            raise _not_started(error) from None
        return process

    async def _end(self) -> None:
        # The kill comes at once: a loop that is closing may cancel the tidying up after it.
        if self._process is not None:
            _kill(self._process.get_pid())
        await _to_the_end(self._tidy_up())

    async def _tidy_up(self) -> None:
        self._live.close()
        if self._process is not None:
            await self._streams.exited.wait()
            stdin = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
            if stdin.get_write_buffer_size():  # nobody read it all: closing alone would wait
                stdin.abort()
            self._process.close()
            await self._streams.closed.wait()
        if self._pipe is not None:
            self._pipe.close()
            await self._report.closed.wait()
        await asyncio.to_thread(self._folder.remove)


def _kill(group: int) -> None:
    # Nobody is left in the group; macOS says PermissionError when only zombies are.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _not_started(error: OSError) -> NodeError:
    if error.errno == errno.E2BIG:
        return NodeError(
            "The inputs are too long for Bash, which takes them as variables (about 128 KB each). "
            "Use Python or JavaScript, or write them to a file and hand over its name.",
            field="language",
        )
    return NodeError(f"The process for the code could not be started: {error}.")


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` even when cancelled meanwhile, and let the cancellation go on afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
