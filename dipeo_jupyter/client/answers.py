"""What a server answers, as values and as errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from ..errors import CommandError, Problem
from ..protocol import commands as c
from ..protocol.conversation import Said

_RESULTS: Mapping[type[Any], TypeAdapter[Any]] = {
    c.CheckDiagram: TypeAdapter(list[Problem]),
    c.GetConversation: TypeAdapter(list[Said]),
    c.GetExecution: TypeAdapter(c.ExecutionSummary),
    c.ListCollections: TypeAdapter(list[c.CollectionSummary]),
    c.ListExecutions: TypeAdapter(list[c.ExecutionSummary]),
    c.PlanExecution: TypeAdapter(c.Plan),
    c.TrustDiagram: TypeAdapter(list[c.AskedPower]),
}


def ack_of(command: c.Command, answer: Mapping[str, Any]) -> c.Ack:
    """The answer to a command, with its result; raises `ValidationError`."""
    ack = c.Ack.model_validate(answer)
    adapter = _RESULTS.get(type(command))
    if adapter is None:
        return ack
    return ack.model_copy(update={"result": adapter.validate_python(ack.result)})


def not_understood(url: str) -> CommandError:
    """The error of a server that speaks otherwise."""
    message = f"What the server at {url} says is not understood."
    hint = "Both sides must have the same version of dipeo_jupyter."
    return CommandError(message, code="bad_server", hint=hint)


def not_let_in(url: str, status: int) -> CommandError:
    """The error of a server that answers with a status of HTTP."""
    if status == 404:  # noqa: PLR2004 - as in HTTP
        message = f"The server at {url} does not run diagrams."
        hint = "Install dipeo_jupyter where the server runs, and start it again."
        return CommandError(message, code="no_extension", hint=hint)
    message = f"The server at {url} does not let you in (HTTP {status})."
    return CommandError(message, code="forbidden", hint="Is the token still the right one?")
