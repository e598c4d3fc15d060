"""The file: where it lies, what it holds, how large it is, and files that are none."""

import asyncio
import logging
import random
import sqlite3
import stat
import sys
import threading

import pytest

from dipeo_jupyter.errors import JournalError
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import MemoryJournal, SqliteJournal, open_journal, schema
from dipeo_jupyter.services.journal.storage import Machine, far_file_system

from .facts import begun, run, spoken

DONE = e.ExecutionCompleted()
# As version 1 wrote it; never to be changed.
VERSION_1 = """
PRAGMA application_id = 1147752522;
PRAGMA user_version = 1;
CREATE TABLE runs(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT,
  status TEXT NOT NULL, started REAL NOT NULL, events INTEGER NOT NULL, questions TEXT NOT NULL,
  owner TEXT, origin TEXT, parent TEXT) STRICT;
CREATE TABLE entries(run INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL,
  time REAL NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(run, seq))
  STRICT, WITHOUT ROWID;
CREATE TABLE contents(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body ANY NOT NULL) STRICT;
CREATE TABLE uses(run INTEGER NOT NULL REFERENCES runs, content INTEGER NOT NULL,
  PRIMARY KEY(run, content)) STRICT, WITHOUT ROWID;
CREATE TABLE effects(key INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES runs,
  seq INTEGER NOT NULL, PRIMARY KEY(key, run, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE letters(number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs,
  command TEXT NOT NULL, taken INTEGER NOT NULL DEFAULT 0, reply TEXT) STRICT;
INSERT INTO runs VALUES(1, 'exec_1', 'old', 'running', 1.5, 3, '[["ask",1]]', NULL, NULL, NULL);
INSERT INTO contents VALUES(1, x'00', '"an old answer"');
INSERT INTO uses VALUES(1, 1);
INSERT INTO entries VALUES
  (1, 1, 1.5, 'node_started', '["ask",1,{}]'),
  (1, 2, 2.5, 'input_required', '{"node":"ask","activation":1,"question":{"prompt":"Well?"}}'),
  (1, 3, 3.5, 'node_completed',
   '["say",1,{"default":{"$":1}},2.0,"Ann",[[{"$":1},"Ann",null]],[0,0,0,"x"],[1,2,0,0]]');
"""


@pytest.fixture
def home(tmp_path):
    return tmp_path / ".dipeo"


def test_a_page_holds_a_few_large_entries_and_many_small_ones(open_):
    journal = open_()
    large = [e.NodeCompleted("a", n, {"default": f"{n}" * 900_000}) for n in range(1, 6)]
    entries = run(begun(), *large, *[spoken(activation=n) for n in range(1, 100)])
    keep(journal, *entries)
    assert len(journal.read("exec_1", 0, 50)) == 4
    assert len(journal.read("exec_1", 6, 50)) == 50


def test_who_waits_for_an_entry_does_not_wait_for_later_ones(open_):
    go_on = threading.Event()
    journal = open_(group=1, failpoint=lambda _, count: count < 2 or go_on.wait())
    first, second = run(begun(), DONE)
    journal.append(first)
    position = journal.position()
    journal.append(second)
    asyncio.run(asyncio.wait_for(journal.written(position, urgent=False), 10))
    assert (journal.is_written(position), journal.is_written()) == (True, False)
    go_on.set()


def keep(journal, *entries):
    for entry in entries:
        journal.append(entry)
    asyncio.run(journal.written())


def make(home, script):
    home.mkdir(exist_ok=True)
    connection = sqlite3.connect(home / "journal.db")
    connection.executescript(script)
    connection.close()


def refusal(home):
    """Why a home has no journal; its file must not have changed."""
    before = (home / "journal.db").read_bytes()
    journal, sentence = open_journal(home)
    assert isinstance(journal, MemoryJournal)
    assert (home / "journal.db").read_bytes() == before
    assert str(home / "journal.db") in sentence
    return sentence


def pragma(journal, name):
    return journal._writer.do(lambda db: db.execute(f"PRAGMA {name}").fetchone()[0])


