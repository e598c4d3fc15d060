"""What cannot be written is kept, said, and written later."""

import asyncio
import random
import sqlite3
import threading
from dataclasses import replace

import pytest

from dipeo_jupyter.errors import JournalError
from dipeo_jupyter.services.journal.storage import Machine, connect

from .facts import begun, run, spoken

QUICK = Machine(busy=0.01, silent=0.0, again=0.01)
LIMIT = 10


class Reports:
    """What a journal said of its trouble, to be waited for."""

    def __init__(self, journal):
        self.said = []
        self._changed = threading.Condition()
        journal.watch(self._say)

    def _say(self, trouble):
        with self._changed:
            self.said.append(trouble)
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.said) >= count, LIMIT), self.said
        return self.said[count - 1]


class Disk:
    """Opens connections, and can make their disk full."""

    def __init__(self):
        self.connection = None
        self.machine = replace(QUICK, connect=self.connect)

    def connect(self, path, read_only):
        connection = connect(path, read_only)
        if not read_only:
            self.connection = connection
        return connection

    def fill(self):
        self.connection.execute("PRAGMA max_page_count = 1")

    def clear(self):
        self.connection.execute("PRAGMA max_page_count = 1000000")


def long(count, first=2):
    chance = random.Random(first)
    answers = [chance.randbytes(3000).hex() for _ in range(count)]
    return run(*[spoken(activation=n, answer=text) for n, text in enumerate(answers)], first=first)


def written(journal):
    asyncio.run(asyncio.wait_for(journal.written(), LIMIT))


def append(journal, entries):
    for entry in entries:
        journal.append(entry)


@pytest.fixture
def disk():
    return Disk()


def test_full_disk_is_said_and_everything_written_later(open_, disk):
    journal = open_(machine=disk.machine)
    reports, entries = Reports(journal), [*run(begun()), *long(20)]
    disk.fill()
    append(journal, entries)
    assert "the disk is full. Make room; nothing is lost" in reports.wait_for(1)
    disk.clear()
    assert reports.wait_for(2) is None
    written(journal)
    assert open_().read("exec_1") == entries


def test_who_waits_is_told_of_the_trouble(open_, disk):
    journal = open_(machine=disk.machine)
    disk.fill()
    append(journal, long(20, first=1))
    with pytest.raises(JournalError, match=r"journal\.db cannot be written: the disk is full"):
        written(journal)


def test_entries_can_be_read_while_there_is_trouble(open_, disk):
    journal = open_(machine=disk.machine)
    reports, entries = Reports(journal), long(20, first=1)
    disk.fill()
    append(journal, entries)
    reports.wait_for(1)
    assert (journal.read("exec_1"), journal.is_written()) == (entries, False)


def test_trouble_is_said_once(open_, disk):
    journal = open_(machine=disk.machine)
    reports, entries = Reports(journal), long(20, first=1)
    disk.fill()
    for start in (0, 7, 14):
        append(journal, entries[start : start + 7])
        with pytest.raises(JournalError):
            written(journal)
    assert len(reports.said) == 1


def test_short_trouble_is_not_worth_a_word(open_, tmp_path):
    journal = open_(machine=replace(QUICK, silent=LIMIT * 2))
    reports = Reports(journal)
    attempts = []
    other = locked(tmp_path)
    journal._ledger.forget = lambda: attempts.append(1) or other.rollback()
    append(journal, run(begun()))
    written(journal)
    assert (bool(attempts), reports.said) == (True, [])


def locked(tmp_path):
    other = sqlite3.connect(
        tmp_path / ".dipeo" / "journal.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    return other


def test_file_locked_by_another_program_is_said(open_, tmp_path):
    journal = open_(machine=QUICK)
    reports, other = Reports(journal), locked(tmp_path)
    append(journal, run(begun()))
    assert "another program keeps it locked" in reports.wait_for(1)
    other.rollback()
    written(journal)
    other.close()
    assert reports.wait_for(2) is None


def test_read_only_file_is_said(open_, disk):
    journal = open_(machine=disk.machine)
    reports = Reports(journal)
    disk.connection.execute("PRAGMA query_only = ON")
    append(journal, run(begun()))
    assert "may not be written to. Give write permission" in reports.wait_for(1)
    disk.connection.execute("PRAGMA query_only = OFF")
    written(journal)


def test_change_that_cannot_be_made_is_refused_at_once(open_, disk):
    journal = open_(machine=disk.machine)
    append(journal, run(begun()))
    written(journal)
    disk.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalError, match="permission"):
        journal.post("exec_1", {})


def test_closing_in_trouble_ends(open_, disk):
    journal = open_(machine=replace(disk.machine, again=1000.0))
    reports = Reports(journal)
    disk.fill()
    append(journal, long(20, first=1))
    reports.wait_for(1)
    journal.close()
    assert not journal.is_written()


def test_closing_writes_what_is_left(open_):
    journal, entries = open_(), [*run(begun()), *long(30)]
    append(journal, entries)
    journal.close()
    assert open_().read("exec_1") == entries


def test_closed_journal_says_so(open_):
    journal = open_()
    journal.close()
    append(journal, run(begun()))
    with pytest.raises(JournalError, match="closed"):
        written(journal)


def test_trouble_is_told_to_who_comes_later(open_, disk):
    journal = open_(machine=disk.machine)
    disk.fill()
    append(journal, long(20, first=1))
    Reports(journal).wait_for(1)
    assert "full" in Reports(journal).wait_for(1)


def test_listener_that_fails_stops_nothing(open_, disk):
    journal = open_(machine=disk.machine)
    journal.watch(lambda _: 1 / 0)
    reports = Reports(journal)
    disk.fill()
    append(journal, long(20, first=1))
    reports.wait_for(1)
    disk.clear()
    written(journal)


def test_waiters_of_several_loops_are_woken(open_):
    journal = open_()
    append(journal, run(begun()))

    async def wait_twice():
        await asyncio.wait_for(asyncio.gather(journal.written(), journal.written()), LIMIT)

    threads = [threading.Thread(target=asyncio.run, args=(wait_twice(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert not any(thread.is_alive() for thread in threads)


def test_groups_can_be_limited_to_one_entry(open_):
    points = []
    journal = open_(group=1, failpoint=lambda name, count: points.append((name, count)))
    append(journal, run(begun(), spoken()))
    written(journal)
    assert points == [
        *[("before_commit", 1), ("after_commit", 1)],
        *[("before_commit", 2), ("after_commit", 2)],
    ]


def test_failpoint_that_fails_before_the_commit_leaves_nothing_half(open_):
    failures = [OSError("pulled out")]

    def fail(name, count):
        if failures and name == "before_commit":
            raise failures.pop()

    journal, entries = open_(failpoint=fail), run(begun(), spoken("ab"), spoken("abc", 2))
    append(journal, entries)
    written(journal)
    assert open_().read("exec_1") == entries
