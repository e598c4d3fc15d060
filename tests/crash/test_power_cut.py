"""When the power is cut, nothing is lost that was said to be safe, and all that is left is whole.

Some four hundred cuts, at random moments of a journal at work. What is left each time is opened by
Python's SQLite.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.errors import JournalError
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import SqliteJournal
from dipeo_jupyter.services.journal.storage import Machine

from .power import Disk

LEAST_CUTS = 70
RUNS = ("exec_1", "exec_2", "exec_3")
ROUNDS = 40
EVERY = 50
"""One of so many changes to the files, of about 5,000 in each story, meets with a cut."""


@dataclass(frozen=True)
class Cut:
    """What is left of the files, and of how many entries it had been said that they are safe."""

    files: dict[str, bytes]
    safe: int


class Story:
    """A journal that several runs write to, and that is closed and opened anew in between."""

    def __init__(self, folder: Path, seed: int, *, full: bool = True) -> None:
        self.dice = random.Random(seed)
        self.told: list[e.Entry] = []
        self.cuts: list[Cut] = []
        self._safe = 0
        self._home = folder / "home"
        self._disk = Disk(f"power-{seed}-{full}", self._maybe_cut, full=full)
        self._seq = dict.fromkeys(RUNS, 0)

    async def happen(self) -> None:
        for part in range(2):
            journal = SqliteJournal(self._home, machine=Machine(connect=self._disk.connect))
            try:
                for _ in range(ROUNDS):
                    await self._round(journal, begun=part > 0)
            finally:
                journal.close()
            self._safe = len(self.told)

    async def _round(self, journal: SqliteJournal, *, begun: bool) -> None:
        for _ in range(self.dice.randint(1, 12)):
            self._tell(journal, self.dice.choice(RUNS), begun=begun)
        if self.dice.random() < 0.8:
            await journal.written()
            self._safe = len(self.told)

    def _tell(self, journal: SqliteJournal, run: str, *, begun: bool) -> None:
        first = not begun and not self._seq[run]
        for event in [e.ExecutionStarted(diagram=Diagram(name=run))] if first else self._events():
            self._seq[run] += 1
            entry = e.Entry(run, self._seq[run], 1000.0 + len(self.told), event)
            self.told.append(entry)
            journal.append(entry)

    def _events(self) -> list[e.AnyEvent]:
        number = len(self.told)
        started = e.NodeStarted("a", number, {"default": number})
        plain = e.NodeCompleted("a", number, {"default": number + 1})
        if self.dice.random() < 0.6:
            return [started, plain] * self.dice.randint(1, 5)
        answer = self.dice.randbytes(self.dice.randint(20, 14_000)).hex()
        effect = e.EffectCompleted(
            node="a", activation=number, effect="chat", key=f"k{number}", value={"text": answer}
        )
        return [started, effect, e.NodeCompleted("a", number, {"default": answer})]

    def _maybe_cut(self, disk: Disk) -> None:
        if self.dice.random() < 1 / EVERY:
            self.cuts.append(Cut(disk.image(self.dice), self._safe))


def left(cut: Cut, home: Path) -> list[e.Entry]:
    """All that can be read after a cut, in the order in which it was told."""
    home.mkdir()
    for name, content in cut.files.items():
        if not name.endswith("-shm"):
            (home / name).write_bytes(content)
    with closing(sqlite3.connect(home / "journal.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    journal = SqliteJournal(home)
    try:
        found = [entry for run in RUNS for entry in journal.read(run)]
        effects = [each for each in found if isinstance(each.event, e.EffectCompleted)]
        assert all(journal.effects(each.event.key) for each in effects[:5])
    finally:
        journal.close()
    return sorted(found, key=lambda entry: entry.time)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_that_was_safe(tmp_path, seed):
    story = Story(tmp_path, seed)
    asyncio.run(story.happen())

    assert len(story.cuts) > LEAST_CUTS
    for number, cut in enumerate(story.cuts):
        found = left(cut, tmp_path / str(number))
        assert found == story.told[: len(found)]
        assert len(found) >= cut.safe


def test_with_less_care_it_would_be_lost(tmp_path):
    """Else the test above could not fail."""
    story = Story(tmp_path, 0, full=False)
    asyncio.run(story.happen())

    lost = 0
    for number, cut in enumerate(story.cuts):
        try:
            lost += len(left(cut, tmp_path / str(number))) < cut.safe
        except (JournalError, sqlite3.Error):
            lost += 1
    assert lost
