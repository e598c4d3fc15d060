"""A network that can be cut."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager


class Wire:
    """A port whose connections are passed on to another one, as long as they are not cut."""

    def __init__(self, port):
        self.target, self.port, self.cuts = port, None, 0
        self._ends, self._tasks = set(), set()

    def cut(self):
        """End all connections at once, without a word."""
        self.cuts += bool(self._ends)
        for each in self._ends:
            each.transport.abort()
        self._ends.clear()

    async def accept(self, reader, writer):
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, there[1]}
        for way in (self._pass_on(reader, there[1]), self._pass_on(there[0], writer)):
            self._tasks.add(asyncio.ensure_future(way))

    async def _pass_on(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # it was cut
        finally:
            writer.close()
            self._ends.discard(writer)

    async def end(self):
        self.cut()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def wire_to(port):
    """Another way to reach what listens at `port`."""
    wire = Wire(port)
    async with await asyncio.start_server(wire.accept, "127.0.0.1", 0) as listening:
        wire.port = listening.sockets[0].getsockname()[1]
        yield wire
        await wire.end()
