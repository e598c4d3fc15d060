"""The walls that can stand around a job; `bubblewrap` and `landlock` are the real ones."""

from __future__ import annotations

import os
import secrets
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from .launch import Launch, environment
from .limits import as_shell

TierName = Literal["bubblewrap", "landlock", "deno", "none"]

# Beyond the numbers that systems give to people, services and containers.
_FIRST_USER, _USERS = 1_900_000_000, 200_000_000

# The shell lowers the limits and then becomes the program: no code of ours runs between fork and
# exec, where locks held by other threads would hang it.
_LIMIT_AND_RUN = '{{ {limits}; }} 2>/dev/null; umask 077; exec "$@"'


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A job's outermost process, ready to be started.

    `fds` are handed to it, and closed here; those that are `held` stay open here until it ends.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path | None = None
    fds: tuple[int, ...] = ()
    held: tuple[int, ...] = ()


class Tier(Protocol):
    """One kind of walls."""

    @property
    def name(self) -> TierName: ...

    @property
    def on_disk(self) -> bool:
        """Whether a job's folder is one of this machine's, made before and removed after."""
        ...

    def enclose(self, launch: Launch, work: Path, report: int) -> Enclosed:
        """How to start it, with its result going to `report`; `work` is its folder on disk."""
        ...

    def end(self, process: int) -> None:
        """End all processes of a job, at once; `process` is the outermost."""
        ...


@dataclass(frozen=True)
class NoWalls:
    """Plain processes: limits for each, an environment and a folder of their own, and no more.

    The job is the same user as this process, and can do what that user can.
    """

    name: TierName = field(default="none", init=False)
    on_disk: bool = field(default=True, init=False)

    def enclose(self, launch: Launch, work: Path, report: int) -> Enclosed:
        shell = ("/bin/sh", "-c", _LIMIT_AND_RUN.format(limits=as_shell(launch.limits)), "job")
        reported = (str(report),) if launch.reports else ()
        fds = (report,) if launch.reports else ()
        command = (*shell, *launch.command, *reported)
        return Enclosed(command, environment(launch, work), work, fds)

    def end(self, process: int) -> None:
        kill_group(process)


def a_user() -> int | None:
    """A user that nobody is, for one job of a server that runs as root; else None.

    Root's processes are not counted: only as somebody else can a job be kept from filling the
    machine with them.
    """
    return _FIRST_USER + secrets.randbelow(_USERS) if os.geteuid() == 0 else None


def kill_group(group: int) -> None:
    """Kill a process group."""
    # Nobody is left in the group; macOS says PermissionError when only zombies are.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def children(process: int) -> list[int]:
    """The children of a process on Linux; none of one that is gone."""
    found: list[int] = []
    for thread in _names(f"/proc/{process}/task"):
        with suppress(OSError), open(f"/proc/{process}/task/{thread}/children", "rb") as file:  # noqa: PTH123 - short-lived
            found += map(int, file.read().split())
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - called twenty times a second
    except OSError:
        return []
