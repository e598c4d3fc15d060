"""Cassettes before a real provider on loopback: what is recorded, and what is replayed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, Tool
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol.events import ToolCall
from dipeo_jupyter.services import cassettes

from ..openai_server import OpenAIServer
from ..steering import REAL_MODELS
from .cassettes import KEY, Desk, wish

pytestmark = REAL_MODELS


@pytest.fixture
def desk(tmp_path, openai_server):
    return Desk(tmp_path / "tea.yaml", openai_server.url)


def refusal(desk, mode, *requests):
    with pytest.raises(ServiceError) as caught:
        desk.ask(mode, *requests)
    return caught.value


def test_what_was_recorded_is_replayed_piece_by_piece_without_the_server(tmp_path):
    pieces = ["It ", "is", " né", "w\n", "…"]
    with closing(OpenAIServer()) as server:
        desk = Desk(tmp_path / "tea.yaml", server.url)
        server.usage(prompt_tokens=4, completion_tokens=9, total_tokens=13)
        server.reply("", pieces=pieces)
        (asked,) = desk.heard("auto", wish())

    (replayed,) = Desk(desk.path, key=None).heard("replay", wish())

    assert replayed[1] == asked[1] == pieces
    assert replayed[0].text == asked[0].text == "It is néw\n…"
    assert replayed[0].usage == asked[0].usage
    assert (asked[0].replayed, replayed[0].replayed) == (False, True)


def test_auto_asks_only_for_what_is_not_recorded(desk, openai_server):
    desk.ask("auto", wish("one"))
    answers = desk.ask("auto", wish("one"), wish("two"))

    assert [each.replayed for each in answers] == [True, False]
    assert [each.body["messages"][-1]["content"] for each in openai_server.requests] == [
        "one",
        "two",
    ]


def test_record_asks_anew_and_replaces(desk, openai_server):
    for answer in ("old", "older", "new"):
        openai_server.reply(answer)
    desk.ask("auto", wish(), wish())
    desk.ask("record", wish())

    answers = desk.ask("replay", wish(), wish())
    assert [each.text for each in answers] == ["new", "new"]
    assert "old" not in desk.text


def test_off_neither_reads_nor_writes(desk):
    desk.write("no cassette")

    assert desk.ask("off", wish())[0].text == "hello"
    assert desk.text == "no cassette"


def test_answers_to_the_same_request_come_in_turn_and_the_last_one_repeats(desk, openai_server):
    for answer in ("one", "two"):
        openai_server.reply(answer)
    desk.ask("auto", wish(), wish())

    for _ in range(2):  # each run begins with the first
        texts = [each.text for each in desk.ask("replay", wish(), wish(), wish())]
        assert texts == ["one", "two", "two"]


def test_auto_asks_when_a_run_asks_more_often_than_was_recorded(desk, openai_server):
    for answer in ("one", "two"):
        openai_server.reply(answer)
    desk.ask("auto", wish())

    answers = desk.ask("auto", wish(), wish())
    assert [(each.text, each.replayed) for each in answers] == [("one", True), ("two", False)]


def test_refusals_are_not_recorded_and_the_next_try_takes_their_turn(desk, openai_server):
    openai_server.fail(429)
    openai_server.reply("one")
    openai_server.reply("two")
    llm_refused = refusal(desk, "auto", wish())
    desk.ask("auto", wish(), wish())

    assert llm_refused.retryable
    assert "429" not in desk.text
    assert [each.text for each in desk.ask("replay", wish(), wish())] == ["one", "two"]


def test_a_broken_stream_leaves_no_recording(desk, openai_server):
    openai_server.cut_stream()
    refusal(desk, "record", wish())

    assert not desk.path.exists()


@pytest.mark.parametrize(
    "other",
    [wish("hi"), wish(temperature=0.1), wish(model="gpt-4.1"), wish(system="Be brief.")],
    ids=["message", "parameter", "model", "system"],
)
def test_another_request_is_a_miss(desk, other):
    desk.ask("auto", wish())

    assert not refusal(desk, "replay", other).retryable


def test_a_miss_names_the_nearest_recording_and_what_differs(desk):
    desk.ask("auto", wish("What is the news today?"), wish("Argue for tea.", temperature=0.5))

    said = str(refusal(desk, "replay", wish("Argue for coffee.", temperature=0.5)))

    line = desk.text[: desk.text.index("temperature")].count("\n") - 3
    nearest = f"The nearest is recording 2 (line {line}):"
    assert said.splitlines() == [
        f"The cassette {str(desk.path)!r} has no answer to this request. {nearest}",
        "--- recorded",
        "+++ asked",
        "@@ -4,3 +4,3 @@",
        "   temperature: 0.5",
        " messages:",
        "-  - user: Argue for tea.",
        "+  - user: Argue for coffee.",
        "Record it with the mode `auto`.",
    ]


def test_a_miss_shows_the_place_that_differs_in_a_very_long_line(desk):
    prompt = f"{'so many words ' * 300}about tea {'and so on ' * 300}"
    desk.ask("auto", wish(prompt))

    said = str(refusal(desk, "replay", wish(prompt.replace("tea", "ink"))))
    assert [line[0] for line in said.splitlines() if re.search("about (tea|ink)", line)] == [
        "-",
        "+",
    ]
    assert len(said) < 2000


def test_a_miss_on_nothing_says_so(desk):
    assert "Nothing is recorded there." in str(refusal(desk, "replay", wish()))


def test_a_person_is_the_same_by_another_key_and_another_address(desk):
    desk.ask("auto", wish())

    elsewhere = Desk(desk.path, key="sk-another-0123456789")
    assert elsewhere.ask("replay", wish(api_key_id="LAB_OPENAI_KEY"))[0].text == "hello"
    assert "127.0.0.1" not in desk.text


def test_no_key_is_ever_in_the_file_however_it_got_into_the_words(desk, openai_server):
    openai_server.reply(f"your key is {KEY}", pieces=[f"your key is {KEY[:9]}", KEY[9:]])
    request = wish(f"mine is {KEY}", system=KEY)
    desk.ask("auto", request)

    assert KEY not in desk.text
    assert KEY[3:] not in desk.text
    assert "[key removed]" in desk.text
    assert desk.ask("replay", request)[0].text == "your key is [key removed]"


def test_replay_needs_no_key_for_its_check_and_its_identity(desk):
    person = Person(service="openai", model="gpt-4.1-nano")
    replaying, asking = (Desk(desk.path, key=None).llm(mode) for mode in ("replay", "auto"))

    assert list(replaying.check("Ada", person)) == []
    assert [each.code for each in asking.check("Ada", person)] == ["missing_key"]
    assert replaying.identity(person)["model"] == "gpt-4.1-nano"


def test_who_replays_still_finds_what_is_wrong_with_a_person(desk):
    person = Person(service="openai", model="gpt-4.1-nano", temprature=1)

    (problem,) = desk.llm("replay").check("Ada", person)
    assert problem.code == "unknown_person_field"


def test_what_a_cassette_answers_is_not_taken_for_the_model_outside_of_it(desk):
    person = Person(service="openai", model="gpt-4.1-nano")

    assert desk.llm("replay").identity(person) != desk.llm("off").identity(person)


def test_the_demo_is_recorded_like_everybody(desk):
    desk.ask("auto", wish(service="demo", model=None))

    assert desk.ask("replay", wish(service="demo", model=None))[0].replayed


def test_twenty_at_once_lose_nothing_and_keep_their_order(desk):
    requests = [wish(f"number {number}") for number in range(20)]
    desk.ask("auto", *requests, at_once=True)

    answers = desk.ask("replay", *requests)
    assert [each.text for each in answers] == [f"number {number}" for number in range(20)]
    order = [desk.text.index(f"user: number {number}\n") for number in range(20)]
    assert order == sorted(order)


def test_those_who_ask_the_same_at_once_get_their_own_answers_again(desk, openai_server):
    for number in range(20):
        openai_server.reply(f"answer {number}")
    asked = desk.ask("auto", *[wish()] * 20, at_once=True)
    replayed = desk.ask("replay", *[wish()] * 20, at_once=True)

    assert sorted(each.text for each in asked) == sorted(f"answer {n}" for n in range(20))
    assert [each.text for each in replayed] == [each.text for each in asked]


def test_several_programs_on_one_cassette_lose_nothing(desk):
    desks = [Desk(desk.path, desk.url) for _ in range(4)]
    requests = [[wish(f"{name} {number}") for number in range(5)] for name in "abcd"]
    threads = [
        threading.Thread(target=each.ask, args=("auto", *asked), kwargs={"at_once": True})
        for each, asked in zip(desks, requests, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    everything = [request for asked in requests for request in asked]
    assert len(desk.ask("replay", *everything)) == 20
    assert len(cassettes.Cassette(desk.path)) == 20


ALONE = """
import asyncio, sys
from pathlib import Path
from tests.services.cassettes import Desk, wish

