"""What happened before what.

Every activation, and the end of every round of a loop, is a *moment* that knows which moments had
to come before it. Templates and persons may know what happened before, not what happened meanwhile
in a parallel branch; so what they see is found by walking back from here, never by looking at the
present.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..protocol.events import Message
from .node import Inputs


@dataclass(eq=False, slots=True)
class Moment:
    """A point in the flow, and the moments that had to come before it."""

    causes: tuple[Moment, ...]

    def past(self) -> Iterator[Activation]:
        """All activations that happened before, in no particular order."""
        seen: set[int] = set()
        todo = list(self.causes)
        while todo:
            moment = todo.pop()
            if id(moment) in seen:
                continue
            seen.add(id(moment))
            if isinstance(moment, Activation):
                yield moment
            todo.extend(moment.causes)


@dataclass(eq=False, slots=True)
class Activation(Moment):
    """One firing of one node; skipped ones have the number 0.

    `rounds` are the rounds of the loops around it, outermost first; `turn` counts the firings since
    the innermost of them was entered. A node out of turns `repeats` an earlier firing.
    """

    node: int
    number: int = 0
    turn: int = 0
    rounds: tuple[int, ...] = ()
    inputs: Inputs = field(default_factory=Inputs)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    repeats: Activation | None = None


@dataclass(eq=False, slots=True)
class Round(Moment):
    """The end of a round of a loop, which every later round has behind it.

    `latest` holds the last firing of each node of the loop and `before` the moments outside that
    the loop had behind it, so that looking for the latest needs no walk through all the rounds.
    """

    loop: int
    latest: Mapping[int, Activation]
    before: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """A loop, when only what happened in it matters."""

    loop: int
    nodes: frozenset[int]


def latest_before(moment: Moment, within: Within | None = None) -> dict[int, Activation]:
    """The last firing of each node before a moment; with `within`, in the loop around it only."""
    found: dict[int, Activation] = {}
    seen: set[int] = set()
    todo = list(moment.causes)
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        match each:
            case Activation():
                if within is None or each.node in within.nodes:
                    _keep_latest(found, each)
                    todo.extend(each.causes)
            case Round():
                for activation in each.latest.values():
                    if within is None or activation.node in within.nodes:
                        _keep_latest(found, activation)
                if within is None or each.loop != within.loop:
                    todo.extend(each.before)
    return found


def _keep_latest(found: dict[int, Activation], activation: Activation) -> None:
    known = found.get(activation.node)
    if activation.number and (known is None or known.number < activation.number):
        found[activation.node] = activation
