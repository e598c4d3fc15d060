"""Where the code of jobs runs: in a sandbox, or in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

JobLanguage = Literal["python", "javascript", "bash"]


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of code to run. `inputs` are JSON values; `timeout` is in seconds of wall time.

    `idempotency_key` is the same whenever this very job is tried again. With `network` it may speak
    with public addresses.
    """

    language: JobLanguage
    code: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    function: str | None = None
    timeout: float = 30.0
    idempotency_key: str = ""
    network: bool = False


@dataclass(frozen=True, slots=True)
class JobResult:
    """`value` is what the code returned, or None when it returned nothing; `stdout` is capped."""

    value: Any
    stdout: str = ""
    returned: bool = True


class Sandbox(Protocol):
    """Runs code apart from this process."""

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """Run to the end, handing lines of output to `on_output` as they come.

        Raises `NodeError` (the code failed: message is its own last line, `details` its traceback)
        or `NodeTimeoutError`; when cancelled, nothing of the job is left running.
        """
        ...

    async def aclose(self) -> None:
        """End what was started ahead of jobs. The next one starts it again."""
        ...


class Kernel(Protocol):
    """The notebook that a run was started from: runs Python among its names."""

    def look(self) -> None:
        """Raise `ServiceError` when there is none; the sentence says why."""
        ...

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """As a sandbox does; what the code assigns stays there. Also raises `ServiceError`."""
        ...
