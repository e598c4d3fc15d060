"""Chooses the walls for all jobs, once; and says why when there are none."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ...errors import NodeError
from ...settings import SandboxMode
from .limits import Limits
from .probe import candidates, trouble
from .tiers import NoWalls, Tier
from .view import readable


class Walls:
    """Finds the strongest walls that hold here, or, if told so, those of one kind alone.

    `off` is for whoever runs a server whose diagrams are all trusted: jobs then run without any.
    `more` are files and folders that jobs may read besides what `view` says; in `pyodide` is the
    Python for where Deno alone holds.
    """

    def __init__(
        self,
        mode: SandboxMode = "auto",
        limits: Limits | None = None,
        more: tuple[Path, ...] = (),
        pyodide: Path | None = None,
    ) -> None:
        self._mode = mode
        self._limits = limits or Limits()
        self._more = more
        self._pyodide = pyodide
        self._found: Tier | None = None
        self._finding: asyncio.Task[Tier] | None = None
        self.reasons: dict[str, str] = {}
        """Why stronger walls are not used, by their names."""

    async def find(self) -> Tier:
        """The walls. Raises `NodeError` when none hold."""
        if self._found is None:
            loop = asyncio.get_running_loop()
            if self._finding is None or self._finding.get_loop() is not loop:
                self._finding = asyncio.create_task(self._look())
                self._finding.add_done_callback(self._looked)
            self._found = await asyncio.shield(self._finding)
        return self._found

    async def settled(self) -> None:
        """Wait until nothing is being tried."""
        if self._finding is not None and self._finding.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([self._finding])

    def _looked(self, task: asyncio.Task[Tier]) -> None:
        self._finding = None
        if not task.cancelled():
            task.exception()  # whoever waits is told

    async def _look(self) -> Tier:
        if self._mode == "off":
            return NoWalls()
        reasons: dict[str, str] = {}
        seen = await asyncio.to_thread(readable, self._more)
        for name, tier in candidates(self._limits, seen, self._pyodide):
            if self._mode not in ("auto", name):
                continue
            reason = tier if isinstance(tier, str) else await trouble(tier, self._limits)
            if reason is None and not isinstance(tier, str):
                self.reasons = reasons
                return tier
            reasons[name] = str(reason)
        self.reasons = reasons
        told = " ".join(f"{name}: {reason.rstrip('.')}." for name, reason in reasons.items())
        raise NodeError(
            f"Code does not run here, because there is no sandbox that holds. {told} On Linux, "
            "install bubblewrap (`apt install bubblewrap`, for instance), on macOS Deno "
            "(`pip install 'dipeo_jupyter[deno]'`). Whoever trusts all "
            "diagrams can start the server with DIPEO_SANDBOX=off: code then has all rights of "
            "its user.",
            field="language",
        )
