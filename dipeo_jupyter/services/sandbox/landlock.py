"""Jobs without namespaces: Linux's Landlock hides files, a seccomp filter the rest.

This is for containers, where nobody may make namespaces. A job sees which files there are, and how
large, but reads only the system's programs and Python's packages, and writes into its own folder
alone. It has no network at all. The script `confine.py` does this.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .enclosure import CREATE_RULESET, OLDEST_ABI
from .launch import Launch, environment
from .limits import FIRST_TO_GO, Limits
from .linux import system_call
from .tiers import Enclosed, TierName, a_user

_PROGRAM = str(Path(__file__).with_name("confine.py"))


@dataclass(frozen=True)
class Landlock:
    """Walls of Landlock; `readable` is what a job can read of this machine's files."""

    abi: int
    limits: Limits
    readable: tuple[Path, ...]

    name: TierName = field(default="landlock", init=False)
    on_disk: bool = field(default=True, init=False)

    def enclose(self, launch: Launch, work: Path, report: int) -> Enclosed:
        script = [str(work.parent / "job")] if launch.script is not None else []
        reported = [str(report)] if launch.reports else []
        policy = {
            "abi": self.abi,
            "parent": os.getpid(),
            "read": [*map(str, self.readable), *launch.needs, *script],
            "write": str(work),
            "limits": dict(launch.limits),
            "processes": self.limits.threads,
            "oom_score": FIRST_TO_GO,
            "user": a_user(),
            "driver": launch.driver,
            "command": [*launch.command, *reported],
        }
        command = (sys.executable, "-I", "-B", "-X", "utf8", _PROGRAM, json.dumps(policy))
        fds = (report,) if launch.reports else ()
        return Enclosed(command, environment(launch, work), work, fds)

    def end(self, process: int) -> None:
        """Have the outermost process kill all others, and then end."""
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)


def version() -> int:
    """Which Landlock this kernel has; 0 for none that is good enough."""
    if sys.platform != "linux":
        return 0
    try:
        found = system_call(CREATE_RULESET, None, 0, 1)
    except OSError:
        return 0
    return found if found >= OLDEST_ABI else 0
