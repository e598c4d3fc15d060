"""Several journals on one file: each counts as a process of its own."""

import asyncio
import subprocess
import sys
import threading

import pytest

from dipeo_jupyter.errors import JournalError
from dipeo_jupyter.protocol import events as e

from .facts import ANSWER, begun, run, spoken

LIMIT = 60
HOLDER = """
import asyncio, sys
from pathlib import Path
from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
journal.append(e.Entry("exec_1", 1, 1.0, e.ExecutionStarted(diagram=Diagram())))
asyncio.run(journal.written())
print("ready", flush=True)
sys.stdin.read()
"""


def keep(journal, *entries):
    for entry in entries:
        journal.append(entry)
    asyncio.run(asyncio.wait_for(journal.written(), LIMIT))


def test_run_of_a_living_holder_cannot_be_taken(open_):
    one, other = open_(), open_()
    keep(one, *run(begun()))
    assert (other.claim("exec_1"), one.claim("exec_1")) == (False, True)


def test_released_run_can_be_taken(open_):
    one, other = open_(), open_()
    keep(one, *run(begun()))
    one.release("exec_1")
    assert (other.claim("exec_1"), one.claim("exec_1")) == (True, False)


def test_only_the_holder_can_release(open_):
    one, other = open_(), open_()
    keep(one, *run(begun()))
    other.release("exec_1")
    assert other.runs()[0].owner == one.owner


def test_closing_lets_go_of_every_run(open_):
    one, other = open_(), open_()
    keep(one, *run(begun()))
    one.close()
    assert (other.runs()[0].owner, other.claim("exec_1")) == (None, True)


def test_run_of_a_killed_process_can_be_taken(open_, tmp_path):
    home = tmp_path / ".dipeo"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"ready\n"
        journal = open_()
        held = journal.claim("exec_1"), journal.runs()[0].status
        holder.kill()
    assert held == (False, "running")
    assert (journal.runs()[0].status, journal.claim("exec_1")) == ("paused", True)
    assert [path.stem for path in (home / "owners").iterdir()] == [journal.owner]


def test_holder_with_a_forged_name_is_dead(open_):
    journal = open_()
    keep(journal, *run(begun()))
    journal._writer.do(lambda db: db.execute("UPDATE runs SET owner = '../../journal'"))
    assert (journal.runs()[0].owner, journal.claim("exec_1")) == (None, True)


def test_letter_reaches_the_holder_and_the_reply_comes_back(open_):
    one, other = open_(), open_()
    keep(one, *run(begun()))
    number = other.post("exec_1", {"type": "pause", "why": ANSWER})
    assert [*other.letters()] == []
    (letter,) = one.letters()
    one.reply(letter.number, {"ok": True})
    assert (letter.number, other.replied(number)) == (number, {"ok": True})


def test_letter_is_found_after_many_empty_looks(open_):
    one, other = open_(), open_()
    keep(one, *run(begun()))
    looks = [len(one.letters()) for _ in range(5)]
    other.post("exec_1", {})
    assert [*looks, len(one.letters())] == [0, 0, 0, 0, 0, 1]


def test_looking_for_letters_asks_for_no_row_when_nothing_changed(open_):
    journal = open_()
    journal.letters()
    asked = []
    journal._letters.set_trace_callback(asked.append)
    journal.letters()
    assert asked == ["PRAGMA data_version"]


def test_withdrawn_number_is_not_given_again(open_):
    journal = open_()
    keep(journal, *run(begun()))
    number = journal.post("exec_1", {})
    journal.withdraw(number)
    assert journal.post("exec_1", {}) != number


def test_run_goes_on_in_another_process(open_):
    one, other = open_(), open_()
    entries = run(begun(), *[spoken("abcdefgh"[:n], n) for n in range(1, 8)])
    keep(one, *entries[:3])
    one.release("exec_1")
    other.claim("exec_1")
    keep(other, *entries[3:5])
    other.release("exec_1")
    one.claim("exec_1")
    keep(one, *entries[5:])
    assert one.read("exec_1") == other.read("exec_1") == entries
    assert [other.read("exec_1", after) for after in range(8)] == [
        entries[after:] for after in range(8)
    ]


def test_questions_are_remembered_across_processes(open_):
    one, other = open_(), open_()
    asked = e.InputRequired(node="ask", activation=1, question=e.Question(prompt="?"))
    keep(one, *run(begun(), asked))
    one.close()
    before = other.runs()[0].status
    keep(other, *run(e.InputReceived(node="ask", activation=1, value=1), first=3))
    assert (before, other.runs()[0].waiting_for) == ("waiting", ())


def test_two_writers_at_once_lose_nothing(open_):
    journals = [open_(), open_()]
    runs = [
        run(begun(), *[spoken(answer=f"{n % 7}" * 200) for n in range(400)], name=name)
        for name in ("exec_1", "exec_2")
    ]
    threads = [
        threading.Thread(target=keep, args=(journal, *entries))
        for journal, entries in zip(journals, runs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert [journals[0].read("exec_1"), journals[0].read("exec_2")] == runs


def test_content_pruned_by_another_process_is_stored_again(open_):
    one, other = open_(), open_()
    done = e.ExecutionCompleted()
    keep(one, *run(begun(), spoken(), done))
    assert [*other.prune(0)] == ["exec_1"]
    entries = run(begun(), spoken(), name="exec_2")
    keep(one, *entries)
    assert other.read("exec_2") == entries


def test_changed_row_is_refused_and_other_runs_are_not(open_):
    journal = open_()
    keep(journal, *run(begun()), *run(begun(), name="exec_2"))
    journal._writer.do(lambda db: db.execute("UPDATE entries SET body = '{}' WHERE run = 1"))
    with pytest.raises(JournalError, match="Entry 1 of exec_1 cannot be read"):
        journal.read("exec_1")
    assert len(journal.read("exec_2")) == 1


def test_base_that_points_to_itself_is_refused(open_):
    journal = open_()
    keep(journal, *run(begun(), spoken("ab")))
    row = '["a",1,{},0,null,[],[2,0,9],null]'
    journal._writer.do(lambda db: db.execute("UPDATE entries SET body = ? WHERE seq = 2", (row,)))
    with pytest.raises(JournalError, match="cannot be read"):
        journal.read("exec_1", 1)
