"""The engine: everything that runs in this process, behind `send` and `events`.

That pair is the `Client` protocol, so whoever talks to an engine cannot tell this one from one at
the other end of a socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from ulid import ULID

from ..diagram.model import Diagram
from ..errors import CommandError
from ..protocol import commands as c
from ..protocol.events import Broadcast, Entry, ExecutionId
from .clock import Clock
from .compile import compile_diagram, examine
from .execution import Execution, Limits
from .light_schema import describe
from .node import NodeTypes
from .ports import Journal, Services

LARGE = 300
"""Compiling a diagram of more nodes than this would hold up the loop for too long."""


def _slow_to_compile(diagram: Diagram) -> bool:
    """Large diagrams, and those with a JSON Schema: importing its library takes seconds."""
    return len(diagram.nodes) > LARGE or any(
        name.endswith("schema") for spec in diagram.nodes for name in spec.props
    )


class Engine:
    """Runs diagrams on the event loop of whoever calls it."""

    def __init__(
        self,
        node_types: NodeTypes,
        services: Services,
        journal: Journal,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._node_types = node_types
        self._services = services
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._executions: dict[ExecutionId, Execution] = {}

    async def send(self, command: c.Command) -> c.Ack:  # noqa: C901 - one flat match over the commands
        """Obey a command. Raises `CommandError`, or `DiagramError` for a diagram that is wrong."""
        match command:
            case c.ExecuteDiagram():
                execution = await self._execute(command)
                return c.Ack(execution_id=execution.execution_id, seq=execution.seq)
            case c.CheckDiagram():
                _, problems = await asyncio.to_thread(
                    examine,
                    command.diagram,
                    self._node_types,
                    partial=command.partial,
                    check_person=self._services.llm.check,
                )
                return c.Ack(result=problems)
            case c.Describe():
                return c.Ack(result=await asyncio.to_thread(describe, self._node_types))
            case c.ListExecutions():
                return c.Ack(result=[_summary(each) for each in self._executions.values()])
        execution = self._find(command.execution_id)
        result: Any = None
        match command:
            case c.GetExecution():
                result = _summary(execution)
            case c.PauseExecution():
                await execution.pause(now=command.now)
            case c.ResumeExecution():
                execution.resume()
            case c.StepExecution():
                execution.resume(command.steps)
            case c.CancelExecution():
                await execution.cancel()
            case c.UserResponse():
                execution.answer(command.node, command.value)
            case c.BroadcastEvent():
                execution.record(Broadcast(name=command.name, data=command.data))
        return c.Ack(execution_id=execution.execution_id, seq=execution.seq, result=result)

    async def events(self, execution_id: ExecutionId, after: int = 0) -> AsyncIterator[Entry]:
        """Yield a run's entries after number `after`, then those to come, until it is over."""
        async for entry in self._find(execution_id).events(after):
            yield entry

    async def close(self) -> None:
        """Stop everything that runs here."""
        await asyncio.gather(*(execution.stop() for execution in self._executions.values()))

    async def _execute(self, command: c.ExecuteDiagram) -> Execution:
        if _slow_to_compile(command.diagram):
            program = await asyncio.to_thread(compile_diagram, command.diagram, self._node_types)
        else:
            program = compile_diagram(command.diagram, self._node_types)
        limits = Limits(
            command.max_concurrency or self._limits.max_concurrency,
            command.max_rounds or self._limits.max_rounds,
        )
        execution_id = f"exec_{ULID()}"
        execution = Execution(execution_id, program, self._services, self._journal, self._clock)
        self._executions[execution_id] = execution
        execution.start(command.inputs, limits, paused=command.paused)
        return execution

    def _find(self, execution_id: ExecutionId) -> Execution:
        if execution_id in self._executions:
            return self._executions[execution_id]
        found = [
            each for each in self._executions if execution_id and each.startswith(execution_id)
        ]
        if len(found) == 1:
            return self._executions[found[0]]
        if found:
            message = f"{execution_id!r} could be any of {len(found)} runs; write more of it."
            raise CommandError(message, code="ambiguous_execution")
        raise CommandError(f"There is no run {execution_id!r}.", code="unknown_execution")


def _summary(execution: Execution) -> c.ExecutionSummary:
    return c.ExecutionSummary(
        execution_id=execution.execution_id,
        name=execution.program.diagram.name,
        status=execution.state.shown_status,
        started=execution.started,
        events=execution.seq,
        waiting_for=tuple(execution.program.labels[node] for node in execution.state.questions),
    )
