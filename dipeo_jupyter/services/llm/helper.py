"""The worker as its owner sees it: started when it is needed, asked, and ended."""

from __future__ import annotations

import asyncio
import itertools
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import ServiceError
from ..redaction import Redactor
from .frames import (
    SIZE,
    Ask,
    Cancel,
    Done,
    Failed,
    FromWorker,
    ToWorker,
    Variables,
    packed,
    unpacked,
)
from .loading import variables

# Our own package and not another one; what is installed for this process; never the current folder.
_START = """
import sys
root, *places = sys.argv[1:]
sys.path.insert(0, root)
import dipeo_jupyter
del sys.path[0]
sys.path += [each for each in places if each not in sys.path]
from dipeo_jupyter.services.llm.worker import main
main()
"""
_ROOT = str(Path(__file__).parents[3])
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows, where a console would open
_BUFFER = 1_000_000  # bytes
_PATIENCE = 2.0  # seconds for the worker to end by itself
_LOGGED = 10_000  # lines of what a worker prints
_LINE = 1000  # letters of one of them

_log = logging.getLogger(__name__)


def command() -> list[str]:
    """What starts a worker."""
    places = [each for each in sys.path if Path(each).is_absolute()]
    return [sys.executable, "-P", "-c", _START, _ROOT, *places]


class Helper:
    """Has a worker, and a new one when that has ended; on one event loop until `close`."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._worker: Worker | None = None
        self._starting = asyncio.Lock()

    async def worker(self) -> Worker:
        """One that lives; raises `ServiceError` when none can be started."""
        async with self._starting:
            if self._worker is None or self._worker.ended:
                self._worker = await start_worker(self._redactor)
            return self._worker

    async def close(self) -> None:
        """End the worker. The next one may live on another event loop."""
        worker, self._worker = self._worker, None
        self._starting = asyncio.Lock()
        if worker is not None:
            await worker.close()


async def start_worker(redactor: Redactor) -> Worker:
    """Start a process; it takes calls at once, and seconds until it begins with them."""
    known = variables()
    try:
        process = await asyncio.create_subprocess_exec(
            *command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=_BUFFER,
            env=known,
            start_new_session=True,  # who interrupts this process does not mean that one
            creationflags=_NO_WINDOW,
        )
    except OSError as error:
        message = f"The helper process that speaks with models cannot be started: {error}."
        raise ServiceError(message, retryable=True) from None
    return Worker(process, redactor, known)


class Worker:
    """A worker that has been started. `ended` is said of it when it is gone, by whoever's hand."""

    def __init__(
        self, process: asyncio.subprocess.Process, redactor: Redactor, known: dict[str, str]
    ) -> None:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process, self._stdin = process, process.stdin
        self._redactor = redactor
        self._known = known
        self._numbers = itertools.count(1)
        self._inboxes: dict[int, asyncio.Queue[FromWorker]] = {}
        self._last_words = ""
        self.ended: str | None = None
        self._hearing = asyncio.create_task(self._hear(process.stderr))
        self._listening = asyncio.create_task(self._listen(process.stdout))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, ask: Ask) -> AsyncGenerator[FromWorker, None]:
        """Have a model asked, and give what comes: at the end, `Done` or `Failed`.

        Whoever closes it earlier cancels the call.
        """
        number, inbox = next(self._numbers), asyncio.Queue[FromWorker]()
        self._inboxes[number] = inbox
        self._tell_news()
        self._tell(ask._replace(number=number))
        if self.ended:
            inbox.put_nowait(_failed(number, self.ended))
        over = False
        try:
            while not over:
                message = await inbox.get()
                over = isinstance(message, Done | Failed)
                yield message
        finally:
            if not over:
                self._tell(Cancel(number))
                while not isinstance(await inbox.get(), Done | Failed):
                    pass  # pieces that were on their way
            del self._inboxes[number]

    async def close(self) -> None:
        """Let it end."""
        self._stdin.close()
        await self._within_patience(self._listening)
        await self._listening

    def _tell_news(self) -> None:
        """Tell it which variables have changed since it knows them."""
        if (now := variables()) != self._known:
            gone = dict.fromkeys(self._known.keys() - now.keys())
            fresh = dict(now.items() - self._known.items())
            self._tell(Variables({**gone, **fresh}))
            self._known = now

    def _tell(self, message: ToWorker) -> None:
        if not self.ended:
            self._stdin.write(packed(message))

    async def _listen(self, stdout: asyncio.StreamReader) -> None:
        """Hand out what it says, until it ends."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                size = int.from_bytes(await stdout.readexactly(SIZE))
                message = unpacked(await stdout.readexactly(size))
                if inbox := self._inboxes.get(message.number):
                    inbox.put_nowait(message)
        over = asyncio.ensure_future(self._process.wait())
        await self._within_patience(over)
        # Not for ever: a process that it has started may hold its pipes.
        await asyncio.wait([over, self._hearing], timeout=_PATIENCE)
        self._hearing.cancel()
        self._process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 - no other way
        self.ended = self._end(self._process.returncode)
        for number, inbox in self._inboxes.items():
            inbox.put_nowait(_failed(number, self.ended))

    async def _hear(self, stderr: asyncio.StreamReader) -> None:
        """Log what is printed there, without keys."""
        lines = 0
        while not stderr.at_eof():
            try:
                line = (await stderr.readline()).decode(errors="replace").rstrip()
            except ValueError:
                line = f"(a line of more than {_BUFFER:,} bytes)"
            self._last_words = line or self._last_words
            lines += 1
            if line and lines <= _LOGGED and _log.isEnabledFor(logging.DEBUG):
                _log.debug("worker %s: %.*s", self.pid, _LINE, self._redactor.redact(line))

    async def _within_patience(self, over: asyncio.Future[Any]) -> None:
        """Kill it when it does not end by itself. Not at once: that would hide how it has ended."""
        await asyncio.wait([over], timeout=_PATIENCE)
        if not over.done():
            with suppress(ProcessLookupError):
                self._process.kill()

    def _end(self, code: int | None) -> str:
        how = f"signal {-code}" if code and code < 0 else f"exit status {code}"
        said = f"The helper process that speaks with models ended ({how})."
        if code and code > 0 and self._last_words:
            said = f"{said} It said: {self._redactor.redact(self._last_words):.300}."
        return f"{said} Try again: a new one will be started."


def _failed(number: int, why: str) -> Failed:
    return Failed(number, why, retryable=True, kind="connection")
