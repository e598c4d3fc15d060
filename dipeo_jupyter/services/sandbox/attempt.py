"""One job in one child: from handing it over to its result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ...engine.ports import Job, JobResult
from ...errors import NodeError, NodeTimeoutError
from .child import Child
from .hints import with_hint
from .launch import message
from .limits import Limits
from .outcome import outcome

_QUICKLY_READ = 16_000  # bytes: no thread is started and waited for as fast


async def attempt(
    child: Child, job: Job, on_output: Callable[[str], None], limits: Limits
) -> JobResult:
    """Run a job in a child that was started for it, and end the child.

    Raises `NodeError` or `NodeTimeoutError`; when cancelled, nothing of the job goes on.
    """
    async with child:
        child.begin(message(job, hurry=child.walled), on_output)
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
        said = child.said
        if child.excess is not None:
            raise NodeError(child.excess, field="code", details=said.stderr or None)
    try:
        if len(said.report.data) <= _QUICKLY_READ:
            return outcome(job.language, status, said, limits)
        # In a thread: eight megabytes of JSON would hold up everything else on the loop.
        return await asyncio.to_thread(outcome, job.language, status, said, limits)
    except NodeError as error:
        raise (with_hint(error, job) if child.walled else error) from None
