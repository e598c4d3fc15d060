"""What a running node holds: the `Context` of one activation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, TypeVar

from ..diagram import expression, template
from ..diagram.model import Diagram, Label, Person
from ..diagram.source import Source
from ..diagram.suggest import with_nearest
from ..errors import ChildError, ExpressionError, NodeError
from ..protocol.events import (
    AnyEvent,
    EffectCompleted,
    Message,
    NodeProgress,
    Question,
    TokenDelta,
    Usage,
)
from .call import attempt
from .clock import Clock
from .moments import Activation, Within, latest_before
from .names import Names
from .node import ChildResult, EffectPolicy
from .ports import Services
from .powers import Power
from .prices import Quote
from .reuse import Past
from .state import ExecutionState
from .trust import check_script

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """A diagram that runs as a part of a run; `before` is what has been said there so far.

    One from a `file` may have come from elsewhere, whatever is known of the whole.
    """

    diagram: Diagram
    inputs: Mapping[str, Any]
    before: tuple[Message, ...]
    item: int | None = None
    file: Source | None = None


@dataclass(frozen=True, slots=True)
class PartDone:
    """What came of it, and how often something that counts was done, or reused."""

    result: ChildResult
    made: int = 0
    reused: int = 0
    usage: Usage | None = None
    failure: ChildError | None = None


class Host(Protocol):
    """What a context needs of the execution it belongs to."""

    state: ExecutionState
    services: Services
    clock: Clock
    past: Past
    path: str
    fresh: bool

    @property
    def foreign(self) -> bool:
        """Whether its diagram may have come from elsewhere."""
        ...

    @property
    def granted(self) -> Collection[str]:
        """The powers that it was granted."""
        ...

    def record(self, event: AnyEvent) -> None: ...

    def retried(self, at: Activation, message: str) -> None:
        """An attempt has failed, and there will be another."""
        ...

    async def put_question(self, activation: Activation, question: Question) -> Any: ...

    async def effect(
        self,
        at: Activation,
        name: str,
        request: Mapping[str, Any],
        work: Callable[[str], Awaitable[Any]],
        policy: EffectPolicy,
        quote: Quote | None = None,
    ) -> EffectCompleted: ...

    async def run_part(self, at: Activation, part: Part) -> PartDone: ...

    async def put_off(self, at: Activation) -> NoReturn: ...


class RunContext:
    """Fulfils `node.Context`."""

    __slots__ = ("_host", "_made", "_names", "at", "cached", "state", "usage")

    def __init__(self, host: Host, at: Activation) -> None:
        self._host = host
        self._names: Names | None = None
        self._made = self.cached = False
        """Whether anything that counts was done; and whether all of it was done before."""
        self.usage: Usage | None = None
        """What has been done here took this; None when no model was asked."""
        self.state = host.state
        self.at = at

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
    def path(self) -> str:
        return self._host.path

    @property
    def name(self) -> str:
        own = f"{self.node}[{self.activation}]"
        return f"{self.path}/{own}" if self.path else own

    @property
    def fresh(self) -> bool:
        own = f"{self.node}[{self.activation}]"
        return self._host.fresh or own in self._host.past.fresh

    @property
    def diagram(self) -> Diagram:
        return self.state.program.diagram

    @property
    def services(self) -> Services:
        return self._host.services

    @property
    def run_inputs(self) -> Mapping[str, Any]:
        return self.state.inputs

    @property
    def names(self) -> Names:
        if self._names is None:
            self._names = Names(self.state, self.at)
        return self._names

    @property
    def named_inputs(self) -> Mapping[str, Any]:
        return self.names.inputs

    def render(self, text: str) -> str:
        return template.render(text, self.names)

    def evaluate(self, text: str) -> Any:
        return expression.evaluate(text, self.names, {"iterations": self._iterations})

    def person(self, label: Label) -> Person:
        try:
            return self.diagram.persons[label]
        except KeyError:
            message = f"there is no person {label!r}."
            persons = self.diagram.persons
            raise NodeError(with_nearest(message, label, persons), field="person") from None

    def conversation(self) -> Sequence[Message]:
        spoken = [activation for activation in self.at.past() if activation.messages]
        spoken.sort(key=self.state.flow_key)
        said = (each for activation in spoken for each in activation.messages)
        # What an edge brought from outside may have been heard by several. Ids are unique, and take
        # a fraction of the time that comparing messages does.
        return list({each.id: each for each in (*self.state.before, *said)}.values())

    def limits_reached(self) -> bool:
        program = self.state.program
        around = program.loops_around[self.at.node]
        scope = (
            frozenset(program.loops[around[-1]].nodes)
            if around
            else program.ancestors(self.at.node)
        )
        limits = {
            node: limit
            for node in scope
            if (limit := program.nodes[node].max_iteration) is not None and node != self.at.node
        }
        earlier = latest_before(self.at, Within(around[-1], scope) if around else None)
        return bool(limits) and all(
            self._turns(earlier.get(node)) >= limit for node, limit in limits.items()
        )

    def turns(self, label: Label) -> int:
        program = self.state.program
        try:
            node = program.index[label]
        except KeyError:
            message = f"There is no node {label!r}."
            raise NodeError(with_nearest(message, label, program.labels)) from None
        return self._turns(latest_before(self.at).get(node))

    def stream(self, text: str) -> None:
        self._host.record(TokenDelta(node=self.node, activation=self.activation, text=text))

    def progress(self, message: str) -> None:
        self._host.record(NodeProgress(node=self.node, activation=self.activation, message=message))

    @property
    def paused(self) -> bool:
        return self.state.status == "paused" and self.state.asked_to_pause

    async def put_off(self) -> NoReturn:
        await self._host.put_off(self.at)

    async def effect(
        self,
        request: Mapping[str, Any],
        work: Callable[[str], Awaitable[Any]],
        policy: EffectPolicy = EffectPolicy(),  # noqa: B008 - frozen
        name: str = "",
        quote: Quote | None = None,
    ) -> EffectCompleted:
        done = await self._host.effect(self.at, name, request, work, policy, quote)
        self._count(done.usage, made=not done.reused, reused=done.reused)
        return done

    async def ask(self, question: Question) -> Any:
        return await self._host.put_question(self.at, question)

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        node = self.state.program.nodes[self.at.node]
        return await attempt(work, node, self._host.clock, self._retried)

    async def run_diagram(
        self,
        diagram: Diagram,
        inputs: Mapping[str, Any],
        *,
        item: int | None = None,
        shared: bool = True,
        file: Source | None = None,
    ) -> ChildResult:
        before = tuple(self.conversation()) if shared else ()
        done = await self._host.run_part(self.at, Part(diagram, inputs, before, item, file))
        self._count(done.usage, made=done.made > 0, reused=done.reused > 0)
        if done.failure is not None:
            raise done.failure
        return done.result

    async def check_script(self, power: Power, text: str) -> None:
        if self._host.foreign and self.services.trust.minds(power):
            check_script(power, text, self.services, self._host.granted)

    def _retried(self, message: str) -> None:
        self.progress(message)
        self._host.retried(self.at, message)

    def _count(self, usage: Usage | None, *, made: bool, reused: bool) -> None:
        self._made |= made
        self.cached = not self._made and (self.cached or reused)
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage

    def _iterations(self, *given: Any) -> int:
        """`turns`, as expressions call it."""
        match given:
            case (str(label),):
                try:
                    return self.turns(label)
                except NodeError as error:
                    raise ExpressionError(str(error)) from error
            case _:
                raise TypeError("write the label of one node, in quotes")

    def _turns(self, earlier: Activation | None) -> int:
        """The turn of an earlier firing, if the loop around it has not been entered anew since."""
        if earlier is None:
            return 0
        outer = min(len(earlier.rounds) - 1, len(self.at.rounds)) if earlier.rounds else 0
        return earlier.turn if earlier.rounds[:outer] == self.at.rounds[:outer] else 0
