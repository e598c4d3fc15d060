"""A world with secrets, for jobs to attack; and whether it is as it was."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

PUBLIC = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108
CANARY_NAME = "DIPEO_TEST_API_KEY"


@dataclass
class World:
    """What is there to be stolen, broken or called."""

    folder: Path
    victim: Popen[bytes]
    tcp: socket.socket
    udp: socket.socket
    unix: socket.socket
    abstract: socket.socket
    canary: str = field(default_factory=lambda: f"secret-{secrets.token_hex(8)}")

    def __post_init__(self) -> None:
        self.home, self.workspace = self.folder / "home", self.folder / "workspace"
        for each in (self.home / ".ssh", self.workspace):
            each.mkdir(parents=True)
        (self.home / ".ssh" / "id_rsa").write_text(self.canary)
        (self.workspace / "kept.txt").write_text("as it was")
        (self.workspace / "evil.js").write_text("module.exports = 'GOT OUT'")
        os.utime(self.workspace / "kept.txt", (1_000_000_000, 1_000_000_000))
        self.before = self._state()

    def inputs(self, marker: str) -> dict[str, Any]:
        """What an attack is told of it."""
        return {
            "answer": 42,
            "shell": '$(touch pwned) `id` ${HOME}; "',
            "secret_file": str(self.home / ".ssh" / "id_rsa"),
            "home": str(self.home),
            "workspace": str(self.workspace),
            "canary_file": str(self.workspace / "kept.txt"),
            "canary_name": CANARY_NAME,
            "canary_value": self.canary[:8] + "!",
            "server": os.getpid(),
            "victim": self.victim.pid,
            "port": self.tcp.getsockname()[1],
            "udp_port": self.udp.getsockname()[1],
            "unix_socket": self.unix.getsockname(),
            "abstract_socket": self.abstract.getsockname()[1:].decode(),
            "marker": marker,
        }

    def damage(self) -> list[str]:
        """What is no longer as it was."""
        found = []
        if self._state() != self.before:
            found.append(f"files: {self._state()}")
        if self.victim.poll() is not None or _state_of(self.victim.pid) == "T":
            found.append("the victim does not run")
        sockets = {"tcp": self.tcp, "udp": self.udp, "unix": self.unix, "abstract": self.abstract}
        called = [name for name, each in sockets.items() if _was_called(each)]
        places = [Path(each, "dipeo-left-behind") for each in PUBLIC]
        return found + called + [str(each) for each in places if each.exists()]

    def _state(self) -> dict[str, Any]:
        def of(path: Path) -> Any:
            stat = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            return stat.st_mode, stat.st_uid, stat.st_nlink, stat.st_mtime_ns, content

        return {str(each): of(each) for each in sorted(self.folder.rglob("*"))}


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Build it, and clear it away."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp, unix, abstract = (
            stack.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
            )
        )
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(folder / "socket"))
        abstract.bind(b"\0dipeo-" + secrets.token_hex(8).encode())
        for each in (tcp, udp, unix, abstract):
            each.setblocking(False)
        for each in (unix, abstract):
            each.listen()
        victim = stack.enter_context(Popen(["/bin/sh", "-c", "read _"], stdin=PIPE))
        stack.callback(victim.send_signal, signal.SIGCONT)
        yield World(folder, victim, tcp, udp, unix, abstract)


def processes(marker: str) -> list[int]:
    """Those that an attack has left behind."""
    found = []
    for each in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208
        try:
            if Path("/proc", each, "cmdline").read_bytes().startswith(marker.encode()):
                found.append(int(each))
        except OSError:
            continue
    return found


def _state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def _was_called(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(10)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
