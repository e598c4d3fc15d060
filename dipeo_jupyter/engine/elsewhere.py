"""Runs that are not held here: listed, followed and steered through the journal.

Whoever steers a run of another process leaves a letter in the journal; the process that holds the
run looks for letters several times a second, obeys, and replies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from ..errors import CommandError, DipeoError
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol.refusals import Refusal, error_of, refusal_of
from .clock import Clock
from .pace import at_length, paced
from .ports import PAGE, Journal, RunRecord

BETWEEN_LOOKS = 0.2
"""Seconds between two looks into the journal."""
LOOKS = 10
"""After so many looks for a reply, whether anybody is there who could give it."""
PATIENCE = 10.0
"""Seconds after which a process that does not reply is given up."""

Obey = Callable[[e.ExecutionId, c.Command], Awaitable[c.Ack]]


class Elsewhere:
    def __init__(self, journal: Journal, clock: Clock, obey: Obey) -> None:
        self._journal = journal
        self._clock = clock
        self._obey = obey
        self._reading: asyncio.Task[None] | None = None
        self._answering = asyncio.Lock()

    def attend(self) -> None:
        """Look for letters from now on."""
        if self._reading is None and self._journal.has_neighbours:
            self._reading = asyncio.create_task(self._read_letters())

    async def close(self) -> None:
        """Look no more, when all letters that were taken are answered."""
        if self._reading is not None:
            async with self._answering:
                self._reading.cancel()
            self._reading = None

    async def send(self, execution_id: e.ExecutionId, command: c.OnExecution) -> c.Ack | None:
        """Have another process obey; None when none holds the run any more.

        Raises `CommandError`, or `DiagramError`, when it refuses or does not reply.
        """
        body = command.model_copy(update={"execution_id": execution_id}).model_dump(mode="json")
        number = await asyncio.to_thread(self._journal.post, execution_id, body)
        waited, looks = 0.0, 0
        while (answer := await asyncio.to_thread(self._journal.replied, number)) is None:
            looks += 1
            gone = looks % LOOKS == 0 and await self._is_let_go(execution_id)
            if (gone or waited > PATIENCE) and await asyncio.to_thread(
                self._journal.withdraw, number
            ):
                if gone:
                    return None
                message = f"The process that holds {execution_id} does not answer."
                hint = "Stop it; then the run can be resumed from here."
                raise CommandError(message, code="no_reply", hint=hint)
            if gone and await asyncio.to_thread(self._journal.replied, number) is None:
                message = f"The process that held {execution_id} ended before it answered."
                hint = "Look how the run stands, and try again."
                raise CommandError(message, code="no_reply", hint=hint)
            await asyncio.sleep(BETWEEN_LOOKS / 4)
            waited += BETWEEN_LOOKS / 4
        if "error" in answer:
            raise error_of(answer["error"])
        return c.Ack.model_validate(answer["ack"])

    async def events(self, execution_id: e.ExecutionId, after: int) -> AsyncIterator[e.Entry]:
        """Yield entries as they come to stand in the journal, while somebody holds the run."""
        while True:
            record = await asyncio.to_thread(find, self._journal, execution_id)
            while page := await at_length(self._journal.read, execution_id, after, PAGE):
                async for entry in paced(page):
                    after = entry.seq
                    yield entry
            if record.owner is None or record.status in e.OVER:
                return
            await self._clock.sleep(BETWEEN_LOOKS)

    async def _read_letters(self) -> None:
        while True:
            async with self._answering:
                for letter in await asyncio.to_thread(self._journal.letters):
                    answer = await self._answer(letter.execution_id, letter.command)
                    await asyncio.to_thread(self._journal.reply, letter.number, answer)
            await asyncio.sleep(BETWEEN_LOOKS)

    async def _is_let_go(self, execution_id: e.ExecutionId) -> bool:
        return (await asyncio.to_thread(find, self._journal, execution_id)).owner is None

    async def _answer(self, execution_id: e.ExecutionId, body: dict[str, Any]) -> dict[str, Any]:
        """Obey a letter; whatever is wrong with it is the business of who wrote it."""
        try:
            ack = await self._obey(execution_id, c.command_adapter.validate_python(body))
        except DipeoError as error:
            return {"error": refusal_of(error).model_dump(mode="json")}
        except ValueError as error:
            refusal = Refusal(code="refused", message=str(error))
            return {"error": refusal.model_dump(mode="json")}
        return {"ack": ack.model_dump(mode="json")}


def find(journal: Journal, execution_id: e.ExecutionId) -> RunRecord:
    """The run with this id, which may be shortened; raises `CommandError`."""
    exact = [each for each in journal.runs(execution_id) if execution_id]
    if not exact and execution_id and not execution_id.startswith("exec_"):
        exact = list(journal.runs(f"exec_{execution_id}"))
    same = [each for each in exact if each.execution_id == execution_id]
    found = same or [each for each in exact if each.parent is None] or exact
    if len(found) == 1:
        return found[0]
    if found:
        message = f"{execution_id!r} could be any of {len(found)} runs; write more of it."
        raise CommandError(message, code="ambiguous_execution")
    raise CommandError(f"There is no run {execution_id!r}.", code="unknown_execution")


def summary_of(record: RunRecord) -> c.ExecutionSummary:
    """A run of the journal in one line."""
    return c.ExecutionSummary(
        execution_id=record.execution_id,
        name=record.name,
        status=record.status,
        started=record.started,
        events=record.events,
        waiting_for=record.waiting_for,
        live=record.owner is not None,
        origin=record.origin,
        thread=record.thread,
        usage=record.usage,
    )
