"""The way out for a job with a network: a proxy for HTTP that asks where to before it connects.

It looks the name up itself, and connects to the very addresses that it has looked at: a name that
means another machine a moment later gains nothing. Whatever a job is redirected to comes by here
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from ..addresses import forbidden, look_up

_HEAD = 65_536  # bytes that a request may have before its content
_PATIENCE = 30.0  # seconds for the request, and for the answer to a connection
_PIECE = 65_536


class _RefusedError(Exception):
    """What the job is told, with a status of HTTP."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Egress:
    """Serves one job at a socket in a folder of its own, as long as `async with` lasts."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._folder = Path()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def path(self) -> str:
        return str(self._folder / "socket")

    async def __aenter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="dipeo-egress-"))
        self._server = await asyncio.start_unix_server(self._accept, self.path, limit=_HEAD)
        # Nobody else finds it: the folder is this user's.
        await asyncio.to_thread(Path(self.path).chmod, 0o666)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                async with asyncio.timeout(_PATIENCE):
                    far_reader, far_writer = await self._reach(reader, writer)
            except _RefusedError as refusal:
                writer.write(_answer(refusal.status, str(refusal)))
            except (TimeoutError, asyncio.LimitOverrunError):
                writer.write(_answer("504 Gateway Timeout", "It took too long, or was too long."))
            else:
                with contextlib.closing(far_writer):
                    await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        writer.close()

    async def _reach(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to where a request is for, and hand on what was read of it."""
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        method, target, version = _words(first)
        tunnel = method == "CONNECT"
        url = urlsplit(f"//{target}" if tunnel else target)
        try:
            host, port = url.hostname, url.port or (443 if tunnel else 80)
        except ValueError:
            raise _RefusedError("400 Bad Request", f"{target!r} is no address.") from None
        if host is None or (not tunnel and url.scheme != "http"):
            raise _RefusedError("400 Bad Request", "Ask for http://…, or CONNECT host:port.")
        far = await self._connect(host, port)
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = url._replace(scheme="", netloc="").geturl() or "/"
            far[1].write(f"{method} {path} {version}\r\n".encode("latin-1") + _own(rest))
        return far

    async def _connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            addresses = await look_up(host, port)
        except (OSError, UnicodeError):
            raise _RefusedError("502 Bad Gateway", f"Nobody knows {host}.") from None
        if why := forbidden(host, addresses, private=self._private, who="Jobs"):
            raise _RefusedError("403 Not a public address", why)
        for address in addresses:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(address, port, limit=_HEAD)
        raise _RefusedError("502 Bad Gateway", f"{host} does not answer at port {port}.")


def _words(line: bytes) -> tuple[str, str, str]:
    words = line.decode("latin-1").split(" ")
    if len(words) != 3:  # noqa: PLR2004
        raise _RefusedError("400 Bad Request", "This is a proxy for HTTP.")
    return words[0], words[1], words[2]


def _own(lines: bytes) -> bytes:
    """The lines of a request without those for the proxy: the connection ends with the answer."""
    kept = [
        line
        for line in lines.split(b"\r\n")
        if line and not line.lower().startswith((b"proxy-", b"connection:"))
    ]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""])


def _answer(status: str, sentence: str) -> bytes:
    body = f"{sentence}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_PIECE):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
