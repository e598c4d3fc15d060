"""What a run is granted when it begins, is edited or is gone on with; `trust.py` has the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..protocol import commands as c
from ..protocol.events import ExecutionId
from .execution import Execution
from .node import NodeTypes
from .ports import Services
from .program import Program
from .state import ExecutionState
from .trust import missing, powers_of, refuse


async def grant(
    program: Program,
    node_types: NodeTypes,
    services: Services,
    command: c.MayBeForeign,
    before: ExecutionState | None = None,
) -> tuple[str, ...]:
    """The powers that a run has with this diagram, those from `before` included.

    Raises `UntrustedError` when it asks for others. What its owner has written is theirs; so are
    the changes that they make to what has come from elsewhere.
    """
    asked = await powers_of(program, node_types, services)
    had, doubted = (before.granted, before.doubted) if before else ((), False)
    foreign = command.foreign or doubted
    if untrusted := missing(asked, {*had, *command.granted}, foreign=foreign):
        raise refuse(untrusted)
    if command.remember:
        await _remember(asked, command.granted, services)
    return tuple(dict.fromkeys((*had, *(each.digest for each in asked))))


async def trust(
    program: Program, node_types: NodeTypes, services: Services, digests: Iterable[str]
) -> list[c.AskedPower]:
    """Trust those of a diagram's powers that have these digests, for good; all that it asks for."""
    asked = await powers_of(program, node_types, services)
    if not await _remember(asked, digests, services):
        return asked
    return await powers_of(program, node_types, services)


async def check_begun_here(execution: Execution, node_types: NodeTypes) -> None:
    """Refuse to go on with a run that another user has begun, as far as it asks for powers."""
    services, run = execution.services, _whole(execution.execution_id)
    if services.trust.knows_run(run):
        return
    asked = await powers_of(execution.program, node_types, services)
    if untrusted := missing(asked, (), foreign=True):
        raise refuse(untrusted, run)


def doubt(state: ExecutionState, execution_id: ExecutionId, services: Services) -> None:
    """Of a run that another user has begun, nothing counts that its journal says was granted."""
    if not services.trust.knows_run(_whole(execution_id)):
        state.doubted, state.foreign, state.granted = True, True, ()


async def _remember(
    asked: Iterable[c.AskedPower], digests: Iterable[str], services: Services
) -> bool:
    """Whether any of them is among those that are asked for."""
    granted = set(digests)
    chosen = {each.digest: str(each) for each in asked if each.digest in granted}
    if chosen:
        await asyncio.to_thread(services.trust.remember, chosen)
    return bool(chosen)


def _whole(execution_id: ExecutionId) -> ExecutionId:
    return execution_id.partition("/")[0]
