"""How far a run has come: everything its events say, added up.

`apply` is the only way the state changes, and it is pure: no clock, no files, no luck. So reading
a journal again gives the same state.

Edges settle: they turn live (a value has come) or dead (none ever will).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from types import MappingProxyType
from typing import Any

from ..diagram.model import Label
from ..protocol import events as e
from ..protocol.spending import Spending
from .loops import OUTSIDE, Loop
from .moments import Activation, Moment, Round
from .node import Inputs
from .program import Program, Region, Wire

# How far a node is in this round; plain numbers, because they live in a bytearray on the hot path.
WAITING, READY, RUNNING, DONE = range(4)


NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True, eq=False, repr=False)
class ExecutionState:
    """One for each run. With slots, because a class with so many fields is slow without."""

    program: Program
    status: e.ExecutionStatus = "pending"
    over: bool = False
    asked_to_pause: bool = False
    """Whether people want it to stand still, and it is not a step or a breakpoint."""
    steps_left: int | None = None
    max_concurrency: int = 0
    max_rounds: int = 0
    inputs: Mapping[str, Any] = field(default_factory=dict)
    budget: e.Budget = field(default_factory=e.Budget)
    spending: Spending = field(default_factory=Spending)
    before: tuple[e.Message, ...] = ()
    """What had been said before the run: in the one that it is a part of, or in its thread."""
    generation: int = 0
    """How often that one had been edited when it last gave this one its diagram."""
    edits: int = 0
    keep: bool = False
    """Whether the last edit counts only for what had not fired by then."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: e.ErrorInfo | None = None
    """Why the run failed, or will as soon as nothing runs any more."""
    overrun: int | None = None
    """The loop that went round too often."""
    foreign: bool = False
    doubted: bool = False
    """Whether another user may have begun it, so that nothing counts that it was granted."""
    granted: tuple[str, ...] = ()
    """The powers that it may use, as far as they had to be granted."""
    questions: dict[int, e.Question] = field(default_factory=dict)
    asked_by: dict[int, str | None] = field(default_factory=dict)
    """For questions that a part of the run asks: its activation."""
    answers: dict[int, list[Any]] = field(default_factory=dict)
    """What humans have answered to a node that runs, in order."""
    effects: dict[int, dict[str, e.EffectCompleted]] = field(default_factory=dict)
    """What a node that runs, or ran when it was interrupted, has done already; by name."""
    begun: dict[int, dict[str, str]] = field(default_factory=dict)
    """What it has begun to do, by name: the key. It may be done or not."""
    repeats: dict[int, int] = field(default_factory=dict)
    """How often it has begun with something once more that it had begun before, or was told that it
    is done: so many of the answers are used up."""
    failed: list[int] = field(default_factory=list)
    """Nodes that gave up; when the run is resumed they try again."""
    breakpoints: tuple[e.Breakpoint, ...] = ()
    passed: set[str] = field(default_factory=set)
    """Breakpoints at which the run has stood: `before argue[2]`."""
    held: set[int] = field(default_factory=set)
    """Nodes that may not start, though everything else goes on."""
    held_back: set[int] = field(default_factory=set)
    """Those of them that are ready."""
    to_skip: set[int] = field(default_factory=set)

    settled: list[Activation | None] = field(init=False)
    """What settled each edge: the activation (or skip) of its source."""
    live: bytearray = field(init=False)
    coming: dict[int, tuple[Activation, bool]] = field(default_factory=dict)
    """What back edges will bring into the next round: in this one nobody may see it yet."""
    leaving: dict[int, Activation] = field(default_factory=dict)
    """The last live value of each edge that waits for the end of a loop."""
    released: dict[int, Round] = field(default_factory=dict)
    """For edges that a loop held back: the end of that loop."""
    unsettled: list[int] = field(init=False)
    stage: bytearray = field(init=False)
    ready: list[int] = field(default_factory=list)
    """A heap of the nodes that nothing holds back, smallest number first."""
    running: dict[int, Activation] = field(default_factory=dict)
    fired: list[int] = field(init=False)
    """How many times each node has run to its end."""
    turns: list[int] = field(init=False)
    """The same, since the innermost loop around it was entered."""
    last: list[Activation | None] = field(init=False)
    spoke: list[Activation | None] = field(init=False)
    """The last real firing of each node, skips apart."""

    rounds: list[int] = field(init=False)
    missing: list[int] = field(init=False)
    """Members and inner loops that have not finished this round yet."""
    began: list[Round | None] = field(init=False)
    """What this round has behind it; None in the first round of an outermost loop."""
    ended: list[Round | None] = field(init=False)
    moved: bytearray = field(init=False)
    """Whether any node that goes round in the loop has really run in this round."""

    # Of the program, at hand because they are looked up for every event.
    labels: Sequence[Label] = field(init=False)
    index: Mapping[Label, int] = field(init=False)
    incoming: Sequence[tuple[Wire, ...]] = field(init=False)
    outgoing: Sequence[tuple[Wire, ...]] = field(init=False)
    peculiar: Sequence[bool] = field(init=False)
    loops_around: Sequence[tuple[int, ...]] = field(init=False)
    loop_of: Sequence[int] = field(init=False)
    limits: Sequence[int | None] = field(init=False)

    def __post_init__(self) -> None:
        program = self.program
        self.labels, self.index = program.labels, program.index
        self.incoming, self.outgoing = program.incoming, program.outgoing
        self.peculiar, self.loops_around = program.peculiar, program.loops_around
        self.limits, self.loop_of = program.limits, program.loop_of
        size, wires, loops = len(program.nodes), len(program.wires), len(program.loops)
        self.settled, self.live = [None] * wires, bytearray(wires)
        self.unsettled, self.stage = [0] * size, bytearray(size)
        self.fired, self.turns = [0] * size, [0] * size
        self.last, self.spoke = [None] * size, [None] * size
        self.rounds, self.missing, self.moved = [1] * loops, [0] * loops, bytearray(loops)
        self.began, self.ended = [None] * loops, [None] * loops
        for region in program.regions:
            self.missing[region.loop.index] = len(region.members) + len(region.children)
        self._await_edges(range(size))

    @property
    def shown_status(self) -> e.ExecutionStatus:
        """`waiting` when nothing goes on before a human has answered, else the status."""
        if self.status != "running":
            return self.status
        if self.running:
            return "waiting" if self.running.keys() <= self.questions.keys() else "running"
        return "paused" if self.held_back else "running"

    def apply(self, event: e.AnyEvent) -> None:
        """Add one event."""
        if type(event) is e.NodeStarted:
            self._start(self.index[event.node], event)
        elif type(event) is e.NodeCompleted:
            if event.usage is not None:
                self.spending.follow(event)
            self._finish(self.index[event.node], event.outputs, event.messages)
        else:
            self._apply_rarer(event)

    def _apply_rarer(self, event: e.AnyEvent) -> None:  # noqa: C901 - one flat match over the events
        match event:
            case e.NodeSkipped():
                self._skip(self.index[event.node], event.reason)
            case e.EffectStarted():
                self._begin_effect(self.index[event.node], event)
            case e.EffectCompleted():
                self._effect_done(self.index[event.node], event)
            case e.NodeFailed(outputs=None):
                self.spending.follow(event)
                self._give_up(self.index[event.node], event.error)
            case e.NodeFailed():
                self.spending.follow(event)
                self._finish(self.index[event.node], event.outputs or {}, ())
            case e.InputRequired():
                self.questions[self.index[event.node]] = event.question
                self.asked_by[self.index[event.node]] = event.asked_by
            case e.InputReceived():
                self.questions.pop(self.index[event.node], None)
                self.answers.setdefault(self.index[event.node], []).append(event.value)
            case e.NodePaused():
                self._hold(self.index[event.node])
            case e.NodeResumed():
                self._let_go(self.index[event.node])
            case e.SkipRequested():
                self._leave_out(self.index[event.node])
            case e.NodeProgress() | e.TokenDelta() | e.Broadcast() | e.BudgetWarning():
                pass
            case _:
                self._apply_to_run(event)

    def _apply_to_run(self, event: e.AnyEvent) -> None:
        self._change_run(event)
        self.over = self.status in e.OVER

    def _change_run(self, event: e.AnyEvent) -> None:  # noqa: C901 - one flat match
        match event:
            case e.ExecutionStarted():
                self.status, self.inputs = "running", event.inputs
                self.max_concurrency = event.max_concurrency
                self.max_rounds = event.max_rounds
                self.breakpoints = event.breakpoints
                self.before, self.generation = event.before, event.generation
                self.foreign, self.granted = event.foreign, event.granted
                self.budget = event.budget
            case e.ExecutionPaused():
                self.status, self.steps_left = "paused", None
                self.asked_to_pause = event.reason == "asked"
                if event.at is not None:
                    self.passed.add(event.at)
                for label in event.interrupted:
                    self._take_back(self.index[label])
            case e.ExecutionResumed():
                self.status, self.steps_left = "running", event.steps
                self.asked_to_pause = False
                self.budget = event.budget or self.budget
                self._try_again()
            case e.ExecutionEdited():
                self.status, self.inputs = "paused", event.inputs
                self.before, self.generation = event.before, event.generation
                self.foreign, self.granted = event.foreign, event.granted
                self.keep = event.keep
            case e.BreakpointsSet():
                self.breakpoints = event.breakpoints
            case e.ExecutionCompleted():
                self.status, self.outputs = "completed", event.outputs
            case e.ExecutionFailed():
                self.status, self.error = "failed", event.error
            case e.ExecutionCancelled():
                self.status = "cancelled"
                self.questions.clear()
            case _:
                pass

    def edited(self, program: Program, event: e.ExecutionEdited) -> ExecutionState:
        """The state after an edit: nothing has run yet, and what people had set still holds."""
        state = ExecutionState(program)
        state.max_concurrency, state.max_rounds = self.max_concurrency, self.max_rounds
        state.breakpoints, state.passed = self.breakpoints, set(self.passed)
        state.edits, state.budget = self.edits + 1, self.budget
        state.spending = Spending(self.spending.total)
        for node in self.held:
            if (label := self.program.labels[node]) in program.index:
                state._hold(program.index[label])
        state.apply(event)
        return state

    def listened(self, node: int) -> tuple[Wire, ...]:
        """The edges that matter to a node in this turn.

        In its first turn those into `first` alone, unless all of them are dead; afterwards all but
        these.
        """
        incoming = self.incoming[node]
        if not self.peculiar[node]:
            return incoming
        first = tuple(wire for wire in incoming if wire.first)
        if not self.turns[node] and any(self.live[x.index] or self._open(x) for x in first):
            return first
        return tuple(wire for wire in incoming if not wire.first)

    def live_wires(self, node: int) -> list[Wire]:
        """The edges that bring a value to a node in this turn."""
        live, found = self.live, []
        for wire in self.listened(node) if self.peculiar[node] else self.incoming[node]:
            if live[wire.index]:
                found.append(wire)  # noqa: PERF401 - in Python 3.11 that is a call more
        return found

    def fed(self, node: int) -> bool:
        """Whether a node lives from its edges, and does not run by itself at the beginning.

        The entry of a loop that nothing leads to does so in the first round, and then never again.
        """
        incoming = self.incoming[node]
        return any(not wire.back or self.settled[wire.index] is not None for wire in incoming)

    def flow_key(self, activation: Activation) -> tuple[int, ...]:
        """Sorts activations in the order of the flow, whoever finished first."""
        path = self.program.flow_path[activation.node]
        key = [path[0]]
        for round_, position in zip(activation.rounds, path[1:], strict=True):
            key += (round_, position)
        return tuple(key)

    def _open(self, wire: Wire) -> bool:
        return self.settled[wire.index] is None and not wire.back

    def _start(self, node: int, event: e.NodeStarted) -> None:
        if self.steps_left is not None:
            self.steps_left -= 1
        for loop in self.loops_around[node]:
            if not self.moved[loop] and node in self.program.loops[loop].core:
                self.moved[loop] = True
        self.running[node] = self._activation(node, event.activation, event.inputs)
        self._leave_ready(node, RUNNING)

    def _begin_effect(self, node: int, event: e.EffectStarted) -> None:
        begun = self.begun.setdefault(node, {})
        if event.effect in begun:
            self.repeats[node] = self.repeats.get(node, 0) + 1
        begun[event.effect] = event.key

    def _effect_done(self, node: int, event: e.EffectCompleted) -> None:
        self.effects.setdefault(node, {})[event.effect] = event
        self.spending.follow(event)
        begun = self.begun.get(node, {}).pop(event.effect, None)
        if begun is not None and event.reused:
            self.repeats[node] = self.repeats.get(node, 0) + 1

    def _give_up(self, node: int, error: e.ErrorInfo) -> None:
        self.questions.pop(node, None)
        del self.running[node]
        self.failed.append(node)
        self.error = self.error or error

    def _try_again(self) -> None:
        """What made the run fail is tried once more: nodes start again, a loop goes on."""
        self.error = None
        for node in self.failed:
            self.stage[node] = WAITING
            self._make_ready(node)
        self.failed.clear()
        if self.overrun is not None:
            loop, self.overrun = self.overrun, None
            self.max_rounds += self.rounds[loop]
            self._begin_round(loop, self._end_of_round(self.program.regions[loop]))

    def _hold(self, node: int) -> None:
        self.held.add(node)
        if self.stage[node] == READY:
            self._leave_ready(node, WAITING)
            self.held_back.add(node)

    def _let_go(self, node: int) -> None:
        self.held.discard(node)
        if node in self.held_back:
            self.held_back.discard(node)
            self._make_ready(node)

    def _leave_out(self, node: int) -> None:
        self.to_skip.add(node)
        if node in self.running:
            self._take_back(node)
        if node in self.held_back:
            self.held_back.discard(node)
            self.stage[node] = READY
            heappush(self.ready, node)

    def _take_back(self, node: int) -> None:
        """Forget that a node has started: it is ready again."""
        del self.running[node]
        self.questions.pop(node, None)
        self.stage[node] = WAITING
        self._make_ready(node)

    def _skip(self, node: int, reason: e.SkipReason) -> None:
        activation = self._activation(node)
        if reason == "max_iterations" and (spoke := self.spoke[node]) is not None:
            activation.outputs, activation.repeats = spoke.outputs, spoke
        if reason == "asked":
            self._forget_work(node)
        self.to_skip.discard(node)
        self._leave_ready(node, DONE)
        self._hand_on(activation)

    def _finish(
        self, node: int, outputs: Mapping[str, Any], messages: tuple[e.Message, ...]
    ) -> None:
        activation = self.running.pop(node)
        activation.outputs, activation.messages = outputs, messages
        if self.begun or self.effects or self.answers or self.questions:  # hardly ever: hot path
            self._forget_work(node)
        self.spoke[node] = activation
        self.fired[node] = activation.number
        self.turns[node] += 1
        self.stage[node] = DONE
        self._hand_on(activation)

    def _forget_work(self, node: int) -> None:
        for of_node in (self.begun, self.effects, self.answers, self.questions, self.repeats):
            of_node.pop(node, None)

    def preview(self, event: e.NodeStarted) -> Activation:
        """The activation that would come about if this became so now."""
        return self._activation(self.index[event.node], event.activation, event.inputs)

    def _activation(
        self, node: int, number: int = 0, inputs: Mapping[str, Any] = NOTHING
    ) -> Activation:
        settled, released = self.settled, self.released
        causes: list[Moment] = []
        for wire in self.listened(node) if self.peculiar[node] else self.incoming[node]:
            # What came round the loop is behind the end of the last round: to lead there past it
            # would make looking for what is known walk through all the rounds.
            if not wire.back and (source := settled[wire.index]) is not None:
                causes.append(released.get(wire.index) or source if released else source)  # noqa: PERF401
        rounds: tuple[int, ...] = ()
        if around := self.loops_around[node]:
            if (began := self.began[around[-1]]) is not None:
                causes.append(began)
            rounds = tuple([self.rounds[loop] for loop in around])
        turn = self.turns[node] + 1
        given = inputs if type(inputs) is Inputs else Inputs(inputs)
        return Activation(tuple(causes), node, number, turn, rounds, given, NOTHING)

    def _hand_on(self, activation: Activation) -> None:
        """Settle the edges out of a node that is done, and end the rounds that this completes."""
        node = activation.node
        self.last[node] = activation
        outputs, settled, live = activation.outputs, self.settled, self.live
        unsettled, peculiar = self.unsettled, self.peculiar
        for wire in self.outgoing[node]:
            alive = wire.handle in outputs
            target = wire.target
            if wire.back or wire.held_by != OUTSIDE or peculiar[target]:
                self._hand_over(wire, activation, alive)
                continue
            # Nearly all are like this: spelled out, because it is on the hot path.
            settled[wire.index], live[wire.index] = activation, alive
            unsettled[target] -= 1
            if not unsettled[target]:
                self._make_ready(target)
        loop = self.loop_of[node]
        while loop != OUTSIDE:
            self.missing[loop] -= 1
            if self.missing[loop] or not self._end_round(loop):
                break
            loop = self.program.loops[loop].parent

    def _hand_over(self, wire: Wire, activation: Activation, alive: bool) -> None:  # noqa: FBT001
        if wire.held_by == OUTSIDE:
            self._settle(wire, activation, alive)
        elif alive:
            self.leaving[wire.index] = activation

    def _settle(self, wire: Wire, activation: Activation, alive: bool) -> None:  # noqa: FBT001
        if wire.back:
            self.coming[wire.index] = (activation, alive)
            return
        self.settled[wire.index] = activation
        self.live[wire.index] = alive
        target = wire.target
        self.unsettled[target] -= 1
        if self.peculiar[target]:
            self._reconsider(target)
        elif not self.unsettled[target]:
            self._make_ready(target)

    def _reconsider(self, node: int) -> None:
        """Make a node ready that does not simply wait for every edge."""
        if self.stage[node] != WAITING:
            return
        wires = self.listened(node)
        any_live = any(self.live[wire.index] for wire in wires)
        if (any_live and self.program.nodes[node].join == "any") or not any(map(self._open, wires)):
            self._make_ready(node)

    def _end_round(self, loop: int) -> bool:
        """Go round again if a back edge is live, else end the loop; return whether it ended."""
        region = self.program.regions[loop]
        moment = self._end_of_round(region)
        for wire in region.back:
            self.settled[wire.index], self.live[wire.index] = self.coming.pop(wire.index)
        if any(self.live[wire.index] for wire in region.back) and self._can_move(region.loop):
            if self.rounds[loop] >= self.max_rounds:
                self.overrun = loop
                return False
            self._begin_round(loop, moment)
            return False
        self.ended[loop] = moment
        for wire in region.exits:
            source = self.leaving.pop(wire.index, None)
            self.released[wire.index] = moment
            last = source or self.last[wire.source]
            assert last is not None
            self._settle(wire, last, source is not None)
        return True

    def _can_move(self, loop: Loop) -> bool:
        """Whether another round could bring anything new.

        A round in which all only hand on what they said before would repeat itself for ever.
        """
        if self.moved[loop.index]:
            for node in loop.core:
                limit = self.program.nodes[node].max_iteration
                if limit is None or self.turns[node] < limit:
                    return True
        return False

    def _end_of_round(self, region: Region) -> Round:
        loop = region.loop.index
        done = [last for node in region.members if (last := self.last[node]) is not None]
        ends = [end for child in region.children if (end := self.ended[child]) is not None]
        before: dict[int, Moment] = {}
        if (began := self.began[loop]) is not None:
            earlier = began.before if began.loop == loop else (began,)
            before = {id(moment): moment for moment in earlier}
        nodes, inner = region.loop.nodes, region.descendants
        for behind in (*[each.causes for each in done], *[end.before for end in ends]):
            for moment in behind:
                if type(moment) is Activation:
                    inside = loop in self.loops_around[moment.node]
                else:
                    assert type(moment) is Round
                    inside = moment.loop == loop or moment.loop in inner
                if not inside:
                    before[id(moment)] = moment
        latest = {node: spoke for node in nodes if (spoke := self.spoke[node]) is not None}
        return Round((*done, *ends), loop, latest, tuple(before.values()))

    def _begin_round(self, loop: int, moment: Round) -> None:
        """Forget the edges inside; what came from outside stays."""
        region = self.program.regions[loop]
        self.rounds[loop] += 1
        for inner in region.descendants:
            self.rounds[inner] = 1
        for each in (loop, *region.descendants):
            inside = self.program.regions[each]
            self.missing[each] = len(inside.members) + len(inside.children)
            self.began[each] = moment
            self.moved[each] = False
        for wire in region.inside:
            self.settled[wire.index] = None
            self.live[wire.index] = False
            if self.leaving:
                self.leaving.pop(wire.index, None)
            if self.released:
                self.released.pop(wire.index, None)
        for node in region.loop.nodes:
            if self.program.loop_of[node] != loop:
                self.turns[node] = 0
            self.stage[node] = WAITING
        self._await_edges(region.loop.nodes)

    def _await_edges(self, nodes: Iterable[int]) -> None:
        settled = self.settled
        for node in nodes:
            open_ = 0
            for wire in self.incoming[node]:
                if settled[wire.index] is None and not wire.back:
                    open_ += 1
            self.unsettled[node] = open_
            if self.peculiar[node]:
                self._reconsider(node)
            elif not open_:
                self._make_ready(node)

    def _make_ready(self, node: int) -> None:
        if self.held and node in self.held and node not in self.to_skip:
            self.held_back.add(node)
        elif self.stage[node] == WAITING:
            self.stage[node] = READY
            heappush(self.ready, node)

    def _leave_ready(self, node: int, stage: int) -> None:
        stages, ready = self.stage, self.ready
        stages[node] = stage
        # Entries are removed lazily: only the top of the heap must be true.
        while ready and stages[ready[0]] != READY:
            heappop(ready)
