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

Started = tuple[Activation, Inputs]
LONGEST_STRETCH = 0.005
"""Seconds after which nodes that never wait for anything let others have the event loop."""


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
        self.services = services
        self._journal = journal
        self.clock = clock
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
        entry = e.Entry(self.execution_id, self._seq, self.clock.time(), event)
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

    async def pause(self, *, now: bool = False) -> None:
        """Start nothing new; with `now`, also stop what runs, to run it again later. Idempotent."""
        self._must_go_on("paused")
        interrupted = tuple(self.program.labels[node] for node in self.state.running) if now else ()
        if self.state.status != "paused" or interrupted:
            self.record(e.ExecutionPaused(interrupted=interrupted))
        if now:
            await self.stop()

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

    def _advance(self, *, keep: bool = False) -> Started | None:
        """Do everything that can be done now; with `keep`, leave the first start to the caller."""
        kept: Started | None = None
        while (decision := decide(self.state)) is not None:
            match decision:
                case Start(node, number, inputs):
                    self.record(
                        e.NodeStarted(
                            node=self.program.labels[node], activation=number, inputs=inputs
                        )
                    )
                    started = (self.state.running[node], inputs)
                    if keep and kept is None:
                        kept = started
                    else:
                        self._calls[node] = asyncio.create_task(self._calling(started))
                case Skip(node, reason):
                    self.record(e.NodeSkipped(node=self.program.labels[node], reason=reason))
                case Pause():
                    self.record(e.ExecutionPaused())
                case Complete():
                    self.record(e.ExecutionCompleted(outputs=self._results()))
                case Fail(error):
                    self.record(e.ExecutionFailed(error=error))
        return kept

    async def _calling(self, started: Started | None) -> None:
        """Run an activation, and then, without a task of its own, one that it has made possible."""
        task = asyncio.current_task()
        assert task is not None
        yielded = now = self.clock.monotonic()
        while started is not None:
            activation, inputs = started
            self._calls[activation.node] = task
            try:
                event = await self._outcome(activation, inputs, now)
            finally:
                # A node that was taken back may have been started anew by now.
                if self._calls.get(activation.node) is task:
                    del self._calls[activation.node]
            self.record(event)
            started = self._advance(keep=True)
            now = self.clock.monotonic()
            if now - yielded > LONGEST_STRETCH:
                await asyncio.sleep(0)
                yielded = now = self.clock.monotonic()

    async def _outcome(self, activation: Activation, inputs: Inputs, began: float) -> e.AnyEvent:
        """Run the node; whatever it does ends as one event."""
        node = self.program.nodes[activation.node]
        label = self.program.labels[activation.node]
        try:
            result = await call(node, inputs, RunContext(self, activation))
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
                duration_ms=(self.clock.monotonic() - began) * 1000,
            )
        return e.NodeFailed(
            node=label,
            activation=activation.number,
            error=failure,
            outputs=outputs_after(node, failure),
            duration_ms=(self.clock.monotonic() - began) * 1000,
        )

    async def put_question(self, activation: Activation, question: e.Question) -> Any:
        """Ask a human, and wait for an answer that `answer` takes."""
        answer = asyncio.get_running_loop().create_future()
        self._answers[activation.node] = answer
        label = self.program.labels[activation.node]
        self.record(e.InputRequired(node=label, activation=activation.number, question=question))
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
