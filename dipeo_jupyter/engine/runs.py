"""The runs that a process holds: how they begin, and how they are taken over from others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ulid import ULID

from ..diagram.suggest import did_you_mean
from ..errors import CommandError, DiagramError, JournalError, Problem
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol.events import ExecutionId, label_and_visit
from .checks.outside import Outside, check_functions, check_kernel
from .children import Children
from .clock import Clock
from .compiler import Compiler
from .elsewhere import find, summary_of
from .execution import Execution, Limits
from .grants import doubt, grant
from .loading import fold, past_after, past_of_fork, past_of_run
from .observing import Observers
from .pace import at_length, without_collecting
from .ports import Journal, Places, Services
from .program import Program
from .reuse import Past
from .threads import Beginning, beginning, begun_with


class Runs:
    """What an engine runs, and what it has taken over without going on with it yet."""

    def __init__(
        self,
        compiler: Compiler,
        places: Places,
        journal: Journal,
        clock: Clock,
        limits: Limits,
        observers: Observers | None,
    ) -> None:
        self.held: dict[ExecutionId, Execution] = {}
        """By their ids, parts of runs too."""
        self.children = Children(journal, self.held, compiler)
        self._compiler = compiler
        self._places = places
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._observers = observers
        self._taking = asyncio.Lock()

    async def named(self, execution_id: ExecutionId) -> ExecutionId:
        """The full id of a run, held or not, which may be shortened; raises `CommandError`."""
        if execution_id in self.held:
            return execution_id
        here = self.held if execution_id else ()
        found = {each for each in here if each.startswith(execution_id)}
        top = {each for each in found if "/" not in each} or found
        if len(top) == 1:
            return top.pop()
        record = await asyncio.to_thread(find, self._journal, execution_id)
        return record.execution_id

    async def summaries(self) -> list[c.ExecutionSummary]:
        """All runs that are kept, but for parts of others."""
        stored = await asyncio.to_thread(self._journal.runs)
        found = {each.execution_id: summary_of(each) for each in stored if each.parent is None}
        for execution_id, execution in self.held.items():
            if execution_id in found:
                found[execution_id] = _summary(execution, found[execution_id].usage)
        return list(found.values())

    async def summary(self, execution: Execution) -> c.ExecutionSummary:
        """How one that is held stands."""
        record = await asyncio.to_thread(find, self._journal, execution.execution_id)
        return _summary(execution, record.usage)

    async def begin(self, command: c.ExecuteDiagram, places: Places) -> Execution:
        """Start a new run; raises `DiagramError`, `UntrustedError` and `CommandError`."""
        services = places.at(command.folder)
        program = await self._compiler.compile(command.diagram)
        _check_outside(program, services)
        _check_activations(command.values, program)
        for each in command.breakpoints:
            _check_label(each.node, program)
        granted = await grant(program, self._compiler.node_types, services, command)
        found: Beginning = (None, ())
        if (origin := command.origin) is not None:
            entries = await at_length(self._journal.read, origin.execution_id)
            reached = entries[-1].seq if entries else None
            origin = origin.model_copy(update={"seq": reached})
        if command.thread or origin:
            since = origin.execution_id if origin else None
            compiled = self._compiler.at_once
            found = await at_length(beginning, self._journal, command.thread, since, compiled)
        event = e.ExecutionStarted(
            diagram=command.diagram,
            text=program.text,
            inputs=command.inputs,
            before=found[1],
            thread=found[0],
            max_concurrency=command.max_concurrency or self._limits.max_concurrency,
            max_rounds=command.max_rounds or self._limits.max_rounds,
            breakpoints=command.breakpoints,
            fresh=command.fresh,
            origin=origin,
            values=command.values,
            budget=command.budget,
            traceparent=command.traceparent,
            folder=command.folder,
            foreign=command.foreign,
            granted=granted,
        )
        return await self._start(program, event, services, paused=command.paused)

    async def fork(self, command: c.ForkExecution, places: Places) -> Execution:
        """Start a run that has what another has up to some activations of it."""
        source_id = await self.named(command.execution_id)
        entries = await at_length(self._journal.read, source_id)
        source = await at_length(fold, entries, self._compiler.at_once)
        folder = source.started.folder
        services = places.at(folder)
        doubt(source.state, source_id, services)
        diagram = command.diagram or source.state.program.diagram
        program = await self._compiler.compile(diagram)
        _check_activations(command.values, program)
        node_types = self._compiler.node_types
        granted = await grant(program, node_types, services, command, source.state)
        thread, before = begun_with(source.started)
        event = e.ExecutionStarted(
            diagram=diagram,
            text=program.text,
            inputs=dict(source.state.inputs if command.inputs is None else command.inputs),
            before=before,
            thread=thread,
            max_concurrency=source.started.max_concurrency,
            max_rounds=source.started.max_rounds,
            origin=e.Origin(execution_id=source_id, at=command.at, seq=entries[-1].seq),
            values=command.values,
            budget=command.budget,
            traceparent=command.traceparent,
            folder=folder,
            foreign=command.foreign or source.state.foreign,
            granted=granted,
        )
        return await self._start(program, event, services, paused=command.paused)

    async def edit(self, execution: Execution, command: c.EditExecution) -> None:
        """Give a run that is held another diagram, other inputs or other values."""
        while not await self._edit(execution, command):
            pass

    async def _edit(self, execution: Execution, command: c.EditExecution) -> bool:
        """Do it, unless somebody has gone on with the run meanwhile, or edited it."""
        state = execution.state
        diagram = command.diagram or execution.program.diagram
        program = await self._compiler.compile(diagram)
        _check_activations(command.values, program)
        node_types = self._compiler.node_types
        granted = await grant(program, node_types, execution.services, command, state)
        if not state.over and (state.running or execution.status != "paused"):
            await execution.pause(now=True, reason="edited")
        reached = execution.seq
        event = e.ExecutionEdited(
            diagram=diagram,
            text=program.text,
            inputs=dict(state.inputs if command.inputs is None else command.inputs),
            values={**execution.past.values, **command.values},
            keep=command.keep,
            before=state.before,
            generation=state.generation,
            foreign=command.foreign or state.foreign,
            granted=granted,
        )
        await self.written()
        compiled = self._compiler.at_once
        past = await at_length(past_after, self._journal, execution.execution_id, event, compiled)
        goes_on = state.running and not state.over
        if execution.seq != reached or execution.state is not state or goes_on:
            return False
        execution.edit(program, event, past)
        return True

    async def take(self, execution_id: ExecutionId) -> Execution | None:
        """Hold a run that nobody holds, without going on with it; None when another does.

        A part is held with the whole.
        """
        whole: Execution | None = None
        if "/" in execution_id:
            record = await asyncio.to_thread(find, self._journal, execution_id)
            assert record.parent is not None
            whole = await self.take(record.parent)
            if whole is None:
                return None
        async with self._taking:
            if execution_id in self.held:
                return self.held[execution_id]
            if whole is not None:
                return await self.children.take(whole, execution_id)
            if not await asyncio.to_thread(self._journal.claim, execution_id):
                return None
            compiled = self._compiler.at_once
            with without_collecting():
                entries = await at_length(self._journal.read, execution_id)
                loaded = await at_length(fold, entries, compiled)
                past = await at_length(past_of_run, self._journal, loaded, compiled)
            services = self._places.at(loaded.started.folder)
            doubt(loaded.state, execution_id, services)
            execution = self._made(execution_id, loaded.state.program, services, past)
            execution.restore(loaded.state, loaded.entries)
            self.held[execution_id] = execution
            await self.children.take_all(execution)
            return execution

    async def written(self) -> None:
        """Wait until all that happened is safe; raises `CommandError` when it cannot be kept."""
        if self._journal.is_written():
            return
        try:
            await self._journal.written()
        except JournalError as error:
            raise CommandError(str(error), code="journal") from None

    async def _start(
        self, program: Program, event: e.ExecutionStarted, services: Services, *, paused: bool
    ) -> Execution:
        await self.written()  # what cannot be kept does not begin
        past = (
            await at_length(past_of_fork, self._journal, event, self._compiler.at_once)
            if (event.origin or event.values)
            else past_of_fork(self._journal, event, self._compiler.at_once)
        )
        execution_id = f"exec_{ULID()}"
        if self._observers is not None:
            trace = self._observers.begins(execution_id, event, self._clock.time())
            event = replace(event, traceparent=trace)
        execution = self._made(execution_id, program, services, past)
        if event.granted:
            await asyncio.to_thread(services.trust.remember_run, execution_id)
        self.held[execution_id] = execution
        execution.start(event, paused=paused)
        return execution

    def _made(
        self, execution_id: ExecutionId, program: Program, services: Services, past: Past
    ) -> Execution:
        return Execution(
            execution_id,
            program,
            services,
            self._journal,
            self._clock,
            past=past,
            parts=self.children,
            observers=self._observers,
        )


def outside_of(services: Services) -> Outside:
    """What checks of diagrams may ask of the outside world."""
    return Outside(
        person=services.llm.check,
        function=services.tools.function,
        kernel=services.kernel.look,
        key=services.web.find_key,
        notion=services.notion.look,
        database=services.collections.look,
    )


def _check_outside(program: Program, services: Services) -> None:
    """What is missing is better known before anything was paid for; raises `DiagramError`."""
    outside = outside_of(services)
    problems: list[Problem] = []
    for spec, node in zip(program.diagram.nodes, program.nodes, strict=True):
        problems += check_functions(spec, node, outside.function)
        problems += check_kernel(spec, node, outside.kernel)
    if problems:
        raise DiagramError(*(replace(each, severity="error") for each in problems))


def _check_label(label: str, program: Program) -> None:
    if label not in program.index:
        hint = did_you_mean(label, program.labels)
        raise CommandError(f"There is no node {label!r}.", code="unknown_node", hint=hint)


def _check_activations(values: Mapping[str, Any], program: Program) -> None:
    for name in values:
        label, visit = label_and_visit(name)
        if visit is None:
            message = f"{name!r} is no activation: write for instance {name}[1]."
            raise CommandError(message, code="unknown_activation")
        _check_label(label, program)


def _summary(execution: Execution, usage: e.Usage | None) -> c.ExecutionSummary:
    return c.ExecutionSummary(
        execution_id=execution.execution_id,
        name=execution.program.diagram.name,
        status=execution.status,
        started=execution.started,
        events=execution.seq,
        waiting_for=tuple(execution.program.labels[node] for node in execution.state.questions),
        live=not execution.asleep,
        origin=execution.origin.execution_id if execution.origin else None,
        thread=execution.thread,
        usage=usage,
    )
