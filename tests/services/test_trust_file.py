"""What people have trusted for good is kept where no diagram can reach it."""

from __future__ import annotations

import json
import os
import threading

import pytest

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.services import trust
from dipeo_jupyter.services.trust import Trusted

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config" / "trusted.json"


def test_what_is_remembered_is_known_to_everyone_at_once(file):
    mine, other = Trusted(file), Trusted(file)
    assert not other.knows(ONE)

    mine.remember({ONE: "Node 'scan' runs."})

    assert mine.knows(ONE)
    assert other.knows(ONE)
    assert [(each.digest, each.says) for each in other.list()] == [(ONE, "Node 'scan' runs.")]


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
def test_only_its_owner_can_read_and_write_it(file):
    Trusted(file).remember({ONE: "it"})

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
def test_a_file_that_others_could_have_written_is_not_believed(file):
    Trusted(file).remember({ONE: "it"})
    file.chmod(0o666)

    assert not Trusted(file).knows(ONE)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"trusted": 7}', '{"trusted": [7, {"digest": "x"}]}', "\0" * 100]
)
def test_what_is_no_such_file_trusts_nothing(file, text):
    file.parent.mkdir()
    file.write_text(text)
    file.chmod(0o600)

    assert not Trusted(file).knows(ONE)
    Trusted(file).remember({TWO: "it"})
    assert Trusted(file).knows(TWO)


def test_what_is_forgotten_counts_no_more_at_once(file):
    known = Trusted(file)
    known.remember({ONE: "one", TWO: "two"})
    assert known.knows(ONE)

    assert Trusted(file).forget("111") == 1

    assert not known.knows(ONE)
    assert known.knows(TWO)
    assert known.forget() == 1


def test_what_is_not_clear_is_not_forgotten(file):
    Trusted(file).remember({"1" + "a" * 63: "one", "1" + "b" * 63: "other"})

    with pytest.raises(CommandError, match="2 powers begin"):
        Trusted(file).forget("1")
    with pytest.raises(CommandError, match="No trusted power begins"):
        Trusted(file).forget("3")


def test_the_oldest_give_way(file, monkeypatch):
    monkeypatch.setattr(trust, "MOST", 3)
    known = Trusted(file)
    for number in range(5):
        known.remember({f"{number}" * 64: "it"})

    assert [each.digest[0] for each in known.list()] == ["2", "3", "4"]


def test_two_at_a_time_lose_nothing(file):
    def trust_some(first):
        for number in range(first, first + 10):
            Trusted(file).remember({f"{number:064x}": "it"})

    threads = [threading.Thread(target=trust_some, args=(first,)) for first in (0, 100)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(json.loads(file.read_text())["trusted"]) == 20


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "config").write_text("no folder")

    with pytest.raises(CommandError, match="cannot be written"):
        Trusted(tmp_path / "config" / "trusted.json").remember({ONE: "it"})
