"""The outermost process of a job without namespaces: has walls built, and order kept inside.

Started as a script, with its orders as JSON. It makes a child, which shuts itself in and then is
the job; and it waits. When the job ends, or somebody asks it to (SIGTERM), or its own parent dies,
it kills whatever the job has left, and ends with the job's exit code. It imports nothing of the
package but its neighbours, because every job waits for it.

It makes the child as late as it can, when all is loaded that a job needs: what only one of the two
changes is in memory twice.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys

# Every job waits for this: `typing` would take longer than all the rest, and `signal` wraps what is
# built in.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any, NoReturn
else:
    import _signal as signal

if TYPE_CHECKING or __package__:
    from . import linux, reaper
    from .enclosure import Enclosure
else:  # beside it
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    import linux
    import reaper
    from enclosure import Enclosure

_NICE = 5


def _main() -> None:
    orders = json.loads(sys.argv[1])
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    signals: set[int] = {signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != orders["parent"]:  # it died meanwhile
        sys.exit(1)
    try:
        start = _prepared(orders)
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no job then
        _give_up(error)
    job = os.fork()
    if job == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        start()
    for stream in (0, 1, 2):  # they are the job's
        os.close(stream)
    os.closerange(3, 1024)
    os._exit(reaper.keep_order(job, signals, orders["user"]))


def _prepared(orders: dict[str, Any]) -> Callable[[], NoReturn]:
    """What the child has to do: all else is done, or loaded."""
    _hand_over(orders)
    enclosure = Enclosure(orders)
    limits = _limits(orders)
    program = _program(orders)
    _forget_neighbours()
    gc.collect()
    # Nothing is looked through for garbage until the job has begun: that would write everywhere.
    gc.disable()
    linux.give_back_memory()
    gc.freeze()

    def start() -> NoReturn:
        try:
            os.setsid()
            os.umask(0o077)
            os.nice(_NICE)  # whoever watches it, and ends it, comes first
            _be_first_to_go(orders["oom_score"])
            linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            for limit, value in limits.items():
                resource.setrlimit(limit, (value, value))
            enclosure.enter()
        except BaseException as error:  # noqa: BLE001 - whatever it is, there is no job then
            _give_up(error)
        gc.enable()
        program()
        sys.exit()

    return start


def _be_first_to_go(score: int) -> None:
    """When the machine is short of memory: else it may be the process that keeps order."""
    try:
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(file, b"%d" % score)
        os.close(file)
    except OSError:  # some containers let nobody say so
        return


def _give_up(error: BaseException) -> NoReturn:
    sys.stderr.write(f"The walls around the job could not be built: {error}\n")
    sys.stderr.flush()
    os._exit(1)


def _program(orders: dict[str, Any]) -> Callable[[], object]:
    """What the job is: a script of Python that is loaded here, or a program that is started."""
    command, driver = orders["command"], orders["driver"]
    if driver is None:
        return lambda: os.execv(command[0], command)  # noqa: S606 - what this process is for
    name, _ = os.path.splitext(os.path.basename(driver))  # noqa: PTH119, PTH122
    loaded = __import__(name)
    loaded.prepare()
    sys.argv[:] = command[command.index(driver) :]
    main: Callable[[], object] = loaded.main
    return main


def _forget_neighbours() -> None:
    """The job may mean others by these names."""
    folder = sys.path.pop(0)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name != "__main__" and os.path.dirname(file) == folder:  # noqa: PTH120
            del sys.modules[name]


def _hand_over(orders: dict[str, Any]) -> None:
    """The folder is the job's, and with it a script that lies beside it."""
    if orders["user"] is None:
        return
    outer = os.path.dirname(orders["write"])  # noqa: PTH120
    for path in (orders["write"], outer, os.path.join(outer, "job")):  # noqa: PTH118
        if os.path.exists(path):  # noqa: PTH110
            os.chown(path, orders["user"], orders["user"])


def _limits(orders: dict[str, Any]) -> dict[int, int]:
    """Each limit by its number, and not above what it is already."""
    there = _processes_of(os.getuid()) if orders["user"] is None else 0
    ordered = {**orders["limits"], "nproc": there + orders["processes"]}
    limits = {}
    for name, value in ordered.items():
        limit = getattr(resource, f"RLIMIT_{name.upper()}")
        _, highest = resource.getrlimit(limit)
        limits[limit] = value if highest == resource.RLIM_INFINITY else min(value, highest)
    return limits


def _processes_of(user: int) -> int:
    """How many processes and threads somebody has: the limit counts them all."""
    count = 0
    for each in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208
        try:
            if os.stat(f"/proc/{each}").st_uid == user:  # noqa: PTH116
                count += os.stat(f"/proc/{each}/task").st_nlink - 2  # noqa: PTH116
        except OSError:  # it has just ended
            continue
    return count


if __name__ == "__main__":
    _main()
