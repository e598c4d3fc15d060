"""Who may ask a provider when, and over which connections."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.services.llm.turns import Turns
from dipeo_jupyter.settings import ModelLimits

from ..clock import FakeClock
from ..model_server import echo
from ..openai_server import OpenAIServer
from .test_llm_wires import KEY, VARIABLES, WIRES, wish

ONE = ModelLimits(at_once={"openai": 1})


def llm_at(url, limits, clock=None, services=("openai",)):
    keys = Keys(dict.fromkeys((*VARIABLES, "GROQ_API_KEY"), KEY))
    return LiteLLM(keys, dict.fromkeys(services, url), limits, clock or SystemClock())


async def all_of(llm, *wishes):
    try:
        return await asyncio.gather(*(llm.chat(each, len) for each in wishes))
    finally:
        await llm.aclose()


# Connections ------------------------------------------------------------------------------------


FEW = 5
"""Connections more than needed: an answer that is read to its last word, and not to the end of its
body when that comes a moment later, costs its connection."""


@pytest.mark.parametrize("service", WIRES)
def test_calls_one_after_the_other_share_a_connection(service):
    async def run(llm):
        for _ in range(50):
            await llm.chat(wish(service), len)
        await llm.aclose()

    with closing(WIRES[service]()) as server:
        asyncio.run(run(llm_at(server.url, ModelLimits(), services=[service])))
        assert len(server.requests) == 50
        assert server.connections <= 1 + FEW


@pytest.mark.parametrize("service", WIRES)
def test_a_hundred_calls_ten_at_once_share_ten_connections(service):
    with closing(WIRES[service]()) as server:
        llm = llm_at(server.url, ModelLimits(at_once={service: 10}), services=[service])
        asyncio.run(all_of(llm, *[wish(service)] * 100))
        assert len(server.requests) == 100
        assert server.connections <= 10 + FEW


def test_each_provider_has_connections_of_its_own(openai_server):
    async def run():
        llm = llm_at(openai_server.url, ModelLimits(), services=["openai", "groq"])
        for service in ("openai", "groq", "openai", "groq"):
            await llm.chat(wish(service), len)
        await llm.aclose()

    asyncio.run(run())
    assert openai_server.connections == 2


# So many at once --------------------------------------------------------------------------------


def test_no_more_calls_than_allowed_are_under_way(openai_server):
    under_way, peak = set(), []
    three = asyncio.Barrier(3)  # each waits for two others, so fewer would wait for ever

    async def think(exchange):
        under_way.add(exchange.writer)
        peak.append(len(under_way))
        await three.wait()
        under_way.discard(exchange.writer)
        await echo(exchange)

    openai_server._then(think, times=None)
    llm = llm_at(openai_server.url, ModelLimits(at_once={"openai": 3}))
    asyncio.run(all_of(llm, *[wish("openai")] * 21))
    assert (len(peak), max(peak)) == (21, 3)


def test_who_gives_up_waiting_is_not_asked_for(openai_server):
    async def run():
        llm = llm_at(openai_server.url, ONE)
        texts = ("first", "gives up", "last")
        calls = [asyncio.create_task(llm.chat(wish("openai", text), len)) for text in texts]
        await arrived(openai_server, 1)
        calls[1].cancel()
        calls[0].cancel()
        assert (await calls[2]).text == "last"
        await over(llm, calls)

    openai_server.hang()
    asyncio.run(run())
    said = [each.body["messages"][0]["content"] for each in openai_server.requests]
    assert said == ["first", "last"]


def test_waiting_for_a_turn_is_not_the_time_of_the_call(openai_server):
    async def run():
        llm = llm_at(openai_server.url, ONE)
        calls = [llm.chat(wish("openai", timeout=0.4), len) for _ in range(3)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        await llm.aclose()
        return done

    openai_server.hang(times=2)
    first, second, third = asyncio.run(run())
    assert [type(each) for each in (first, second)] == [ServiceError] * 2
    assert third.text == "hello"


def test_a_provider_that_hangs_holds_up_no_other(openai_server):
    async def run(other):
        llm = llm_at(openai_server.url, ModelLimits(usually_at_once=1))
        llm._api_bases["groq"] = other.url
        hanging = asyncio.create_task(llm.chat(wish("openai"), len))
        await arrived(openai_server, 1)
        assert (await llm.chat(wish("groq"), len)).text == "hello"
        hanging.cancel()
        await over(llm, [hanging])

    openai_server.hang()
    with closing(OpenAIServer()) as other:
        asyncio.run(run(other))


# So many a minute -------------------------------------------------------------------------------


def test_no_minute_has_more_calls_than_allowed(openai_server):
    clock = FakeClock()
    llm = llm_at(openai_server.url, ModelLimits(per_minute={"openai": 2}), clock)
    asyncio.run(all_of(llm, *[wish("openai")] * 5))
    assert clock.pauses == [60, 60]


def test_calls_of_more_than_a_minute_ago_do_not_count():
    async def run():
        for _ in range(5):
            async with turns.turn("openai"):
                clock.now += 31

    clock = FakeClock()
    turns = Turns(ModelLimits(per_minute={"openai": 2}), clock)
    asyncio.run(run())
    assert clock.pauses == []


@pytest.mark.parametrize("limits", [ONE, ModelLimits(per_minute={"openai": 3})])
def test_who_comes_first_is_served_first(limits):
    async def call(number):
        async with turns.turn("openai"):
            served.append(number)
            await asyncio.sleep(0)
            if number < 20:  # who has been served comes again, behind all others
                calls.append(asyncio.create_task(call(number + 20)))

    async def run():
        calls.extend(asyncio.create_task(call(number)) for number in range(20))
        while pending := [each for each in calls if not each.done()]:
            await asyncio.gather(*pending)

    turns, served, calls = Turns(limits, FakeClock()), [], []
    asyncio.run(run())
    assert served == [*range(40)]


def test_a_minute_goes_on_though_connections_were_closed(openai_server):
    clock = FakeClock()
    llm = llm_at(openai_server.url, ModelLimits(per_minute={"openai": 1}), clock)
    for _ in range(3):
        asyncio.run(all_of(llm, wish("openai"), wish("openai")))
    assert clock.pauses == [60] * 5


def test_who_waits_for_the_next_minute_can_be_cancelled():
    async def run():
        turns = Turns(ModelLimits(per_minute={"openai": 1}), SystemClock())
        async with turns.turn("openai"):
            waiting = asyncio.ensure_future(turns.turn("openai").__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(run())


@pytest.mark.parametrize("named", ["claude", "anthropic"])
@pytest.mark.parametrize("asked", ["claude", "anthropic"])
def test_a_provider_goes_by_all_its_names(named, asked):
    clock = FakeClock()
    with closing(WIRES["claude"]()) as server:
        limits = ModelLimits(per_minute={named: 1})
        llm = llm_at(server.url, limits, clock, services=["claude"])
        asyncio.run(all_of(llm, wish(asked), wish(asked)))
    assert clock.pauses == [60]


async def arrived(server, count):
    assert await asyncio.to_thread(server.wait, lambda: len(server.requests) >= count)
    assert len(server.requests) == count


async def over(llm, calls):
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await llm.aclose()
