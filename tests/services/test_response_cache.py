"""The response cache before a real provider on loopback, in a file and in Redis."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dipeo_jupyter.app import build_response_store, build_services
from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatAnswer, ChatMessage
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.ports import OnePlace
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.services.providers import PARAMETERS
from dipeo_jupyter.services.responses import (
    ResponseCache,
    ResponseFile,
    SharedResponses,
    Store,
)
from dipeo_jupyter.settings import ResponseLimits, Settings

from ..clock import FakeClock
from ..openai_server import OpenAIServer
from ..running import run
from ..steering import REAL_MODELS
from .cassettes import KEY, NOWHERE, wish
from .redis_server import NEEDS_REDIS, RedisServer

pytestmark = REAL_MODELS

DAY = 24 * 3600


@dataclass
class Desk:
    """Ask through a cache; each call of `llm` is another program with the same store."""

    home: Path
    url: str
    megabytes: float = 10
    clock: FakeClock = field(default_factory=FakeClock)
    store: Store | None = None
    environ: dict[str, str] = field(default_factory=lambda: {"OPENAI_API_KEY": KEY})

    @property
    def file(self):
        return self.home / "responses.db"

    def llm(self, patience=20.0):
        file = ResponseFile(self.home, seconds=DAY, megabytes=self.megabytes, clock=self.clock)
        real = LiteLLM(Keys(self.environ), {"openai": self.url})
        return ResponseCache(
            real, self.store or file, self.environ, clock=self.clock, patience=patience
        )

    def ask(self, *requests, llm=None) -> list[ChatAnswer]:
        return [answer for answer, _ in self.heard(*requests, llm=llm)]

    def heard(self, *requests, llm=None) -> list[tuple[ChatAnswer, list[str]]]:
        """The answers, and the pieces in which each came; all of them are asked at once."""
        llm = llm or self.llm()

        async def one(request):
            pieces: list[str] = []
            return await llm.chat(request, pieces.append), pieces

        async def main():
            return await asyncio.gather(*map(one, requests))

        return asyncio.run(main())


@pytest.fixture
def desk(tmp_path, openai_server):
    return Desk(tmp_path / "home", openai_server.url)


@pytest.fixture
def redis_server():
    with closing(RedisServer()) as server:
        yield server


def count(server: OpenAIServer) -> int:
    return len(server.requests)


# What is known, and what is not


def test_the_same_is_asked_once_and_then_known_in_one_piece(desk, openai_server):
    openai_server.usage(prompt_tokens=4, completion_tokens=9, total_tokens=13)
    openai_server.reply("", pieces=["It ", "is", " né", "w\n"])
    (asked,), (known,) = desk.heard(wish()), desk.heard(wish())

    assert count(openai_server) == 1
    assert (known[0].text, known[0].usage) == (asked[0].text, asked[0].usage)
    assert (known[1], known[0].text) == (["It is néw\n"], "It is néw\n")
    assert (asked[0].replayed, known[0].replayed) == (False, True)


def test_whoever_wants_no_cache_neither_reads_nor_writes(desk, openai_server):
    request = replace(wish(), cache=False)
    answers = [*desk.ask(request), *desk.ask(request), *desk.ask(wish()), *desk.ask(request)]

    assert not any(each.replayed for each in answers)
    assert count(openai_server) == 4


BASE = {"service": "openai", "model": "gpt-4.1-nano"}
CHANGES = [
    {**BASE, "service": "groq"},
    {**BASE, "model": "gpt-4.1"},
    *({**BASE, name: value} for name in sorted(PARAMETERS) for value in (1, "1", 2)),
]


def test_whatever_of_a_person_reaches_the_provider_changes_the_key(desk):
    llm = desk.llm()
    persons = [Person(**each) for each in (BASE, *CHANGES)]
    keys = {llm.key(replace(wish(), person=person)) for person in persons}

    assert len(keys) == len(persons)


def test_whatever_is_said_changes_the_key(desk):
    llm = desk.llm()
    chats = [
        [],
        [("user", "a")],
        [("user", "b")],
        [("system", "a")],
        [("assistant", "a")],
        [("user", "a"), ("user", "b")],
        [("user", "b"), ("user", "a")],
        [("user", "ab")],
        [("user", "a "), ("user", "")],
    ]
    said = ([ChatMessage(*each) for each in chat] for chat in chats)
    assert len({llm.key(replace(wish(), messages=each)) for each in said}) == len(chats)


@pytest.mark.parametrize(
    "other",
    [
        {"url": "http://127.0.0.1:9/v2"},
        {"environ": {"OPENAI_API_BASE": "http://there/v1"}},
        {"environ": {"OPENAI_BASE_URL": "http://there/v1"}},
    ],
)
def test_where_a_provider_is_reached_changes_the_key(desk, other):
    assert desk.llm().key(wish()) != replace(desk, **other).llm().key(wish())


@pytest.mark.parametrize(
    "same",
    [
        replace(wish(), timeout=7.0),
        wish(api_key_id="OTHER_KEY"),
        wish(service="gpt"),
        wish(service=None, model="openai/gpt-4.1-nano"),
        wish(seed=None),
    ],
)
def test_what_does_not_reach_the_provider_changes_no_key(desk, same):
    other = replace(desk, environ={"OPENAI_API_KEY": "sk-other-0123456789"})
    assert other.llm().key(same) == desk.llm().key(wish())


def test_errors_and_broken_answers_are_not_kept(desk, openai_server):
    openai_server.fail(500)
    openai_server.cut_stream()
    for _ in range(2):
        with pytest.raises(ServiceError):
            desk.ask(wish())

    assert [desk.ask(wish())[0].replayed for _ in range(2)] == [False, True]


# At the same moment


def test_of_those_who_ask_the_same_at_once_one_asks(desk, openai_server):
    heard = desk.heard(*[wish("say it")] * 5, wish("another"))

    assert count(openai_server) == 2
    assert [answer.text for answer, _ in heard] == ["say it"] * 5 + ["another"]
    assert sum(answer.replayed for answer, _ in heard) == 4
    assert all(pieces == ["say it"] for answer, pieces in heard if answer.replayed)


def test_those_who_wait_get_the_error_of_the_one_who_asks(desk, openai_server):
    openai_server.fail(429, retry_after=7)
    llm = desk.llm()

    async def main():
        calls = [llm.chat(wish(), len) for _ in range(3)]
        return await asyncio.gather(*calls, return_exceptions=True)

    errors = asyncio.run(main())
    assert [(each.retryable, each.retry_after) for each in errors] == [(True, 7.0)] * 3
    assert (count(openai_server), len(set(map(id, errors)))) == (1, 3)


def test_when_the_one_who_asks_is_cut_short_another_one_asks(desk, openai_server):
    openai_server.hang()
    llm = desk.llm()

    async def main():
        first = asyncio.create_task(llm.chat(wish(), len))
        await asyncio.to_thread(openai_server.wait, lambda: count(openai_server) == 1)
        others = [asyncio.create_task(llm.chat(wish(), len)) for _ in range(2)]
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.gather(*others)

    answers = asyncio.run(main())
    assert [each.text for each in answers] == ["hello", "hello"]
    assert count(openai_server) == 2


def test_who_waits_may_give_up_without_harm_to_the_others(desk, openai_server):
    openai_server.latency = 0.2
    llm = desk.llm()

    async def main():
        calls = [asyncio.create_task(llm.chat(wish(), len)) for _ in range(3)]
        await asyncio.to_thread(openai_server.wait, lambda: count(openai_server) == 1)
        calls[1].cancel()
        return await asyncio.gather(calls[0], calls[2])

    assert [each.text for each in asyncio.run(main())] == ["hello", "hello"]
    assert count(openai_server) == 1


# Time and room


def test_an_answer_is_forgotten_when_its_time_is_over(desk, openai_server):
    replayed = []
    for seconds in (0, DAY - 1, 2, DAY - 1):
        desk.clock.now += seconds
        replayed.append(desk.ask(wish())[0].replayed)

    assert replayed == [False, True, False, True]
    assert count(openai_server) == 2


def test_those_that_nobody_asks_for_go_when_there_is_no_room(tmp_path):
    clock = FakeClock()
    file = ResponseFile(tmp_path, seconds=DAY, megabytes=1, clock=clock)
    for number in range(60):
        clock.now += 61  # when somebody asked is known to the minute
        file.put(str(number), "x" * 30_000)
        assert file.get("0") is not None

    kept = [number for number in range(60) if file.get(str(number))]
    assert kept == [0, *range(kept[1], 60)]
    assert 25 <= len(kept) <= 33
    assert (tmp_path / "responses.db").stat().st_size <= 1e6


def test_what_is_larger_than_all_the_room_is_not_kept(tmp_path):
    file = ResponseFile(tmp_path, seconds=DAY, megabytes=1)
    file.put("small", "text")
    file.put("large", "x" * 2_000_000)

    assert file.get("large") is None
    assert (tmp_path / "responses.db").stat().st_size <= 1e6


def test_a_file_that_was_allowed_more_becomes_smaller(tmp_path):
    large = ResponseFile(tmp_path, seconds=DAY, megabytes=50)
    for number in range(60):
        large.put(str(number), "x" * 50_000)
    small = ResponseFile(tmp_path, seconds=DAY, megabytes=1)
    small.put("new", "text")

    assert small.get("new") == "text"
    assert (tmp_path / "responses.db").stat().st_size <= 1e6


# The file


def test_the_file_is_for_its_user_alone_and_says_neither_prompt_nor_key(desk):
    desk.ask(wish("a confidential prompt", system="who you are"))
    desk.store = ResponseFile(desk.home, seconds=DAY, megabytes=1)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in desk.home.iterdir()}
    assert modes == {"responses.db": 0o600, "responses.lock": 0o600}
    assert stat.S_IMODE(desk.home.stat().st_mode) == 0o700
    with closing(sqlite3.connect(desk.file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert b"who you are" not in desk.file.read_bytes()
    assert KEY.encode() not in desk.file.read_bytes()


def spoil(data: bytes, kind: str) -> bytes:
    match kind:
        case "garbage":
            return b"no database at all" * 1000
        case "half":
            return data[: len(data) // 2]
        case "middle":
            return data[:4096] + b"\xff" * (len(data) - 4096)
        case _:
            return data[:16] + b"\xff" * 84 + data[100:]


@pytest.mark.parametrize("kind", ["garbage", "half", "middle", "head"])
def test_a_damaged_file_is_begun_anew_with_a_warning(desk, openai_server, caplog, kind):
    desk.ask(*(wish(f"{number}" * 3000) for number in range(5)))
    desk.file.write_bytes(spoil(desk.file.read_bytes(), kind))

    answers = [desk.ask(wish("0" * 3000))[0] for _ in range(2)]
    assert [(each.text, each.replayed) for each in answers] == [
        ("0" * 3000, False),
        ("0" * 3000, True),
    ]
    assert [each.message.partition(" is ")[2] for each in caplog.records] == [
        "damaged; it is begun anew."
    ]


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"text": 1}', '{"text": "", "usage": 3}'])
def test_what_is_no_answer_is_replaced(desk, openai_server, text):
    llm = desk.llm()
    ResponseFile(desk.home, seconds=DAY, megabytes=1, clock=desk.clock).put(llm.key(wish()), text)

    assert [desk.ask(wish())[0].replayed for _ in range(2)] == [False, True]


def test_a_file_that_cannot_be_used_is_done_without_after_one_warning(desk, openai_server, caplog):
    desk.file.mkdir(parents=True)
    llm = desk.llm()
    for _ in range(3):
        desk.clock.now += 60
        assert desk.ask(wish(), llm=llm)[0].text == "hello"

    assert count(openai_server) == 3
    (warning,) = caplog.messages
    assert warning.startswith(f"The response cache {desk.file} cannot be used: ")


def test_a_file_that_another_program_holds_is_done_without(desk, openai_server, caplog):
    desk.ask(wish())
    with closing(sqlite3.connect(desk.file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert desk.ask(wish())[0].text == "hello"

    assert "database is locked" in caplog.text
    assert desk.ask(wish())[0].replayed


FULL = """
import resource, sys
from pathlib import Path
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.responses import ResponseFile

