"""A run whose models are asked through a cassette."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..client import Client
from ..protocol import commands as c
from ..protocol.events import Entry, ExecutionId
from ..services.cassettes import Take, taking


class Taped:
    """The client of one run: all that goes on through it is one way through a cassette.

    So runs at the same time do not take each other's turns where a request has several answers.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._take = Take()

    async def send(self, command: c.Command) -> c.Ack:
        with taking(self._take):
            return await self._client.send(command)

    def events(self, execution_id: ExecutionId, after: int = 0) -> AsyncIterator[Entry]:
        return self._client.events(execution_id, after)
