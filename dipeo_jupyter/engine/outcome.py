"""What comes of an activation: the node is run, and whatever it does ends as one event."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..errors import NodeError
from ..protocol import events as e
from .call import call, describe, outputs_after
from .context import Host, RunContext
from .moments import Activation
from .reuse import NOTHING

_SCALARS = frozenset({str, bool, float, type(None)})
_LONG = 2**63


async def outcome(run: Host, activation: Activation, began: float) -> e.AnyEvent:
    """Run the node, unless the past of the run has it. Only being cancelled goes through."""
    program, number = run.state.program, activation.node
    node, label = program.nodes[number], program.labels[number]
    if run.past is not NOTHING and (known := run.past.outcome(label, activation.number, node)):
        return known
    ctx = RunContext(run, activation)
    try:
        if program.plain[number]:  # nearly always, and a call less
            result = await node.run(activation.inputs, ctx)
        else:
            result = await call(node, activation.inputs, ctx)
        outputs = _as_json(result.outputs)
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        failure = describe(error, node, ctx)
    except BaseException as error:  # noqa: BLE001 - the edge: whatever a node raises is its failure
        failure = describe(error, node, ctx)
    else:
        return e.NodeCompleted(
            label,
            activation.number,
            outputs,
            result.person,
            result.messages,
            result.seen,
            ctx.usage,
            ctx.cached,
            (run.clock.monotonic() - began) * 1000,
        )
    return e.NodeFailed(
        node=label,
        activation=activation.number,
        error=failure,
        outputs=outputs_after(node, failure),
        usage=ctx.usage,
        duration_ms=(run.clock.monotonic() - began) * 1000,
    )


def _as_json(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs as plain JSON values, apart from anything the node still holds."""
    for value in outputs.values():
        kind = type(value)
        if kind not in _SCALARS and not (kind is int and -_LONG < value < _LONG):
            break
    else:
        return {**outputs}
    try:
        plain: dict[str, Any] = to_jsonable_python({**outputs})
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise NodeError(f"handed on a value that is not JSON: {error}") from error
    return plain
