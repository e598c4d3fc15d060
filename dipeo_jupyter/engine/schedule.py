"""What to do next. A pure function of the state: no clock, no I/O, no luck.

1. A node waits until every edge into it is settled.
2. One live edge is enough to run it, with the values of its live edges. With none it is skipped,
   and its own edges die.
3. Loops run in rounds; each node of a loop runs or is skipped once a round. When all have, a live
   back edge starts the next round: the edges inside are forgotten, what came from outside stays.
4. Otherwise the loop ends, and the edges out of it settle with the last value they carried.

A node that has had its `max_iteration` turns is skipped too, but hands on its last outputs. Rules
3 and 4 are in `state.py`, because they follow from events without anything to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ..protocol.events import ErrorInfo, SkipReason
from .inputs import gather
from .node import Inputs
from .state import ExecutionState


class Start(NamedTuple):  # made for every activation, and three times as fast as a frozen class
    node: int
    activation: int
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Skip:
    node: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Pause:
    """The steps are used up."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Fail:
    error: ErrorInfo


Decision: TypeAlias = Start | Skip | Pause | Complete | Fail


def decide(state: ExecutionState) -> Decision | None:
    """Return the next thing to do, or None when something else must happen first."""
    if state.status != "running":
        return None
    if state.error is not None or state.overrun is not None:
        return None if state.running else Fail(state.error or _overrun(state))
    if not state.ready:
        return None if state.running or state.held_back else Complete()
    if len(state.running) >= state.max_concurrency:
        return None
    node = state.ready[0]
    if state.to_skip and node in state.to_skip:
        return Skip(node, "asked")
    wires = state.live_wires(node)
    if not wires and state.fed(node):
        return Skip(node, "no_live_input")
    limit = state.limits[node]
    if limit is not None and state.turns[node] >= limit:
        return Skip(node, "max_iterations")
    if state.steps_left == 0:
        return None if state.running else Pause()
    return Start(node, state.fired[node] + 1, gather(state, wires))


def _overrun(state: ExecutionState) -> ErrorInfo:
    assert state.overrun is not None
    loop = state.overrun
    message = (
        f"The loop {state.program.loop_name(loop)} went round {state.max_rounds} times and did not "
        "end: none of its conditions ever led out of it. Look at them, or raise max_rounds."
    )
    first = state.program.loops[loop].entries[0]
    return ErrorInfo(type="LimitExceeded", message=message, node=state.program.labels[first])
