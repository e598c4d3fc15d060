"""Where it is kept what happens in runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...diagram.model import Label
from ...protocol.events import Entry, ExecutionId, ExecutionStatus, Usage


@dataclass(frozen=True, slots=True)
class RecordedEffect:
    """The result of an effect of some run, kept under its `key`."""

    execution_id: ExecutionId
    node: Label
    activation: int
    effect: str
    value: Any


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the journal lists it. `owner` is the process that holds it, None for nobody.

    `usage` is what its nodes have taken by now, None if that is not known.
    """

    execution_id: ExecutionId
    name: str | None
    status: ExecutionStatus
    started: float
    events: int
    waiting_for: tuple[Label, ...] = ()
    owner: str | None = None
    origin: ExecutionId | None = None
    parent: ExecutionId | None = None
    thread: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A command for whoever holds a run, from another process. `command` is its JSON."""

    number: int
    execution_id: ExecutionId
    command: dict[str, Any]


PAGE = 500
"""So many entries are read at once for somebody who follows a run."""


class Journal(Protocol):
    """Remembers the entries of runs, in order; and who holds which run.

    `append` and `written` belong to the event loop, all else may block and is called in a thread.
    """

    has_neighbours: bool
    """Whether other processes can reach it, and leave letters."""

    def append(self, entry: Entry) -> None:
        """Take an entry, of an event that is not ephemeral; it is safe when `written` returns."""
        ...

    def position(self) -> int:
        """Where the journal ends: how much was appended so far; costs nothing to ask."""
        ...

    def is_written(self, position: int | None = None) -> bool:
        """Whether all up to a position (None: the end) is safe by now; costs nothing to ask."""
        ...

    def is_awaited(self) -> bool:
        """Whether anybody waits for `written`; costs nothing to ask."""
        ...

    async def written(self, position: int | None = None, *, urgent: bool = True) -> None:
        """Wait until all up to a position (None: the end, as it is now) is safe.

        Whoever only looks on is not `urgent`, and has a moment for more to gather.

        Raises `JournalError` when it cannot be written now; it is kept and tried again.
        """
        ...

    def watch(self, on_trouble: Callable[[str | None], None]) -> None:
        """Have trouble with writing reported, in any thread; None says that it is over."""
        ...

    def read(
        self, execution_id: ExecutionId, after: int = 0, most: int | None = None
    ) -> Sequence[Entry]:
        """The entries of a run whose number is greater than `after`; none for an unknown run.

        With `most`, only the first so many of them, or fewer when they are large; but at least
        one, if there is one.
        """
        ...

    def effects(self, key: str) -> Sequence[RecordedEffect]:
        """All recorded results of this key, the newest first."""
        ...

    def runs(self, prefix: str = "") -> Sequence[RunRecord]:
        """The runs whose ids begin so, the newest first; parts of other runs are among them."""
        ...

    def claim(self, execution_id: ExecutionId) -> bool:
        """Hold a run, unless another living process does; True when this one holds it now."""
        ...

    def release(self, execution_id: ExecutionId) -> None:
        """Hold a run no longer."""
        ...

    def post(self, execution_id: ExecutionId, command: Mapping[str, Any]) -> int:
        """Leave a command for the process that holds a run; return the number of the letter."""
        ...

    def letters(self) -> Sequence[Letter]:
        """The commands left for this process, the oldest first, each once."""
        ...

    def reply(self, number: int, answer: Mapping[str, Any]) -> None:
        """Say what came of a letter."""
        ...

    def replied(self, number: int) -> Mapping[str, Any] | None:
        """What came of a letter; None while nobody has said."""
        ...

    def withdraw(self, number: int) -> bool:
        """Take a letter back; False when it has been taken out already."""
        ...

    def prune(self, keep_last: int) -> Sequence[ExecutionId]:
        """Forget finished runs, the oldest first, but the last so many; return the forgotten."""
        ...

    def close(self) -> None:
        """Write what is left, and let go of every run."""
        ...
