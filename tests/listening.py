"""The end of a server that still may be found by somebody."""

from __future__ import annotations

import asyncio


async def stop_listening(server):
    """Take no more connections, and see those just taken to whom they are for.

    A server that is closed at once fails an assertion of asyncio in the very turn between taking a
    connection and making its transport, and both are left open (CPython 3.11, `Server._attach`).
    """
    loop = asyncio.get_running_loop()
    for each in server.sockets:
        loop.remove_reader(each)
    for _ in range(10):
        await asyncio.sleep(0)
    server.close()
