"""Runs that are parts of other runs: the diagrams inside of `sub_diagram` nodes.

A part is a run with entries of its own, and its id says where it stands in the whole:
`<id>/review[2]`, one of several `<id>/review[2].0`. It pauses, goes on and ends with the whole, and
what it asks the whole asks. Run again, it goes on where it was left.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_jsonable_python

from ..diagram.model import Diagram, Label
from ..errors import ChildError, CommandError, NodeError
from ..protocol import events as e
from ..protocol.spending import Spending
from .compiler import Compiler
from .context import Part, PartDone
from .execution import AFTER_THE_END, Execution
from .loading import fold, past_after, past_of_fork, past_of_run
from .moments import Activation, Moment
from .node import ChildResult
from .pace import at_length
from .ports import Journal, RunRecord
from .program import Program
from .reuse import Past
from .state import OVER, ExecutionState
from .trust import missing, powers_in, refuse

DEEPEST = 10
"""Levels of diagrams within diagrams."""
_STANDS_AT = re.compile(r"(?P<label>.*)\[(?P<number>\d+)\](\.(?P<item>\d+))?", re.DOTALL)

Executions = dict[e.ExecutionId, Execution]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a part stands in its whole: the activation, and of several parts which."""

    label: Label
    number: int
    item: int | None = None

    def __str__(self) -> str:
        item = "" if self.item is None else f".{self.item}"
        return f"{self.label}[{self.number}]{item}"

    @classmethod
    def of(cls, part: e.ExecutionId, whole: e.ExecutionId) -> Spot:
        """The spot that an id stands for."""
        found = _STANDS_AT.fullmatch(part.removeprefix(f"{whole}/"))
        assert found is not None, part
        item = None if found["item"] is None else int(found["item"])
        return cls(found["label"], int(found["number"]), item)


@dataclass(slots=True)
class Tally:
    """What a part has cost since it was last given its diagram."""

    made: int = 0
    reused: int = 0
    spending: Spending = field(default_factory=Spending)

    @property
    def usage(self) -> e.Usage | None:
        return self.spending.total if self.spending.by_activation else None

    def count(self, event: e.AnyEvent) -> None:
        match event:
            case e.EffectCompleted(reused=True):
                self.reused += 1
            case e.EffectCompleted():
                self.made += 1
            case e.NodeCompleted(cached=cached):
                self.reused += cached
            case e.ExecutionEdited():
                self.made, self.reused, self.spending = 0, 0, Spending()
            case _:
                pass
        self.spending.follow(event)


