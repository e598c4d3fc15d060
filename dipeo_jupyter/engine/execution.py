"""One run of one diagram: asks `decide` what to do, does it, and records what happened.

This is the only asyncio shell around the pure core, and it runs on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from ..diagram.suggest import did_you_mean
from ..errors import CommandError, NodeError
from ..protocol import events as e
from .breakpoints import stands_after, stands_before
from .budget import Purse
from .clock import Clock
from .context import Part, PartDone
from .effects import Effects, Work
from .moments import Activation
from .node import EffectPolicy
from .observing import Observers, Retried
from .outcome import outcome
from .pace import STRETCH, my_turn
from .ports import Journal, Services
from .prices import Quote
from .program import Program
from .questions import Questions
from .reuse import NOTHING, Past, path_of
from .schedule import decide
from .state import ExecutionState
from .watching import Watchers, kept

AFTER_THE_END = (e.Broadcast, e.ExecutionRecovered, e.ExecutionEdited, e.ExecutionResumed)
"""All that can become so once a run is over: people go on with it, or talk about it."""
BEGINNING = 0.005
"""Seconds that a run works at one go when it begins or wakes. Were they fewer, its nodes would ask
in another order on a busy machine."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one run may go on at once, and how often a loop may go round."""

    max_concurrency: int = 20
    max_rounds: int = 100


class Parts(Protocol):
    """Runs the diagrams that are parts of a run: see `children.py`."""

    closing: bool
    """Whether nothing begins any more, because the process is to end."""

    async def run(self, whole: Execution, at: Activation, part: Part) -> PartDone: ...

    def lead(self, whole: Execution, event: e.AnyEvent) -> None:
        """What becomes of a run becomes of its parts."""
        ...

    def answer(self, whole: Execution, asked_by: str, value: Any) -> None: ...


