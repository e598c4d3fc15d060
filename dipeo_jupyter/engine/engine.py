"""The engine: everything that runs in this process, behind `send` and `events`.

That pair is the `Client` protocol, so whoever talks to an engine cannot tell this one from one at
the other end of a socket. Runs that another process holds are reached through the journal
(`elsewhere.py`), and those that nobody holds are taken over when somebody goes on with them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from ulid import ULID

from ..diagram.model import Diagram
from ..errors import CommandError, DiagramError, JournalError, Problem, ServiceError
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol.events import Broadcast, Entry, ExecutionId
from .checks.outside import Outside, check_functions, check_kernel
from .children import Children
from .clock import Clock
from .compile import compile_diagram, examine
from .conversation import conversation_of
from .elsewhere import Elsewhere, find, summary_of
from .execution import Execution, Limits
from .light_schema import describe
from .loading import fold, past_after, past_of_fork, past_of_run
from .node import NodeTypes
from .observing import Observers
from .pace import at_length, my_turn
from .planning import plan
from .ports import Journal, Places, Services
from .program import Program
from .state import ExecutionState
from .threads import Beginning, beginning, begun_with
from .trust import missing, powers_of, refuse

LARGE = 300
"""Compiling a diagram of more nodes than this would hold up the loop for too long."""

GOES_ON = (c.ResumeExecution, c.StepExecution, c.EditExecution)
"""Whoever says one of these goes on with a run, with what they have."""

STILL_OBEYED = (
    *(c.GetExecution, c.GetConversation, c.ListExecutions, c.CheckDiagram, c.Describe),
    *(c.PlanExecution, c.TrustDiagram, c.PauseExecution, c.CancelExecution),
    c.ListCollections,
)
"""What nothing begins by."""


def _slow_to_compile(diagram: Diagram) -> bool:
    """Large diagrams, and those with a JSON Schema: importing its library takes seconds."""
    return len(diagram.nodes) > LARGE or any(
        name.endswith("schema") for spec in diagram.nodes for name in spec.props
    )


class Engine:
    """Runs diagrams on the event loop of whoever calls it.

    With `keep_last`, older finished runs are forgotten when it gets its first command.
    """

    def __init__(  # noqa: PLR0913 - all that an engine needs from outside
        self,
        node_types: NodeTypes,
        places: Places,
        journal: Journal,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        *,
        keep_last: int | None = None,
        observers: Observers | None = None,
    ) -> None:
        self._node_types = node_types
        self._places = places
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._executions: dict[ExecutionId, Execution] = {}
        self._taking = asyncio.Lock()
        self._children = Children(
            journal, self._executions, self._compile, self._compiled, node_types
        )
        self._elsewhere = Elsewhere(journal, clock, self._obey_letter)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keep_last = keep_last
        self._observers = observers
        self._tidying: asyncio.Task[None] | None = None

    async def send(  # noqa: C901 - one flat match over the commands
        self, command: c.Command, places: Places | None = None
    ) -> c.Ack:
        """Obey a command. Raises `CommandError`, or `DiagramError` for a diagram that is wrong.

        What it has brought about is safe in the journal when this returns. A run that is started
        or gone on with uses what is at these `places` from then on; without, what it has.
        """
        self._listen()
        lent = places or self._places
        self._check_open_for(command)
        match command:
            case c.ExecuteDiagram():
                return await self._begun(await self._execute(command, lent))
            case c.ForkExecution():
                return await self._begun(await self._fork(command, lent))
            case c.CheckDiagram():
                _, problems = await at_length(
                    examine,
                    command.diagram,
                    self._node_types,
                    partial=command.partial,
                    outside=_outside(lent.at(command.folder)),
                )
                return c.Ack(result=problems)
            case c.Describe():
                return c.Ack(result=await at_length(describe, self._node_types))
            case c.PlanExecution():
                return c.Ack(result=await self._plan(command, lent))
            case c.TrustDiagram():
                return c.Ack(result=await self._trust(command, lent))
            case c.GetConversation():
                return await self._conversation(command)
            case c.PruneExecutions():
                pruned = await asyncio.to_thread(self._journal.prune, command.keep_last)
                for each in pruned:
                    self._executions.pop(each, None)
                return c.Ack(result=list(pruned))
            case c.ListExecutions():
                return c.Ack(result=await self._list())
            case c.ListCollections():
                return c.Ack(result=await _tables(lent.at(command.folder), command.database))
        return await self._steer(command, places)

    async def events(self, execution_id: ExecutionId, after: int = 0) -> AsyncIterator[Entry]:
        """Yield a run's entries after number `after`, then those to come, until it is over.

        Of a run that nobody holds, those that there are.
        """
        execution_id = await self._named(execution_id)
        execution = self._executions.get(execution_id)
        entries = (
            execution.events(after)
            if execution is not None
            else self._elsewhere.events(execution_id, after)
        )
        async for entry in entries:
            yield entry

    async def lend(self, execution_id: ExecutionId, places: Places) -> ExecutionId:
        """Have a run use what is at other places from now on, if it is held here; its full id."""
        execution_id = await self._named(execution_id)
        if (execution := self._executions.get(execution_id)) is not None:
            execution.use(places.at(execution.folder))
        return execution_id

    async def drain(self) -> None:
        """Begin nothing new, and wait until no effect is under way; `close` is to follow."""
        self._children.closing = True
        await self._elsewhere.close()
        for execution in list(self._executions.values()):
            if "/" not in execution.execution_id and execution.status == "running":
                await execution.pause(reason="closed")
        while under_way := {
            each for run in self._executions.values() for each in run.effects.under_way
        }:
            await asyncio.wait(under_way)

    async def close(self) -> None:
        """Stop everything that runs here, so that it can be gone on with, and let go of it."""
        with contextlib.suppress(RuntimeError):  # at the end of Python nothing is read any more
            await self._elsewhere.close()
        self._children.closing = True
        for execution in list(self._executions.values()):
            whole = "/" not in execution.execution_id
            if whole and execution.status in ("running", "paused") and execution.state.running:
                with contextlib.suppress(CommandError):
                    await execution.pause(now=True, reason="closed")
            await execution.stop()
        if self._observers is not None:
            self._observers.close()
        await self._places.aclose()
        if self._tidying is not None:
            await self._tidying
        with contextlib.suppress(JournalError):
            await self._journal.written()
        self._journal.close()  # when Python ends there are no other threads to do it in

    # -- commands about one run -------------------------------------------------------------------

    async def _steer(self, command: c.OnExecution, places: Places | None) -> c.Ack:
        execution_id = await self._named(command.execution_id)
        execution = self._executions.get(execution_id)
        if execution is None:
            if isinstance(command, c.GetExecution):
                record = await asyncio.to_thread(find, self._journal, execution_id)
                result = summary_of(record)
                return c.Ack(execution_id=execution_id, seq=result.events, result=result)
            execution = await self._take(execution_id)
        while execution is None:
            if (ack := await self._elsewhere.send(execution_id, command)) is not None:
                return ack
            execution = await self._take(execution_id)
        if places is not None and isinstance(command, GOES_ON):
            execution.use(places.at(execution.folder))
        if execution.asleep and not isinstance(command, STILL_OBEYED):
            await self._check_begun_here(execution)
        result = await self._obey(execution, command)
        if not isinstance(command, c.GetExecution):
            await self._written()
        return c.Ack(execution_id=execution_id, seq=execution.seq, result=result)

    async def _obey(self, execution: Execution, command: c.OnExecution) -> Any:  # noqa: C901 - one flat match over the commands
        match command:
            case c.GetExecution():
                record = await asyncio.to_thread(find, self._journal, execution.execution_id)
                return _summary(execution).model_copy(update={"usage": record.usage})
            case c.PauseExecution():
                await execution.pause(now=command.now or execution.asleep)
            case c.ResumeExecution():
                execution.resume(budget=command.budget)
            case c.StepExecution():
                execution.resume(command.steps)
            case c.CancelExecution():
                await execution.cancel()
            case c.UserResponse():
                execution.answer(command.node, command.value, command.activation)
            case c.SetBreakpoints():
                execution.set_breakpoints(command.breakpoints)
            case c.PauseNode():
                execution.pause_node(command.node)
            case c.ResumeNode():
                execution.resume_node(command.node)
            case c.SkipNode():
                await execution.skip_node(command.node)
            case c.EditExecution():
                await self._edit(execution, command)
            case c.BroadcastEvent():
                execution.record(Broadcast(name=command.name, data=command.data))
        return None

    async def _edit(self, execution: Execution, command: c.EditExecution) -> None:
        diagram = command.diagram or execution.program.diagram
        program = await self._compile(diagram)
        for activation in command.values:
            _check_activation(activation, program)
        granted = await self._granted(program, execution.services, command, execution.state)
        if not execution.state.over and (execution.state.running or execution.status != "paused"):
            await execution.pause(now=True, reason="edited")
        inputs = execution.state.inputs if command.inputs is None else command.inputs
        event = e.ExecutionEdited(
            diagram=diagram,
            inputs=dict(inputs),
            values={**execution.past.values, **command.values},
            keep=command.keep,
            before=execution.state.before,
            generation=execution.state.generation,
            foreign=command.foreign or execution.state.foreign,
            granted=granted,
        )
        await self._written()
        past = await at_length(
            past_after, self._journal, execution.execution_id, event, self._compiled
        )
        execution.edit(program, event, past)

    # -- beginning and taking over ----------------------------------------------------------------

    async def _execute(self, command: c.ExecuteDiagram, places: Places) -> Execution:
        services = places.at(command.folder)
        program = await self._compile(command.diagram)
        _check_outside(program, services)
        for activation in command.values:
            _check_activation(activation, program)
        for each in command.breakpoints:
            _check_label(each.node, program)
        granted = await self._granted(program, services, command)
        found: Beginning = (None, ())
        if command.thread or command.origin:
            since = command.origin.execution_id if command.origin else None
            found = await at_length(beginning, self._journal, command.thread, since, self._compiled)
        event = e.ExecutionStarted(
            diagram=command.diagram,
            inputs=command.inputs,
            before=found[1],
            thread=found[0],
            max_concurrency=command.max_concurrency or self._limits.max_concurrency,
            max_rounds=command.max_rounds or self._limits.max_rounds,
            breakpoints=command.breakpoints,
            fresh=command.fresh,
            origin=command.origin,
            values=command.values,
            budget=command.budget,
            traceparent=command.traceparent,
            folder=command.folder,
            foreign=command.foreign,
            granted=granted,
        )
        return await self._start(program, event, services, paused=command.paused)

    async def _fork(self, command: c.ForkExecution, places: Places) -> Execution:
        source_id = await self._named(command.execution_id)
        entries = await at_length(self._journal.read, source_id)
        source = await at_length(fold, entries, self._compiled)
        folder = source.started.folder
        services = places.at(folder)
        _doubt(source.state, source_id, services)
        diagram = command.diagram or source.state.program.diagram
        program = await self._compile(diagram)
        for activation in command.values:
            _check_activation(activation, program)
        granted = await self._granted(program, services, command, source.state)
        thread, before = begun_with(source.started)
        event = e.ExecutionStarted(
            diagram=diagram,
            inputs=dict(source.state.inputs if command.inputs is None else command.inputs),
            before=before,
            thread=thread,
            max_concurrency=source.started.max_concurrency,
            max_rounds=source.started.max_rounds,
            origin=e.Origin(execution_id=source_id, at=command.at),
            values=command.values,
            traceparent=command.traceparent,
            folder=folder,
            foreign=command.foreign or source.state.foreign,
            granted=granted,
        )
        return await self._start(program, event, services, paused=command.paused)

    async def _start(
        self, program: Program, event: e.ExecutionStarted, services: Services, *, paused: bool
    ) -> Execution:
        await self._written()  # what cannot be kept does not begin
        past = (
            await at_length(past_of_fork, self._journal, event, self._compiled)
            if (event.origin or event.values)
            else past_of_fork(self._journal, event, self._compiled)
        )
        execution_id = f"exec_{ULID()}"
        if self._observers is not None:
            trace = self._observers.begins(execution_id, event, self._clock.time())
            event = replace(event, traceparent=trace)
        execution = Execution(
            execution_id,
            program,
            services,
            self._journal,
            self._clock,
            past=past,
            parts=self._children,
            observers=self._observers,
        )
        if event.granted:
            await asyncio.to_thread(services.trust.remember_run, execution_id)
        self._executions[execution_id] = execution
        self._elsewhere.attend()
        execution.start(event, paused=paused)
        return execution

    async def _begun(self, execution: Execution) -> c.Ack:
        await self._written()
        return c.Ack(execution_id=execution.execution_id, seq=execution.seq)

    async def _take(self, execution_id: ExecutionId) -> Execution | None:
        """Hold a run that nobody holds, without going on with it; None when another does.

        A part is held with the whole.
        """
        whole: Execution | None = None
        if "/" in execution_id:
            record = await asyncio.to_thread(find, self._journal, execution_id)
            assert record.parent is not None
            whole = await self._take(record.parent)
            if whole is None:
                return None
        async with self._taking:
            if execution_id in self._executions:
                return self._executions[execution_id]
            if whole is not None:
                return await self._children.take(whole, execution_id)
            if not await asyncio.to_thread(self._journal.claim, execution_id):
                return None
            entries = await at_length(self._journal.read, execution_id)
            loaded = await at_length(fold, entries, self._compiled)
            past = await at_length(past_of_run, self._journal, loaded, self._compiled)
            execution = Execution(
                execution_id,
                loaded.state.program,
                self._places.at(loaded.started.folder),
                self._journal,
                self._clock,
                past=past,
                parts=self._children,
                observers=self._observers,
            )
            _doubt(loaded.state, execution_id, execution.services)
            execution.restore(loaded.state, loaded.entries)
            self._executions[execution_id] = execution
            await self._children.take_all(execution)
            self._elsewhere.attend()
            return execution

    async def _plan(self, command: c.PlanExecution, places: Places) -> Any:
        services = places.at(command.folder)
        since = await self._named(command.since) if command.since else None
        program = await self._compile(command.diagram)
        return await plan(program, command, since, services, self._journal, self._compiled)

    async def _trust(self, command: c.TrustDiagram, places: Places) -> list[c.AskedPower]:
        services = places.at(command.folder)
        program = await self._compile(command.diagram)
        asked = await powers_of(program, self._node_types, services)
        chosen = {each.digest: str(each) for each in asked if each.digest in command.granted}
        if not chosen:
            return asked
        await asyncio.to_thread(services.trust.remember, chosen)
        return await powers_of(program, self._node_types, services)

    async def _granted(
        self,
        program: Program,
        services: Services,
        command: c.MayBeForeign,
        before: ExecutionState | None = None,
    ) -> tuple[str, ...]:
        """The powers that a run has with this diagram, those from `before` included.

        Raises `UntrustedError` when it asks for others. What its owner has written is theirs; so
        are the changes that they make to what has come from elsewhere.
        """
        asked = await powers_of(program, self._node_types, services)
        had, doubted = (before.granted, before.doubted) if before else ((), False)
        foreign = command.foreign or doubted
        if untrusted := missing(asked, {*had, *command.granted}, foreign=foreign):
            raise refuse(untrusted)
        if command.remember:
            chosen = {each.digest: str(each) for each in asked if each.digest in command.granted}
            await asyncio.to_thread(services.trust.remember, chosen)
        return tuple(dict.fromkeys((*had, *(each.digest for each in asked))))

    async def _check_begun_here(self, execution: Execution) -> None:
        """Refuse to go on with a run that another user has begun, as far as it asks for powers."""
        services, run = execution.services, execution.execution_id.partition("/")[0]
        if services.trust.knows_run(run):
            return
        asked = await powers_of(execution.program, self._node_types, services)
        if untrusted := missing(asked, (), foreign=True):
            raise refuse(untrusted, run)

    async def _conversation(self, command: c.GetConversation) -> c.Ack:
        """As it stands in the journal: nobody needs to hold the run for that."""
        execution_id = await self._named(command.execution_id)
        with contextlib.suppress(JournalError):  # what is not safe yet is not shown
            await self._journal.written()
        said = await at_length(conversation_of, self._journal, execution_id, self._compiled)
        return c.Ack(execution_id=execution_id, result=said)

    def _check_open_for(self, command: c.Command) -> None:
        if self._children.closing and not isinstance(command, STILL_OBEYED):
            message = "The engine stops, and begins nothing new."
            hint = "Ask again when it is back: runs are left so that they can be gone on with."
            raise CommandError(message, code="stopping", hint=hint)

    # -- helpers ----------------------------------------------------------------------------------

    def _compiled(self, diagram: Diagram) -> Program:
        return compile_diagram(diagram, self._node_types)

    async def _compile(self, diagram: Diagram) -> Program:
        if not _slow_to_compile(diagram):
            return self._compiled(diagram)
        program = await at_length(self._compiled_at_length, diagram)
        await my_turn()
        return program

    def _compiled_at_length(self, diagram: Diagram) -> Program:
        program = self._compiled(diagram)
        ExecutionState(program)  # finds out what the program remembers, which takes long, too
        return program

    async def _written(self) -> None:
        if self._journal.is_written():
            return
        try:
            await self._journal.written()
        except JournalError as error:
            raise CommandError(str(error), code="journal") from None

    async def _named(self, execution_id: ExecutionId) -> ExecutionId:
        """The full id of a run, which may be shortened."""
        if execution_id in self._executions:
            return execution_id
        here = self._executions if execution_id else ()
        found = {each for each in here if each.startswith(execution_id)}
        top = {each for each in found if "/" not in each} or found
        if len(top) == 1:
            return top.pop()
        record = await asyncio.to_thread(find, self._journal, execution_id)
        return record.execution_id

    async def _list(self) -> list[c.ExecutionSummary]:
        stored = await asyncio.to_thread(self._journal.runs)
        found = {each.execution_id: summary_of(each) for each in stored if each.parent is None}
        for execution_id, execution in self._executions.items():
            if execution_id in found:
                usage = found[execution_id].usage
                found[execution_id] = _summary(execution).model_copy(update={"usage": usage})
        return list(found.values())

    async def _obey_letter(self, execution_id: ExecutionId, command: c.Command) -> c.Ack:
        return await self.send(command)

    def _listen(self) -> None:
        """Hear of trouble with the journal, from the loop that commands come from."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._journal.watch(self._hear)
            if self._keep_last is not None and self._journal.has_neighbours:
                self._tidying = asyncio.create_task(self._tidy(self._keep_last))

    async def _tidy(self, keep_last: int) -> None:
        """Forget what is too old to be kept; if that cannot be done, the next process does it."""
        with contextlib.suppress(JournalError):
            await asyncio.to_thread(self._journal.prune, keep_last)

    def _hear(self, message: str | None) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nothing runs any more
            self._loop.call_soon_threadsafe(self._trouble, message)

    def _trouble(self, message: str | None) -> None:
        for execution in list(self._executions.values()):
            execution.trouble(message)


