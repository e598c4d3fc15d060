"""The worker: a process that has litellm imported and asks models, for one `LiteLLM` elsewhere.

It reads what is asked from its standard input, until that ends, and writes what comes of it to its
standard output; `frames` says how. litellm takes seconds to import, its objects fill the garbage
collector, and it counts on the loop that it is called on: here it holds up nobody else.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import IO, Any, assert_never

from ...errors import ServiceError
from ..keys import Keys
from .asking import Asker
from .frames import (
    SIZE,
    Ask,
    Cancel,
    Done,
    Failed,
    FromWorker,
    Text,
    ToWorker,
    Variables,
    packed,
    unpacked,
)
from .loading import load_litellm, set_variables, variables

_MOMENT = 0.01
"""Seconds that a piece of an answer may wait for others; nobody sees them."""


def main() -> None:
    """Work until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who interrupts means its owner
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What anybody prints is no message of ours.
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device
        os.dup2(nothing.fileno(), 0)
    asyncio.run(_work(source, sink))


async def _work(source: IO[bytes], sink: IO[bytes]) -> None:
    loop, desk = asyncio.get_running_loop(), Desk(Outbox(sink))

    def tell(message: ToWorker) -> None:
        loop.call_soon_threadsafe(desk.take, message)

    # A thread, since not every loop can read any pipe; it sees the end whatever goes on here.
    threading.Thread(target=_listen, args=(source, tell), daemon=True).start()
    gc.disable()
    load_litellm()
    gc.freeze()  # it stays for ever: nobody need look through it for what can go
    gc.enable()
    await asyncio.Event().wait()


def _listen(source: IO[bytes], tell: Callable[[ToWorker], Any]) -> None:
    while len(head := source.read(SIZE)) == SIZE:
        tell(unpacked(source.read(int.from_bytes(head))))
    os._exit(0)  # nobody is there any more; the system closes what is open


class Desk:
    """Takes what the owner says, and has it done."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._keys = Keys(variables())
        self._asker = Asker(self._keys)
        self._doing: dict[int, asyncio.Task[None]] = {}

    def take(self, message: ToWorker) -> None:
        match message:
            case Ask(number=number):
                self._doing[number] = asyncio.create_task(self._do(message))
            case Cancel(number=number):
                if number in self._doing:
                    self._doing[number].cancel()
            case Variables(changed=changed):
                set_variables(changed)
            case _:
                assert_never(message)

    async def _do(self, ask: Ask) -> None:
        if key := ask.arguments.get("api_key"):
            self._keys.remember(key)
        end: Done | Failed = Failed(ask.number, "Nobody waits for it any more.")
        try:
            show = partial(self._outbox.show, ask.number)
            end = Done(ask.number, await self._asker.answer(ask, show))
        except ServiceError as error:
            more = (error.retryable, error.retry_after, error.kind)
            end = Failed(ask.number, str(error), *more)
        finally:
            del self._doing[ask.number]
            self._outbox.say(end)


class Outbox:
    """Writes what is to be said, the pieces of answers together with what came soon after them.

    So a hundred answers that come piece by piece do not wake the owner for each of them. An answer
    that is whole waits for nothing.
    """

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._waiting: list[FromWorker] = []
        self._texts: dict[int, list[str]] = {}
        self._sending: asyncio.TimerHandle | None = None

    def show(self, number: int, piece: str) -> None:
        """More of an answer has come."""
        if number not in self._texts:
            self._texts[number] = []
            self._waiting.append(Text(number, self._texts[number]))
        self._texts[number].append(piece)
        if self._sending is None:
            self._sending = asyncio.get_running_loop().call_later(_MOMENT, self._send)

    def say(self, message: Done | Failed) -> None:
        """An answer is over."""
        self._waiting.append(message)
        self._send()  # at once: litellm has still to do its books on this loop

    def _send(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        waiting, self._waiting, self._texts, self._sending = self._waiting, [], {}, None
        self._sink.write(b"".join(map(packed, waiting)))
        self._sink.flush()
