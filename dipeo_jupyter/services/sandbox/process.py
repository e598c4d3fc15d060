"""The sandbox: each job runs in processes of its own, behind the strongest walls that hold here.

What it gives with walls: a job reads nothing but the system's programs and the packages of this
Python, writes into its own folder alone, sees no secrets and no network, cannot reach other
processes, and nothing of it outlives it. Time, memory, processes, files and output are limited. See
SECURITY.md for what each kind of walls keeps, and `walls` for how they are chosen.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from ...engine.ports import Job, JobResult
from ...errors import NodeError
from .attempt import attempt
from .child import Child
from .deno import Deno
from .egress import Egress
from .launch import Launch, online, plan, python
from .limits import Limits
from .pool import Pool
from .tiers import Tier
from .walls import Walls

_AT_ONCE = 4 * (os.cpu_count() or 1)


@dataclass(frozen=True)
class _Queues:
    """Jobs wait for one of the `places`, and those that have one for their `turn` to be started."""

    loop: asyncio.AbstractEventLoop
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class ProcessSandbox:
    """Runs each job in processes of its own; fulfils the port `Sandbox`.

    `search_path` lists the folders in which `node` and `bash` are looked for, as `PATH` does, which
    is used when it is None. So many processes of Python are kept `warm`, ready for a job. Jobs with
    a network speak with public addresses, and if `private` with all others.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        search_path: str | None = None,
        *,
        walls: Walls | None = None,
        warm: int = 0,
        private: bool = False,
    ) -> None:
        self._limits = limits or Limits()
        self._search_path = search_path
        self._walls = walls or Walls(limits=self._limits)
        self._warm = warm
        self._private = private
        self._pool: Pool | None = None
        self._queues: _Queues | None = None

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """Run to the end, handing lines of stdout and stderr to `on_output` as they come.

        Raises `NodeError` or `NodeTimeoutError`; when cancelled, nothing of the job goes on. While
        many are under way it waits for its turn, which its time limit does not count.
        """
        if os.name != "posix":
            raise NodeError("Code nodes run on Linux and macOS only, for now.", field="language")
        async with self._here.places:
            tier = await self._walls.find()
            if not job.network or tier.name == "none":
                return await attempt(await self._child(job, tier), job, on_output, self._limits)
            if tier.name != "bubblewrap":
                raise NodeError(
                    "Code has a network only where bubblewrap works: install it "
                    "(`apt install bubblewrap`, for instance), or remove `network: true`.",
                    field="network",
                )
            async with Egress(private=self._private) as egress:
                launch = online(plan(job, self._limits, self._search_path), egress.path)
                child = self._made(launch, tier)
                await child.start()
                return await attempt(child, job, on_output, self._limits)

    async def aclose(self) -> None:
        """End what was started ahead. The next job starts it again."""
        await self._walls.settled()
        if self._pool is not None:
            await self._pool.aclose()

    @property
    def _here(self) -> _Queues:
        """Where jobs of this loop queue: what belongs to another loop cannot be waited for."""
        loop = asyncio.get_running_loop()
        if self._queues is None or self._queues.loop is not loop:
            self._queues = _Queues(loop)
        return self._queues

    async def _child(self, job: Job, tier: Tier) -> Child:
        if job.language == "python" and self._warm:
            if self._pool is None:
                launch = tier.plan(job) if isinstance(tier, Deno) else python(self._limits)
                self._pool = Pool(
                    lambda: Child(launch, tier, self._limits, self._here.turn), self._warm
                )
            return await self._pool.take()
        child = self._made(self._launch(job, tier), tier)
        await child.start()
        return child

    def _made(self, launch: Launch, tier: Tier) -> Child:
        return Child(launch, tier, self._limits, self._here.turn)

    def _launch(self, job: Job, tier: Tier) -> Launch:
        if isinstance(tier, Deno):
            return tier.plan(job)
        return plan(job, self._limits, self._search_path)
