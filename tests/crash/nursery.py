"""A process that has everything imported and forks one child for each life.

It has no threads and no event loop of its own, so that its children begin like new processes.
`python -m tests.crash.nursery` reads lives from its input, and prints how each has ended. After it
comes what starts a worker with litellm, if their lives shall have one.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path

from dipeo_jupyter.services.llm import helper

LONGEST = 30
"""Seconds after which a life is taken for one that hangs."""


class Nursery:
    """The other end of it, in the process of the tests. One life at a time."""

    def __init__(self, *, litellm: bool = False) -> None:
        worker = helper.command() if litellm else []
        command = [sys.executable, "-m", "tests.crash.nursery", *worker]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT
        )

    def raise_one(self, life: str) -> int:
        """Let one live; return how it ended, as `subprocess` has it: -9 was killed."""
        assert self._process.stdin
        assert self._process.stdout
        print(life, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


_ROOT = Path(__file__).parents[2]


def main() -> None:
    import jsonschema  # noqa: F401, PLC0415 - once, and not in each child

    from .child import Life, live  # noqa: PLC0415 - not in the process of the tests

    if worker := sys.argv[1:]:
        helper.command = lambda: worker
        # One that nobody asks ends at once; but it does not begin before litellm is imported.
        subprocess.run(worker, stdin=subprocess.DEVNULL, check=True)
    assert threading.active_count() == 1, threading.enumerate()
    faulthandler.enable()  # says where a child broke down
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            signal.alarm(LONGEST)
            code = 1
            try:
                life = Life.from_json(line)
                writes = asyncio.run(live(life))
                Path(life.folder, "writes").write_text(str(writes))
                code = 0
            except BaseException:  # noqa: BLE001 - the end of the process, whatever it was
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
