"""The outermost process of a job without namespaces: builds the walls, and keeps order inside.

Started as a script, with its orders as JSON. It makes a child, which shuts itself in and then is
the job; and it waits. When the job ends, or somebody asks it to (SIGTERM), or its own parent dies,
it kills whatever the job has left, however far that has gone, and ends with the job's exit code.
It imports nothing of the package but its neighbours, because every job waits for it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import struct
import sys

# Every job waits for this: `typing` would take longer than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

if TYPE_CHECKING or __package__:
    from . import seccomp
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    import seccomp

CREATE_RULESET, _ADD_RULE, _RESTRICT = 444, 445, 446
OLDEST_ABI = 2  # earlier ones allow no renaming from folder to folder
_SIGNALS_ABI, _TRUNCATE_ABI = 6, 3
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 38, 22
_PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _RAISE, _CLEAR_ALL = 8, 47, 2, 4
_CAP_DAC_READ_SEARCH = 2
_NICE = 5
_FILTER, _CAPSET = 2, {"x86_64": 126, "aarch64": 91}

# What Landlock can forbid about files, by its own numbers.
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
_ALL_RIGHTS = 0xFFFF  # from version 5 on
_OF_FILES = _EXECUTE | _WRITE | _READ | 0x4000 | 0x8000
_LOOK = _EXECUTE | _READ | _LIST
_NETWORK, _SCOPES = 3, 3  # binding and connecting; abstract sockets and signals
_PLAIN_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)


def system_call(number: int, *arguments: Any) -> int:
    """What the kernel answers. Raises `OSError`."""
    answer = int(_libc.syscall(number, *arguments))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


def _prctl(*arguments: int) -> None:
    if _libc.prctl(*map(ctypes.c_ulong, (*arguments, 0, 0, 0)[:5])) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _main() -> None:
    orders = json.loads(sys.argv[1])
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signals = {signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != orders["parent"]:  # it died meanwhile
        sys.exit(1)
    _slim()
    gc.freeze()
    job = os.fork()
    if job == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        _become(orders)
    for stream in (0, 1, 2):  # they are the job's
        os.close(stream)
    os.closerange(3, 1024)
    os._exit(_keep_order(job, signals, orders["user"]))


def _slim() -> None:
    """Give back what was needed to begin; what two processes have, and one writes, is there twice.

    For that reason nothing is looked through for garbage either, until the job has begun.
    """
    gc.collect()
    gc.disable()
    if hasattr(_libc, "malloc_trim"):  # of glibc
        _libc.malloc_trim(0)


def _keep_order(job: int, signals: set[signal.Signals], user: int | None) -> int:
    """Wait for the end of the job, bury all, and leave nothing alive; give the exit code."""
    status = 128 + signal.SIGKILL
    while signal.sigwait(signals) != signal.SIGTERM:
        if (ended := _bury(job)) is not None:
            status = ended
            break
    while _children(os.getpid()):
        if user is not None:
            _kill_all_of(user)
        _kill_all_below()
        # As their heir this process gets the children of those it has killed.
        os.waitpid(-1, 0)
        _bury(job)
    return status


def _kill_all_below() -> None:
    """Kill all that come from this process: stopped first, so that none makes more of itself."""
    stopped: set[int] = set()
    while running := _below() - stopped:
        for each in running:
            _signal(each, signal.SIGSTOP)
        stopped |= running
    for each in stopped:
        _signal(each, signal.SIGKILL)


def _below() -> set[int]:
    found: set[int] = set()
    waiting = _children(os.getpid())
    while waiting:
        found.add(each := waiting.pop())
        waiting += _children(each)
    return found


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
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


def _bury(job: int) -> int | None:
    """The exit code of the job if it has ended."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == job:
            found = os.waitstatus_to_exitcode(status)
            code = found if found >= 0 else 128 - found


def _children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
            with open(f"/proc/{process}/task/{thread}/children", "rb") as file:  # noqa: PTH123
                found += map(int, file.read().split())
    except OSError:  # it has just ended
        return found
    return found


