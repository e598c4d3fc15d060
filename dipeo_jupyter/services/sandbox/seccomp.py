"""The filter that stands between a job and the kernel: a program for Linux's seccomp.

It is made by hand, in the language of the Berkeley packet filter, because it is short, and because
libseccomp is missing on too many machines. A filter lists what is refused. It is no wall of its
own: other walls hide files, processes and the network, this one keeps a job from climbing over
them. It imports nothing but `syscalls`, and runs in a job's process too.
"""

from __future__ import annotations

import errno
import os
import struct
import sys

# Every job waits for this: `typing` and `dataclasses` would take longer than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING or __package__:
    from .syscalls import AUDIT_ARCH, FIRST_UNKNOWN, number
else:  # beside it, in the process of a job
    from syscalls import AUDIT_ARCH, FIRST_UNKNOWN, number

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # where they lie in what a filter sees
_X32 = 0x40000000  # a second, older way to call an x86_64 kernel

_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # write into a terminal as if somebody typed it
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_NEVER = _words(
    """
mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr
open_by_handle_at name_to_handle_at unshare setns ptrace process_vm_readv process_vm_writev
process_madvise process_mrelease pidfd_getfd kcmp move_pages migrate_pages bpf perf_event_open
userfaultfd io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key kexec_load
kexec_file_load init_module finit_module delete_module fanotify_init fanotify_mark iopl ioperm
modify_ldt uselib personality lookup_dcookie nfsservctl syslog settimeofday clock_settime
clock_adjtime adjtimex swapon swapoff reboot sethostname setdomainname acct quotactl quotactl_fd
vhangup memfd_create memfd_secret shmget shmat shmctl msgget
msgsnd msgrcv msgctl semget semop semctl semtimedop mq_open
"""
)
# Where processes of others can be seen, these reach them, or what they do.
_OTHERS = _words("setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr")
_OF_OTHERS = ("prlimit64", "sched_setaffinity")  # the first argument says whose; 0 is the caller
_OWNERS = _words(
    """
inotify_add_watch chown fchown lchown fchownat setxattr lsetxattr fsetxattr
removexattr lremovexattr fremovexattr
"""
)
# Programs that copy or unpack files end at the first refusal; nothing is lost without these.
_MODES_AND_TIMES = _words(
    """
chmod fchmod fchmodat fchmodat2 utime utimes futimesat utimensat
"""
)
_SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


class Rules:
    """What a filter lets through besides what is harmless to all.

    `families` are the kinds of sockets. A job `among_others` sees files and processes that are not
    its own: owners, modes and times of files stay as they are (of the last two programs are told
    that they were set), and so do the priorities and limits of other processes. `only_signal` is
    the one process that can be signalled; without `may_truncate` no file is cut by opening it for
    reading.
    """

    def __init__(
        self,
        families: tuple[int, ...] = (),
        *,
        among_others: bool = False,
        only_signal: int | None = None,
        may_truncate: bool = True,
    ) -> None:
        self.families = families
        self.among_others = among_others
        self.only_signal = only_signal
        self.may_truncate = may_truncate


def program(rules: Rules, machine: str | None = None) -> bytes:
    """The filter as the kernel takes it. Raises `KeyError` for a machine that is not known here."""
    machine = machine or os.uname().machine
    code = [
        *(_step(_LOAD, _ARCH), _step(_EQUAL, AUDIT_ARCH[machine], 1, 0), _step(_RETURN, _KILL)),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [_step(_AT_LEAST, _X32, 0, 1), _fail(errno.ENOSYS)]
    code += [_step(_AT_LEAST, FIRST_UNKNOWN, 0, 1), _fail(errno.ENOSYS)]
    for name, block in _blocks(rules):
        if (called := number(name, machine)) is not None:
            code += [_step(_EQUAL, called, 0, len(block)), *block]
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def as_file(rules: Rules) -> int:
    """A new descriptor from which the filter can be read, once."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(program(rules))  # far less than a pipe holds
    return reading


def _blocks(rules: Rules) -> list[tuple[str, list[bytes]]]:
    """What is done about each system call; a block of steps ends in an answer."""
    denied = [_fail(errno.EPERM)]
    blocks = [(name, denied) for name in _NEVER]
    # C libraries then use `clone`, whose arguments a filter can see.
    blocks.append(("clone3", [_fail(errno.ENOSYS)]))
    blocks.append(("clone", [_argument(0), _step(_ANY_BIT, _NEW_NAMESPACES, 0, 1), *denied, _OK]))
    blocks.append(("ioctl", _none_of(1, (_TIOCSTI, _TIOCLINUX))))
    blocks.append(("socket", _one_of(0, rules.families, errno.EAFNOSUPPORT)))
    if rules.among_others:
        blocks += [(name, denied) for name in (*_OWNERS, *_OTHERS)]
        blocks += [(name, _one_of(0, (0,), errno.EPERM)) for name in _OF_OTHERS]
        blocks += [(name, [_fail(0)]) for name in _MODES_AND_TIMES]
    if rules.only_signal is not None:
        blocks.append(("pidfd_send_signal", denied))
        blocks += [(name, _one_of(0, (0, rules.only_signal), errno.EPERM)) for name in _SIGNALS]
    if not rules.may_truncate:
        blocks += [("truncate", denied), ("openat2", [_fail(errno.ENOSYS)])]
        blocks += [("open", _no_cutting(1)), ("openat", _no_cutting(2))]
    return blocks


def _one_of(place: int, values: tuple[int, ...], error: int) -> list[bytes]:
    tests = [_step(_EQUAL, each, len(values) - index, 0) for index, each in enumerate(values)]
    return [_argument(place), *tests, _fail(error), _OK]


def _none_of(place: int, values: tuple[int, ...]) -> list[bytes]:
    tests = [_step(_EQUAL, each, len(values) - index, 0) for index, each in enumerate(values)]
    return [_argument(place), *tests, _OK, _fail(errno.EPERM)]


def _no_cutting(place: int) -> list[bytes]:
    """Opening a file for reading and cutting it off, which asks for no right to write."""
    return [
        _argument(place),
        *(_step(_ANY_BIT, os.O_TRUNC, 0, 3), _step(_AND, os.O_ACCMODE)),
        *(_step(_EQUAL, os.O_RDONLY, 0, 1), _fail(errno.EPERM), _OK),
    ]


def _argument(place: int) -> bytes:
    """Load an argument; its lower half is all that counts of those that are looked at."""
    return _step(_LOAD, _ARGUMENTS + 8 * place + (4 if sys.byteorder == "big" else 0))


def _fail(error: int) -> bytes:
    return _step(_RETURN, _FAIL | error)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


_OK = _step(_RETURN, _ALLOW)
