"""Runs that are parts of other runs: the diagrams inside of `sub_diagram` nodes.

A part is a run with entries of its own, and its id says where it stands in the whole:
`<id>/review[2]`, one of several `<id>/review[2].0`. It pauses, goes on and ends with the whole, and
what it asks the whole asks. Run again, it goes on where it was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_core import to_jsonable_python

from ..diagram.model import Diagram
from ..errors import CommandError, NodeError
from ..protocol import events as e
from .child import Child, Spot, children_of, show_question
from .compiler import Compiler
from .context import Part, PartDone
from .execution import Execution
from .loading import fold, past_after, past_of_fork, past_of_run
from .moments import Activation
from .pace import at_length
from .ports import Journal, RunRecord
from .program import Program
from .trust import missing, powers_in, refuse

DEEPEST = 10
"""Levels of diagrams within diagrams."""

Executions = dict[e.ExecutionId, Execution]


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
        for child in children_of(whole):
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
        for child in children_of(whole):
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
            if around is not None and unknown and record.status not in e.OVER:
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
        while (event := _edit(child, part)) is not None:
            program = await self.compiler.compile(part.diagram)
            if not child.state.over:
                await child.pause(now=True, reason="edited")
            reached = child.seq
            past = await at_length(past_after, self.journal, name, event, self.compiler.at_once)
            if child.seq == reached and (child.state.over or not child.state.running):
                child.edit(program, event, past)
                break
            # Meanwhile somebody has gone on with it.
        return child

    async def _begun(self, whole: Execution, spot: Spot, part: Part) -> Child:
        program = await self.compiler.compile(part.diagram)
        anew = f"{spot.label}[{spot.number}]" in whole.past.fresh
        origin = None
        if not anew and (whole.origin is not None or whole.state.edits):
            origin = await at_length(origin_of_part, self.journal, whole, spot)
        event = e.ExecutionStarted(
            diagram=part.diagram,
            text=program.text,
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