file = ResponseFile(Path(sys.argv[1]), seconds=60, megabytes=50)
file.put("before", "text")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    file.put("after", "x" * 1_000_000)
except ServiceError as error:
    print(error)
print(file.get("before"), file.get("after"))
"""


def test_a_full_disk_is_an_error_that_leaves_the_file_whole(tmp_path):
    told, again = program(FULL, tmp_path).splitlines()

    assert told.startswith(f"The response cache {tmp_path / 'responses.db'} cannot be used: ")
    assert again == "text None"


# Several processes


def program(code: str, *arguments: object) -> str:
    """What another Python says."""
    return started(code, *arguments)()


def started(code: str, *arguments: object):
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},  # noqa: PTH109 - for a variable
    )

    def ended() -> str:
        said, wrong = process.communicate(timeout=50)
        assert process.returncode == 0, wrong
        return said

    return ended


ANOTHER = """
import asyncio, sys
from dipeo_jupyter.app import build_services
from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatMessage, ChatRequest
from dipeo_jupyter.settings import Settings

llm = build_services(Settings.from_environment()).llm
request = ChatRequest(
    Person(service="openai", model="gpt-4.1-nano"), [ChatMessage("user", "hello")], 20.0
)
answer = asyncio.run(llm.chat(request, print))
print(answer.replayed, "litellm" in sys.modules)
"""


def test_another_process_knows_the_answer_without_key_or_litellm(
    tmp_path, openai_server, monkeypatch
):
    environ = {
        "DIPEO_HOME": str(tmp_path),
        "DIPEO_RESPONSE_CACHE": "on",
        "DIPEO_OPENAI_API_BASE": openai_server.url,
    }
    llm = build_services(Settings.from_environment(environ | {"OPENAI_API_KEY": KEY})).llm
    asyncio.run(llm.chat(wish(), len))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert program(ANOTHER) == "hello\nTrue False\n"
    assert count(openai_server) == 1


BUSY = """
import sys
from pathlib import Path
from dipeo_jupyter.services.responses import ResponseFile