def test_old_sqlite_is_explained(home, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 0))
    journal, sentence = open_journal(home)
    assert isinstance(journal, MemoryJournal)
    assert "needs 3.37" in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_folder_and_file_are_the_users_alone(home, open_):
    open_()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "journal.db")]
    assert modes == [0o700, 0o600]


def test_new_folder_is_ignored_by_git(home, open_):
    open_()
    assert (home / ".gitignore").read_text() == "*\n"


def test_folder_with_other_things_is_not_hidden_from_git(tmp_path):
    (tmp_path / "work.ipynb").touch()
    SqliteJournal(tmp_path).close()
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0)],
        *[("busy_timeout", 5000), ("wal_autocheckpoint", 1000), ("mmap_size", 0)],
        *[("journal_size_limit", 16777216), ("user_version", len(schema.STEPS))],
    ],
)
def test_writer_is_set_up_to_lose_nothing(open_, name, value):
    if name != "synchronous":
        assert pragma(open_(), name) == value
        return
    assert open_()._storage.writer.execute("PRAGMA synchronous").fetchone()[0] == value


def test_closing_leaves_one_whole_file(home, open_):
    journal = open_()
    keep(journal, *run(begun(), spoken()))
    journal.close()
    assert {path.name for path in home.iterdir()} <= {
        *(".gitignore", "journal.db", "journal.lock", "owners")
    }
    assert sqlite3.connect(home / "journal.db").execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )


def test_no_home_is_a_journal_in_memory():
    journal, sentence = open_journal(None)
    assert (type(journal), sentence) == (MemoryJournal, None)


def test_usable_home_is_a_journal_in_a_file(home):
    journal, sentence = open_journal(home)
    journal.close()
    assert (type(journal), sentence) == (SqliteJournal, None)


def test_home_that_is_a_file_is_explained(tmp_path):
    (tmp_path / "home").touch()
    journal, sentence = open_journal(tmp_path / "home")
    assert isinstance(journal, MemoryJournal)
    assert "cannot be used" in sentence
    assert "DIPEO_HOME" in sentence


def test_file_that_may_not_be_written_is_explained(home):
    def refuse(path, read_only):
        raise sqlite3.OperationalError("attempt to write a readonly database")

    with pytest.raises(JournalError, match="may not be written to"):
        SqliteJournal(home, machine=Machine(connect=refuse))


def test_random_bytes_are_kept_and_explained(home):
    home.mkdir()
    (home / "journal.db").write_bytes(b"\x17random" * 1000)
    assert "is damaged" in refusal(home)


def test_truncated_file_is_kept_and_explained(home, open_):
    journal = open_()
    keep(journal, *run(begun(), *[spoken(answer=f"{n}" * 900) for n in range(50)]))
    journal.close()
    file = home / "journal.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "is damaged" in refusal(home)


def test_newer_file_is_kept_and_explained(home, open_):
    open_().close()
    make(home, "PRAGMA user_version = 99;")
    assert "newer dipeo_jupyter (its format is 99" in refusal(home)


def test_database_of_another_program_is_kept_and_explained(home):
    make(home, "CREATE TABLE mine(x);")
    assert "is no journal of dipeo_jupyter" in refusal(home)


def test_empty_file_is_a_new_journal(home, open_):
    home.mkdir()
    (home / "journal.db").touch()
    keep(open_(), *run(begun()))


def test_file_of_version_1_is_read_and_goes_on(home, open_):
    make(home, VERSION_1)
    journal = open_()
    assert journal.claim("exec_1")
    keep(journal, e.Entry("exec_1", 4, 4.5, spoken(["x", "y"])))
    entries = journal.read("exec_1")
    assert entries[2].event.messages[0] == e.Message(
        id="say[1].0", sender="Ann", content="an old answer"
    )
    assert (entries[3].event.seen, journal.runs()[0].status) == (("x", "y"), "waiting")


def test_what_a_run_of_an_older_file_has_taken_is_not_known(home, open_):
    make(home, VERSION_1)
    journal = open_()
    assert journal.claim("exec_1")
    keep(journal, e.Entry("exec_1", 4, 4.5, spoken(usage=e.Usage(calls=1))))
    assert journal.runs()[0].usage is None


