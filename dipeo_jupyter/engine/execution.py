"""One run of one diagram: asks `decide` what to do, does it, and records what happened.

This is the only asyncio shell around the pure core, and it runs on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from ..errors import CommandError, NodeError
from ..protocol import events as e
from .answers import accept
from .call import call, describe, outputs_after
from .clock import Clock
from .context import RunContext
from .moments import Activation
from .names import value_of
from .node import Inputs, Result
from .ports import Journal, Services
from .program import Program
from .schedule import Complete, Fail, Pause, Skip, Start, decide
from .state import ExecutionState


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one run may go on at once, and how often a loop may go round."""

    max_concurrency: int = 20
    max_rounds: int = 100


class Execution:
    """Everything that becomes so in a run goes through `record`."""

    def __init__(
        self,
        execution_id: e.ExecutionId,
        program: Program,
        services: Services,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.execution_id = execution_id
        self.program = program
        self.state = ExecutionState(program)
        self.started = clock.time()
        self._services = services
        self._journal = journal
        self._clock = clock
        self._seq = 0
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._watchers: set[asyncio.Queue[e.Entry]] = set()

    @property
    def seq(self) -> int:
        """The number of the last entry."""
        return self._seq

    def start(self, inputs: Mapping[str, Any], limits: Limits, *, paused: bool = False) -> None:
        self.record(
            e.ExecutionStarted(
                diagram=self.program.diagram,
                inputs=dict(inputs),
                max_concurrency=limits.max_concurrency,
                max_rounds=limits.max_rounds,
            )
        )
        if paused:
            self.record(e.ExecutionPaused())
        self._advance()

    def record(self, event: e.AnyEvent) -> None:
        """Make something so: number it, journal it, apply it, tell everyone.

        After the end of the run nothing becomes so any more.
        """
        if self.state.over and not isinstance(event, e.Broadcast):
            return
        if not event.ephemeral:
            self._seq += 1
        entry = e.Entry(self.execution_id, self._seq, self._clock.time(), event)
        if not event.ephemeral:
            self._journal.append(entry)
            self.state.apply(event)
        for watcher in self._watchers:
            watcher.put_nowait(entry)

    async def events(self, after: int = 0) -> AsyncIterator[e.Entry]:
        """Yield what happened after entry `after`, then what happens, until the run is over."""
        watcher: asyncio.Queue[e.Entry] = asyncio.Queue()
        for entry in self._journal.read(self.execution_id, after):
            watcher.put_nowait(entry)
        self._watchers.add(watcher)
        try:
            while not (self.state.over and watcher.empty()):
                yield await watcher.get()
        finally:
            self._watchers.discard(watcher)

    def pause(self) -> None:
        """Start nothing new. Pausing what is paused changes nothing."""
        self._must_go_on("paused")
        if self.state.status != "paused":
            self.record(e.ExecutionPaused())

    def resume(self, steps: int | None = None) -> None:
        """Go on, for `steps` activations or to the end."""
        self._must_go_on("resumed")
        if self.state.status == "paused" or steps is not None or self.state.steps_left is not None:
            self.record(e.ExecutionResumed(steps=steps))
            self._advance()

    async def cancel(self) -> None:
        """End the run now, and wait until nothing of it runs. Idempotent."""
        self.record(e.ExecutionCancelled())
        await self.stop()

    async def stop(self) -> None:
        """Cancel what runs, and wait for it."""
        calls = list(self._calls.values())
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def answer(self, label: str, value: Any) -> None:
        """Answer the question of a node; the first valid answer wins."""
        node = self.program.index.get(label, -1)
        question = self.state.questions.get(node)
        if question is None:
            open_ = [self.program.labels[each] for each in self.state.questions]
            hint = f"Waiting for an answer: {', '.join(open_)}." if open_ else None
            message = f"Node {label!r} does not wait for an answer (any more)."
            raise CommandError(message, code="no_question", hint=hint)
        value = accept(question, value)
        activation = self.state.running[node].number
        self.record(e.InputReceived(node=label, activation=activation, value=value))
        self._answers[node].set_result(value)

    def _must_go_on(self, what: str) -> None:
        if self.state.over:
            message = f"The run is {self.state.status}; it cannot be {what} any more."
            raise CommandError(message, code="execution_over")

    def _advance(self) -> None:
        """Do everything that can be done now."""
        while (decision := decide(self.state)) is not None:
            match decision:
                case Start(node, number, inputs):
                    label = self.program.labels[node]
                    self.record(e.NodeStarted(node=label, activation=number, inputs=dict(inputs)))
                    activation = self.state.running[node]
                    self._calls[node] = asyncio.create_task(self._call(activation))
                case Skip(node, reason):
                    self.record(e.NodeSkipped(node=self.program.labels[node], reason=reason))
                case Pause():
                    self.record(e.ExecutionPaused())
                case Complete():
                    self.record(e.ExecutionCompleted(outputs=self._results()))
                case Fail(error):
                    self.record(e.ExecutionFailed(error=error))

    async def _call(self, activation: Activation) -> None:
        node = activation.node
        began = self._clock.monotonic()
        try:
            event = await self._outcome(activation, began)
        finally:
            self._calls.pop(node, None)
            self._answers.pop(node, None)
        self.record(event)
        self._advance()

    async def _outcome(self, activation: Activation, began: float) -> e.AnyEvent:
        """Run the node; whatever it does ends as one event."""
        node = self.program.nodes[activation.node]
        label = self.program.labels[activation.node]
        context = RunContext(
            self.state,
            activation,
            self._services,
            self._clock,
            self.record,
            self._put_question,
        )
        try:
            result = await call(node, Inputs(activation.inputs), context)
            outputs = _as_json(result)
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            failure = describe(error, label, activation.number)
        except BaseException as error:  # noqa: BLE001 - the edge: whatever a node raises is its failure
            failure = describe(error, label, activation.number)
        else:
            return e.NodeCompleted(
                node=label,
                activation=activation.number,
                outputs=outputs,
                person=result.person,
                messages=result.messages,
                seen=result.seen,
                usage=result.usage,
                duration_ms=(self._clock.monotonic() - began) * 1000,
            )
        return e.NodeFailed(
            node=label,
            activation=activation.number,
            error=failure,
            outputs=outputs_after(node, failure),
            duration_ms=(self._clock.monotonic() - began) * 1000,
        )

    async def _put_question(self, activation: Activation, question: e.Question) -> Any:
        answer = asyncio.get_running_loop().create_future()
        self._answers[activation.node] = answer
        label = self.program.labels[activation.node]
        self.record(
            e.InputRequired(node=label, activation=activation.number, question=question)
        )
        return await answer

    def _results(self) -> dict[str, Any]:
        """What the endpoints have; in a diagram without any, what the last nodes have."""
        nodes = range(len(self.program.nodes))
        ends = [node for node in nodes if not self.program.nodes[node].handles]
        if not ends:
            ends = [node for node in nodes if not self.program.outgoing[node]]
        return {
            self.program.labels[node]: value_of(spoke)
            for node in ends
            if (spoke := self.state.spoke[node]) is not None
        }


def _as_json(result: Result) -> dict[str, Any]:
    """The outputs as plain JSON values, apart from anything the node still holds."""
    try:
        outputs: dict[str, Any] = to_jsonable_python(dict(result.outputs))
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise NodeError(f"handed on a value that is not JSON: {error}") from error
    return outputs
