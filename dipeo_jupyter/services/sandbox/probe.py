"""Which walls hold on this machine: they are tried, not looked up.

A version says little: kernels are built without this, containers forbid that, and some have shipped
broken. So a small job tries to get out, and walls are used only when it could not.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from ...engine.ports import Job
from ...errors import NodeError
from .attempt import attempt
from .bubblewrap import Bubblewrap
from .child import Child
from .deno import ATTACKS as DENO_ATTACKS
from .deno import Deno, deno_program
from .launch import python
from .limits import Limits
from .tiers import Tier

_ATTACKS = """
import os, socket

def refused(act):
    try:
        act()
    except OSError:
        return True
    return False

def write():
    with open(outside + '/written', 'w') as file:
        file.write('x')

def connect():
    with socket.create_connection(('127.0.0.1', port), 1):
        pass

def look():
    with open(outside + '/secret') as file:
        file.read()

held = {
    'reading a file': refused(look),
    'writing a file': refused(write),
    'a connection': refused(connect),
    'an odd socket': refused(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
}
refused(lambda: os.kill(victim, 9))
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv('/bin/sh', [token, '-c', 'sleep 60; :'])
    os._exit(0)
return held
"""
_TIME = 10.0  # seconds that a trial may take


async def trouble(tier: Tier, limits: Limits) -> str | None:
    """Why these walls cannot be relied on; None when they can."""
    token = f"dipeo-{secrets.token_hex(8)}"
    with _bait() as bait:
        job = Job("python", _ATTACKS, {**bait.inputs, "token": token}, timeout=_TIME)
        launch = python(limits)
        if isinstance(tier, Deno):
            job = replace(job, language="javascript", code=DENO_ATTACKS)
            launch = tier.plan(job)
        child = Child(launch, tier, limits)
        try:
            await child.start()
            held = (await attempt(child, job, lambda _: None, limits)).value
        except NodeError as error:
            return _reason(error)
        escaped = [name for name, kept in held.items() if not kept]
        if bait.victim.poll() is not None:
            escaped.append("killing a process")
        if (bait.folder / "written").exists():
            escaped.append("writing a file")
        if await asyncio.to_thread(_alive, token):
            escaped.append("staying after its end")
    return f"it did not keep a job from {', '.join(escaped)}" if escaped else None


def candidates(
    limits: Limits, readable: tuple[Path, ...], pyodide: Path | None = None
) -> Iterator[tuple[str, Tier | str]]:
    """The walls that may hold here, the strongest first; or why there are none of a kind."""
    yield from _of_linux(limits, readable)
    deno = deno_program()
    yield "deno", Deno(deno, limits, pyodide) if deno else "not installed"


def _of_linux(limits: Limits, readable: tuple[Path, ...]) -> Iterator[tuple[str, Tier | str]]:
    if sys.platform != "linux":
        yield "bubblewrap", "it is for Linux only"
        yield "landlock", "it is for Linux only"
        return
    from . import landlock  # noqa: PLC0415 - it cannot be imported everywhere

    program = shutil.which("bwrap")
    yield "bubblewrap", Bubblewrap(program, readable, limits) if program else "not installed"
    abi = landlock.version()
    missing = "not in this kernel, not switched on, or forbidden in this container"
    yield "landlock", landlock.Landlock(abi, limits, readable) if abi else missing


@dataclass(frozen=True)
class _Bait:
    """What a job must not get at."""

    folder: Path
    port: int
    victim: Popen[bytes]

    @property
    def inputs(self) -> dict[str, Any]:
        return {"outside": str(self.folder), "port": self.port, "victim": self.victim.pid}


@contextmanager
def _bait() -> Iterator[_Bait]:
    with (
        tempfile.TemporaryDirectory(prefix="dipeo-probe-") as folder,
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        Popen(["/bin/sh", "-c", "read _"], stdin=PIPE) as victim,
    ):
        Path(folder, "secret").write_text("secret")
        yield _Bait(Path(folder), server.getsockname()[1], victim)


def _alive(token: str) -> bool:
    """Whether there is a process of this name; blocks."""
    if not os.path.isdir("/proc"):  # noqa: PTH112
        return False  # not Linux: only Deno is there, which starts nothing
    for process in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208
        try:
            command = Path("/proc", process, "cmdline").read_bytes()
        except OSError:  # it has just ended, or is hidden
            continue
        if command.startswith(token.encode()):
            return True
    return False


def _reason(error: NodeError) -> str:
    said = [line for line in (error.details or "").splitlines() if line.strip()]
    return said[-1] if said else str(error)
