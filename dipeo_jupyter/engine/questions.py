"""What the nodes of a run ask humans, and who gets which answer."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from ..errors import CommandError
from ..protocol import events as e
from .answers import accept
from .moments import Activation
from .program import Program
from .state import ExecutionState


class Host(Protocol):
    """What questions need of the run that they belong to."""

    state: ExecutionState
    program: Program

    def record(self, event: e.AnyEvent) -> None: ...

    def wake(self) -> None: ...

    def answer_part(self, asked_by: str, value: Any) -> bool:
        """Have a part of the run answered that has asked; False when there are no parts."""
        ...


class Questions:
    """The questions of one run. The first valid answer wins."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        """Who waits here, by node. After a restart a node may not have come as far yet."""
        self._put: dict[int, tuple[Activation, int]] = {}
        """How many each node's last activation has put."""

    def forget(self) -> None:
        """Nobody waits any more: the run has another diagram."""
        self._waiting.clear()

    async def put(self, activation: Activation, question: e.Question, spent: int = 0) -> Any:
        """Ask, and wait for an answer that `answer` takes.

        An answer that came before the process ended is not asked for again, but for the first
        ones that are `spent`.
        """
        node, state = activation.node, self._host.state
        before, count = self._put.get(node, (activation, 0))
        nth = max(count if before is activation else 0, spent)
        self._put[node] = (activation, nth + 1)
        answers = state.answers.get(node, ())
        if nth < len(answers):
            return answers[nth]
        answer = self._waiting[node] = asyncio.get_running_loop().create_future()
        if state.questions.get(node) != question:
            label, number = self._host.program.labels[node], activation.number
            self._host.record(e.InputRequired(node=label, activation=number, question=question))
        return await answer

    def answer(self, label: str, value: Any, activation: int | None = None) -> None:
        """Answer the question of a node (of this activation); raises `CommandError`."""
        state, program = self._host.state, self._host.program
        node = program.index.get(label, -1)
        question = state.questions.get(node)
        if question is None or activation not in (None, state.running[node].number):
            open_ = [program.labels[each] for each in state.questions]
            hint = f"Waiting for an answer: {', '.join(open_)}." if open_ else None
            if not open_ and state.status == "paused":
                hint = "The run is paused: once it is resumed, it asks again."
            message = f"Node {label!r} does not wait for an answer (any more)."
            raise CommandError(message, code="no_question", hint=hint)
        value = accept(question, value)
        if state.status == "running":
            self._host.wake()
        asked_by = state.asked_by.get(node)
        if asked_by is not None and self._host.answer_part(asked_by, value):
            return
        number = state.running[node].number
        self._host.record(e.InputReceived(node=label, activation=number, value=value))
        if (waiting := self._waiting.pop(node, None)) is not None and not waiting.done():
            waiting.set_result(value)
