"""An OpenAI-compatible model provider on loopback that tests script, break and look into.

`server.fail(429); server.reply("hi")` fails once, then says hi, then echoes the last message; a
step with `times=None` stays for ever. What arrived is in `server.requests`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def completion(choice: dict[str, Any] | None, **more: Any) -> str:
    choices = [] if choice is None else [{"index": 0, **choice}]
    return json.dumps({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": choices, **more})


NOTHING = {"message": {"content": None}, "delta": {"content": None}, "finish_reason": "stop"}
GARBAGE = {
    "html": "<html><body>Sign in</body></html>",
    "json": '{"id": "chatcmpl-1", "choi',
    "empty_choices": completion(None),
    "null_content": completion(NOTHING),
}


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Exchange:
    """A request, and the means to answer it."""

    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    usage: dict[str, Any] | None

    async def send(self, status: int, body: str, **headers: Any) -> None:
        await self.head(status, content_length=len(body.encode()), **headers)
        await self.write(body)

    async def stream(self, pieces: Sequence[str], ending: str | None = "stop") -> None:
        """Stream the pieces; without an ending the answer stays unfinished."""
        await self.head(200, content_type="text/event-stream", transfer_encoding="chunked")
        for piece in pieces:
            await self.event(completion({"delta": {"content": piece}}))
        if ending:
            await self.event(completion({"delta": {}, "finish_reason": ending}))
            if self.usage and self.request.body.get("stream_options", {}).get("include_usage"):
                await self.event(completion(None, usage=self.usage))
            await self.event("[DONE]", "0\r\n\r\n")

    async def event(self, data: str, end: str = "") -> None:
        await self.write(f"{len(data.encode()) + 8:x}\r\ndata: {data}\n\n\r\n{end}")

    async def head(self, status: int, **headers: Any) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.write("\r\n".join([f"HTTP/1.1 {status} Scripted", *lines, "", ""]))

    async def write(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()


class OpenAIServer:
    """The server, on a thread of its own. `url` is the api base that clients need."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.open_connections = 0
        self.url = ""
        self._script: list[tuple[Callable[[Exchange], Any], bool]] = []
        self._usage: dict[str, Any] | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self.wait(lambda: bool(self.url))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def wait(self, condition: Callable[[], bool], seconds: float = 20) -> bool:
        """Block until the condition holds; False when it does not in time."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def usage(self, **counts: Any) -> None:
        """Report these counts with every answer from now on, under OpenAI's names."""
        self._usage = counts

    def reply(
        self, text: str, pieces: Sequence[str] = (), times: int | None = 1, ending: str = "stop"
    ) -> None:
        """Say this; as a stream in these pieces, else word by word."""
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": ending}

        async def step(exchange: Exchange) -> None:
            if exchange.request.body.get("stream"):
                await exchange.stream(pieces or re.findall(r"\s*\S+|\s+$", text), ending)
            else:
                await exchange.send(200, completion(choice, usage=exchange.usage))

        self._then(step, times)

    def fail(self, status: int, *, echo_key: bool = False, times: int | None = 1, **headers: Any):
        """Refuse, with these headers (`retry_after=1`); `echo_key` quotes the key, as some do."""

        async def step(exchange: Exchange) -> None:
            key = exchange.request.headers.get("authorization", "") if echo_key else ""
            error = {"message": f"It was scripted so. {key.removeprefix('Bearer ')}"}
            await exchange.send(status, json.dumps({"error": error}), **headers)

        self._then(step, times)

    def hang(self, times: int | None = 1) -> None:
        """Never answer: it ends when the client closes the connection."""
        self._then(lambda exchange: exchange.reader.read(), times)

    def cut_stream(self, after: int = 2, *, politely: bool = False) -> None:
        """Break off after so many pieces; `politely` ends the HTTP answer, but not the model's."""

        async def step(exchange: Exchange) -> None:
            await exchange.stream([f"piece{number} " for number in range(after)], ending=None)
            if politely:
                await exchange.write("0\r\n\r\n")
            else:
                exchange.writer.transport.abort()

        self._then(step)

    def garbage(self, kind: str) -> None:
        """Answer 200 with something that is no answer: see `GARBAGE`."""

        async def step(exchange: Exchange) -> None:
            events = exchange.request.body.get("stream") and kind != "html"
            body = f"data: {GARBAGE[kind]}\n\n" if events else GARBAGE[kind]
            await exchange.send(200, body, content_type="text/html")

        self._then(step)

    def _then(self, step: Callable[[Exchange], Any], times: int | None = 1) -> None:
        self._script += [(step, times is None)] * (times or 1)

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._note(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        await self._over.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(open_connections=self.open_connections + 1)
        try:
            while True:
                request = await _read(reader)
                self._note(requests=[*self.requests, request])
                await self._next_step(request)(Exchange(request, reader, writer, self._usage))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """The client went away, or the test is over."""
        finally:
            writer.close()
            self._note(open_connections=self.open_connections - 1)

    def _next_step(self, request: Request) -> Callable[[Exchange], Any]:
        if request.path == "/v1/models":
            return lambda exchange: exchange.send(
                200, '{"data": [{"id": "loopback", "object": "model"}]}'
            )
        if not self._script:
            self.reply(request.body["messages"][-1]["content"])
        step, stays = self._script[0]
        self._script = self._script[not stays :]
        return step

    def _note(self, **news: Any) -> None:
        with self._changed:
            vars(self).update(news)
            self._changed.notify_all()


async def _read(reader: asyncio.StreamReader) -> Request:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(start.split(" ")[1], headers, json.loads(body) if body else None)
