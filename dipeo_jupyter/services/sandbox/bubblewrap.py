"""Jobs in namespaces of their own, made by bubblewrap: the strongest walls.

A job sees a file system of its own (the system's programs and Python's packages, read-only; an
empty folder in memory), its own processes alone, and no network. bubblewrap makes these without
any privilege, where the system lets it: see `probe`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from . import seccomp
from .launch import Launch, environment
from .limits import Limits, as_shell
from .tiers import Enclosed, TierName, a_user, children, kill_group

_HOME = Path("/dipeo-job")
_WORK = _HOME / "work"
_EGRESS = str(_HOME / "egress")
_RELAY = str(Path(__file__).with_name("relay.py"))
_NOBODY = "1000"  # inside; outside it is the user of this process
_SMALL = str(16 * 1024**2)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The shell is the first process of the job's namespace: it ends when the program does, and the
# kernel then kills all others. What it would say of the program's end is not the program's.
_LIMIT_AND_RUN = (
    'exec {aside}>&2 2>/dev/null; {limits}; umask 077; {user}"$@" 2>&{aside} {aside}>&-; exit $?'
)
_AS_USER = "setpriv --reuid {0} --regid {0} --clear-groups --inh-caps=-all -- "
_NAMESPACES = _words(
    "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try "
    "--die-with-parent --new-session --as-pid-1 --hostname job --cap-drop ALL"
)
_OF_ROOT = _words("--cap-add CAP_SETUID --cap-add CAP_SETGID")
_OF_OTHERS = _words(f"--unshare-user --disable-userns --uid {_NOBODY} --gid {_NOBODY}")
_EMPTY = _words(
    f"--proc /proc --dev /dev --size {_SMALL} --perms 1777 --tmpfs /dev/shm --remount-ro /dev "
    f"--size {_SMALL} --perms 1777 --tmpfs /tmp"
)


@dataclass(frozen=True)
class Bubblewrap:
    """Walls of namespaces; `readable` is what a job sees of this machine's files."""

    program: str
    readable: tuple[Path, ...]
    limits: Limits

    name: TierName = field(default="bubblewrap", init=False)
    on_disk: bool = field(default=False, init=False)

    def enclose(self, launch: Launch, work: Path, report: int) -> Enclosed:
        inside = (seccomp.AF_UNIX,)
        online = (*inside, seccomp.AF_INET, seccomp.AF_INET6)
        rules = seccomp.Rules(families=online if launch.egress else inside)
        fds = [seccomp.as_file(rules)]
        files = [f"--seccomp {fds[0]}"]
        if launch.script is not None:
            fds.append(_as_file(launch.script))
            files.append(f"--perms 0444 --file {fds[1]} {_HOME / 'job'}")
        reported: tuple[str, ...] = ()
        if launch.reports:
            fds.append(report)
            reported = (str(report),)
        user = a_user()
        command = (
            *(self.program, *_NAMESPACES, *(_OF_OTHERS if user is None else _OF_ROOT), *_EMPTY),
            *self._sights(launch),
            *_words(f"--perms 0755 --dir {_HOME}"),
            *(("--bind", launch.egress, _EGRESS) if launch.egress else ()),
            *_words(f"--size {self.limits.folder} --perms {_mode(user)} --tmpfs {_WORK}"),
            *_words(f"{' '.join(files)} --remount-ro / --chdir {_WORK} --"),
            *("/bin/sh", "-c", self._script(launch, report, user), "job"),
            *(*_online(launch), *launch.command, *reported),
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

    def _script(self, launch: Launch, report: int, user: int | None) -> str:
        limits = {**launch.limits, "nproc": self.limits.threads}
        aside = 9 if report != 9 else 8  # noqa: PLR2004 - shells take single digits alone
        before = "" if user is None else _AS_USER.format(user)
        return _LIMIT_AND_RUN.format(limits=as_shell(limits), aside=aside, user=before)

    def _sights(self, launch: Launch) -> Iterator[str]:
        needed = [
            path
            for path in map(Path, (*launch.needs, _RELAY))
            if not any(path.is_relative_to(each) for each in self.readable)
        ]
        paths = [*self.readable, *needed]
        # bubblewrap would make these by itself, but for one user alone.
        above = {each for path in paths for each in path.parents[:-1]}
        for folder in sorted(above):
            yield from ("--perms", "0755", "--dir", str(folder))
        for path in paths:
            if path in self.readable and path.is_symlink():
                yield from ("--symlink", str(path.readlink()), str(path))
            else:
                yield from ("--ro-bind", str(path.resolve()), str(path))


def _online(launch: Launch) -> tuple[str, ...]:
    """What is put in front of a command that has a network."""
    if launch.egress is None:
        return ()
    return sys.executable, "-I", "-S", "-B", _RELAY, _EGRESS


def _mode(user: int | None) -> str:
    """Of the job's folder; nobody else is there to use it."""
    return "0700" if user is None else "0777"


def _as_file(data: bytes) -> int:
    """A new descriptor from which data of any length can be read."""
    file = os.memfd_create("job", os.MFD_CLOEXEC)
    with os.fdopen(os.dup(file), "wb") as stream:
        stream.write(data)
    os.lseek(file, 0, os.SEEK_SET)
    return file
