"""Walls that a process puts around itself and all that come from it, for good.

Landlock says which files it may use, a filter which system calls; of its privileges nothing is
left. It imports nothing of the package but its neighbours, and runs in a job's process.
"""

from __future__ import annotations

import ctypes
import os
import struct

# Every job waits for this: `typing` would take longer than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

if TYPE_CHECKING or __package__:
    from . import linux, seccomp
else:  # beside it, in the process of a job
    import linux
    import seccomp

CREATE_RULESET, _ADD_RULE, _RESTRICT = 444, 445, 446
OLDEST_ABI = 2  # earlier ones allow no renaming from folder to folder
_NETWORK_ABI, _SIGNALS_ABI, _TRUNCATE_ABI = 4, 6, 3
_CAP_DAC_READ_SEARCH = 2
_CAPSET = {"x86_64": 126, "aarch64": 91}

# What Landlock can forbid about files, by its own numbers.
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
_ALL_RIGHTS = 0xFFFF  # from version 5 on
_OF_FILES = _EXECUTE | _WRITE | _READ | 0x4000 | 0x8000
_LOOK = _EXECUTE | _READ | _LIST
_NETWORK, _SCOPES = 3, 3  # binding and connecting; abstract sockets and signals
_PLAIN_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Enclosure:
    """Walls as they were ordered, which are made by one process and may be entered by its child."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._user: int | None = orders["user"]
        abi: int = orders["abi"]
        rights = _FILE_RIGHTS.get(abi, _ALL_RIGHTS)
        self._ruleset = _new_ruleset(abi, rights)
        for path in orders["read"]:
            self._allow(path, rights & _LOOK)
        for path in _PLAIN_DEVICES:
            self._allow(path, rights & (_READ | _WRITE))
        self._allow(orders["write"], rights)
        self._rules = seccomp.Rules(among_others=True, may_truncate=abi >= _TRUNCATE_ABI)
        # Where nothing else keeps signals in, the filter must know whose they are.
        self._filter_signals = self._user is None and abi < _SIGNALS_ABI
        self._filter = _Filter(self._rules)

    def enter(self) -> None:
        """Shut this process in."""
        if self._user is not None:
            _become(self._user)
        _give_up_privileges()
        linux.system_call(_RESTRICT, self._ruleset, 0)
        os.close(self._ruleset)
        if self._filter_signals:
            self._rules.only_signal = os.getpid()
            self._filter = _Filter(self._rules)
        self._filter.install()

    def _allow(self, path: str, rights: int) -> None:
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= _OF_FILES
        try:
            rule = struct.pack("=Qi", rights, file)
            linux.system_call(_ADD_RULE, self._ruleset, 1, rule, 0)
        finally:
            os.close(file)


def _new_ruleset(abi: int, rights: int) -> int:
    attributes = struct.pack("=Q", rights)
    if abi >= _NETWORK_ABI:
        attributes += struct.pack("=Q", _NETWORK)
    if abi >= _SIGNALS_ABI:
        attributes += struct.pack("=Q", _SCOPES)
    return linux.system_call(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)


def _become(user: int) -> None:
    """Be somebody else; what root could read can be read still."""
    linux.prctl(linux.PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _give_up_privileges() -> None:
    """Nothing is left but, of root, to look; where at, Landlock says."""
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_CAP_AMBIENT, linux.CAP_AMBIENT_CLEAR_ALL)
    try:
        _set_capabilities(1 << _CAP_DAC_READ_SEARCH)
        linux.prctl(linux.PR_CAP_AMBIENT, linux.CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH)
    except OSError:  # there was nothing to give up
        _set_capabilities(0)


def _set_capabilities(bits: int) -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    capset = _CAPSET[os.uname().machine]
    linux.system_call(capset, header, struct.pack("=6I", *[bits] * 3, 0, 0, 0))


class _Filter:
    """A filter as the kernel takes it."""

    def __init__(self, rules: seccomp.Rules) -> None:
        program = seccomp.program(rules)
        self._program = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(self._program))
        self._header = ctypes.create_string_buffer(header, len(header))

    def install(self) -> None:
        address = ctypes.addressof(self._header)
        linux.prctl(linux.PR_SET_SECCOMP, linux.SECCOMP_FILTER, address)
