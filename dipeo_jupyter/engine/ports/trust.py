"""Whose powers people have trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...errors import CommandError
from ...protocol.events import ExecutionId
from ..powers import Power


class Trust(Protocol):
    """Which powers of diagrams people have trusted for good."""

    def minds(self, power: Power) -> bool:
        """Whether people are asked for a power here."""
        ...

    def knows(self, digest: str) -> bool:
        """Whether a power is trusted."""
        ...

    def remember(self, powers: Mapping[str, str]) -> None:
        """Trust them from now on: what each is known by, and in words what it is.

        Raises `CommandError` when it cannot be kept.
        """
        ...

    def knows_run(self, execution_id: ExecutionId) -> bool:
        """Whether a run was begun by this user; a journal may come along with a folder."""
        ...

    def remember_run(self, execution_id: ExecutionId) -> None:
        """Know it from now on, if that can be kept."""
        ...


class NothingTrusted:
    """Fulfils the port `Trust` where nothing is kept."""

    def minds(self, power: Power) -> bool:
        return power.asks and not power.walled

    def knows(self, digest: str) -> bool:
        return False

    def remember(self, powers: Mapping[str, str]) -> None:
        message = "Nothing is kept here, and so nothing can be trusted for good."
        raise CommandError(message, code="no_trust")

    def knows_run(self, execution_id: ExecutionId) -> bool:
        return True

    def remember_run(self, execution_id: ExecutionId) -> None:
        pass
