"""The engine: everything that runs in this process, behind `send` and `events`.

That pair is the `Client` protocol, so whoever talks to an engine cannot tell this one from one at
the other end of a socket. Runs that another process holds are reached through the journal
(`elsewhere.py`), and those that nobody holds are taken over when somebody goes on with them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from ..errors import CommandError, JournalError, ServiceError
from ..protocol import commands as c
from ..protocol.events import Broadcast, Entry, ExecutionId
from .clock import Clock
from .compile import examine
from .compiler import Compiler
from .conversation import conversation_of
from .elsewhere import Elsewhere, find, summary_of
from .execution import Execution, Limits
from .grants import check_begun_here, trust
from .light_schema import describe
from .node import NodeTypes
from .observing import Observers
from .pace import at_length
from .planning import plan
from .ports import Journal, Places, Services
from .runs import Runs, outside_of

GOES_ON = (c.ResumeExecution, c.StepExecution, c.EditExecution)
"""Whoever says one of these goes on with a run, with what they have."""

STILL_OBEYED = (
    *(c.GetExecution, c.GetConversation, c.ListExecutions, c.CheckDiagram, c.Describe),
    *(c.PlanExecution, c.TrustDiagram, c.PauseExecution, c.CancelExecution),
    c.ListCollections,
)
"""What nothing begins by."""


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
        self._places = places
        self._journal = journal
        self._compiler = Compiler(node_types)
        self._runs = Runs(self._compiler, places, journal, clock, limits, observers)
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
                return await self._begun(await self._runs.begin(command, lent))
            case c.ForkExecution():
                return await self._begun(await self._runs.fork(command, lent))
            case c.CheckDiagram():
                _, problems = await at_length(
                    examine,
                    command.diagram,
                    self._compiler.node_types,
                    partial=command.partial,
                    outside=outside_of(lent.at(command.folder)),
                )
                return c.Ack(result=problems)
            case c.Describe():
                return c.Ack(result=await at_length(describe, self._compiler.node_types))
            case c.PlanExecution():
                return c.Ack(result=await self._plan(command, lent))
            case c.TrustDiagram():
                return c.Ack(result=await self._trust(command, lent))
            case c.GetConversation():
                return await self._conversation(command)
            case c.PruneExecutions():
                pruned = await asyncio.to_thread(self._journal.prune, command.keep_last)
                for each in pruned:
                    self._runs.held.pop(each, None)
                return c.Ack(result=list(pruned))
            case c.ListExecutions():
                return c.Ack(result=await self._runs.summaries())
            case c.ListCollections():
                return c.Ack(result=await _tables(lent.at(command.folder), command.database))
        return await self._steer(command, places)

    async def events(self, execution_id: ExecutionId, after: int = 0) -> AsyncIterator[Entry]:
        """Yield a run's entries after number `after`, then those to come, until it is over.

        Of a run that nobody holds, those that there are.
        """
        execution_id = await self._runs.named(execution_id)
        execution = self._runs.held.get(execution_id)
        entries = (
            execution.events(after)
            if execution is not None
            else self._elsewhere.events(execution_id, after)
        )
        async for entry in entries:
            yield entry

    async def lend(self, execution_id: ExecutionId, places: Places) -> ExecutionId:
        """Have a run use what is at other places from now on, if it is held here; its full id."""
        execution_id = await self._runs.named(execution_id)
        if (execution := self._runs.held.get(execution_id)) is not None:
            execution.use(places.at(execution.folder))
        return execution_id

    async def drain(self) -> None:
        """Begin nothing new, and wait until no effect is under way; `close` is to follow."""
        self._runs.children.closing = True
        await self._elsewhere.close()
        for execution in list(self._runs.held.values()):
            if "/" not in execution.execution_id and execution.status == "running":
                await execution.pause(reason="closed")
        while under_way := {
            each for run in self._runs.held.values() for each in run.effects.under_way
        }:
            await asyncio.wait(under_way)

    async def close(self) -> None:
        """Stop everything that runs here, so that it can be gone on with, and let go of it."""
        with contextlib.suppress(RuntimeError):  # at the end of Python nothing is read any more
            await self._elsewhere.close()
        self._runs.children.closing = True
        for execution in list(self._runs.held.values()):
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
        execution_id = await self._runs.named(command.execution_id)
        execution = self._runs.held.get(execution_id)
        if execution is None:
            if isinstance(command, c.GetExecution):
                record = await asyncio.to_thread(find, self._journal, execution_id)
                result = summary_of(record)
                return c.Ack(execution_id=execution_id, seq=result.events, result=result)
            execution = await self._runs.take(execution_id)
            while execution is None:
                if (ack := await self._elsewhere.send(execution_id, command)) is not None:
                    return ack
                execution = await self._runs.take(execution_id)
            self._elsewhere.attend()
        if places is not None and isinstance(command, GOES_ON):
            execution.use(places.at(execution.folder))
        if execution.asleep and not isinstance(command, STILL_OBEYED):
            await check_begun_here(execution, self._compiler.node_types)
        result = await self._obey(execution, command)
        if not isinstance(command, c.GetExecution):
            await self._runs.written()
        return c.Ack(execution_id=execution_id, seq=execution.seq, result=result)

    async def _obey(self, execution: Execution, command: c.OnExecution) -> Any:  # noqa: C901 - one flat match over the commands
        match command:
            case c.GetExecution():
                return await self._runs.summary(execution)
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
                await self._runs.edit(execution, command)
            case c.BroadcastEvent():
                execution.record(Broadcast(name=command.name, data=command.data))
        return None

    async def _begun(self, execution: Execution) -> c.Ack:
        self._elsewhere.attend()
        await self._runs.written()
        return c.Ack(execution_id=execution.execution_id, seq=execution.seq)

    async def _plan(self, command: c.PlanExecution, places: Places) -> Any:
        services = places.at(command.folder)
        since = await self._runs.named(command.since) if command.since else None
        program = await self._compiler.compile(command.diagram)
        return await plan(program, command, since, services, self._journal, self._compiler.at_once)

    async def _trust(self, command: c.TrustDiagram, places: Places) -> list[c.AskedPower]:
        services = places.at(command.folder)
        program = await self._compiler.compile(command.diagram)
        return await trust(program, self._compiler.node_types, services, command.granted)

    async def _conversation(self, command: c.GetConversation) -> c.Ack:
        """As it stands in the journal: nobody needs to hold the run for that."""
        execution_id = await self._runs.named(command.execution_id)
        with contextlib.suppress(JournalError):  # what is not safe yet is not shown
            await self._journal.written()
        said = await at_length(conversation_of, self._journal, execution_id, self._compiler.at_once)
        return c.Ack(execution_id=execution_id, result=said)

    def _check_open_for(self, command: c.Command) -> None:
        if self._runs.children.closing and not isinstance(command, STILL_OBEYED):
            message = "The engine stops, and begins nothing new."
            hint = "Ask again when it is back: runs are left so that they can be gone on with."
            raise CommandError(message, code="stopping", hint=hint)

    # -- helpers ----------------------------------------------------------------------------------

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
        for execution in list(self._runs.held.values()):
            execution.trouble(message)


async def _tables(services: Services, database: str) -> list[c.CollectionSummary]:
    try:
        found = await services.collections.tables(database)
    except ServiceError as error:
        raise CommandError(str(error), code="no_collections") from None
    return [
        c.CollectionSummary(name=each.name, columns=dict(each.columns), keys=each.keys)
        for each in found
    ]
