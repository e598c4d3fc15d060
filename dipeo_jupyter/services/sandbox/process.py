"""The sandbox of plain operating system processes.

What it gives: each job is a fresh process in a session of its own, with its own folder, none of
this process's environment or open files, limits on time, memory, file size and output, and it is
killed as a group: when it takes too long, when the run is cancelled, and whatever it leaves behind.

What it does not protect yet: the job is the same user as this process. It can read and write that
user's files, reach the network and this machine's own ports, look at and signal the user's other
processes (also this one, and its environment in `/proc`), and start a daemon in a new session that
outlives it. Memory and disk are limited per process and per file, not in sum, JavaScript's only in
its heap, Bash's not at all. Should this process itself be killed, jobs go on until they end or
have used up their CPU time. Run only code you would run in a cell.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from ...engine.ports import Job, JobResult
from ...errors import NodeError, NodeTimeoutError
from .child import Child
from .launch import Limits, plan
from .outcome import outcome


class ProcessSandbox:
    """Runs each job in one process of its own; fulfils the port `Sandbox`.

    `search_path` lists the folders in which `node` and `bash` are looked for, as `PATH` does, which
    is used when it is None.
    """

    def __init__(self, limits: Limits | None = None, search_path: str | None = None) -> None:
        self._limits = limits or Limits()
        self._search_path = search_path

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """Run to the end, handing lines of stdout and stderr to `on_output` as they come.

        Raises `NodeError` or `NodeTimeoutError`; when cancelled, nothing of the job goes on.
        """
        if os.name != "posix":
            raise NodeError("Code nodes run on Linux and macOS only, for now.", field="language")
        launch = plan(job, self._limits, self._search_path)
        async with Child(launch, self._limits, on_output) as child:
            try:
                async with asyncio.timeout(job.timeout):
                    status = await child.finished()
            except TimeoutError:
                raise NodeTimeoutError(
                    f"The code took longer than {job.timeout:g} s and was stopped. "
                    "Give it a longer `timeout` or less to do.",
                    field="timeout",
                    details=child.said.stderr or child.said.stdout or None,
                ) from None
        # In a thread: reading eight megabytes of JSON would hold up everything else on the loop.
        return await asyncio.to_thread(outcome, job.language, status, child.said, self._limits)
