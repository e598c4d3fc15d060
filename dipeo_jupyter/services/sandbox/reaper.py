"""Waits for the end of a job, and kills and buries whatever it has left, however far that has gone.

Processes whose parents have ended become children of the nearest subreaper above them, which is the
one that this runs in. It imports nothing of the package, and runs beside a job.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:  # which the other one wraps, at some cost
    import _signal as signal


def keep_order(job: int, signals: set[int], user: int | None) -> int:
    """Wait for the end of the job, bury all, and leave nothing alive; give the exit code."""
    status, anybody = 128 + signal.SIGKILL, True
    while signal.sigwait(signals) != signal.SIGTERM:
        ended, anybody = _bury(job)
        if ended is not None:
            status = ended
            break
    while anybody:
        if user is not None:
            _kill_all_of(user)
        _kill_all_below()
        # As their heir this process gets the children of those it has killed.
        os.waitpid(-1, 0)
        _, anybody = _bury(job)
    return status


def _kill_all_below() -> None:
    """Kill all that come from this process, parents first, so that none makes more of itself.

    Some may flee, from parent to child: each is killed in the moment it is seen, and nobody is
    buried meanwhile, so that the dead count among the processes that a job may have.
    """
    killed: set[int] = set()
    while not (seen := _kill_below(killed)) <= killed:
        killed |= seen


def _kill_below(killed: set[int]) -> set[int]:
    """Kill those that were not killed before; all that were seen."""
    seen: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        for each in _children(waiting.pop()):
            if each not in killed:
                _kill(each)
            seen.add(each)
            waiting.append(each)
    return seen


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:  # it has ended by itself, and was buried by its own parent
        return


def _kill_all_of(user: int) -> None:
    """Kill all at one blow, which only those can do who are that user."""
    killer = os.fork()
    if killer == 0:
        os.setresuid(user, user, user)
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(killer, 0)


def _bury(job: int) -> tuple[int | None, bool]:
    """Bury the dead: the exit code of the job if it is among them; and whether anybody is alive."""
    code = None
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == job:
                status = os.waitstatus_to_exitcode(found[1])
                code = status if status >= 0 else 128 - status
    except ChildProcessError:
        return code, False
    return code, True


def _children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
            with open(f"/proc/{process}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += map(int, file.read().split())
    except OSError:  # it has just ended
        return found
    return found