class Child(Execution):
    """A run that is a part of `whole`; while it is `attended`, the whole waits for its end."""

    whole: Execution

    def __init__(
        self, whole: Execution, spot: Spot, program: Program, journal: Journal, past: Past
    ) -> None:
        super().__init__(
            f"{whole.execution_id}/{spot}",
            program,
            whole.services,
            journal,
            whole.clock,
            past=past,
            parts=whole.parts,
            observers=whole.observers,
        )
        self.whole, self.spot, self.purse = whole, spot, whole.purse
        self.attended = False
        self.ended = asyncio.Event()
        self.tally = Tally()

    def restore(self, state: ExecutionState, entries: list[e.Entry]) -> None:
        super().restore(state, entries)
        for entry in entries:
            self.tally.count(entry.event)
        if state.over:
            self.ended.set()

    def record(self, event: e.AnyEvent) -> None:
        """Make something so here, and then in the whole: whoever reads it later finds it here."""
        if self.state.over and not isinstance(event, AFTER_THE_END):
            return
        super().record(event)
        self.tally.count(event)
        if self.state.over:
            self.ended.set()
        else:
            self.ended.clear()
        self._tell(event)

    def node_of_whole(self, node: int) -> int:
        return self.whole.node_of_whole(self.whole.program.index[self.spot.label])

    @property
    def granted(self) -> Collection[str]:
        return (*self.state.granted, *self.whole.granted)

    def go_on(self) -> None:
        """Start, or go on, unless there is nothing left to do."""
        if self.state.status == "failed" or not self.state.over:
            self.resume()

    def asking(self) -> Iterator[tuple[int, str, e.Question]]:
        """The open questions: the node, the activation's name in the whole, what is asked."""
        for node, question in self.state.questions.items():
            if node in self.state.running:
                name = self._name(self.program.labels[node], self.state.running[node].number)
                yield node, name, question

    def done(self) -> PartDone:
        """What came of it, good or bad."""
        result = ChildResult(self.state.outputs, tuple(said_in(self.state)))
        tally = self.tally
        return PartDone(result, tally.made, tally.reused, tally.usage, failure_of(self))

    def catch_up(self, entries: list[e.Entry]) -> None:
        """Tell the whole of an answer that came here just before the process ended."""
        open_ = {name for _, name, _ in self.asking()}
        for event in (entry.event for entry in entries):
            if isinstance(event, e.InputReceived):
                name = self._name(event.node, event.activation)
                if name not in open_:
                    self._answered(name, event.value)

    def _answered(self, name: str, value: Any) -> None:
        spot, whole = self.spot, self.whole
        node = whole.program.index.get(spot.label, -1)
        if node in whole.state.questions and whole.state.asked_by.get(node) == name:
            whole.record(e.InputReceived(node=spot.label, activation=spot.number, value=value))

    def _tell(self, event: e.AnyEvent) -> None:
        spot, whole = self.spot, self.whole
        match event:
            # Of many, the node itself says how far it is.
            case e.NodeCompleted() if self.attended and spot.item is None:
                whole.record(
                    e.NodeProgress(
                        node=spot.label,
                        activation=spot.number,
                        message=f"{event.node}[{event.activation}] done",
                    )
                )
            case e.InputRequired() | e.ExecutionRecovered():
                show_question(whole, spot)
            case e.InputReceived(node=label, activation=number, value=value):
                self._answered(self._name(label, number), value)
                show_question(whole, spot)
            case _:
                pass

    def _name(self, label: Label, number: int) -> str:
        return f"{self.path}/{label}[{number}]"


