"""What one job may use, and how a process is told so."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_MB = 1024**2
_BLOCK = 512  # bytes: the unit of `ulimit -f` in a POSIX shell
FIRST_TO_GO = 1000
"""What Linux is told of jobs for when the machine is short of memory: else it may be the server."""
# The option of a shell's `ulimit` for each limit, and the unit it counts in.
_OPTIONS = MappingProxyType(
    {
        "core": ("-c", 1),
        "nofile": ("-n", 1),
        "fsize": ("-f", _BLOCK),
        "cpu": ("-t", 1),
        "as": ("-v", 1024),
        "data": ("-d", 1024),
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. Sizes are in bytes.

    `memory` is that of all its processes together, and the address space of each in Python;
    `folder` is all that lies in its folder; `output` is how much of stdout, and of stderr, is kept.
    """

    memory: int = 2048 * _MB
    folder: int = 256 * _MB
    files: int = 20_000
    open_files: int = 256
    processes: int = 64
    threads: int = 600
    output: int = 1_000_000
    result: int = 8_000_000

    def of_process(self, timeout: float | None) -> dict[str, int]:
        """The limits of each process, by the names of `resource.RLIMIT_…` in small letters."""
        limits = {"core": 0, "nofile": self.open_files, "fsize": self.folder}
        if timeout is not None:
            limits["cpu"] = cpu_seconds(timeout)
        return limits


def cpu_seconds(timeout: float) -> int:
    """Threads add up their CPU time: the limit must not stop a job that uses all cores."""
    return math.ceil(timeout) * (os.cpu_count() or 1) + 1


def as_shell(limits: Mapping[str, int]) -> str:
    """The limits as a line for a POSIX shell, with who is the first to go.

    A limit that the system does not know, or that is already lower, stays as it is.
    """
    lines = [
        f"ulimit {_OPTIONS[name][0]} {value // _OPTIONS[name][1]}"
        for name, value in limits.items()
        if name in _OPTIONS
    ]
    if "nproc" in limits:  # shells differ
        lines.append("ulimit -u {0} || ulimit -p {0}".format(limits["nproc"]))
    lines.append(f"echo {FIRST_TO_GO} >/proc/self/oom_score_adj")
    return "; ".join(lines)
