"""What a running node holds: the `Context` of one activation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ..diagram import expression, template
from ..diagram.model import Diagram, Label, Person
from ..diagram.suggest import did_you_mean
from ..errors import NodeError
from ..protocol.events import AnyEvent, Message, NodeProgress, Question, TokenDelta
from .call import attempt
from .clock import Clock
from .moments import Activation, latest_before
from .names import Names
from .ports import Services
from .state import ExecutionState

T = TypeVar("T")


@dataclass
class RunContext:
    """Fulfils `node.Context`."""

    state: ExecutionState
    at: Activation
    services: Services
    clock: Clock
    record: Callable[[AnyEvent], None]
    put_question: Callable[[Activation, Question], Awaitable[Any]]

    @property
    def node(self) -> Label:
        return self.state.program.labels[self.at.node]

    @property
    def activation(self) -> int:
        return self.at.number

    @property
    def turn(self) -> int:
        return self.at.turn

    @property
    def diagram(self) -> Diagram:
        return self.state.program.diagram

    @property
    def run_inputs(self) -> Mapping[str, Any]:
        return self.state.inputs

    @cached_property
    def names(self) -> Names:
        return Names(self.state, self.at)

    def render(self, text: str) -> str:
        return template.render(text, self.names)

    def evaluate(self, text: str) -> Any:
        return expression.evaluate(text, self.names, {"iterations": self.turns})

    def person(self, label: Label) -> Person:
        try:
            return self.diagram.persons[label]
        except KeyError:
            hint = did_you_mean(label, self.diagram.persons) or ""
            raise NodeError(f"there is no person {label!r}. {hint}".strip(), field="person") from None

    def conversation(self) -> Sequence[Message]:
        spoken = [activation for activation in self.at.past() if activation.messages]
        spoken.sort(key=self.state.flow_key)
        return [message for activation in spoken for message in activation.messages]

    def limits_reached(self) -> bool:
        program = self.state.program
        around = program.loops_around[self.at.node]
        scope = program.loops[around[-1]].nodes if around else program.ancestors(self.at.node)
        limits = {
            node: limit
            for node in scope
            if (limit := program.nodes[node].max_iteration) is not None and node != self.at.node
        }
        earlier = latest_before(self.at, frozenset(scope) if around else None)
        return bool(limits) and all(
            self._turns(earlier.get(node)) >= limit for node, limit in limits.items()
        )

    def turns(self, label: Label) -> int:
        program = self.state.program
        try:
            node = program.index[label]
        except KeyError:
            hint = did_you_mean(label, program.labels) or ""
            raise NodeError(f"there is no node {label!r}. {hint}".strip()) from None
        return self._turns(latest_before(self.at).get(node))

    def stream(self, text: str) -> None:
        self.record(TokenDelta(node=self.node, activation=self.activation, text=text))

    def progress(self, message: str) -> None:
        self.record(NodeProgress(node=self.node, activation=self.activation, message=message))

    async def ask(self, question: Question) -> Any:
        return await self.put_question(self.at, question)

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        return await attempt(work, self.state.program.nodes[self.at.node], self.clock, self.progress)

    def _turns(self, earlier: Activation | None) -> int:
        """The turn of an earlier firing, if the loop around it has not been entered anew since."""
        if earlier is None:
            return 0
        outer = min(len(earlier.rounds) - 1, len(self.at.rounds)) if earlier.rounds else 0
        return earlier.turn if earlier.rounds[:outer] == self.at.rounds[:outer] else 0
