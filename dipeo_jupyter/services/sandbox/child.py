"""One job's processes, from their start to nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from subprocess import PIPE
from typing import Any, Self, cast

from ...errors import NodeError
from .folder import JobFolder
from .launch import Launch
from .limits import Limits
from .outcome import Said
from .output import Captured, Lines, Live
from .tiers import Enclosed, Tier, kill_group
from .watch import Watch

_GRACE = 0.1  # seconds for what the job left in the background to finish its output
_BY_SIGNAL = 128
_NICE = 5
_PATIENCE = 10.0  # seconds for walls to come down, before they are killed themselves


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
    """The processes of one job behind the walls of a tier.

    Those that share a `turn` are started one after the other. `start` has them wait, `begin` hands
    over the job; `end` kills, reaps and removes all of it, and is also what `async with` does in
    the end.
    """

    def __init__(
        self, launch: Launch, tier: Tier, limits: Limits, turn: asyncio.Lock | None = None
    ) -> None:
        self._launch = launch
        self._tier = tier
        self._turn = turn or asyncio.Lock()
        self._folder = JobFolder()
        self._live = Live()
        self._streams = _Streams(limits.output, self._live)
        self._report = _Report(limits.result)
        self._watch = Watch(limits, self._folder.work if tier.on_disk else None, self._stop)
        self._held: tuple[int, ...] = ()
        self._pipe: asyncio.ReadTransport | None = None
        self._process: asyncio.SubprocessTransport | None = None
        self.excess: str | None = None
        """What the job took too much of, if it was stopped because of that."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.end()

    async def start(self) -> None:
        """Have everything ready for a job."""
        try:
            await _to_the_end(self._start())
        except BaseException:
            await self.end()
            raise

    @property
    def walled(self) -> bool:
        """Whether there are walls around it, which nothing of the job outlives."""
        return self._tier.name != "none"

    @property
    def alive(self) -> bool:
        """Whether it can still take a job."""
        return self._process is not None and self._process.get_returncode() is None

    def begin(self, message: bytes, on_output: Callable[[str], None]) -> None:
        """Hand over the job."""
        assert self._process is not None
        self._live.listen(on_output)  # a job of Bash has begun by itself
        self._watch.start(self._process.get_pid())
        stdin = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
        stdin.write(message)
        stdin.close()

    async def finished(self) -> int:
        """Wait for the job; its exit code, or minus the number of the signal that ended it."""
        assert self._process is not None
        await self._streams.exited.wait()
        self._watch.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._streams.closed.wait()
                await self._report.closed.wait()
        self._streams.show_rest()
        return self._status(cast(int, self._process.get_returncode()))

    @property
    def said(self) -> Said:
        """What the job has written so far."""
        stdout, stderr = self._streams.captured[1], self._streams.captured[2]
        return Said(stdout.text, stderr.text, self._report.captured)

    def kill(self) -> None:
        """End the processes at once, and do not wait for it."""
        # Without walls there may be more of a job than the process that has ended.
        if self._process is not None and (self.alive or not self.walled):
            self._tier.end(self._process.get_pid())

    async def end(self) -> None:
        """Leave nothing behind."""
        # The kill comes at once: a loop that is closing may cancel the tidying up after it.
        self._watch.stop()
        self.kill()
        await _to_the_end(self._tidy_up())

    def _stop(self, sentence: str) -> None:
        self.excess = sentence
        self.kill()

    def _status(self, code: int) -> int:
        """Walls end with 128 more than the number of the signal, as Bash does by itself."""
        by_signal = code > _BY_SIGNAL and self.walled and self._launch.reports
        return _BY_SIGNAL - code if by_signal else code

    async def _start(self) -> None:
        if self._tier.on_disk:
            await asyncio.to_thread(self._folder.make, self._launch.script)
        reading, writing = os.pipe()
        try:
            self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: self._report, os.fdopen(reading, "rb", buffering=0)
            )
            enclosed = self._tier.enclose(self._launch, self._folder.work, writing)
            self._held = enclosed.held
            try:
                self._process = await self._spawn(enclosed)
            finally:
                for fd in set(enclosed.fds) - {writing}:
                    os.close(fd)
            self._give_way(self._process)
        finally:
            os.close(writing)

    def _give_way(self, process: asyncio.SubprocessTransport) -> None:
        """Whoever watches jobs comes first; and a job that is another user may use its streams."""
        if not self.walled:
            return
        # Where it has ended already, there is nothing to be done about it.
        with suppress(OSError, ValueError):
            if not self._tier.on_disk:  # else the walls see to it
                os.setpriority(os.PRIO_PROCESS, process.get_pid(), _NICE)
            for stream in (1, 2):
                pipe = cast(asyncio.ReadTransport, process.get_pipe_transport(stream))
                os.fchmod(pipe.get_extra_info("pipe").fileno(), 0o666)

    async def _spawn(self, enclosed: Enclosed) -> asyncio.SubprocessTransport:
        try:
            # The loop stands still while a process is made; between two of them it does not.
            async with self._turn:
                process, _ = await asyncio.get_running_loop().subprocess_exec(
                    lambda: self._streams,
                    *enclosed.command,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=PIPE,
                    cwd=enclosed.folder or "/",
                    env=enclosed.environment,
                    pass_fds=enclosed.fds,
                    start_new_session=True,
                )
        except OSError as error:
            raise _not_started(error) from None
        return process

    async def _tidy_up(self) -> None:
        self._live.close()
        held, self._held = self._held, ()
        for fd in held:
            os.close(fd)
        if self._process is not None:
            await self._gone(self._process)
            stdin = cast(asyncio.WriteTransport, self._process.get_pipe_transport(0))
            if stdin.get_write_buffer_size():  # nobody read it all: closing alone would wait
                stdin.abort()
            self._process.close()
            await self._streams.closed.wait()
        if self._pipe is not None:
            self._pipe.close()
            await self._report.closed.wait()
        if self._tier.on_disk and not self._folder.remove_if_empty():
            try:
                await asyncio.to_thread(self._folder.remove)
            except RuntimeError:  # when Python ends there are no other threads to do it in
                self._folder.remove()

    async def _gone(self, process: asyncio.SubprocessTransport) -> None:
        """Wait for the end of the outermost process, and insist on it."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._streams.exited.wait()
        except TimeoutError:
            kill_group(process.get_pid())
            await self._streams.exited.wait()


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