file = ResponseFile(Path(sys.argv[1]), seconds=600, megabytes=50)
for number in range(50):
    file.put(f"{sys.argv[2]} {number}", sys.argv[2] * 1000)
    file.get(f"{sys.argv[3]} {number}")
"""


def test_two_processes_write_at_once_and_lose_nothing(tmp_path):
    both = [started(BUSY, tmp_path, *names) for names in (("a", "b"), ("b", "a"))]
    for ended in both:
        ended()

    file = ResponseFile(tmp_path, seconds=600, megabytes=50)
    for name in ("a", "b"):
        assert {file.get(f"{name} {number}") for number in range(50)} == {name * 1000}


# Redis


def shared(desk, url, seconds=DAY):
    return replace(desk, store=SharedResponses(url, seconds=seconds))


@NEEDS_REDIS
def test_servers_share_what_is_in_redis_for_its_time(desk, openai_server, redis_server, tmp_path):
    one = shared(desk, redis_server.url, 1000)
    another = replace(shared(desk, redis_server.url), home=tmp_path / "elsewhere")
    one.ask(wish())

    assert another.ask(wish())[0].replayed
    assert count(openai_server) == 1
    redis = one.store._redis
    (key,) = redis.keys()
    assert (key.decode(), redis.ttl(key) in range(990, 1001)) == (
        f"dipeo:response:{one.llm().key(wish())}",
        True,
    )
    assert not desk.file.exists()


@NEEDS_REDIS
def test_garbage_in_redis_is_replaced(desk, openai_server, redis_server):
    desk = shared(desk, redis_server.url)
    desk.store._redis.set(f"dipeo:response:{desk.llm().key(wish())}", b"\xff\x00")

    assert [desk.ask(wish())[0].replayed for _ in range(2)] == [False, True]


@NEEDS_REDIS
def test_a_redis_that_goes_is_done_without_after_one_warning(desk, openai_server, caplog):
    with closing(RedisServer()) as server:
        desk = shared(desk, server.url)
        llm = desk.llm()
        desk.ask(wish(), llm=llm)
    for _ in range(3):
        desk.clock.now += 60
        assert desk.ask(wish(), llm=llm)[0].text == "hello"

    assert count(openai_server) == 4
    (warning,) = caplog.messages
    assert warning.startswith("The response cache in Redis cannot be used: ")


@NEEDS_REDIS
def test_a_redis_that_fails_is_left_alone_and_then_tried_again(desk, openai_server, redis_server):
    desk = shared(desk, redis_server.url)
    llm = desk.llm()
    desk.store._redis.config_set("maxmemory", 1)  # from now on it takes nothing in
    desk.ask(wish(), llm=llm)
    desk.store._redis.config_set("maxmemory", 0)
    known = []
    for seconds in (0, 29, 2, 0):
        desk.clock.now += seconds
        known.append(desk.ask(wish(), llm=llm)[0].replayed)

    assert known == [False, False, False, True]


def test_a_silent_redis_holds_up_nobody(desk, openai_server, caplog):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        desk = shared(desk, f"redis://127.0.0.1:{silent.getsockname()[1]}")
        llm = desk.llm(patience=0.2)
        answers = desk.ask(*(wish(str(number)) for number in range(10)), llm=llm)

    assert [each.text for each in answers] == [str(number) for number in range(10)]
    assert caplog.messages == [
        "The response cache is silent for 0.2 s. Models are asked without it meanwhile."
    ]


@pytest.mark.parametrize(
    "url",
    ["http://:canary@there", "redis://:can/ary@there", "redis://:canary@127.0.0.1:99999", "no url"],
)
def test_a_wrong_address_of_redis_is_one_warning_without_its_password(
    desk, openai_server, caplog, url
):
    desk = shared(desk, url)
    assert desk.ask(wish())[0].text == "hello"

    (warning,) = caplog.messages
    assert "DIPEO_REDIS_URL is no address of a Redis" in warning
    assert "can" not in warning.replace("cannot", "")
    assert "canary" not in repr(Settings(root=Path(), redis_url=url))


# As it is put together


def test_it_is_off_unless_it_is_switched_on():
    for environ in ({}, {"DIPEO_REDIS_URL": "redis://there"}, {"DIPEO_RESPONSE_CACHE": "off"}):
        assert not Settings.from_environment(environ).response_cache
    for word in ("on", "sqlite", "SQLite"):
        assert Settings.from_environment({"DIPEO_RESPONSE_CACHE": word}).response_cache


def test_its_limits_are_whole_numbers():
    environ = {"DIPEO_RESPONSE_CACHE": "on", "DIPEO_RESPONSE_CACHE_TTL": "60"}
    settings = Settings.from_environment(environ | {"DIPEO_RESPONSE_CACHE_SIZE": "3"})

    assert settings.responses == ResponseLimits(seconds=60, megabytes=3)
    for name, value in (("_TTL", "1h"), ("_SIZE", "0"), ("", "maybe")):
        with pytest.raises(ValueError, match=f"DIPEO_RESPONSE_CACHE{name} is"):
            Settings.from_environment(environ | {f"DIPEO_RESPONSE_CACHE{name}": value})


def test_there_is_none_beside_a_cassette_or_without_a_home(tmp_path):
    on = Settings(root=tmp_path, home=tmp_path, response_cache=True)
    nowhere = (
        replace(on, response_cache=False),
        replace(on, home=None),
        replace(on, cassette=tmp_path / "tea.yaml"),
    )
    for settings in nowhere:
        assert build_response_store(settings) is None
    somewhere = (
        on,
        replace(on, home=None, redis_url="redis://there"),
        replace(on, cassette=tmp_path / "tea.yaml", cassette_mode="off"),
    )
    for settings in somewhere:
        assert build_response_store(settings) is not None


TALK = """
    version: light
    persons:
      Critic: {service: openai, model: gpt-4.1-nano, system_prompt: You judge.}
    nodes:
      - {label: start, type: start}
      - {label: ask, type: person_job, person: Critic, prompt: Judge it.}
    connections:
      - {from: start, to: ask}
