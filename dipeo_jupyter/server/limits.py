"""How much one connection and one user may ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What `DipeoApp` can be told about it; times are in seconds.

    A connection whose reader is behind holds at most `held_bytes` (or one entry); a frame that is
    not taken within `write_timeout` ends it. Pieces of answers are told every `delta_interval`.
    """

    frame_bytes: int = 8_000_000
    messages_per_second: float = 100.0
    message_burst: int = 200
    patience: float = 5.0
    """How long somebody may go on with more messages than that."""
    connections_per_user: int = 32
    runs_at_once: int = 100
    commands_at_once: int = 64
    held_bytes: int = 4_000_000
    held_frames: int = 10_000
    write_timeout: float = 30.0
    delta_interval: float = 0.05
    kernel_patience: float = 10.0
    """How long a kernel that has lost its connection may take to come back."""
    drain_seconds: float = 10.0
    """How long the server waits, when it stops, for what is under way."""
    look_again: float = 60.0
    """After which somebody who only listens must still be who they were."""


class Bucket:
    """Fills with `rate` tokens a second up to `size`; who takes one may go on."""

    def __init__(self, rate: float, size: int, now: Callable[[], float] = monotonic) -> None:
        self._rate, self._size, self._now = rate, size, now
        self._tokens, self._at = float(size), now()
        self._empty_since: float | None = None

    def take(self) -> bool:
        """Take a token, if there is one."""
        now = self._now()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            if self._empty_since is None:
                self._empty_since = now
            return False
        self._tokens -= 1
        if self._tokens >= self._size / 2:
            self._empty_since = None
        return True

    @property
    def empty_for(self) -> float:
        """For how long there has been too much asked, without a rest in between."""
        return 0.0 if self._empty_since is None else self._now() - self._empty_since
