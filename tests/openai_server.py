"""An OpenAI-compatible model provider on loopback that tests script, break and look into.

Each request takes the next step of the script; when there is none left, the server echoes the last
user message. So `server.fail(429); server.reply("hi")` fails once, then says hi, then echoes.
Give a step `times=None` to have it stay for ever. Read what arrived in `server.requests`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

Garbage = Literal["html", "json", "empty_choices", "null_content"]
PATIENCE = 10.0
"""Seconds a test waits for something to arrive before it is called lost."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names are in lower case."""

    method: str
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

    async def send(self, status: int, body: str, kind: str = "application/json", **more: Any) -> None:
        headers = {"content-type": kind, "content-length": len(body.encode()), **more}
        await self.write(head(status, headers) + body)

    async def write(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()

    async def event(self, data: str) -> None:
        line = f"data: {data}\n\n"
        await self.write(f"{len(line.encode()):x}\r\n{line}\r\n")

    async def answer(self, choices: list[Any], **more: Any) -> None:
        """Answer at once, with these choices."""
        await self.send(200, json.dumps({**IDENTITY, "choices": choices, **more}))

    async def stream(self, pieces: Sequence[str | None], *, end: bool = True) -> None:
        """Stream the pieces; without `end` the answer stays unfinished."""
        kind = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        await self.write(head(200, kind))
        for piece in pieces:
            await self.event(chunk([{"index": 0, "delta": {"content": piece}}]))
        if end:
            await self.event(chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]))
            if self.usage and self.request.body.get("stream_options", {}).get("include_usage"):
                await self.event(chunk([], usage=self.usage))
            await self.end_stream()

    async def end_stream(self) -> None:
        await self.event("[DONE]")
        await self.write("0\r\n\r\n")

    def abort(self) -> None:
        self.writer.transport.abort()
        raise ConnectionResetError


Step = Callable[[Exchange], Awaitable[None]]
IDENTITY = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "loopback"}


def chunk(choices: list[Any], **more: Any) -> str:
    return json.dumps({**IDENTITY, "object": "chat.completion.chunk", "choices": choices, **more})


def head(status: int, headers: dict[str, Any]) -> str:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n"


async def read_request(reader: asyncio.StreamReader) -> Request:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    method, path, _ = start.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, json.loads(body) if body else None)


class OpenAIServer:
    """The server, on a thread of its own. `url` is the api base that clients need."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.open_connections = 0
        self.url = ""
        self._script: deque[tuple[Step, bool]] = deque()
        self._usage: dict[str, Any] | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    # What the next requests get

    def reply(self, text: str, pieces: Sequence[str] | None = None, times: int | None = 1) -> None:
        """Say `text`; as a stream in these pieces, else word by word."""
        parts = pieces or re.findall(r"\s*\S+\s*$|\s*\S+", text)
        message = {"role": "assistant", "content": text}

        async def step(exchange: Exchange) -> None:
            if exchange.request.body.get("stream"):
                return await exchange.stream(parts)
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return await exchange.answer([choice], usage=exchange.usage)

        self._then(step, times)

    def fail(
        self, status: int, *, retry_after: float | str | None = None, echo_key: bool = False,
        times: int | None = 1, message: str = "It was scripted so.",
    ) -> None:  # fmt: skip
        """Refuse with a status; `echo_key` puts the key into the message, as some providers do."""
        headers = {} if retry_after is None else {"retry_after": retry_after}

        async def step(exchange: Exchange) -> None:
            key = exchange.request.headers.get("authorization", "") if echo_key else ""
            error = {"message": f"{message}{key.removeprefix('Bearer')}", "type": "scripted"}
            await exchange.send(status, json.dumps({"error": error}), **headers)

        self._then(step, times)

    def redirect(self, location: str) -> None:
        self._then(lambda exchange: exchange.send(307, "", location=location))

    def hang(self, times: int | None = 1) -> None:
        """Never answer; the request ends when the client closes the connection."""

        async def step(exchange: Exchange) -> None:
            await exchange.reader.read()
            exchange.abort()

        self._then(step, times)

    def cut_stream(self, after: int = 2, *, politely: bool = False) -> None:
        """Break off after so many pieces; `politely` ends the HTTP answer, but not the model's."""

        async def step(exchange: Exchange) -> None:
            await exchange.stream([f"piece{number} " for number in range(after)], end=False)
            await exchange.end_stream() if politely else exchange.abort()

        self._then(step)

    def garbage(self, kind: Garbage) -> None:
        """Answer 200 with something that is no answer."""

        async def step(exchange: Exchange) -> None:
            streaming = exchange.request.body.get("stream")
            if kind == "html":
                await exchange.send(200, "<html><body>Sign in</body></html>", "text/html")
            elif kind == "json":
                await exchange.send(200, 'data: {"id": "chatcmpl-1", "choi\n\n', "text/event-stream")
            elif kind == "null_content" and streaming:
                await exchange.stream([None])
            elif streaming:
                await exchange.send(200, f"data: {chunk([])}\n\ndata: [DONE]\n\n", "text/event-stream")
            else:
                nothing = {"message": {"role": "assistant", "content": None}}
                await exchange.answer([nothing] if kind == "null_content" else [])

        self._then(step)

    def usage(self, **counts: Any) -> None:
        """Report these counts with every answer from now on, under OpenAI's names."""
        self._usage = counts

    def _then(self, step: Step, times: int | None = 1) -> None:
        self._script.extend([(step, times is None)] * (times or 1))

    # What a test waits for

    def wait(self, condition: Callable[[OpenAIServer], bool]) -> bool:
        """Block until the condition holds; False when it does not within `PATIENCE`."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), PATIENCE)

    # How it runs

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        assert self.wait(lambda server: bool(server.url))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        with self._changed:
            self.url = "http://127.0.0.1:{}/v1".format(server.sockets[0].getsockname()[1])
            self._changed.notify_all()
        await self._stop.wait()
        server.close()
        clients = asyncio.all_tasks() - {asyncio.current_task()}
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(connections=1)
        try:
            while True:
                request = await read_request(reader)
                self._note(request=request)
                await self._step(request)(Exchange(request, reader, writer, self._usage))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """The client went away, or the test is over."""
        finally:
            writer.close()
            self._note(connections=-1)

    def _step(self, request: Request) -> Step:
        if request.path == "/v1/models":
            models = {"object": "list", "data": [{"id": "loopback", "object": "model"}]}
            return lambda exchange: exchange.send(200, json.dumps(models))
        if not self._script:
            self.reply(request.body["messages"][-1]["content"])
        step, stays = self._script.popleft()
        if stays:
            self._script.appendleft((step, stays))
        return step

    def _note(self, connections: int = 0, request: Request | None = None) -> None:
        with self._changed:
            self.open_connections += connections
            self.requests += [request] if request else []
            self._changed.notify_all()
