"""The file of a cassette: how it reads, what people may change in it, and what is wrong with it."""

from __future__ import annotations

import threading

import pytest
import yaml
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.engine.chat import ChatAnswer
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol.events import Usage
from dipeo_jupyter.services.cassettes import Cassette
from dipeo_jupyter.services.cassettes.text import (
    Recording,
    answer_entry,
    answer_in,
    read_recordings,
    written,
)

from ..steering import REAL_MODELS
from .cassettes import Desk, wish

pytestmark = REAL_MODELS

BY_HAND = """\
version: 1
recordings:
  - request:
      person: {provider: openai, model: gpt-4.1-nano}
      messages: [{user: hello}]
    answers:
      - Written by hand.
"""


@pytest.fixture
def desk(tmp_path, openai_server):
    return Desk(tmp_path / "tea.yaml", openai_server.url)


def refusal(desk, mode="auto"):
    with pytest.raises(ServiceError) as caught:
        desk.ask(mode, wish())
    return caught.value


def test_the_file_reads_like_a_document(desk, openai_server):
    openai_server.usage(prompt_tokens=4, completion_tokens=9, total_tokens=13)
    openai_server.reply("The kettle hums.\nIt waits.", pieces=["The kettle ", "hums.\nIt waits."])
    desk.ask("auto", wish("Write a haiku.\nAbout tea.", system="Be brief.", temperature=0.2))

    assert (
        desk.text
        == """\
# What models answered: dipeo replays it. It may be edited, but comments are not kept.
version: 1
recordings:
  - request:
      person:
        provider: openai
        model: gpt-4.1-nano
        temperature: 0.2
      messages:
        - system: Be brief.
        - user: |-
            Write a haiku.
            About tea.
    answers:
      - text: |-
          The kettle hums.
          It waits.
        pieces: "11 15"
        usage: {input_tokens: 4, output_tokens: 9}
"""
    )


def test_an_answer_written_by_hand_is_replayed_in_one_piece(desk):
    desk.write(BY_HAND)

    ((answer, pieces),) = desk.heard("replay", wish())
    assert pieces == [answer.text] == ["Written by hand."]
    assert answer.usage == Usage()


def test_a_text_that_was_edited_comes_in_pieces_as_far_as_they_fit(desk, openai_server):
    openai_server.reply("", pieces=["one ", "two"])
    desk.ask("auto", wish())
    desk.write(desk.text.replace("one two", "seven eight nine"))

    ((answer, pieces),) = desk.heard("replay", wish())
    assert pieces == ["seve", "n e", "ight nine"]
    assert answer.text == "seven eight nine"


def test_a_change_counts_at_once_in_a_program_that_runs(desk):
    desk.write(BY_HAND)
    cassette = Cassette(desk.path)
    assert len(cassette) == 1

    desk.write(BY_HAND + "      - Another one.\n")
    assert len(cassette) == 2


def test_what_people_wrote_beside_is_kept_when_more_is_recorded(desk):
    desk.write(BY_HAND + "    note: from the workshop\n")
    desk.ask("auto", wish("another"))

    assert "note: from the workshop" in desk.text
    assert desk.ask("replay", wish())[0].text == "Written by hand."


def test_the_same_request_written_twice_has_the_answers_of_both(desk):
    desk.write(BY_HAND + BY_HAND.partition("recordings:\n")[2].replace("by hand", "again"))

    texts = [each.text for each in desk.ask("replay", wish(), wish())]
    assert texts == ["Written by hand.", "Written again."]

    desk.ask("record", wish())
    assert len(yaml.safe_load(desk.text)["recordings"]) == 1


def test_folders_are_made_and_an_empty_file_is_a_cassette(desk, tmp_path):
    deeper = Desk(tmp_path / "a" / "b" / "tea.yaml", desk.url)
    deeper.ask("auto", wish())
    desk.write("")
    desk.ask("auto", wish())

    assert deeper.text == desk.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BY_HAND + "  wrong", "line 8: "),
        (BY_HAND.replace("    answers", "<<<<<<< HEAD\n    answers"), "line 6: "),
        (BY_HAND.replace("version: 1", "version: 2"), "line 1: This is version 2 of cassettes"),
        ("nodes: []\n", "This is no cassette"),
        ("version: 1\nrecordings: 7\n", "line 2: `recordings` must be a list"),
        (BY_HAND.replace("answers:", "answer:"), "line 3: A recording has a `request`"),
        (BY_HAND.replace("{user: hello}", "{user: 7}"), "line 5: A message is its role"),
        (BY_HAND.replace("Written by hand.", "{text: 12}"), "line 7: An answer has a `text`"),
        (
            BY_HAND.replace("Written by hand.", "{text: a, usage: {input_tokens: many}}"),
            "line 7: `usage` is a map of whole numbers",
        ),
        (BY_HAND.replace("hello", '"\\ud800"'), "line 5: "),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "record", "replay"])
def test_a_broken_file_is_explained_by_line_and_never_overwritten(
    desk, openai_server, text, said, mode
):
    desk.write(text)
    error = refusal(desk, mode)

    assert f"The cassette {str(desk.path)!r} cannot be read: {said}" in str(error)
    assert not error.retryable
    assert desk.text == text
    assert openai_server.requests == [], "nobody pays for an answer that cannot be recorded"


def test_a_folder_or_bytes_in_its_place_are_no_cassette(desk, tmp_path):
    desk.path.mkdir()
    assert "it is no file" in str(refusal(desk))

    other = Desk(tmp_path / "bytes.yaml")
    other.path.write_bytes(b"version: \xff")
    assert "it is no UTF-8 text" in str(refusal(other))


def test_what_cannot_be_written_is_an_error_that_nobody_tries_again(desk, tmp_path):
    (tmp_path / "file").write_text("")
    error = refusal(Desk(tmp_path / "file" / "tea.yaml", desk.url))

    assert "tea.yaml" in str(error)
    assert not error.retryable


def test_whoever_records_waits_for_others_who_do(desk):
    lock = FileLock(desk.path.with_name(".tea.yaml.lock"))
    recording = threading.Thread(target=desk.ask, args=("auto", wish()))
    with lock:
        recording.start()
        assert not desk.path.exists()
    recording.join()

    assert desk.ask("replay", wish())[0].text == "hello"


def test_replay_leaves_nothing_beside_the_file(desk):
    desk.write(BY_HAND)
    desk.ask("replay", wish())

    assert [each.name for each in desk.path.parent.iterdir()] == ["tea.yaml"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["12", "null", "a: b", "- x", "# no", " a\n\n b \n", "\r\n", "'\"", "\u2028", "é\U0001f375"]
)


@given(st.lists(TEXT, max_size=5), TEXT, TEXT)
def test_whatever_was_said_reads_back_exactly(pieces, system, asked):
    text = "".join(pieces)
    messages = [{"system": system}, {"user": asked}]
    person = {"provider": "openai", "stop": [asked], "temperature": 0.5}
    answer = answer_entry(ChatAnswer(text, Usage(input_tokens=3)), pieces)
    recorded = Recording({"request": {"person": person, "messages": messages}, "answers": [answer]})

    (found,) = read_recordings(written([recorded]))

    assert found.key == recorded.key
    again, replayed = answer_in(found.answers[0])
    assert (again.text, again.usage) == (text, Usage(input_tokens=3))
    expected = [piece for piece in pieces if piece]
    assert replayed == expected if len(pieces) > 1 else "".join(replayed) == text
