"""How runs stand, for those who want to know no more: lists of runs, say."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from ..protocol import commands as c
from ..protocol import events as e
from .users import User

CALM = 0.3
"""Seconds from one summary to the next, at least."""


async def standings(
    user: User, execution_id: e.ExecutionId
) -> AsyncGenerator[c.ExecutionSummary, None]:
    """Yield how a run stands now, and whenever that has changed, while somebody goes on with it."""
    ask = c.GetExecution(execution_id=execution_id)
    ack = await user.send(ask)
    yield ack.result
    async with contextlib.aclosing(user.events(execution_id, ack.seq)) as entries:
        async for entry in entries:
            if entry.seq > ack.seq:  # pieces of answers have the number of what they follow
                await asyncio.sleep(CALM)
                ack = await user.send(ask)
                yield ack.result
    last = await user.send(ask)
    if last.result != ack.result:
        yield last.result