@dataclass(slots=True)
class Children:
    """Fulfils `execution.Parts` for the runs of an engine."""

    journal: Journal
    executions: Executions
    compiler: Compiler
    closing: bool = field(default=False, kw_only=True)
    """Whether the engine stops: what runs then is left as it is, to be gone on with."""

    async def run(self, whole: Execution, at: Activation, part: Part) -> PartDone:
        check_depth(whole, part.diagram)
        await self._check_trust(whole, part)
        spot = Spot(whole.program.labels[at.node], at.number, part.item)
        child = await self._made_ready(whole, spot, part)
        self._add(child)
        child.attended = True
        try:
            if whole.state.status != "paused":
                child.go_on()
            show_question(whole, spot)
            await child.ended.wait()
        except asyncio.CancelledError:
            await self._let_go(child)
            raise
        finally:
            child.attended = False
            if child.state.over:
                self._remove(child)
        if isinstance(whole, Child):
            whole.tally.made += child.tally.made
            whole.tally.reused += child.tally.reused
        return child.done()

    def lead(self, whole: Execution, event: e.AnyEvent) -> None:
        for child in _children(whole):
            match event:
                # Whatever is interrupted lets go of its parts by itself.
                case e.ExecutionPaused(interrupted=()) if child.attended:
                    if child.state.status == "running":
                        child.record(e.ExecutionPaused(reason=event.reason, message=event.message))
                case e.ExecutionResumed() if child.attended:
                    child.go_on()
                case _:
                    pass

    def answer(self, whole: Execution, asked_by: str, value: object) -> None:
        for child in _children(whole):
            for node, name, _ in child.asking():
                if name == asked_by:
                    child.answer(child.program.labels[node], value)
                    return
        label = asked_by.rpartition("/")[2]
        message = f"{label} does not wait for an answer (any more)."
        raise CommandError(message, code="no_question")

    async def take(self, whole: Execution, part: e.ExecutionId) -> Child | None:
        """Hold a part as its entries have left it, without going on; None when there is none."""
        entries = await at_length(self.journal.read, part)
        if not entries:
            return None
        await asyncio.to_thread(self.journal.claim, part)
        loaded = await at_length(fold, entries, self.compiler.at_once)
        past = await at_length(past_of_run, self.journal, loaded, self.compiler.at_once)
        if isinstance(known := self.executions.get(part), Child):  # taken meanwhile
            return known
        spot = Spot.of(part, whole.execution_id)
        child = Child(whole, spot, loaded.state.program, self.journal, past)
        child.restore(loaded.state, loaded.entries)
        self._add(child)
        child.catch_up(loaded.entries)
        return child

    async def take_all(self, whole: Execution) -> None:
        """Hold all parts of a run, and theirs, that are not over."""
        records = await asyncio.to_thread(self.journal.runs, f"{whole.execution_id}/")
        for record in reversed(records):  # the outer ones first
            around = self.executions.get(record.parent or "")
            unknown = record.execution_id not in self.executions
            if around is not None and unknown and record.status not in OVER:
                await self.take(around, record.execution_id)

    async def _check_trust(self, whole: Execution, part: Part) -> None:
        """A file may be another one by now than when the run was begun; raises `NodeError`."""
        if part.file is None:
            return
        asked = await powers_in(part.diagram, self.compiler.node_types, whole.services, part.file)
        if untrusted := missing(asked, whole.granted, foreign=True):
            raise NodeError(str(refuse(untrusted)))

    async def _made_ready(self, whole: Execution, spot: Spot, part: Part) -> Child:
        """The part as it was left, with what it is given now; or else a new one."""
        name = f"{whole.execution_id}/{spot}"
        known = self.executions.get(name)
        child = known if isinstance(known, Child) else await self.take(whole, name)
        if child is None:
            return await self._begun(whole, spot, part)
        event = _edit(child, part)
        if event is not None:
            program = await self.compiler.compile(part.diagram)
            if not child.state.over:
                await child.pause(now=True, reason="edited")
            past = await at_length(past_after, self.journal, name, event, self.compiler.at_once)
            child.edit(program, event, past)
        return child

    async def _begun(self, whole: Execution, spot: Spot, part: Part) -> Child:
        program = await self.compiler.compile(part.diagram)
        anew = f"{spot.label}[{spot.number}]" in whole.past.fresh
        origin = None
        if not anew and (whole.origin is not None or whole.state.edits):
            origin = await at_length(origin_of_part, self.journal, whole, spot)
        event = e.ExecutionStarted(
            diagram=part.diagram,
            inputs=to_jsonable_python(dict(part.inputs)),
            max_concurrency=whole.state.max_concurrency,
            max_rounds=whole.state.max_rounds,
            fresh=whole.fresh or anew,
            origin=origin,
            parent=whole.execution_id,
            before=part.before,
            generation=whole.state.edits,
            folder=whole.folder,
            foreign=part.file is not None or whole.foreign,
        )
        past = await at_length(past_of_fork, self.journal, event, self.compiler.at_once)
        child = Child(whole, spot, program, self.journal, past)
        self._add(child)
        child.attended = True
        child.start(event, paused=whole.state.status == "paused")
        return child

    async def _let_go(self, child: Child) -> None:
        """Nobody waits for it any more: it ends with the whole, or waits to be gone on with."""
        if child.whole.state.over:
            await child.cancel()
        elif self.closing or child.state.over:
            await child.stop()
        else:
            await child.pause(now=True)

    def _add(self, child: Child) -> None:
        self.executions[child.execution_id] = child
        child.whole.children[child.execution_id] = child

    def _remove(self, child: Child) -> None:
        self.executions.pop(child.execution_id, None)
        child.whole.children.pop(child.execution_id, None)


def _children(whole: Execution) -> list[Child]:
    return [child for child in whole.children.values() if isinstance(child, Child)]