def no_network(event, args):
    assert event not in ("socket.connect", "socket.getaddrinfo", "socket.bind"), event

sys.addaudithook(no_network)
(answer,) = Desk(Path(sys.argv[1]), key=None).ask("replay", wish())
heavy = {"litellm", "openai", "aiohttp", "httpx"} & set(sys.modules)
print(answer.text, sorted(heavy))
"""


def test_replay_imports_no_litellm_and_opens_no_socket(desk):
    desk.ask("auto", wish())
    environ = {name: os.environ[name] for name in os.environ if not name.endswith("_KEY")}

    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(desk.path)],
        capture_output=True,
        text=True,
        env=environ | {"PYTHONPATH": os.getcwd()},  # noqa: PTH109 - for a variable
        check=False,
    )

    assert (done.stdout, done.returncode) == ("hello []\n", 0), done.stderr


# Tools and images ---------------------------------------------------------------------------------

PNG = "iVBORw0KGgo="
RATE = Tool("rate", "What it costs.", {"type": "object", "properties": {"of": {"type": "string"}}})
USED = (
    ChatMessage("user", "How much?", images=(f"data:image/png;base64,{PNG}",)),
    ChatMessage("assistant", "", calls=(ToolCall(id="call_0", name="rate", arguments="{}"),)),
    ChatMessage("tool", "0.9", answers="call_0"),
)


def with_tools(*messages):
    return replace(wish("How much?"), tools=[RATE], **({"messages": messages} if messages else {}))


def test_calls_of_tools_and_images_are_recorded_and_replayed(desk, openai_server):
    openai_server.call(("rate", {"of": "tea"}), text="Let me see.")
    openai_server.draw(PNG, text="Look:")
    asked = desk.ask("auto", with_tools(), with_tools(*USED))
    replayed = desk.ask("replay", with_tools(), with_tools(*USED))

    assert ("rate", '{"of": "tea"}') == (asked[0].calls[0].name, asked[0].calls[0].arguments)
    assert (f"data:image/png;base64,{PNG}",) == asked[1].images
    assert [(x.text, x.calls, x.images) for x in asked] == [
        (x.text, x.calls, x.images) for x in replayed
    ]
    assert 2 == len(openai_server.requests)


@pytest.mark.parametrize(
    "other",
    [
        with_tools(replace(USED[0], images=()), *USED[1:]),
        with_tools(*USED[:2], replace(USED[2], content="1.1")),
        with_tools(USED[0], replace(USED[1], calls=()), USED[2]),
        replace(with_tools(*USED), tools=()),
        replace(with_tools(*USED), tools=[replace(RATE, description="other")]),
    ],
)
def test_other_tools_results_or_images_are_a_miss(desk, openai_server, other):
    desk.ask("auto", with_tools(*USED))
    with pytest.raises(ServiceError, match="no answer to this request"):
        desk.ask("replay", other)


def test_a_call_that_was_edited_to_nonsense_is_named(desk, openai_server):
    openai_server.call(("rate", {"of": "tea"}))
    desk.ask("auto", with_tools())
    desk.write(desk.text.replace("name: rate", "nome: rate"))
    with pytest.raises(ServiceError, match="A call has an `id`"):
        desk.ask("replay", with_tools())
