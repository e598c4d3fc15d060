"""How to talk to an engine, wherever it runs: `send` a command, follow the `events` of a run.

`Engine` is a `Client` by its shape. Everything above (magics, terminal, tests) knows only this
pair.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import CommandError, NoAnswerError
from .protocol.commands import Ack, Command, GetExecution, UserResponse
from .protocol.events import Entry, ExecutionId, InputRequired, Question

Ask = Callable[[str, Question, str | None], Awaitable[Any]]
"""How a face asks a human: node, question, and why the last answer was not taken."""


class Client(Protocol):
    async def send(self, command: Command) -> Ack:
        """Ask for something; raises `CommandError` when it is refused."""
        ...

    def events(self, execution_id: ExecutionId, after: int = 0) -> AsyncIterator[Entry]:
        """Yield a run's entries after number `after`, then those to come, until it is over."""
        ...


@dataclass
class Conversation:
    """Follows a run to its end and sees to it that its questions are answered.

    `answers` are given beforehand, by node (`approve`) or activation (`approve[2]`); what they do
    not hold is asked through `ask`. Without one, the run is left waiting and `NoAnswerError` says
    for what.
    """

    client: Client
    execution_id: ExecutionId
    answers: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    _asking: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _open: list[str] = field(default_factory=list, init=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def entries(self, after: int = 0) -> AsyncIterator[Entry]:
        """Yield the entries of the run, as `Client.events` does."""
        self._open.clear()
        stream = aiter(self.client.events(self.execution_id, after))
        try:
            while (entry := await self._next(stream)) is not None:
                yield entry
                if isinstance(entry.event, InputRequired):
                    await self._question(entry.event)
                if self._open:
                    await self._must_not_wait_in_vain()
        finally:
            for task in self._asking:
                task.cancel()
            await asyncio.gather(*self._asking, return_exceptions=True)

    async def _next(self, stream: AsyncIterator[Entry]) -> Entry | None:
        """The next entry, or None at the end; raises when a human cannot be asked."""
        following = asyncio.ensure_future(anext(stream, None))
        try:
            while not following.done():
                await asyncio.wait({following, *self._asking}, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in self._asking if task.done()]:
                    self._asking.discard(task)
                    task.result()
            return following.result()
        finally:
            following.cancel()

    async def _question(self, event: InputRequired) -> None:
        exact = f"{event.node}[{event.activation}]"
        for key in (exact, event.node):
            if key in self.answers:
                await self._answer(event.node, self.answers[key])
                return
        if self.ask is None:
            self._open.append(f"{exact}: {event.question.prompt}")
            return
        # Other branches go on, and may ask too, while the human thinks.
        self._asking.add(asyncio.create_task(self._ask(self.ask, event)))

    async def _ask(self, ask: Ask, event: InputRequired) -> None:
        problem: str | None = None
        async with self._one_at_a_time:
            while True:
                value = await ask(event.node, event.question, problem)
                try:
                    await self._answer(event.node, value)
                except CommandError as error:
                    if error.code != "invalid_answer":
                        return  # somebody else has answered
                    problem = str(error)
                else:
                    return

    async def _answer(self, node: str, value: Any) -> None:
        await self.client.send(UserResponse(execution_id=self.execution_id, node=node, value=value))

    async def _must_not_wait_in_vain(self) -> None:
        summary = await self.client.send(GetExecution(execution_id=self.execution_id))
        if summary.result.status == "waiting":
            raise NoAnswerError(
                f"the run waits for an answer, and nobody can be asked here: "
                f"{'; '.join(self._open)}. Give it beforehand."
            )