"""
BATCH = TALK.replace(
    "type: person_job, person: Critic, prompt: Judge it.",
    'type: person_batch_job, person: Critic, items: "[1, 1]", prompt: "Judge {{item}}"',
)
MEMORY = """
    version: light
    persons:
      Critic: {service: openai, model: gpt-4.1-nano}
    nodes:
      - {label: start, type: start}
      - {label: ask, type: person_job, person: Critic, prompt: Judge it.}
      - label: again
        type: person_job
        person: Critic
        prompt: And now?
        memory: what was said about it
        memory_selector: model
    connections:
      - {from: start, to: ask}
      - {from: ask, to: again}
"""


@dataclass
class Programs:
    """Runs of programs that know nothing of each other's journals."""

    home: Path
    server: OpenAIServer

    def run(self, text, **options):
        settings = Settings(
            root=self.home,
            home=self.home,
            environ={"OPENAI_API_KEY": KEY},
            api_bases={"openai": self.server.url},
            response_cache=True,
        )

        def engine():
            services = build_services(settings)
            return Engine(load_node_types(), OnePlace(services), MemoryJournal(), SystemClock())

        return run(text, engine=engine, **options)

    def asked(self, text, **options) -> int:
        """How often the model is asked in a run."""
        before = count(self.server)
        self.run(text, **options).outputs  # noqa: B018 - it ended well
        return count(self.server) - before


