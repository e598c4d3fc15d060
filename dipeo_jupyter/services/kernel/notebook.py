"""The service that runs jobs among the names of a notebook in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from ...engine.ports import Job, JobResult
from ...errors import NodeTimeoutError, ServiceError
from ..sandbox.limits import Limits
from ..sandbox.outcome import Said, outcome
from ..sandbox.output import Captured, Lines, Live
from .code import report_of
from .printing import printing_to
from .thread import Stoppable

Namespace: TypeAlias = Callable[[], dict[str, Any] | None]
"""The names of the notebook in this process; None when there is none."""
_LIMITS = Limits()


def no_notebook() -> None:
    """The namespace of a process that is no notebook's."""


class NotebookKernel:
    """Fulfils the port `Kernel`. Each job has a thread of its own, as if it were a cell."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def look(self) -> None:
        """Raise `ServiceError` when this is no notebook's process."""
        self._names()

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """Run to the end; when that takes too long, or is cancelled, `KeyboardInterrupt` is raised.

        Raises `NodeError`, `NodeTimeoutError` or `ServiceError`.
        """
        output = _Output(on_output)
        names = self._names()

        def work() -> bytes:
            with printing_to(*output.writers):
                return report_of(job, names)

        running = Stoppable(work)
        try:
            async with asyncio.timeout(job.timeout):
                report = await running.result()
        except TimeoutError:
            ended = await running.stop()
            raise NodeTimeoutError(_too_long(job.timeout, ended=ended), field="timeout") from None
        except asyncio.CancelledError:
            await running.stop()
            raise
        finally:
            output.close()
        captured = Captured(_LIMITS.result)
        captured.add(report)
        said = Said(output.stdout, "", captured)
        return await asyncio.to_thread(outcome, "python", 0, said, _LIMITS)

    def _names(self) -> dict[str, Any]:
        names = self._namespace()
        if names is None:
            raise ServiceError("It needs a notebook, and there is none here: run it from one.")
        return names


class _Output:
    """What a job prints, in its thread; told on the loop, and kept as its value."""

    def __init__(self, on_output: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._live = Live(on_output)
        self._captured = Captured(_LIMITS.output)
        self._lines = {"stdout": Lines(), "stderr": Lines()}

    @property
    def writers(self) -> tuple[Callable[[str], None], Callable[[str], None]]:
        return (lambda text: self._write("stdout", text)), (
            lambda text: self._write("stderr", text)
        )

    @property
    def stdout(self) -> str:
        return self._captured.text

    def close(self) -> None:
        for each in self._lines.values():
            self._live.add(each.end())
        self._live.flush()
        self._live.close()

    def _write(self, name: str, text: str) -> None:
        data = text.encode(errors="backslashreplace")
        if name == "stdout":
            self._captured.add(data)
        lines = self._lines[name].add(data)
        if lines and self._live.open:
            self._loop.call_soon_threadsafe(self._live.add, lines)


def _too_long(seconds: float, *, ended: bool) -> str:
    what = "was stopped" if ended else "does not let itself be stopped: it goes on in the notebook"
    return f"The code took longer than {seconds:g} s and {what}. Give it a longer `timeout`."
