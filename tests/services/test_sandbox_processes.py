"""The processes of a job behind Landlock: what they cost, and what of ours a job finds in them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dipeo_jupyter.engine.ports import Job
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.services.sandbox import landlock
from dipeo_jupyter.services.sandbox.attempt import attempt
from dipeo_jupyter.services.sandbox.child import Child
from dipeo_jupyter.services.sandbox.launch import python
from dipeo_jupyter.services.sandbox.limits import Limits
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.view import readable
from dipeo_jupyter.services.sandbox.walls import Walls
from dipeo_jupyter.services.sandbox.watch import _own_memory, tree
from dipeo_jupyter.settings import SandboxMode

pytestmark = pytest.mark.skipif(not landlock.version(), reason="there is no Landlock")

STAYS = "import time\nprint('here')\ntime.sleep(60)"
OURS = ["confine", "enclosure", "linux", "reaper", "seccomp", "syscalls", "python_driver"]


async def looked_at(mode: SandboxMode, look: Callable[[int], int]) -> list[int]:
    """What there is to see of the processes of a job while it does nothing, the outermost first."""
    here: asyncio.Queue[str] = asyncio.Queue()
    walls = Walls(mode, Limits())
    await walls.find()
    before = set(tree(os.getpid()))
    job = Job("python", STAYS, {}, timeout=30)
    task = asyncio.create_task(ProcessSandbox(walls=walls).run(job, here.put_nowait))
    await here.get()
    found = [look(each) for each in tree(os.getpid()) if each not in before]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return found


def memory(mode: SandboxMode) -> int:
    return sum(asyncio.run(looked_at(mode, _own_memory)))


def oom_score(process: int) -> int:
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())


def test_the_process_that_keeps_order_costs_little_beside_the_job():
    assert memory("landlock") < 1.5 * memory("off")


def test_a_job_goes_first_when_memory_is_short_and_never_who_keeps_order():
    here = oom_score(os.getpid())

    assert asyncio.run(looked_at("landlock", oom_score)) == [here, 1000]
    assert asyncio.run(looked_at("off", oom_score)) == [1000]


def test_a_job_finds_no_module_of_ours_by_accident():
    code = "import importlib.util, sys\n"
    code += "return [x for x in names if x in sys.modules or importlib.util.find_spec(x)]"
    sandbox = ProcessSandbox(walls=Walls("landlock", Limits()))
    job = Job("python", code, {"names": OURS})

    assert asyncio.run(sandbox.run(job, lambda _: None)).value == []


def test_walls_that_cannot_be_built_are_told():
    limits = Limits()
    launch = replace(python(limits), limits={"no_such_thing": 1})
    child = Child(launch, landlock.Landlock(landlock.version(), limits, readable(())), limits)

    async def tried() -> None:
        await child.start()
        await attempt(child, Job("python", "return 1"), lambda _: None, limits)

    with pytest.raises(NodeError) as caught:
        asyncio.run(tried())
    assert "The walls around the job could not be built: " in str(caught.value.details)
