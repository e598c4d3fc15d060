"""What the standard library does not ask of Linux.

It imports nothing of the package, and runs in a job's process too.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False  # importing `typing` to ask takes longer than all the rest
if TYPE_CHECKING:
    from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_FILTER = 38, 22, 2
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, CAP_AMBIENT_RAISE, CAP_AMBIENT_CLEAR_ALL = 8, 47, 2, 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def system_call(number: int, *arguments: Any) -> int:
    """What the kernel answers. Raises `OSError`."""
    answer = int(_libc.syscall(number, *arguments))
    if answer < 0:
        raise _error()
    return answer


def prctl(*arguments: int) -> None:
    """Change something about this process. Raises `OSError`."""
    if _libc.prctl(*(*arguments, 0, 0, 0)[:5]) != 0:
        raise _error()


def give_back_memory() -> None:
    """Have the system take what is free of this process."""
    if hasattr(_libc, "malloc_trim"):  # of glibc
        _libc.malloc_trim(0)


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
