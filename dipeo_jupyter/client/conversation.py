"""How to talk to an engine about one run, and see to it that its questions are answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
)
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from ..diagram.model import Label
from ..errors import CommandError, NoAnswerError
from ..protocol import events as e
from ..protocol.commands import (
    Ack,
    Command,
    ExecutionSummary,
    GetExecution,
    UserResponse,
)

T = TypeVar("T")
Ask = Callable[[Label, e.Question, str | None], Coroutine[Any, Any, Any]]
"""How a face asks a human: node, question, and why the last answer was not taken.

It raises `NoAnswerError` when nobody can be asked, and is cancelled when the question is over.
"""


class Client(Protocol):
    async def send(self, command: Command) -> Ack:
        """Ask for something; raises `CommandError` when it is refused."""
        ...

    def events(self, execution_id: e.ExecutionId, after: int = 0) -> AsyncIterator[e.Entry]:
        """Yield a run's entries after number `after`, then those to come, until it is over."""
        ...


@dataclass
class Conversation:
    """Sees to it that the questions of a run are answered.

    `answers` are given beforehand, by node (`approve`) or activation (`approve[2]`). What they do
    not hold is put to a human through `ask`, one question after the other.
    """

    client: Client
    execution_id: e.ExecutionId
    answers: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    _open: dict[Label, e.InputRequired] = field(default_factory=dict, init=False)
    _refused: dict[Label, CommandError] = field(default_factory=dict, init=False)
    _seq: int = field(default=0, init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _asking: tuple[Label, asyncio.Task[None]] | None = field(default=None, init=False)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def entries(self, after: int = 0) -> AsyncGenerator[e.Entry, None]:
        """Follow and attend at once: yield the run's entries, and raise what `attend` raises."""
        attending = asyncio.create_task(self.attend())
        try:
            async with contextlib.aclosing(self.follow(after)) as stream:
                while (entry := await _unless(attending, anext(stream, None))) is not None:
                    yield entry
        finally:
            await _cancel(attending)

    async def follow(self, after: int = 0) -> AsyncGenerator[e.Entry, None]:
        """Yield the run's entries as `Client.events` does, giving the answers there are."""
        async for entry in self.client.events(self.execution_id, after):
            yield entry
            match entry.event:
                case e.InputRequired() as event:
                    await self._give(event)
                case e.InputReceived(node=node) | e.NodeFailed(node=node):
                    self._close(node)
                case e.ExecutionPaused(interrupted=nodes):
                    for node in nodes:
                        self._close(node)
                case e.SkipRequested(node=node):
                    self._close(node)
                case e.ExecutionEdited():  # whatever is asked again comes as a new question
                    for node in list(self._open):
                        self._close(node)
            self._seq = entry.seq
            self._news.set()

    async def attend(self) -> None:
        """Put the questions that are and will be open to a human, until cancelled.

        Somebody must `follow` meanwhile. When the run goes no further, it raises `CommandError` for
        an answer given beforehand that was refused, or `NoAnswerError` when nobody can be asked.
        """
        ask, problem = self.ask, None
        async with self._one_at_a_time:
            while True:
                self._news.clear()
                questions, in_vain = await self._questions()
                if ask and questions:
                    try:
                        await self._put(questions[0], ask)
                    except NoAnswerError as error:
                        ask, problem = None, error
                elif in_vain:
                    raise next(iter(self._refused.values()), problem or nobody(questions))
                else:
                    await self._news.wait()

    async def _give(self, event: e.InputRequired) -> None:
        """Give the answer there is, or leave the question open."""
        keys = (f"{event.node}[{event.activation}]", event.node)
        key = next((key for key in keys if key in self.answers), None)
        if key is not None:
            try:
                await self._answer(event, self.answers[key])
            except CommandError as error:
                if error.code != "invalid_answer":
                    return  # somebody else has answered
                message = f"The answer given for {key!r} was refused. {error}"
                self._refused[event.node] = CommandError(message, code=error.code)
            else:
                return
        self._open[event.node] = event

    async def _put(self, event: e.InputRequired, ask: Ask) -> None:
        """Ask until there is an answer, or the question is over."""
        asking = asyncio.create_task(self._ask(event, ask))
        self._asking = (event.node, asking)
        try:
            await asyncio.wait({asking})
            if not asking.cancelled():
                asking.result()
                # By now the node may have got its answer, and asked anew.
                if self._open.get(event.node) is event:
                    del self._open[event.node]
        finally:
            self._asking = None
            await _cancel(asking)

    async def _ask(self, event: e.InputRequired, ask: Ask) -> None:
        problem: str | None = None
        while True:
            value = await ask(event.node, event.question, problem)
            try:
                await self._answer(event, value)
            except CommandError as error:
                if error.code != "invalid_answer":
                    return  # somebody else has answered
                problem = str(error)
            else:
                return

    def _close(self, node: Label) -> None:
        """The question is over: answered, timed out, or taken back to be asked again."""
        self._open.pop(node, None)
        self._refused.pop(node, None)
        if self._asking is not None and self._asking[0] == node:
            self._asking[1].cancel()

    async def _answer(self, event: e.InputRequired, value: Any) -> None:
        # For this question alone: of a run that goes on, old ones are told again.
        await self.client.send(
            UserResponse(
                execution_id=self.execution_id,
                node=event.node,
                activation=event.activation,
                value=value,
            )
        )

    async def _questions(self) -> tuple[list[e.InputRequired], bool]:
        """What can be put to a human, and whether nothing goes on before these are answered."""
        if not self._open:
            return [], False
        ack = await self.client.send(GetExecution(execution_id=self.execution_id))
        waiting: ExecutionSummary = ack.result
        # What has been answered meanwhile is not asked, and what comes next not missed.
        questions = [
            each
            for each in self._open.values()
            if each.node in waiting.waiting_for and each.node not in self._refused
        ]
        return questions, waiting.status == "waiting" and ack.seq == self._seq


def nobody(questions: Iterable[e.InputRequired]) -> NoAnswerError:
    """What to say when there are questions, and nobody to answer them."""
    asked = "; ".join(f"{each.node!r} asks {each.question.prompt!r}" for each in questions)
    return NoAnswerError(f"Node {asked}, and nobody can be asked here. Give the answer beforehand.")


async def _unless(problem: asyncio.Task[None], work: Awaitable[T]) -> T:
    """The result of `work`, unless `problem` is raised before."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working, problem}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            problem.result()
        return working.result()
    finally:
        await _cancel(working)


async def _cancel(task: asyncio.Future[Any]) -> None:
    """Cancel a task, and wait until it is over, whatever comes of it."""
    task.cancel()
    await asyncio.wait({task})
