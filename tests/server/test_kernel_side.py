"""A kernel does each effect once, whoever asks for it how often."""

from __future__ import annotations

import asyncio

import pytest

from dipeo_jupyter.app import build_services
from dipeo_jupyter.client.kernel_side import KernelSide
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol import kernel as k
from dipeo_jupyter.services.tools import Functions
from dipeo_jupyter.settings import Settings


class Kernel:
    """A kernel, and what it has told."""

    def __init__(self, root):
        self.names = {"calls": []}
        self.functions = Functions()
        services = build_services(Settings(root=root), self.functions, lambda: self.names)
        self.side = KernelSide(services, self.functions.offered)
        self.told = asyncio.Queue()
        self.largest = 10**6

    async def tell(self, said):
        if len(said.model_dump_json()) > self.largest:
            raise CommandError("It is too large.", code="too_large")
        self.told.put_nowait(said)

    def ask(self, number, code, key="effect"):
        job = {"type": "job", "code": code, "timeout": 30}
        self.side.take({"number": number, "key": key, "work": job}, self.tell)

    async def reply(self):
        while isinstance(said := await self.told.get(), k.KernelOutput):
            pass
        return said.number, said.outcome


@pytest.fixture
def kernel(tmp_path):
    def run(main):
        async def inside():
            return await main(Kernel(tmp_path))

        return asyncio.run(inside())

    return run


def test_a_request_that_is_said_twice_is_done_once(kernel):
    async def main(own):
        for _ in range(2):
            own.ask("1", "calls.append(1)\nreturn len(calls)")
        _, outcome = await own.reply()
        return outcome.value, own.told.empty(), own.names["calls"]

    assert kernel(main) == (1, True, [1])


def test_an_effect_that_was_done_is_not_done_again_for_a_later_request(kernel):
    async def main(own):
        replies = []
        for number in ("1", "2"):
            own.ask(number, "calls.append(1)\nreturn len(calls)")
            replies.append(await own.reply())
        return [(number, outcome.value) for number, outcome in replies], own.names["calls"]

    assert kernel(main) == ([("1", 1), ("2", 1)], [1])


@pytest.mark.parametrize(
    ("first", "second"),
    [("calls.append(1)\nraise ValueError", "calls.append(1)\nraise ValueError"), ("1", "2")],
    ids=["it failed", "it is another one"],
)
def test_what_has_failed_or_changed_is_done(kernel, first, second):
    async def main(own):
        for number, code in enumerate((first, second)):
            own.ask(str(number), f"calls.append(0)\n{code}")
            await own.reply()
        return own.names["calls"].count(0)

    assert kernel(main) == 2


def test_what_is_not_waited_for_any_more_is_stopped(kernel):
    async def main(own):
        begun, stopped = asyncio.Event(), asyncio.Event()
        tell = asyncio.get_running_loop().call_soon_threadsafe
        own.names |= {"begin": lambda: tell(begun.set), "stop": lambda: tell(stopped.set)}
        own.ask("1", "try:\n    begin()\n    while True: pass\nfinally:\n    stop()")
        await begun.wait()
        own.side.wanted(["2"])
        await asyncio.wait_for(stopped.wait(), 10)
        return own.told.empty()

    assert kernel(main)


def test_a_result_that_is_too_large_fails_with_the_reason(kernel):
    async def main(own):
        own.largest = 1000
        own.ask("1", "return 'x' * 2000")
        return (await own.reply())[1].message

    assert kernel(main) == "What it gives is too large: It is too large."


def test_a_function_that_is_gone_is_said_to_be(kernel):
    async def main(own):
        call = {"type": "call", "function": "price"}
        own.side.take({"number": "1", "key": "1", "work": call}, own.tell)
        return (await own.reply())[1]

    outcome = kernel(main)

    assert outcome.why == "service"
    assert "There is no function 'price'" in outcome.message


@pytest.mark.parametrize("work", [{"type": "dance"}, {"type": "job"}, None])
def test_what_a_newer_server_asks_for_is_refused(kernel, work):
    async def main(own):
        own.side.take({"number": "1", "key": "x", "work": work}, own.tell)
        return await own.reply()

    number, outcome = kernel(main)
    assert ("1", "service") == (number, outcome.why)
    assert "does not know what this is" in outcome.message
