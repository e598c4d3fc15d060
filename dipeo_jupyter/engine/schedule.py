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

from typing import Any, TypeAlias

from ..protocol.events import (
    ErrorInfo,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    NodeSkipped,
    NodeStarted,
)
from .inputs import gather
from .names import value_of
from .state import ExecutionState

Decision: TypeAlias = (
    NodeStarted | NodeSkipped | ExecutionPaused | ExecutionCompleted | ExecutionFailed
)


def decide(state: ExecutionState) -> Decision | None:
    """Return what is to become so next, or None when something else must happen first."""
    if state.status != "running":
        return None
    if state.error is not None or state.overrun is not None:
        return None if state.running else ExecutionFailed(error=state.error or _overrun(state))
    if not state.ready:
        if state.running or state.held_back:
            return None
        return ExecutionCompleted(outputs=_results(state))
    if len(state.running) >= state.max_concurrency:
        return None
    node = state.ready[0]
    label = state.labels[node]
    if state.to_skip and node in state.to_skip:
        return NodeSkipped(node=label, reason="asked")
    wires = state.live_wires(node)
    if not wires and state.fed(node):
        return NodeSkipped(node=label)
    limit = state.limits[node]
    if limit is not None and state.turns[node] >= limit:
        return NodeSkipped(node=label, reason="max_iterations")
    if state.steps_left == 0:
        return None if state.running else ExecutionPaused(reason="steps")
    return NodeStarted(label, state.fired[node] + 1, gather(state, wires))


def _results(state: ExecutionState) -> dict[str, Any]:
    """What the endpoints have; in a diagram without any, what the last nodes have."""
    program = state.program
    nodes = range(len(program.nodes))
    ends = [node for node in nodes if not program.nodes[node].handles]
    if not ends:
        ends = [node for node in nodes if not program.outgoing[node]]
    return {
        program.labels[node]: value_of(spoke)
        for node in ends
        if (spoke := state.spoke[node]) is not None
    }


def _overrun(state: ExecutionState) -> ErrorInfo:
    assert state.overrun is not None
    loop = state.overrun
    message = (
        f"The loop {state.program.loop_name(loop)} went round {state.max_rounds} times and did not "
        "end: none of its conditions ever led out of it. Look at them, or raise max_rounds."
    )
    first = state.program.loops[loop].entries[0]
    return ErrorInfo(type="LimitExceeded", message=message, node=state.program.labels[first])
