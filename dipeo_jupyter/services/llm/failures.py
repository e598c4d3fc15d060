"""What can be wrong with an answer, in our words."""

from __future__ import annotations

from http import HTTPStatus

from ...errors import FailureKind, ServiceError

ANSWER_LIMIT = 8_000_000
"""Bytes of text that a model may answer."""

IMAGES_LIMIT = 64_000_000
"""The same of images, written in base64."""

REFUSED_FOR_GOOD = frozenset({400, 401, 402, 403, 404, 405, 413, 422})


def kind_of_status(status: int) -> FailureKind:
    """What sort of failure a status of HTTP stands for."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit"
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT):
        return "timeout"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "other"


def no_answer(reason: str | None = None) -> ServiceError:
    """Something came, but nothing that the model said. `reason` is why the model stopped."""
    if reason == "length":
        return ServiceError("The model used up its `max_tokens` before it said anything.")
    if reason == "content_filter":
        return ServiceError("The provider's content filter held the answer back.")
    message = "The provider answered with something that is no answer."
    return ServiceError(message, retryable=True, kind="bad_answer")


def broken() -> ServiceError:
    """The connection was lost, or the provider stopped in the middle of an answer."""
    message = "The answer broke off in the middle."
    return ServiceError(message, retryable=True, kind="connection")


def too_long() -> ServiceError:
    """More came than anybody can have asked for."""
    return ServiceError(f"The answer is longer than {ANSWER_LIMIT:,} bytes; set `max_tokens`.")


def too_large() -> ServiceError:
    """The same, of images."""
    said = f"The images are larger than {IMAGES_LIMIT:,} bytes in all; choose a smaller size."
    return ServiceError(said)


def nothing_drawn(text: str = "") -> ServiceError:
    """There is no image in an answer, but maybe a text."""
    said = " ".join(text.split())
    said = f"It said: {said:.300}" if said else "It said nothing."
    message = f"The model drew nothing. {said}"
    return ServiceError(message, retryable=True, kind="bad_answer")


def causes(error: BaseException | None) -> list[BaseException]:
    """The error and all that led to it, the deepest last."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__ or getattr(error, "original_exception", None)
    return found
