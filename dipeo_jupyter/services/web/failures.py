"""What went wrong with a request, and whether it may be sent again."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ...engine.ports.web import WebRequest
from ...errors import FailureKind, ServiceError

LONGEST_WAIT = 120.0
"""Seconds: whoever asks for more patience is not asked again."""
QUOTED = 300
"""Characters of an answer that an error quotes."""

_PASSING = (408, 425, 429, 500, 502, 503, 504)
_SERVER = 500
_UNKNOWN = "Nobody knows whether it was done: look there before it is sent again."


def status_failure(
    request: WebRequest, host: str, status: int, headers: Mapping[str, str], text: str | None
) -> ServiceError:
    """The failure that a status is."""
    wait = _wait(headers.get("retry-after", ""))
    # Who says when to come back has done nothing.
    refused = status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None
    )
    repeatable = request.repeatable or refused
    patient = wait is None or wait <= LONGEST_WAIT
    sentence = f"{host} answers {request.method} with status {status}{_phrase(status)}."
    said = " ".join((text or "").split())[:QUOTED]
    parts = [sentence, _asks(wait), f"It says: {said}" if said else ""]
    perhaps_done = status >= _SERVER and not repeatable
    if perhaps_done:
        parts.insert(1, _UNKNOWN)
    return ServiceError(
        " ".join(part for part in parts if part),
        retryable=status in _PASSING and repeatable and patient,
        retry_after=wait,
        kind=_kind(status),
        perhaps_done=perhaps_done,
    )


def lost(request: WebRequest, message: str, kind: FailureKind = "connection") -> ServiceError:
    """The failure that it is when nothing comes back of what was sent."""
    if request.repeatable:
        return ServiceError(message, retryable=True, kind=kind)
    return ServiceError(f"{message} {_UNKNOWN}", kind=kind, perhaps_done=True)


def unfit(request: WebRequest, message: str) -> ServiceError:
    """The failure that it is when something comes back that cannot be used."""
    if request.repeatable:
        return ServiceError(message, kind="bad_answer")
    return ServiceError(f"{message} {_UNKNOWN}", kind="bad_answer", perhaps_done=True)


def not_reached(host: str, error: Exception) -> ServiceError:
    """The failure that it is when there is no connection: nothing was sent."""
    match error.__cause__ or error.__context__:
        case ssl.SSLCertVerificationError(verify_message=why):
            message = (
                f"{host} does not show that it is {host}: its certificate is not good ({why})."
            )
            return ServiceError(message)
        case ssl.SSLError():
            message = f"{host} speaks no https there. Is the port right, or is it http://?"
        case _:
            message = f"{host} cannot be reached: nobody answers there."
    return ServiceError(message, retryable=True, kind="connection")


def _kind(status: int) -> FailureKind:
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return "rate_limit"
        case HTTPStatus.REQUEST_TIMEOUT:
            return "timeout"
        case _:
            return "server_error" if status >= _SERVER else "other"


def _phrase(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


def _asks(wait: float | None) -> str:
    return "" if wait is None else f"It asks to wait for {wait:.0f} s."


def _wait(text: str) -> float | None:
    """Seconds, which may be written as a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    now = datetime.now(UTC)
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