def _outside(services: Services) -> Outside:
    return Outside(
        person=services.llm.check,
        function=services.tools.function,
        kernel=services.kernel.look,
        key=services.web.find_key,
    )


async def _tables(services: Services, database: str) -> list[c.CollectionSummary]:
    try:
        found = await services.collections.tables(database)
    except ServiceError as error:
        raise CommandError(str(error), code="no_collections") from None
    return [
        c.CollectionSummary(name=each.name, columns=dict(each.columns), keys=each.keys)
        for each in found
    ]


def _check_outside(program: Program, services: Services) -> None:
    """What is missing is better known before anything was paid for; raises `DiagramError`."""
    outside = _outside(services)
    problems: list[Problem] = []
    for spec, node in zip(program.diagram.nodes, program.nodes, strict=True):
        problems += check_functions(spec, node, outside.function)
        problems += check_kernel(spec, node, outside.kernel)
    if problems:
        raise DiagramError(*(replace(each, severity="error") for each in problems))


def _doubt(state: ExecutionState, execution_id: ExecutionId, services: Services) -> None:
    """Of a run that another user has begun, nothing counts that its journal says was granted."""
    if not services.trust.knows_run(execution_id.partition("/")[0]):
        state.doubted, state.foreign, state.granted = True, True, ()


def _check_label(label: str, program: Program) -> None:
    if label not in program.index:
        raise CommandError(f"There is no node {label!r}.", code="unknown_node")


def _check_activation(name: str, program: Program) -> None:
    label, bracket, number = name.removesuffix("]").rpartition("[")
    if not (bracket and number.isdecimal() and name.endswith("]")):
        message = f"{name!r} is no activation: write for instance {name}[1]."
        raise CommandError(message, code="unknown_activation")
    _check_label(label, program)


def _summary(execution: Execution) -> c.ExecutionSummary:
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
    )
