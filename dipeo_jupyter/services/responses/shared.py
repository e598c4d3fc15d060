"""Answers in Redis, which several servers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from ...errors import ServiceError

if TYPE_CHECKING:
    from redis import Redis

PREFIX = "dipeo:response:"
SILENT = 1.0
"""Seconds for one answer of Redis, which needs a millisecond."""


class SharedResponses:
    """Fulfils `Store` by the Redis at a URL, which forgets an answer after some `seconds`.

    How much room there is, and who goes first when it is full, is set in Redis (`maxmemory`,
    `maxmemory-policy allkeys-lru`).
    """

    def __init__(self, url: str, *, seconds: int) -> None:
        self._url = url
        self._seconds = seconds

    def get(self, key: str) -> str | None:
        with _explained():
            found = self._redis.get(PREFIX + key)
        return found.decode(errors="replace") if isinstance(found, bytes) else None

    def put(self, key: str, text: str) -> None:
        with _explained():
            self._redis.set(PREFIX + key, text, ex=self._seconds)

    @cached_property
    def _redis(self) -> Redis:
        # Late: an extra, and few have it.
        from redis import Redis  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        return Redis.from_url(
            self._url,
            socket_timeout=SILENT,
            socket_connect_timeout=SILENT,
            retry=Retry(NoBackoff(), 1),  # a connection that was left open may be gone
        )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        from redis.exceptions import RedisError  # noqa: PLC0415 - as above
    except ImportError:
        said = "The response cache needs the library redis: pip install 'dipeo_jupyter[redis]'."
        raise ServiceError(said) from None
    try:
        yield
    except (RedisError, OSError) as error:
        said = f"The response cache in Redis cannot be used: {str(error).rstrip('.')}."
        raise ServiceError(said) from None
    except (ValueError, OverflowError):
        # What it says may quote the password.
        said = "DIPEO_REDIS_URL is no address of a Redis; one is redis://localhost:6379/0."
        raise ServiceError(said) from None
