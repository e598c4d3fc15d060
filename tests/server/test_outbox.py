"""What is held for a reader: in order, merged where it may be, and never more than is allowed."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.server.limits import ServerLimits
from dipeo_jupyter.server.outbox import Outbox, Stream

LIMITS = ServerLimits(held_bytes=10_000, held_frames=20, delta_interval=0.01)


def entry(seq, event):
    return e.Entry("exec_1", seq, 0.0, event)


def piece(text, seq=1, node="a"):
    return entry(seq, e.TokenDelta(node=node, activation=1, text=text))


def progress(seq, message="x"):
    return entry(seq, e.NodeProgress(node="a", activation=1, message=message))


class Reader:
    """Takes frames when it is let; `written` is what it has taken."""

    def __init__(self, *, reads=True):
        self.written, self.let = [], asyncio.Event()
        if reads:
            self.let.set()

    async def __call__(self, frames):
        await self.let.wait()
        self.written += map(json.loads, frames)


def told(fill, limits=LIMITS, *, reads=True):
    """What a reader is told of what `fill(outbox, stream)` puts into the box."""

    async def main():
        reader = Reader(reads=reads)
        outbox, stream = Outbox(reader, limits), Stream("exec_1", 0)
        running = asyncio.create_task(outbox.run())
        result = await fill(outbox, stream)
        reader.let.set()
        await outbox.empty()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return reader.written, result, stream

    return asyncio.run(main())


def texts(frames):
    return [frame["payload"].get("text", frame["seq"]) for frame in frames]


def test_pieces_of_one_answer_are_told_together():
    async def fill(outbox, stream):
        return [outbox.tell(stream, piece(each)) for each in "abc"]

    frames, taken, _ = told(fill)

    assert texts(frames) == ["abc"]
    assert all(taken)


def test_pieces_do_not_pass_what_happened_between_them():
    async def fill(outbox, stream):
        outbox.tell(stream, piece("a"))
        outbox.tell(stream, progress(2))
        outbox.tell(stream, piece("b", 2))

    assert texts(told(fill)[0]) == ["a", 2, "b"]


def test_pieces_of_two_answers_are_kept_apart():
    async def fill(outbox, stream):
        for text, node in [("a", "x"), ("b", "y"), ("c", "x")]:
            outbox.tell(stream, piece(text, node=node))

    assert texts(told(fill)[0]) == ["ac", "b"]


def test_everything_is_told_in_its_order():
    async def fill(outbox, stream):
        for seq in range(1, 11):
            outbox.tell(stream, progress(seq))

    frames, _, stream = told(fill)

    assert texts(frames) == list(range(1, 11))
    assert stream.told == 10


@pytest.mark.parametrize(
    ("make", "most"),
    [(progress, 21), (lambda n: progress(n, "x" * 3000), 5)],
    ids=["many", "large"],
)
def test_no_more_is_held_than_is_allowed(make, most):
    async def fill(outbox, stream):
        await asyncio.sleep(0)
        taken = 0
        while outbox.tell(stream, make(taken + 1)):
            taken += 1
            await asyncio.sleep(0)
        return taken, outbox.held

    _, (taken, held), _ = told(fill, reads=False)

    assert 0 < taken <= most
    assert held < LIMITS.held_bytes + 4000


def test_pieces_of_an_answer_are_bounded_too():
    async def fill(outbox, stream):
        list(iter(lambda: outbox.tell(stream, piece("x" * 100)), False))
        return outbox.held

    assert told(fill, reads=False)[1] < LIMITS.held_bytes + 1000


def test_what_alone_is_too_large_is_told_all_the_same():
    async def fill(outbox, stream):
        return outbox.tell(stream, progress(1, "x" * 50_000))

    frames, taken, _ = told(fill)

    assert taken
    assert len(frames) == 1


def test_what_is_dropped_is_not_told_and_what_others_said_is():
    async def fill(outbox, stream):
        await asyncio.sleep(0)
        outbox.tell(stream, progress(1))
        await asyncio.sleep(0)  # this one is on its way
        outbox.tell(stream, progress(2))
        outbox.tell(Stream("exec_1", 0), progress(3))
        outbox.drop(stream)

    assert texts(told(fill, reads=False)[0]) == [1, 3]


def test_there_is_room_again_when_half_is_told():
    async def main():
        reader = Reader(reads=False)
        outbox, stream = Outbox(reader, LIMITS), Stream("exec_1", 0)
        running = asyncio.create_task(outbox.run())
        seq = 1
        while outbox.tell(stream, progress(seq)):
            seq += 1
        waiting = asyncio.ensure_future(outbox.room())
        await asyncio.sleep(0)
        before = waiting.done()
        reader.let.set()
        await waiting
        running.cancel()
        return before, len(reader.written) >= LIMITS.held_frames // 2

    assert asyncio.run(main()) == (False, True)


def test_what_the_writing_raises_ends_it():
    async def main():
        async def write(text):
            raise TimeoutError

        outbox = Outbox(write, LIMITS)
        outbox.say("{}")
        with pytest.raises(TimeoutError):
            await outbox.run()

    asyncio.run(main())
