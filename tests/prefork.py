"""Workers in no time: forked off a process that has litellm imported, which takes seconds.

They are the real ones: they run the same code, on the pipes that their owner has made. What the
owner starts is a small program, `python prefork.py SOCKET`, which hands its pipes to that process,
and lives and dies as the worker does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys

SIZE = 8


class Prefork:
    """The process that forks them, started when first needed."""

    def __init__(self) -> None:
        import tempfile  # noqa: PLC0415 - the small program starts faster without
        from pathlib import Path  # noqa: PLC0415

        self._folder = tempfile.TemporaryDirectory(prefix="dipeo-prefork-")
        self._path = str(Path(self._folder.name, "door"))
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(self._path)
        self._door.listen(100)
        self._root = Path(__file__).parents[1]
        self._process = None

    def start(self) -> None:
        import subprocess  # noqa: PLC0415 - as above

        if self._process is None:
            fd = self._door.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.prefork", "--fork", str(fd)],
                stdin=subprocess.PIPE,
                pass_fds=[fd],
                cwd=self._root,
            )

    def command(self) -> list[str]:
        """In the place of `helper.command`."""
        self.start()
        return [sys.executable, "-I", "-S", __file__, self._path]

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()
        self._door.close()
        self._folder.cleanup()


def fork_for_ever(door: socket.socket) -> None:
    """Fork a worker for whoever comes, until standard input ends."""
    import asyncio  # noqa: PLC0415 - as above
    import gc  # noqa: PLC0415
    import threading  # noqa: PLC0415

    from dipeo_jupyter.services.llm import worker  # noqa: PLC0415

    before = {*os.environ}
    asyncio.run(_try_it())
    assert threading.active_count() == 1, threading.enumerate()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:
        visitor, _ = door.accept()
        if not os.fork():
            door.close()
            _serve(visitor, before, worker.main)
        visitor.close()


async def _try_it() -> None:
    """Have litellm import what it imports at the first call, which nobody answers."""
    from dipeo_jupyter.errors import ServiceError  # noqa: PLC0415 - as above
    from dipeo_jupyter.services.keys import Keys  # noqa: PLC0415
    from dipeo_jupyter.services.llm.asking import Asker  # noqa: PLC0415
    from dipeo_jupyter.services.llm.frames import Ask  # noqa: PLC0415

    asker, said = Asker(Keys({})), [{"role": "user", "content": "hello"}]
    for model in ("openai/m", "groq/m", "anthropic/m", "gemini/m"):
        nobody = {"api_base": "http://127.0.0.1:9", "api_key": "nobody-s", "stream": True}
        ask = Ask(1, "chat", model, {"model": model, "messages": said, **nobody}, 9.0, 9.0)
        with contextlib.suppress(ServiceError):
            await asker.answer(ask, len)
    await asker._guard.close()


def _serve(visitor: socket.socket, before: set[str], work) -> None:
    """Fork one for this visitor, and see that neither outlives the other."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, fds, _, _ = socket.recv_fds(visitor, SIZE, 3)
    with visitor.makefile("rb") as more:
        told = json.loads(more.read(int(data)))
    alive, life = os.pipe()
    if not (child := os.fork()):
        visitor.close()
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
            os.close(fd)
        for name in before - told["environ"].keys():
            del os.environ[name]
        os.environ.update(told["environ"])  # what litellm has set for itself stays
        os.chdir(told["folder"])
        work()
    for fd in (*fds, life):
        os.close(fd)
    if visitor in select.select([visitor, alive], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):  # who does not wait for the end
        visitor.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def visit(path: str) -> None:
    """Be the worker, for whoever has started this."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)
        told = json.dumps({"environ": dict(os.environ), "folder": os.getcwd()}).encode()  # noqa: PTH109
        socket.send_fds(door, [f"{len(told):{SIZE}}".encode()], [0, 1, 2])
        door.sendall(told)
        for fd in range(3):
            os.close(fd)
        code = int(door.recv(SIZE))
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "--fork":
        fork_for_ever(socket.socket(fileno=int(sys.argv[2])))
    else:
        visit(sys.argv[1])