def _become(orders: dict[str, Any]) -> NoReturn:
    """Shut this process in, and be the job."""
    try:
        os.setsid()
        os.umask(0o077)
        os.nice(_NICE)  # whoever watches it, and ends it, comes first
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for name, value in orders["limits"].items():
            _lower(getattr(resource, f"RLIMIT_{name.upper()}"), value)
        if orders["user"] is None:
            _lower(resource.RLIMIT_NPROC, _processes_of(os.getuid()) + orders["processes"])
        else:
            _lower(resource.RLIMIT_NPROC, orders["processes"])
            _be(orders["user"], orders["write"])
        _give_up_privileges()
        _shut_in(orders)
    except BaseException as error:  # noqa: BLE001 - whatever it is, there is no job then
        sys.stderr.write(f"The walls around the job could not be built: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    command = orders["command"]
    if orders["driver"] is None:
        os.execv(command[0], command)  # noqa: S606 - what this process is for
    sys.path.pop(0)
    sys.argv[:] = command[command.index(orders["driver"]) :]
    with open(orders["driver"], "rb") as file:  # noqa: PTH123
        code = compile(file.read(), orders["driver"], "exec", dont_inherit=True)
    _slim()
    gc.enable()
    status = 0
    try:
        exec(code, {"__name__": "__main__", "__file__": orders["driver"]})  # noqa: S102
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    sys.exit(status)


def _lower(limit: int, value: int) -> None:
    _, highest = resource.getrlimit(limit)
    if highest != resource.RLIM_INFINITY:
        value = min(value, highest)
    resource.setrlimit(limit, (value, value))


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


def _be(user: int, work: str) -> None:
    """Become somebody else, whose is the folder; what root could read can be read still."""
    for path in (work, os.path.dirname(work), os.path.join(os.path.dirname(work), "job")):  # noqa: PTH118, PTH120
        if os.path.exists(path):  # noqa: PTH110
            os.chown(path, user, user)
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _give_up_privileges() -> None:
    """Nothing is left but, of root, to look; where at, Landlock says."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    try:
        _set_capabilities(1 << _CAP_DAC_READ_SEARCH)
        _prctl(_PR_CAP_AMBIENT, _RAISE, _CAP_DAC_READ_SEARCH)
    except OSError:  # there was nothing to give up
        _set_capabilities(0)


def _set_capabilities(bits: int) -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    system_call(_CAPSET[os.uname().machine], header, struct.pack("=6I", *[bits] * 3, 0, 0, 0))


def _shut_in(orders: dict[str, Any]) -> None:
    abi: int = orders["abi"]
    rights = _FILE_RIGHTS.get(abi, _ALL_RIGHTS)
    ruleset = _ruleset(abi, rights)
    for path in orders["read"]:
        _allow(ruleset, path, rights & _LOOK)
    for path in _PLAIN_DEVICES:
        _allow(ruleset, path, rights & (_READ | _WRITE))
    _allow(ruleset, orders["write"], rights)
    system_call(_RESTRICT, ruleset, 0)
    os.close(ruleset)
    rules = seccomp.Rules(
        among_others=True,
        only_signal=None if orders["user"] or abi >= _SIGNALS_ABI else os.getpid(),
        may_truncate=abi >= _TRUNCATE_ABI,
    )
    _filter(seccomp.program(rules))


def _ruleset(abi: int, rights: int) -> int:
    attributes = struct.pack("=Q", rights)
    if abi >= 4:  # noqa: PLR2004
        attributes += struct.pack("=Q", _NETWORK)
    if abi >= _SIGNALS_ABI:
        attributes += struct.pack("=Q", _SCOPES)
    return system_call(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):  # noqa: PTH112
        rights &= _OF_FILES
    try:
        system_call(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, file), 0)
    finally:
        os.close(file)


def _filter(program: bytes) -> None:
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    kept = ctypes.create_string_buffer(header, len(header))
    _prctl(_PR_SET_SECCOMP, _FILTER, ctypes.addressof(kept))


if __name__ == "__main__":
    _main()
