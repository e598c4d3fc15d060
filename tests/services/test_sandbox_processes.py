"""The processes of a job behind Landlock: what they cost, and what of ours a job finds in them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import replace

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


async def memory(mode: SandboxMode) -> int:
    """What all processes of a job take while it does nothing, in bytes."""
    here: asyncio.Queue[str] = asyncio.Queue()
    walls = Walls(mode, Limits())
    await walls.find()
    before = set(tree(os.getpid()))
    job = Job("python", STAYS, {}, timeout=30)
    task = asyncio.create_task(ProcessSandbox(walls=walls).run(job, here.put_nowait))
    await here.get()
    taken = sum(map(_own_memory, set(tree(os.getpid())) - before))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return taken


def test_the_process_that_keeps_order_costs_little_beside_the_job():
    plain, walled = (asyncio.run(memory(mode)) for mode in ("off", "landlock"))

    assert walled < 1.5 * plain


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
