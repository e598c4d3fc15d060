"""The client for an engine in another process: the same pair, over the WebSocket of a server.

Whoever uses it notices nothing of a connection that is lost: it is made again, what was asked and
not answered is asked again (under its old id, so that it is done once), and the events of each run
go on behind the last one that was heard.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from ..errors import CommandError, DipeoError
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol.kernel import AttachKernel, KernelOutput, KernelReply, OfferKernel
from ..protocol.refusals import error_of
from .address import Server
from .answers import ack_of, not_understood
from .following import Follower, Followers
from .kernel_side import KernelSide
from .link import Link

SLOWER = 1.0
"""Seconds to wait, at most, with what was too much at once."""


@dataclass(slots=True, eq=False)
class _Asked:
    """Something that was asked for, and is not answered."""

    text: str
    answer: asyncio.Future[dict[str, Any]]


class RemoteClient:
    """A `Client` by its shape, like `Engine`. It belongs to the event loop it is first used on.

    With a `kernel`, the server asks for what only that kernel can do for the runs that it starts.
    """

    def __init__(self, server: Server, kernel: KernelSide | None = None) -> None:
        self._server = server
        self._kernel = kernel
        self._offered: OfferKernel | None = None
        self._offer_number = ""
        self._asked: dict[str, _Asked] = {}
        self._followers = Followers()
        self._link = Link(server, linked=self._take_up, hear=self._hear, cut_off=self._cut_off)

    @property
    def url(self) -> str:
        """Where people's pages reach the server; kernels have a door of their own."""
        return self._server.url.replace("/dipeo/kernel/ws", "/dipeo/ws")

    async def send(self, command: c.Command) -> c.Ack:
        """Ask for something; raises `CommandError` or `DiagramError` when it is refused."""
        payload = command.model_dump(mode="json", by_alias=True, exclude={"type"})
        if isinstance(command, c.ExecuteDiagram | c.ForkExecution):
            payload["follow"] = False  # whoever wants to, will
        await self._offer()
        answer = await self._ask(command.type, payload)
        try:
            return ack_of(command, answer)
        except ValidationError:
            raise not_understood(self._server.url) from None

    async def attach(self, execution_id: e.ExecutionId) -> None:
        """Have a run ask this kernel from now on for what only a kernel can do."""
        if self._kernel is not None:
            await self._offer()
            await self._tell(AttachKernel(execution_id=execution_id))

    async def events(
        self, execution_id: e.ExecutionId, after: int = 0
    ) -> AsyncGenerator[e.Entry, None]:
        """Yield a run's entries after number `after`, then those to come, until it is over."""
        named = await self.send(c.GetExecution(execution_id=execution_id))
        execution_id = named.execution_id or execution_id
        follower = self._followers.add(execution_id, after)
        try:
            await self._subscribe(execution_id)
            while (entry := await follower.queue.get()) is not None:
                if isinstance(entry, DipeoError):
                    raise entry
                yield entry
        finally:
            self._leave(execution_id, follower)

    async def close(self) -> None:
        """Let go of the server; what runs there goes on."""
        if self._kernel is not None:
            self._kernel.close()
        await self._link.close()

    # -- asking -----------------------------------------------------------------------------------

    async def _ask(self, type_: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._link.ready()
        most = self._link.most_bytes
        number = uuid.uuid4().hex
        text = _framed(type_, payload, number)
        if len(text) > most and len(text.encode()) > most:
            message = f"{type_} is larger than the {most:,} bytes that the server takes."
            hint = "Give large values as files, or set DipeoApp.frame_bytes."
            raise CommandError(message, code="too_large", hint=hint)
        while True:
            await self._link.ready()
            try:
                return await self._ask_once(number, text)
            except CommandError as error:
                if error.code not in ("rate_limited", "stopping"):
                    raise
            await asyncio.sleep(random.uniform(0.5, 1) * SLOWER)  # noqa: S311 - not all at once

    async def _ask_once(self, number: str, text: str) -> dict[str, Any]:
        asked = _Asked(text, asyncio.get_running_loop().create_future())
        self._asked[number] = asked
        try:
            self._link.say(text)
            return await asked.answer
        finally:
            del self._asked[number]

    async def _offer(self) -> None:
        """Let the server know what this kernel can do, as far as it does not yet."""
        if self._kernel is None:
            return
        await self._link.ready()  # which tells it
        offer = self._kernel.offer()
        if offer != self._offered:
            self._offered = offer
            await self._tell(offer)

    async def _tell(self, said: AttachKernel | OfferKernel | KernelReply | KernelOutput) -> None:
        await self._ask(said.type, said.model_dump(mode="json", exclude={"type"}))

    async def _subscribe(self, execution_id: e.ExecutionId) -> None:
        """Have the server begin behind what the one has heard who has heard least."""
        after = self._followers.heard(execution_id)
        await self._ask("subscribe", {"execution_id": execution_id, "after_seq": after})

    def _leave(self, execution_id: e.ExecutionId, follower: Follower) -> None:
        if self._followers.remove(execution_id, follower):
            self._link.say(_framed("unsubscribe", {"execution_id": execution_id}))  # nobody waits

    # -- hearing ----------------------------------------------------------------------------------

    def _hear(self, frame: dict[str, Any]) -> None:
        match frame:
            case {"type": "ack" | "error", "correlation_id": str() as number}:
                self._hear_answer(number, frame)
            case {"type": "ack"}:
                pass  # of what nobody waits for
            case {"type": "end_of_events", "execution_id": execution_id}:
                self._followers.hear_the_end(execution_id, frame["payload"]["after_seq"])
            case {"type": "error", "execution_id": execution_id}:
                self._followers.hear_error(execution_id, error_of(frame["payload"]))
            case {"seq": int(), "execution_id": execution_id} if execution_id in self._followers:
                self._followers.hear(e.Entry.from_wire(frame))
            case {"type": "kernel_request", "payload": request} if self._kernel:
                self._kernel.take(request, self._tell)
            case {"type": "kernel_cancel", "payload": {"number": number}} if self._kernel:
                self._kernel.cancel(number)
            case _:
                pass

    def _hear_answer(self, number: str, frame: dict[str, Any]) -> None:
        if (asked := self._asked.get(number)) is not None:
            _answer(asked, frame)
        elif number == self._offer_number and self._kernel is not None:
            self._kernel.wanted(frame["payload"].get("result", ()))

    # -- when the connection changes --------------------------------------------------------------

    def _take_up(self) -> None:
        """Say again what may not have been heard, and go on with what was followed."""
        if self._kernel is not None:
            self._offered, self._offer_number = self._kernel.offer(), uuid.uuid4().hex
            payload = self._offered.model_dump(mode="json", exclude={"type"})
            self._link.say(_framed(self._offered.type, payload, self._offer_number))
        for asked in self._asked.values():
            self._link.say(asked.text)
        for execution_id, heard in self._followers.runs():
            payload = {"execution_id": execution_id, "after_seq": heard}
            self._link.say(_framed("subscribe", payload))

    def _cut_off(self, error: CommandError) -> None:
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(error)
        self._followers.cut_off(error)


def _framed(type_: str, payload: Mapping[str, Any], number: str | None = None) -> str:
    frame = {"type": type_, "payload": payload}
    return to_json(frame if number is None else {**frame, "correlation_id": number}).decode()


def _answer(asked: _Asked, frame: Mapping[str, Any]) -> None:
    if asked.answer.done():
        return
    if frame["type"] == "ack":
        asked.answer.set_result(frame["payload"])
    else:
        asked.answer.set_exception(error_of(frame["payload"]))
