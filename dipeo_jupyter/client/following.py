"""Who follows which run on one connection, and how far each has heard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import DipeoError
from ..protocol.events import Entry, ExecutionId


@dataclass(slots=True, eq=False)
class Follower:
    """Somebody who follows a run, and has heard of all up to number `heard`.

    Several may follow one run on one connection, from different places; entries are numbered
    without a gap, so each takes the one that comes next for it. None is the end of them.
    """

    heard: int
    queue: asyncio.Queue[Entry | DipeoError | None] = field(default_factory=asyncio.Queue)

    def hear(self, entry: Entry) -> None:
        if not entry.event.ephemeral:
            if entry.seq != self.heard + 1:
                return
            self.heard = entry.seq
        elif entry.seq > self.heard:
            return
        self.queue.put_nowait(entry)


class Followers:
    """All of them."""

    def __init__(self) -> None:
        self._of: dict[ExecutionId, set[Follower]] = {}

    def __contains__(self, execution_id: ExecutionId) -> bool:
        return execution_id in self._of

    def add(self, execution_id: ExecutionId, after: int) -> Follower:
        """Somebody who has heard of all up to number `after`."""
        follower = Follower(after)
        self._of.setdefault(execution_id, set()).add(follower)
        return follower

    def remove(self, execution_id: ExecutionId, follower: Follower) -> bool:
        """Whether nobody follows the run any more."""
        followers = self._of.get(execution_id, set())
        followers.discard(follower)
        return not followers and self._of.pop(execution_id, None) is not None

    def heard(self, execution_id: ExecutionId) -> int:
        """The number that all who follow the run have heard of."""
        return min(each.heard for each in self._of[execution_id])

    def runs(self) -> Iterator[tuple[ExecutionId, int]]:
        """The runs that are followed, each with this number."""
        return ((each, self.heard(each)) for each in self._of)

    def hear(self, entry: Entry) -> None:
        """Tell those who follow its run what has happened."""
        for each in self._of.get(entry.execution_id, ()):
            each.hear(entry)

    def hear_the_end(self, execution_id: ExecutionId, told: int) -> None:
        """Tell those who have heard of all up to number `told` that this was all."""
        for each in self._of.get(execution_id, ()):
            if each.heard >= told:
                each.queue.put_nowait(None)

    def hear_error(self, execution_id: ExecutionId, error: DipeoError) -> None:
        """Tell those who follow a run that they hear no more, and why."""
        for each in self._of.get(execution_id, ()):
            each.queue.put_nowait(error)

    def cut_off(self, error: DipeoError) -> None:
        """The same for all runs."""
        for each in self._of:
            self.hear_error(each, error)
