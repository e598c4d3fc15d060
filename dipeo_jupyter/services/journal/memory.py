"""The journal for as long as the process lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ulid import ULID

from ...engine.ports import Letter, RecordedEffect, RunRecord
from ...errors import JournalError
from ...protocol.events import Entry, ExecutionId
from .pruning import to_forget
from .reading import key_in, recorded
from .summary import Summary


@dataclass(slots=True)
class _Run:
    summary: Summary
    owner: str | None
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class _Posted:
    letter: Letter
    taken: bool = False
    reply: Mapping[str, Any] | None = None


class MemoryJournal:
    """Fulfils the port `Journal`; nobody else can have runs of it, so its letters are its own."""

    has_neighbours: bool = False

    def __init__(self) -> None:
        self.owner = str(ULID())
        self._runs: dict[ExecutionId, _Run] = {}
        self._effects: dict[str, list[Entry]] = {}
        """What has been done, by key."""
        self._letters: dict[int, _Posted] = {}
        self._posted = 0

    def append(self, entry: Entry) -> None:
        run = self._runs.get(entry.execution_id)
        if run is None:
            summary = Summary(entry.execution_id, entry.time)
            run = self._runs[entry.execution_id] = _Run(summary, self.owner)
        run.entries.append(entry)
        if (key := key_in(entry)) is not None:
            self._effects.setdefault(key, []).append(entry)
        run.summary.follow(entry)

    def position(self) -> int:
        return 0

    def is_written(self, position: int | None = None) -> bool:
        return True

    def is_awaited(self) -> bool:
        return False

    async def written(self, position: int | None = None, *, urgent: bool = True) -> None:
        return

    def watch(self, on_trouble: Callable[[str | None], None]) -> None:
        return

    def read(
        self, execution_id: ExecutionId, after: int = 0, most: int | None = None
    ) -> Sequence[Entry]:
        # Entries are numbered without gaps from 1, so the number is the place.
        run = self._runs.get(execution_id)
        end = None if most is None else after + most
        return run.entries[after:end] if run else []

    def effects(self, key: str) -> Sequence[RecordedEffect]:
        found = sorted(self._effects.get(key, ()), key=_time, reverse=True)
        return [recorded(entry) for entry in found]

    def runs(self, prefix: str = "") -> Sequence[RunRecord]:
        return [
            run.summary.record(run.owner)
            for run in reversed(self._all())
            if run.summary.execution_id.startswith(prefix)
        ]

    def claim(self, execution_id: ExecutionId) -> bool:
        run = self._runs.get(execution_id)
        if run is None:
            return False
        run.owner = self.owner
        return True

    def release(self, execution_id: ExecutionId) -> None:
        if run := self._runs.get(execution_id):
            run.owner = None

    def post(self, execution_id: ExecutionId, command: Mapping[str, Any]) -> int:
        if execution_id not in self._runs:
            raise JournalError(f"There is no run {execution_id} in the journal.")
        self._posted += 1
        letter = Letter(self._posted, execution_id, dict(command))
        self._letters[letter.number] = _Posted(letter)
        return letter.number

    def letters(self) -> Sequence[Letter]:
        taken = [
            posted
            for posted in [*self._letters.values()]
            if not posted.taken and self._runs[posted.letter.execution_id].owner
        ]
        for posted in taken:
            posted.taken = True
        return [posted.letter for posted in taken]

    def reply(self, number: int, answer: Mapping[str, Any]) -> None:
        if posted := self._letters.get(number):
            posted.reply = dict(answer)

    def replied(self, number: int) -> Mapping[str, Any] | None:
        posted = self._letters.get(number)
        return posted.reply if posted else None

    def withdraw(self, number: int) -> bool:
        posted = self._letters.get(number)
        if posted is None or posted.taken:
            return False
        del self._letters[number]
        return True

    def prune(self, keep_last: int) -> Sequence[ExecutionId]:
        forgotten = to_forget([run.summary for run in self._all()], keep_last)
        for execution_id in forgotten:
            del self._runs[execution_id]
        gone = set(forgotten)
        for key, entries in [*self._effects.items()] if gone else ():
            self._effects[key] = [each for each in entries if each.execution_id not in gone]
            if not self._effects[key]:
                del self._effects[key]
        self._letters = {
            number: posted
            for number, posted in self._letters.items()
            if posted.letter.execution_id in self._runs
        }
        return forgotten

    def close(self) -> None:
        for run in self._all():
            run.owner = None

    def _all(self) -> list[_Run]:
        return [*self._runs.values()]


def _time(entry: Entry) -> tuple[float, int]:
    return entry.time, entry.seq