def test_older_file_takes_the_steps_it_has_not_seen(home):
    make(home, VERSION_1)
    connection = sqlite3.connect(home / "journal.db")
    schema.migrate(connection, [*schema.STEPS, ["ALTER TABLE runs ADD COLUMN note TEXT"]])
    found = connection.execute("SELECT id, note FROM runs").fetchall()
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    assert (found, version) == ([("exec_1", None)], len(schema.STEPS) + 1)


def test_file_of_version_1_has_the_tables_of_the_first_step(home):
    make(home, VERSION_1)
    made = sqlite3.connect(":memory:")
    schema.migrate(made, schema.STEPS[:1])
    tables = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    old = sqlite3.connect(home / "journal.db")
    found = [dict(words(row) for row in db.execute(tables)) for db in (old, made)]
    old.close()
    made.close()
    assert found[0] == found[1]


def words(row):
    return row[0], "".join(row[1].split())


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /mnt/far\\040away nfs4 rw 0 0
tmpfs /mnt/far\\040away/near tmpfs rw 0 0
//box/share /mnt/share cifs rw 0 0
odd
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/somewhere/x", None),
        ("/mnt/far away/x", "nfs4"),
        ("/mnt/far away/near/x", None),
        ("/mnt/far awayer/x", None),
        ("/mnt/share/x", "cifs"),
    ],
)
def test_file_systems_of_networks_are_known(tmp_path, path, expected):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert far_file_system(mounts.__class__(path), mounts) == expected


def test_file_on_a_network_is_written_the_slow_way(tmp_path, open_, caplog):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/home {tmp_path} nfs rw 0 0\n")
    with caplog.at_level(logging.WARNING):
        journal = open_(machine=Machine(mounts=mounts))
    keep(journal, *run(begun(), spoken()))
    assert (pragma(journal, "journal_mode"), len(journal.read("exec_1"))) == ("delete", 2)
    assert "lies on nfs" in caplog.text


def test_pruning_gives_room_back(home, open_):
    open_().close()
    empty = (home / "journal.db").stat().st_size
    journal = open_()
    keep(journal, *run(begun(), *[spoken(answer=f"{n}" * 900) for n in range(500)], DONE))
    journal.prune(0)
    journal.close()
    assert (home / "journal.db").stat().st_size == empty


def test_pruning_keeps_contents_that_others_use(open_):
    journal = open_()
    keep(journal, *run(begun(), spoken(), DONE))
    entries = run(begun(), spoken(), DONE, name="exec_2")
    keep(journal, *entries)
    journal.prune(1)
    assert journal.read("exec_2") == entries


def test_same_text_is_stored_once_for_all_runs(open_):
    journal = open_()
    for name in ("exec_1", "exec_2"):
        keep(journal, *run(spoken(), name=name))
    count = "SELECT count(*) FROM contents"
    assert journal._writer.do(lambda db: db.execute(count).fetchone()[0]) == 1


def test_long_conversation_takes_at_most_twice_its_content(home, open_):
    chance, ids, said, entries = random.Random(1), [], "Begin.", [begun()]
    for turn in range(1, 101):
        answer = f"{turn} says: " + " ".join(f"{chance.random():.6}" for _ in range(56))
        prompt = e.Message(id=f"argue[{turn}].0", recipient="Ann", content=f"Reply to: {said}")
        reply = e.Message(id=f"argue[{turn}].1", sender="Ann", content=answer)
        ids.append(prompt.id)
        call = {"node": "argue", "activation": turn, "effect": "chat", "key": f"{turn:064x}"}
        entries += [
            e.NodeStarted(node="argue", activation=turn, inputs={"default": said}),
            e.EffectStarted(**call),
            e.EffectCompleted(**call, value={"text": answer, "usage": {"input_tokens": turn}}),
            spoken(ids, turn, answer, usage=e.Usage(input_tokens=turn), duration_ms=turn / 7),
        ]
        entries[-1].messages = (prompt, reply)
        ids.append(reply.id)
        said = answer
    journal = open_()
    keep(journal, *run(*entries))
    journal.close()
    talk = [message.content for event in entries[4::4] for message in event.messages]
    assert (home / "journal.db").stat().st_size <= 2 * sum(len(text) for text in {*talk})
