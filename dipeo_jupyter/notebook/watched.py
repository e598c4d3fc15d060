"""The cards that show a run: what they need of it, and whether people can be asked on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol

from ..client import Ask, Client
from ..client.remote import RemoteClient
from ..diagram.model import Label
from ..protocol import commands as c
from ..protocol.events import Question
from .background import BackgroundLoop
from .following import Following, Listener


class Card(Protocol):
    """As far as it is known here: where it is, and whether anybody looks at it."""

    cell: str
    eyes: Eyes

    def settle(self, *, anew: bool = False) -> bool:
        """Show how it stands now that its cell has ended; False when it does not show it.

        With `anew`, one that was over too soon to be shown is, if something can be done with it.
        """
        ...


class Eyes:
    """Whether somebody looks; told from any thread, and waited for on one loop."""

    def __init__(self, loop: BackgroundLoop, patience: float) -> None:
        self.open = False
        self.ever_open = False
        self._loop = loop
        self._patience = patience
        self._changed = asyncio.Event()

    def tell(self, *, looking: bool) -> None:
        """Say that somebody looks, or that nobody does any more."""
        self.open = looking
        self.ever_open = self.ever_open or looking
        self._loop.call(self._changed.set)

    async def opened(self) -> bool:
        """Wait, while that is worth it, until somebody looks."""
        try:
            async with asyncio.timeout(self._patience):
                await self._until(lambda: self.open)
        except TimeoutError:
            self._patience = 0.0  # it was not worth it
        return self.open

    async def closed(self) -> None:
        """Wait until nobody looks."""
        await self._until(lambda: not self.open)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._changed.clear()
            await self._changed.wait()


class Watched:
    """A run as cards know it. The cards are in it too, in the order in which they came."""

    def __init__(self, loop: BackgroundLoop, following: Following, client: Client) -> None:
        self.loop = loop
        self._following = following
        self._client = client
        self._cards: list[Card] = []

    @property
    def server(self) -> str | None:
        """The address of the server that has the run, when it is not in this process."""
        return self._client.url if isinstance(self._client, RemoteClient) else None

    @property
    def questions(self) -> dict[Label, Question]:
        """What waits for an answer."""
        return dict(self._following.history.questions)

    def listen(self, listener: Listener) -> None:
        """Be told of each entry from now on, on the loop, where this is called too."""
        self._following.listeners.append(listener)

    async def obey(self, command: c.Command) -> c.Ack:
        """Have a command obeyed for somebody who does not wait for what comes of it."""
        return await self._following.send(command, waits=False)

    def __iter__(self) -> Iterator[Card]:
        return iter(self._cards.copy())

    def add(self, card: Card) -> None:
        """Another one shows it from now on."""
        self._cards.append(card)

    def before(self, ask: Ask) -> Ask:
        """Leave a question to a card as long as somebody looks at one, else put it by `ask`."""

        def asked(node: Label, question: Question, problem: str | None) -> Coroutine[Any, Any, Any]:
            return self._ask(ask, node, question, problem)

        return asked

    async def _ask(self, ask: Ask, node: Label, question: Question, problem: str | None) -> Any:
        while self._cards:
            looked_at = await asyncio.gather(*(each.eyes.opened() for each in self._cards))
            if not any(looked_at):
                break
            # What is answered there ends this question, and cancels this.
            await asyncio.gather(*(each.eyes.closed() for each in self._cards))
        return await ask(node, question, problem)
