"""What a run has taken so far, added up from its events."""

from __future__ import annotations

from dataclasses import dataclass, field

from .events import AnyEvent, EffectCompleted, ExecutionEdited, NodeCompleted, NodeFailed, Usage

NOTHING = Usage()


@dataclass(slots=True)
class Spending:
    """The sum of what a run's calls to models have taken, whatever became of the nodes.

    A call counts when it is done, not when its node is; so does one of a node that fails later, or
    is interrupted. What a part of the run has taken counts when its node ends.
    """

    total: Usage = NOTHING
    by_activation: dict[tuple[str, int], Usage] = field(default_factory=dict)
    """Since the last edit, after which all is gone through again."""

    def follow(self, event: AnyEvent) -> None:
        """Take the next event into account."""
        match event:
            case EffectCompleted(usage=Usage() as usage):
                self._add(event.node, event.activation, usage)
            case NodeCompleted(usage=Usage() as usage) | NodeFailed(usage=Usage() as usage):
                rest = usage - self.by_activation.get((event.node, event.activation), NOTHING)
                if rest.calls > 0 or rest.tokens > 0:
                    self._add(event.node, event.activation, rest)
            case ExecutionEdited():
                self.by_activation.clear()
            case _:
                pass

    def _add(self, node: str, activation: int, usage: Usage) -> None:
        self.total += usage
        key = node, activation
        self.by_activation[key] = self.by_activation.get(key, NOTHING) + usage