@pytest.fixture
def programs(tmp_path, openai_server):
    return Programs(tmp_path, openai_server)


def test_an_answer_of_another_run_costs_nothing(programs, openai_server):
    openai_server.usage(prompt_tokens=1000, completion_tokens=1000, total_tokens=2000)
    paid, free = (programs.run(TALK).of(e.EffectCompleted)[0] for _ in range(2))

    assert free.value == paid.value
    assert (paid.usage.calls, free.usage.calls) == (1, 1)
    assert paid.usage.nano_usd > 0 == free.usage.nano_usd
    assert free.usage.cost == "$0.00"


def test_other_words_of_a_person_are_another_question(programs):
    other = TALK.replace("You judge.", "You praise.")
    assert [programs.asked(each) for each in (TALK, other, TALK, other)] == [1, 1, 0, 0]


@pytest.mark.parametrize(("text", "calls"), [(TALK, 1), (BATCH, 2)])
def test_a_node_may_do_without_it(programs, text, calls):
    alone = text.replace("person: Critic,", "person: Critic, cache: false,")

    assert [programs.asked(each) for each in (text, text)] == [1, 0]
    assert [programs.asked(each) for each in (alone, alone)] == [calls, calls]


def test_what_a_model_remembers_is_asked_again_since_it_may_be_no_list(programs, openai_server):
    for answer in ("Good.", "[0]", "Better."):
        openai_server.reply(answer)
    assert programs.asked(MEMORY) == 3

    openai_server.reply("[0]")
    assert programs.asked(MEMORY) == 1


def test_a_fresh_run_does_without_it(programs):
    assert programs.asked(TALK) == 1
    assert [programs.asked(TALK, fresh=True), programs.asked(TALK)] == [1, 0]


def test_nobody_is_reached_when_all_is_known(programs):
    programs.run(TALK)
    programs.server.url, there = NOWHERE, programs.server.url
    with pytest.raises(AssertionError):  # another address is another question
        programs.asked(TALK)
    programs.server.url = there
    assert programs.asked(TALK) == 0
