"""A network that can be cut."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from tests.listening import stop_listening


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
        self._ends.add(writer)
        self._tasks.add(asyncio.current_task())
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        if writer.transport.is_closing():  # it was cut meanwhile
            there[1].transport.abort()
            return
        self._ends.add(there[1])
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
        """Cut, and see all that passes something on to its end; nobody may come meanwhile."""
        self.cut()
        while under_way := {each for each in self._tasks if not each.done()}:
            await asyncio.wait(under_way)
        for _ in range(5):  # a transport is closed in the loop's next turns
            await asyncio.sleep(0)


@asynccontextmanager
async def wire_to(port):
    """Another way to reach what listens at `port`."""
    wire = Wire(port)
    async with await asyncio.start_server(wire.accept, "127.0.0.1", 0) as listening:
        wire.port = listening.sockets[0].getsockname()[1]
        yield wire
        await stop_listening(listening)
        await wire.end()