def _edit(child: Child, part: Part) -> e.ExecutionEdited | None:
    """What makes a part of this; None when it is this already."""
    state, whole = child.state, child.whole.state
    inputs = to_jsonable_python(dict(part.inputs))
    known = (child.program.diagram, state.inputs, state.before, state.generation)
    if known == (part.diagram, inputs, part.before, whole.edits) and state.status != "cancelled":
        return None
    return e.ExecutionEdited(
        diagram=part.diagram,
        inputs=inputs,
        keep=whole.keep and state.generation != whole.edits,
        before=part.before,
        generation=whole.edits,
        foreign=part.file is not None or whole.foreign,
    )


def show_question(whole: Execution, spot: Spot) -> None:
    """Let the whole ask what its parts ask, one question after the other."""
    node = whole.program.index.get(spot.label, -1)
    activation = whole.state.running.get(node)
    if activation is None or activation.number != spot.number:
        return
    open_ = [
        (name, question)
        for child in _children(whole)
        if child.attended and (child.spot.label, child.spot.number) == (spot.label, spot.number)
        for _, name, question in child.asking()
    ]
    shown = (whole.state.asked_by.get(node), whole.state.questions.get(node))
    if open_ and shown not in open_:
        name, question = open_[0]
        whole.record(
            e.InputRequired(
                node=spot.label, activation=spot.number, question=question, asked_by=name
            )
        )


def check_depth(whole: Execution, diagram: Diagram) -> None:
    """Refuse diagrams that are in themselves, or as good as."""
    chain = [diagram]
    around: Execution | None = whole
    while around is not None:
        chain.append(around.program.diagram)
        around = around.whole
    if len(chain) > DEEPEST + 1:
        names = " → ".join(each.name or "(no name)" for each in reversed(chain))
        raise NodeError(f"diagrams are nested more than {DEEPEST} deep: {names}")


def failure_of(run: Execution) -> ChildError | None:
    """Why a part has not come to its results; None when it has."""
    called = f"the diagram {run.program.diagram.name!r}" if run.program.diagram.name else "it"
    if run.state.status == "cancelled":
        return ChildError(f"{called} was cancelled")
    if run.state.status == "failed" and (error := run.state.error) is not None:
        where = "" if error.node is None else f" at {error.node}"
        where += "" if error.activation is None else f"[{error.activation}]"
        return ChildError(f"{called} failed{where}: {error.message}", details=error.details)
    return None


def said_in(state: ExecutionState) -> list[e.Message]:
    """All that was said in a run, in the order of the flow, and not known before."""
    end = Moment(tuple(last for last in state.last if last is not None))
    ordered = sorted((each for each in end.past() if each.messages), key=state.flow_key)
    said = dict.fromkeys(message for each in ordered for message in each.messages)
    known = set(state.before)
    return [message for message in said if message not in known]


def origin_of_part(journal: Journal, whole: Execution, spot: Spot) -> e.Origin | None:
    """The part from which a new one has its past: the same of the run that the whole comes from.

    A node that was renamed is the only one that stood there and is not in the diagram any more.
    """
    run: e.ExecutionId | None = whole.execution_id
    if not whole.state.edits:
        run = whole.origin.execution_id if whole.origin else None
    while run is not None:
        if run != whole.execution_id and journal.read(f"{run}/{spot}"):
            return e.Origin(execution_id=f"{run}/{spot}")
        records = {each.execution_id: each for each in journal.runs(run)}
        renamed = _renamed(list(records.values()), run, spot, whole.program)
        if renamed is not None:
            return e.Origin(execution_id=renamed)
        if run == whole.execution_id:
            run = whole.origin.execution_id if whole.origin else None
        else:
            run = records[run].origin if run in records else None
    return None


def _renamed(
    records: Sequence[RunRecord], run: e.ExecutionId, spot: Spot, program: Program
) -> e.ExecutionId | None:
    found = []
    for each in records:
        if each.parent != run:
            continue
        other = Spot.of(each.execution_id, run)
        same = (other.number, other.item) == (spot.number, spot.item)
        if same and other.label not in program.index:
            found.append(each.execution_id)
    return found[0] if len(found) == 1 else None
