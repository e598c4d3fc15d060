"""What people do on a card: command frames of the protocol, and the replies to them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from pydantic_core import to_json

from ...diagram.files import converted
from ...errors import CommandError, DipeoError
from ...protocol import commands as c
from ...protocol import kernel as k
from ...protocol import wire as w
from ...protocol.refusals import Refusal, refusal_of
from ...protocol.requests import BadFrameError, Request, read_request

Send: TypeAlias = Callable[[c.Command], Awaitable[c.Ack]]
Take: TypeAlias = Callable[[Any], None]
"""Takes what was said on a card, on any thread."""
Reply: TypeAlias = dict[str, Any]
"""An `ack` or an `error` as it travels, with the `correlation_id` of what it answers."""


async def obey(said: Any, send: Send) -> tuple[Reply, w.AnyCommand | None]:
    """Have a command obeyed; the reply to it, and the command when it was obeyed."""
    try:
        request = read_request(_text(said))
    except BadFrameError as error:
        return _reply(refusal_of(error), error.correlation_id), None
    number, source = request.correlation_id, request.reading.source if request.reading else None
    try:
        ack = await _answer(request, send)
    except DipeoError as error:
        return _reply(refusal_of(error, source), number), None
    except Exception as error:  # noqa: BLE001 - an edge: whatever it is, whoever has clicked is told
        message = f"{request.command.type} failed: {type(error).__name__}: {error}"
        return _reply(Refusal(code="internal", message=message), number), None
    return _reply(ack, number), request.command


async def _answer(request: Request, send: Send) -> c.Ack:
    command = request.command
    reading = request.reading.checked() if request.reading else None
    match command:
        case w.Ping():
            return c.Ack(result="pong")
        case w.Subscribe(execution_id=execution_id):
            ack = await send(c.GetExecution(execution_id=execution_id))
            return ack.model_copy(update={"result": None})
        case w.Unsubscribe():
            return c.Ack()
        case w.ConvertDiagram():
            drawn = reading.diagram if reading else command.diagram
            return c.Ack(result=converted(drawn, command.to))
        case (
            w.DrawDiagram()
            | w.RelayEvent()
            | k.OfferKernel()
            | k.AttachKernel()
            | k.KernelOutput()
            | k.KernelReply()
        ):
            message = f"{command.type} is for connections to a server; a card has none."
            raise CommandError(message, code="unknown_command")
        case _:
            return await send(command)


def _text(said: Any) -> str:
    try:
        return to_json(said).decode()
    except ValueError as error:
        raise BadFrameError(f"The message is no JSON: {error}.", code="bad_json") from None


def _reply(message: c.Ack | Refusal, correlation_id: str | None) -> Reply:
    reply: Reply = json.loads(w.frame(message, correlation_id=correlation_id))
    return reply
