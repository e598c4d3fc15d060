"""The loop beside the cell: what runs on it, and what ties it to the cell."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import closing

import pytest

from dipeo_jupyter.notebook.background import BackgroundLoop


@pytest.fixture
def loop():
    with closing(BackgroundLoop()) as loop:
        yield loop


async def answer(value):
    await asyncio.sleep(0)
    return value


async def fail():
    raise ValueError("no tea")


async def for_ever(begun, ended):
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


def test_work_goes_on_while_the_caller_is_busy(loop):
    done = threading.Event()

    async def work():
        done.set()

    future = loop.submit(work())

    assert done.wait(20)
    assert future.result(20) is None


def test_waiting_gives_the_result_or_the_error(loop):
    assert loop.run(answer(42)) == 42
    with pytest.raises(ValueError, match="no tea"):
        loop.run(fail())


def test_work_belongs_to_the_context_of_its_caller(loop):
    cell = contextvars.ContextVar("cell", default=None)

    async def which():
        return await asyncio.create_task(asyncio.to_thread(cell.get))

    cell.set("In [3]")
    assert loop.run(which()) == "In [3]"
    assert contextvars.Context().run(loop.run, which()) is None


def test_cancelling_the_future_cancels_the_work(loop):
    begun, ended = threading.Event(), threading.Event()
    future = loop.submit(for_ever(begun, ended))

    assert begun.wait(20)
    future.cancel()

    assert ended.wait(20)


def test_the_loop_refuses_to_wait_for_itself(loop):
    async def work():
        loop.run(answer(1))

    with pytest.raises(RuntimeError, match="cannot wait for itself"):
        loop.run(work())


def test_closing_cancels_what_is_under_way_and_ends_the_thread():
    threads = threading.active_count()
    loop = BackgroundLoop()
    begun, ended = threading.Event(), threading.Event()
    loop.submit(for_ever(begun, ended))
    assert begun.wait(20)

    loop.close()

    assert ended.is_set()
    assert threading.active_count() == threads
