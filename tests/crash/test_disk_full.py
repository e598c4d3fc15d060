"""No room for some commits: the run pauses and says why, and loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import SqliteJournal
from dipeo_jupyter.services.journal.storage import Machine, connect

from .child import Life, engine_of
from .facts import kept, world
from .scenarios import SCENARIOS

pytestmark = pytest.mark.crash


class Disk:
    """Where a journal lies; from its n-th write on there is no room, until somebody makes some."""

    def __init__(self, full_at: int) -> None:
        self._full_at = full_at
        self._connections: list[sqlite3.Connection] = []
        self.full = False

    def connect(self, path: Path, read_only: bool) -> sqlite3.Connection:
        connection = connect(path, read_only)
        if not read_only:
            self._connections.append(connection)
        return connection

    def failpoint(self, where: str, count: int) -> None:
        if where == "before_commit" and count >= self._full_at:
            self.full = True
            (writer,) = self._connections
            # It cannot have fewer pages than there are: so SQLite itself refuses the next one.
            writer.execute("PRAGMA max_page_count = 1")
            writer.execute("CREATE TABLE one_page_more(x)")

    def make_room(self) -> None:
        self._full_at, self.full = sys.maxsize, False
        (writer,) = self._connections
        writer.execute("PRAGMA max_page_count = 1000000")


async def sees_to_it(engine, run, disk):
    """Follow a run; when it pauses, try to go on, make room, and go on. What the pauses said."""
    said = []
    async for entry in engine.events(run):
        if isinstance(entry.event, e.ExecutionPaused) and disk.full:
            said.append(entry.event)
            with pytest.raises(CommandError, match="the disk is full"):
                await engine.send(c.ResumeExecution(execution_id=run))
            disk.make_room()
            # The attempt above has counted, and is safe as well by now.
            await engine.send(c.PauseExecution(execution_id=run))
            await engine.send(c.ResumeExecution(execution_id=run))
    return said


async def gives_up(engine, run, disk):
    """Follow a run until there is no room for it."""
    async for _ in engine.events(run):
        if disk.full:
            return


def play(scenario, folder, provider, disk, follow):
    """One run with its models at the provider, on this disk."""
    life = Life(scenario, str(folder), f"{provider.root}/{folder.name}/v1")
    diagram = SCENARIOS[scenario].diagram(folder / "side.log")
    machine = Machine(connect=disk.connect, silent=0.0, again=0.01)

    async def main():
        journal = SqliteJournal(folder / "home", group=1, failpoint=disk.failpoint, machine=machine)
        engine = engine_of(life, journal)
        try:
            ack = await engine.send(c.ExecuteDiagram(diagram=diagram))
            return await follow(engine, ack.execution_id, disk)
        finally:
            await engine.close()

    return asyncio.run(main())


@pytest.mark.parametrize("full_at", [3, 5, 8])
@pytest.mark.parametrize("scenario", ["chain", "diamond", "jobs", "db_append_in_loop"])
def test_a_full_disk_pauses_the_run_and_loses_nothing(tmp_path, provider, lab, scenario, full_at):
    folder = tmp_path / f"{scenario}{full_at}"
    (folder / "root").mkdir(parents=True)
    (pause,) = play(scenario, folder, provider, Disk(full_at), sees_to_it)
    assert pause.reason == "journal"
    assert "the disk is full. Make room; nothing is lost" in pause.message
    journal, wanted = kept(folder), lab.undisturbed(scenario)
    assert world(journal, folder) == wanted.world
    assert provider.asked(folder.name) == wanted.asked
    assert not journal.faults


@pytest.mark.parametrize("full_at", [3, 6, 10, 15, 17])
@pytest.mark.parametrize("scenario", ["chain", "diamond", "jobs", "db_append_in_loop"])
def test_a_process_that_ends_while_the_disk_is_full_is_gone_on_with(
    provider, lab, scenario, full_at
):
    with lab.trial(scenario) as trial:
        play(scenario, trial.folder, provider, Disk(full_at), gives_up)
        lab.note(trial)
        assert [] == lab.finish(trial)
