"""Where a run stands still by itself: before or after an activation, perhaps on a condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..diagram import expression
from ..errors import ExpressionError
from ..protocol.events import Breakpoint
from .moments import Activation
from .names import Names, layered, value_of
from .state import ExecutionState


class Place(NamedTuple):
    """A breakpoint that was reached (`before argue[2]`); `fault` says why it is no condition."""

    name: str
    fault: str | None = None


def stands_before(state: ExecutionState, at: Activation) -> Place | None:
    """The breakpoint in front of an activation, if the run has not stood there before."""
    return _reached(state, at, "before", {})


def stands_after(state: ExecutionState, at: Activation) -> Place | None:
    """The breakpoint behind an activation."""
    return _reached(state, at, "after", {"output": value_of(at)})


def _reached(
    state: ExecutionState, at: Activation, when: str, more: Mapping[str, Any]
) -> Place | None:
    label = state.program.labels[at.node]
    name = f"{when} {label}[{at.number}]"
    if name in state.passed:
        return None
    for each in state.breakpoints:
        if (each.node, each.when) != (label, when) or each.visit not in (None, at.number):
            continue
        if each.condition is None:
            return Place(name)
        try:
            if _holds(each, state, at, more):
                return Place(name)
        except ExpressionError as error:
            return Place(name, f"The condition {each.condition!r} cannot be evaluated: {error}")
    return None


def _holds(
    each: Breakpoint, state: ExecutionState, at: Activation, more: Mapping[str, Any]
) -> bool:
    names = layered(more, Names(state, at))
    return bool(expression.evaluate(each.condition or "", names, {}))
