"""Jobs in namespaces of their own, made by bubblewrap: the strongest walls.

A job sees a file system of its own (the system's programs and Python's packages, read-only; an
empty folder in memory), its own processes alone, and no network. bubblewrap makes these without
any privilege, where the system lets it: see `probe`.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import seccomp
from .launch import Launch, environment
from .limits import Limits, as_shell
from .tiers import Enclosed, TierName, children, kill_group

_HOME = Path("/dipeo-job")
_WORK = _HOME / "work"
_NOBODY = "1000"  # inside; outside it is the user of this process
_SMALL = str(16 * 1024**2)

# The shell is the first process of the job's namespace: it ends when the program does, and the
# kernel then kills all others. What it would say of the program's end is not the program's.
_LIMIT_AND_RUN = (
    'exec {aside}>&2 2>/dev/null; {limits}; umask 077; "$@" 2>&{aside} {aside}>&-; exit $?'
)
_NAMESPACES = (
    "--unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try "
    "--disable-userns --die-with-parent --new-session --as-pid-1 --cap-drop ALL --hostname job "
    f"--uid {_NOBODY} --gid {_NOBODY} --proc /proc --dev /dev "
    f"--size {_SMALL} --tmpfs /dev/shm --remount-ro /dev --size {_SMALL} --tmpfs /tmp"
).split()


@dataclass(frozen=True)
class Bubblewrap:
    """Walls of namespaces; `readable` is what a job sees of this machine's files."""

    program: str
    readable: tuple[Path, ...]
    limits: Limits

    name: TierName = field(default="bubblewrap", init=False)
    on_disk: bool = field(default=False, init=False)

    def enclose(self, launch: Launch, work: Path, report: int) -> Enclosed:
        rules = seccomp.Rules(families=(seccomp.AF_UNIX,))
        fds = [seccomp.as_file(rules)]
        files = [f"--seccomp {fds[0]}"]
        if launch.script is not None:
            fds.append(_as_file(launch.script))
            files.append(f"--perms 0400 --file {fds[1]} {_HOME / 'job'}")
        reported: tuple[str, ...] = ()
        if launch.reports:
            fds.append(report)
            reported = (str(report),)
        command = (
            *(self.program, *_NAMESPACES, *self._sights(launch)),
            *f"--perms 0700 --dir {_HOME}".split(),
            *f"--size {self.limits.folder} --perms 0700 --tmpfs {_WORK}".split(),
            *" ".join(files).split(),
            *f"--remount-ro / --chdir {_WORK} --".split(),
            *("/bin/sh", "-c", self._script(launch, report), "job", *launch.command, *reported),
        )
        return Enclosed(command, environment(launch, _WORK), None, tuple(fds))

    def end(self, process: int) -> None:
        """Kill the first process of the namespace: the kernel kills the rest, bubblewrap ends.

        Killed itself, bubblewrap would leave a dead process to whoever is the first of this
        machine, and in many containers that one buries nobody.
        """
        inner = children(process)
        for each in inner:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        if not inner:
            kill_group(process)

    def _script(self, launch: Launch, report: int) -> str:
        limits = {**launch.limits, "nproc": self.limits.threads}
        aside = 9 if report != 9 else 8  # noqa: PLR2004 - shells take single digits alone
        return _LIMIT_AND_RUN.format(limits=as_shell(limits), aside=aside)

    def _sights(self, launch: Launch) -> Iterator[str]:
        for path in self.readable:
            if path.is_symlink():
                yield from ("--symlink", str(path.readlink()), str(path))
            else:
                yield from ("--ro-bind", str(path), str(path))
        for needed in launch.needs:
            path = Path(needed)
            if not any(path.is_relative_to(each) for each in self.readable):
                yield from ("--ro-bind", str(path.resolve()), str(path))


def find() -> str | None:
    """Where bubblewrap is installed."""
    return shutil.which("bwrap")


def _as_file(data: bytes) -> int:
    """A new descriptor from which data of any length can be read."""
    file = os.memfd_create("job", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(file), "wb") as stream:
        stream.write(data)
    os.lseek(file, 0, os.SEEK_SET)
    return file