class Execution:
    """Everything that becomes so in a run goes through `record`."""

    def __init__(  # noqa: PLR0913 - all that a run needs from outside
        self,
        execution_id: e.ExecutionId,
        program: Program,
        services: Services,
        journal: Journal,
        clock: Clock,
        *,
        past: Past = NOTHING,
        parts: Parts | None = None,
        observers: Observers | None = None,
    ) -> None:
        self.execution_id = execution_id
        self.program = program
        self.state = ExecutionState(program)
        self.started = clock.time()
        self.past = past
        self.parts = parts
        self.observers = observers
        self.whole: Execution | None = None
        """The run that this one is a part of."""
        self.children: dict[e.ExecutionId, Execution] = {}
        """Runs that are parts of this one and not over."""
        self.origin: e.Origin | None = None
        self.thread: str | None = None
        self.folder = ""
        self.traceparent: str | None = None
        """Where the run stands in its trace."""
        self.path = path_of(execution_id)
        self.fresh = False
        self.services = services
        self._journal = journal
        self.clock = clock
        self._seq = 0
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._questions = Questions(self)
        self._watchers = Watchers(execution_id, journal, lambda: self._seq, lambda: self.state.over)
        self._asleep = False
        self._in_reserve = False
        """Whether the event loop is to start, at its next turn, what waits for its turn here."""
        self.effects = Effects(self, journal)
        self.purse = Purse(self)

    def use(self, services: Services) -> None:
        """Have other services from now on, in all parts too."""
        self.services = services
        for child in self.children.values():
            child.use(services)

    @property
    def seq(self) -> int:
        """The number of the last entry."""
        return self._seq

    def start(self, event: e.ExecutionStarted, *, paused: bool = False) -> None:
        """Begin a new run, or with `paused` wait for the first step."""
        self._begun_as(event)
        self.record(event)
        if paused:
            self.record(e.ExecutionPaused())
        self._advance()

    def restore(self, state: ExecutionState, entries: list[e.Entry]) -> None:
        """Take over a run as its entries have left it; nothing goes on before it is resumed."""
        self._asleep = True
        first = entries[0]
        assert isinstance(first.event, e.ExecutionStarted)
        self._begun_as(first.event)
        self.state, self.program, self.started = state, state.program, first.time
        self._seq = entries[-1].seq
        self.purse.used += state.spending.total

    @property
    def asleep(self) -> bool:
        """Whether it was only taken over so far, and nothing of it goes on."""
        return self._asleep

    @property
    def status(self) -> e.ExecutionStatus:
        """As people see it: a run that waits for somebody to resume it is paused."""
        shown = self.state.shown_status
        if self._asleep and shown == "running":
            return "waiting" if self.state.questions else "paused"
        return "running" if self._in_reserve and shown == "waiting" else shown

    @property
    def foreign(self) -> bool:
        """Whether its diagram may have come from elsewhere."""
        return self.state.foreign

    @property
    def granted(self) -> Collection[str]:
        """The powers that it was granted."""
        return self.state.granted

    @property
    def closing(self) -> bool:
        """Whether no effect begins here any more."""
        return self.parts is not None and self.parts.closing

    def wake(self) -> None:
        """Go on where another process has left off; what was under way runs again."""
        if not self._asleep:
            return
        self._asleep = False
        state, labels = self.state, self.program.labels
        self.effects.unknown = {
            (node, name) for node, begun in state.begun.items() for name in begun
        }
        repeated = tuple(
            f"{labels[node]}[{state.running[node].number}]"
            for node in sorted(state.running)
            if node not in state.questions
        )
        self.record(e.ExecutionRecovered(repeated=repeated))
        if not state.over:
            for node, activation in sorted(state.running.items()):
                self._calls[node] = asyncio.create_task(self._calling(activation))
        self._advance()

    def edit(self, program: Program, event: e.ExecutionEdited, past: Past) -> None:
        """Have another diagram from now on; the run is paused then, and what ran is stopped."""
        self._asleep = False
        self.past, self.program = past, program
        self._questions.forget()
        self.effects.unknown.clear()
        self.record(event)

    def record(self, event: e.AnyEvent) -> None:
        """Make something so: number it, journal it, apply it, tell everyone.

        After the end of the run nothing becomes so any more, unless people go on with it.
        """
        state = self.state
        if state.over and not isinstance(event, AFTER_THE_END):
            return
        if event.ephemeral:
            entry = e.Entry(self.execution_id, self._seq, self.clock.time(), event)
        else:
            self._seq += 1
            entry = e.entry_of((self.execution_id, self._seq, self.clock.time(), event))
            self._journal.append(entry)
            if type(event) is e.ExecutionEdited:
                self.state = state.edited(self.program, event)
            else:
                state.apply(event)
        if self.observers is not None:
            self.observers.tell(self, event, entry.time)
        if self._watchers.queues:
            self._watchers.show(entry)
        if self.children and self.parts is not None:
            self.parts.lead(self, event)

    def tell(self, happened: object) -> None:
        """Tell whoever looks on of something that no journal keeps."""
        if self.observers is not None:
            self.observers.tell(self, happened, self.clock.time())

    def retried(self, at: Activation, message: str) -> None:
        """An attempt of a node has failed, and there will be another."""
        self.tell(Retried(self.program.labels[at.node], at.number, message))

    def events(self, after: int = 0) -> AsyncIterator[e.Entry]:
        """Yield what happened after entry `after`, then what happens, until the run is over.

        Nobody sees what could be lost: an entry is shown when it is safe in the journal.
        """
        return self._watchers.events(after)

    async def pause(self, *, now: bool = False, reason: e.PauseReason = "asked") -> None:
        """Start nothing new; with `now`, also stop what runs, to run it again later. Idempotent."""
        self._must_go_on("paused")
        interrupted = [*self.state.running] if now else []
        if self.state.status != "paused" or interrupted:
            self._interrupt(interrupted, reason)
        if now:
            await self.stop()

    def trouble(self, message: str | None) -> None:
        """The journal cannot be written (None: it can again): no effect begins meanwhile."""
        if message is None:
            self.effects.well.set()
            return
        self.effects.well.clear()
        if not self.state.over and self.state.status != "paused":
            self.record(e.ExecutionPaused(reason="journal", message=message))

    def resume(self, steps: int | None = None, budget: e.Budget | None = None) -> None:
        """Go on, for `steps` activations or to the end; what failed is tried again.

        A `budget` takes the place of the one that the run has.
        """
        if self.state.status != "failed":
            self._must_go_on("resumed")
        elif steps is None:
            self.wake()
            self.record(e.ExecutionResumed(budget=budget))
            self._advance()
            return
        self.wake()
        stands = self.state.status == "paused" or self.state.steps_left is not None
        if stands or steps is not None or budget is not None:
            self.record(e.ExecutionResumed(steps=steps, budget=budget))
            self.purse.look_again()
            self._advance()
        elif self.parts is not None:  # one of them may be paused by itself
            self.parts.lead(self, e.ExecutionResumed())

    async def cancel(self) -> None:
        """End the run now, and wait until nothing of it runs. Idempotent."""
        self.record(e.ExecutionCancelled())
        await self.stop()
        for child in tuple(self.children.values()):
            await child.cancel()

    async def stop(self) -> None:
        """Cancel what runs, and wait for it."""
        calls = list(self._calls.values())
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def answer(self, label: str, value: Any, activation: int | None = None) -> None:
        """Answer the question of a node (of this activation); the first valid answer wins."""
        self._questions.answer(label, value, activation)

    def answer_part(self, asked_by: str, value: Any) -> bool:
        """Have a part of this run answered that has asked; False when there are no parts."""
        if self.parts is None:
            return False
        self.parts.answer(self, asked_by, value)
        return True

    def set_breakpoints(self, breakpoints: tuple[e.Breakpoint, ...]) -> None:
        """Replace all breakpoints; raises `CommandError` for a node that does not exist."""
        for each in breakpoints:
            self._node(each.node)
        if breakpoints != self.state.breakpoints:
            self.record(e.BreakpointsSet(breakpoints=breakpoints))

    def pause_node(self, label: str) -> None:
        if self._node(label) not in self.state.held:
            self.record(e.NodePaused(node=label))

    def resume_node(self, label: str) -> None:
        if self._node(label) in self.state.held:
            self.record(e.NodeResumed(node=label))
            self._advance()

    async def skip_node(self, label: str) -> None:
        """Leave out the firing of a node that is under way, or else its next one."""
        node = self._node(label)
        self._must_go_on("steered")
        if node in self.state.to_skip:
            return
        call = self._calls.get(node) if node in self.state.running else None
        self.record(e.SkipRequested(node=label))
        if call is not None:
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
        self._advance()

    def _begun_as(self, event: e.ExecutionStarted) -> None:
        self.origin, self.fresh = event.origin, event.fresh
        self.thread, self.traceparent = event.thread, event.traceparent
        self.folder = event.folder

    def _node(self, label: str) -> int:
        if label not in self.program.index:
            hint = did_you_mean(label, self.program.labels)
            raise CommandError(f"There is no node {label!r}.", code="unknown_node", hint=hint)
        return self.program.index[label]

    def _must_go_on(self, what: str) -> None:
        if self.state.over:
            message = f"The run is {self.state.status}; it cannot be {what} any more."
            raise CommandError(message, code="execution_over")

    def _advance(self) -> None:
        """Do everything that can be done now."""
        self._in_reserve = False
        while (started := self._next()) is not None:
            self._calls[started.node] = asyncio.create_task(self._calling(started))

    def _next(self) -> Activation | None:
        """Do what can be done now up to the next start of a node, which the caller is to run."""
        if self._asleep:  # steered, but not gone on with
            return None
        state = self.state
        while (event := decide(state)) is not None:
            if type(event) is not e.NodeStarted:
                self.record(event)
            elif not state.breakpoints or not self._stands(event):
                self.record(event)
                return state.running[state.index[event.node]]
        return None

    async def _calling(self, activation: Activation | None) -> None:
        """Run an activation, and then, without tasks of their own, whatever can start by then.

        As soon as one of them waits for something, the others get a task each.
        """
        task = asyncio.current_task()
        assert task is not None
        now = self.clock.monotonic()
        enough = now + BEGINNING
        while activation is not None:
            self._calls[activation.node] = task
            try:
                # Within reach of `stop`, or a node that was taken back would run all the same.
                if now > enough:
                    await self._give_way()
                    now = self.clock.monotonic()
                    enough = now + STRETCH
                event = await self.outcome(activation, now)
            finally:
                # A node that was taken back may have been started anew by now.
                if self._calls.get(activation.node) is task:
                    del self._calls[activation.node]
            self.record(event)
            if self.state.breakpoints:
                self._stand_after(activation, event)
            activation = self._next()
            if self.state.ready and not self._in_reserve:
                self._in_reserve = True
                asyncio.get_running_loop().call_soon(self._advance)
            now = self.clock.monotonic()

    async def _give_way(self) -> None:
        """Let others have the event loop, and the interpreter's lock those whom they wait for."""
        if self._journal.is_awaited():
            await kept(self._journal)
        await my_turn()

    outcome = outcome
    """What comes of an activation: its node is run."""

    async def effect(
        self,
        at: Activation,
        name: str,
        request: Mapping[str, Any],
        work: Work,
        policy: EffectPolicy,
        quote: Quote | None = None,
    ) -> e.EffectCompleted:
        """Do something that counts, at most once; see `Context.effect`."""
        return await self.effects.do(at, name, request, work, policy, quote)

    @property
    def budget(self) -> e.Budget:
        """What this run may take."""
        return self.state.budget

    def node_of_whole(self, node: int) -> int:
        """The node of the outermost run for which a node works."""
        return node

    def out_of_budget(self, message: str) -> None:
        """Start nothing new: there is no money for it."""
        if self.state.status == "running":
            self.record(e.ExecutionPaused(reason="budget", message=message))

    def take_back(self, nodes: set[int], message: str) -> None:
        """Interrupt nodes that wait for money; when the run goes on they start again."""
        if waiting := nodes & self.state.running.keys():
            self._interrupt(waiting, "budget", message)

    async def put_off(self, at: Activation) -> NoReturn:
        """Interrupt a node that stands still between two pieces of its work."""
        self._interrupt({at.node}, "asked")
        await asyncio.get_running_loop().create_future()
        raise AssertionError("cancelled before")

    def _interrupt(
        self, nodes: Collection[int], reason: e.PauseReason, message: str | None = None
    ) -> None:
        """Pause, and stop nodes that run; when the run goes on they start again."""
        labels = tuple(self.program.labels[node] for node in sorted(nodes))
        calls = [self._calls[node] for node in nodes if node in self._calls]
        self.record(e.ExecutionPaused(interrupted=labels, reason=reason, message=message))
        for each in calls:
            each.cancel()

    def warn_of_budget(self, used: e.Usage) -> None:
        self.record(e.BudgetWarning(used=used, budget=self.budget))

    async def run_part(self, at: Activation, part: Part) -> PartDone:
        """Run a diagram as a part of this run; see `Context.run_diagram`."""
        if self.parts is None:
            raise NodeError("this run cannot have parts")
        return await self.parts.run(self, at, part)

    async def put_question(
        self, activation: Activation, question: e.Question, spent: int = 0
    ) -> Any:
        """Ask a human, and wait for the answer; see `Questions.put`."""
        return await self._questions.put(activation, question, spent)

    def _stands(self, start: e.NodeStarted) -> bool:
        """Whether the run stands at a breakpoint now, instead of starting this."""
        at = self.state.preview(start)
        place = stands_before(self.state, at)
        if place is None:
            return False
        self.record(e.ExecutionPaused(reason="breakpoint", at=place.name, message=place.fault))
        return True

    def _stand_after(self, activation: Activation, event: e.AnyEvent) -> None:
        if isinstance(event, e.NodeCompleted) and self.state.status == "running":
            place = stands_after(self.state, activation)
            if place is not None:
                self.record(
                    e.ExecutionPaused(reason="breakpoint", at=place.name, message=place.fault)
                )
