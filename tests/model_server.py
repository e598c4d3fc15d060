"""What the model providers on loopback have in common: tests script, break and look into them.

`server.fail(429); server.reply("hi")` fails once, then says hi, then echoes the last message; a
step with `times=None` stays for ever. What arrived is in `server.requests`. How a provider words
its answers is its `Exchange`: see `openai_server`, `anthropic_server` and `gemini_server`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from .listening import stop_listening

KEY_HEADERS = ("x-api-key", "x-goog-api-key", "api-key", "authorization")


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: Any

    @property
    def key(self) -> str:
        sent = (self.headers[name] for name in KEY_HEADERS if name in self.headers)
        return next(sent, "").removeprefix("Bearer ")


@dataclass(frozen=True)
class ModelExchange(ABC):
    """A request, and the means to answer it as one provider does."""

    request: Request
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    usage: dict[str, Any] | None

    nothing: ClassVar[str]
    """The JSON of an answer, or of one of its events, that holds no text."""

    @property
    @abstractmethod
    def said(self) -> str:
        """The last message of the request."""

    @property
    @abstractmethod
    def streams(self) -> bool:
        """Whether the answer is wanted in pieces."""

    @abstractmethod
    def events(self, pieces: Sequence[str], ending: str | None) -> Iterator[str]:
        """The events of an answer, each the JSON of its data; without an ending it breaks off."""

    @abstractmethod
    def calling(self, text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        """The events of an answer that wants tools: each an id, a name, and arguments as JSON."""

    @abstractmethod
    def whole(self, text: str, ending: str) -> str:
        """The JSON of an answer that is not streamed."""

    @abstractmethod
    def refusal(self, status: int, message: str) -> str:
        """The JSON of a refusal."""

    async def send(self, status: int, body: str, **headers: Any) -> None:
        await self.head(status, content_length=len(body.encode()), **headers)
        await self.write(body)

    async def stream(self, pieces: Sequence[str], ending: str | None = "stop") -> None:
        """Stream the pieces; without an ending the answer stays unfinished."""
        await self.all(self.events(pieces, ending), whole=ending is not None)

    async def all(self, events: Iterator[str], *, whole: bool = True) -> None:
        """Stream these events."""
        await self.head(200, content_type="text/event-stream", transfer_encoding="chunked")
        for event in events:
            await self.event(event)
        if whole:
            await self.end()

    async def event(self, data: str) -> None:
        text = f"{self.event_head(data)}data: {data}\n\n"
        await self.write(f"{len(text.encode()):x}\r\n{text}\r\n")

    def event_head(self, data: str) -> str:
        """What stands before the data of an event."""
        return ""

    async def end(self) -> None:
        await self.write("0\r\n\r\n")

    async def head(self, status: int, **headers: Any) -> None:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.write("\r\n".join([f"HTTP/1.1 {status} Scripted", *lines, "", ""]))

    async def write(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()


Step = Callable[[Any], Awaitable[Any]]


class ModelServer:
    """A provider, on a thread of its own. `url` is the api base that clients need.

    `latency` is how many seconds it thinks before each answer; `connections` counts all so far.
    """

    exchange: type[ModelExchange]
    path = "/v1"

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.requests: list[Request] = []
        self.connections = self.open_connections = 0
        self.url = ""
        self._script: list[tuple[Step, bool]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._usage: dict[str, Any] | None = None
        self._calls = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self.wait(lambda: bool(self.url))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def wait(self, condition: Callable[[], Any], seconds: float = 20) -> bool:
        """Block until the condition holds; False when it does not in time."""
        with self._changed:
            return bool(self._changed.wait_for(condition, seconds))

    def usage(self, **counts: Any) -> None:
        """Report these counts with every answer from now on, under the provider's names."""
        self._usage = counts

    def reply(
        self, text: str, pieces: Sequence[str] = (), times: int | None = 1, ending: str = "stop"
    ) -> None:
        """Say this; as a stream in these pieces, else word by word."""
        self._then(lambda exchange: say(exchange, text, pieces, ending), times)

    def call(self, *calls: tuple[str, Any], text: str = "", times: int | None = 1) -> None:
        """Want tools, each by its name and arguments; text instead of arguments goes as it is."""
        wanted = [
            (f"call_{number}", name, said if isinstance(said, str) else json.dumps(said))
            for number, (name, said) in enumerate(calls, self._calls)
        ]
        self._calls += len(calls)
        self._then(lambda exchange: exchange.all(exchange.calling(text, wanted)), times)

    def draw(self, png: str, text: str = "") -> None:
        """Answer with an image, in base64; for providers whose exchange has a `drawing`."""
        self._then(lambda exchange: exchange.all(exchange.drawing(text, png)))

    def fail(self, status: int, *, echo_key: bool = False, times: int | None = 1, **headers: Any):
        """Refuse, with these headers (`retry_after=1`); `echo_key` quotes the key, as some do."""

        async def step(exchange: ModelExchange) -> None:
            key = exchange.request.key if echo_key else ""
            body = exchange.refusal(status, f"It was scripted so. {key}")
            await exchange.send(status, body, **headers)

        self._then(step, times)

    def hang(self, times: int | None = 1, after: int | None = None) -> None:
        """Never answer, or fall silent `after` so many pieces, until the client hangs up."""

        async def step(exchange: ModelExchange) -> None:
            if after is not None:
                await exchange.stream(_pieces(after), ending=None)
            await exchange.reader.read()

        self._then(step, times)

    def cut_stream(self, after: int = 2, *, politely: bool = False) -> None:
        """Break off after so many pieces; `politely` ends the HTTP answer, but not the model's."""

        async def step(exchange: ModelExchange) -> None:
            await exchange.stream(_pieces(after), ending=None)
            if politely:
                await exchange.end()
            else:
                exchange.writer.transport.abort()

        self._then(step)

    def give_up(self, status: int = 529, after: int = 2) -> None:
        """Report an error in the middle of a stream, after so many pieces."""

        async def step(exchange: ModelExchange) -> None:
            await exchange.stream(_pieces(after), ending=None)
            await exchange.event(exchange.refusal(status, "It was scripted so."))
            await exchange.end()

        self._then(step)

    def garbage(self, kind: str) -> None:
        """Answer 200 with something that is no answer: `html`, `json` (cut off) or `nothing`."""

        async def step(exchange: ModelExchange) -> None:
            body = self.garbages()[kind]
            events = exchange.streams and kind != "html"
            await exchange.send(
                200, f"data: {body}\n\n" if events else body, content_type="text/html"
            )

        self._then(step)

    @classmethod
    def garbages(cls) -> Mapping[str, str]:
        """What `garbage` answers, by its kind."""
        nothing = cls.exchange.nothing
        html = "<html><body>Sign in</body></html>"
        return {"html": html, "json": nothing[: len(nothing) // 2], "nothing": nothing}

    def _then(self, step: Step, times: int | None = 1) -> None:
        self._script += [(step, times is None)] * (times or 1)

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000)
        self._note(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{self.path}")
        await self._over.wait()
        await stop_listening(server)
        for writer in self._writers:  # what was not sent by now would keep them open
            writer.transport.abort()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        for _ in range(5):  # a transport is closed in the loop's next turns
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(connections=self.connections + 1, open_connections=self.open_connections + 1)
        self._writers.append(writer)
        try:
            # The client goes away, or the test is over.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._answer(await _read(reader), reader, writer)
        finally:
            writer.close()
            self._note(open_connections=self.open_connections - 1)

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        step = self._next_step(request)
        if self.latency:
            await asyncio.sleep(self.latency)
        exchange = self.exchange_for(request)
        await step(exchange(request, reader, writer, self._usage))

    def exchange_for(self, request: Request) -> type[ModelExchange]:
        """How a request is answered that comes this way."""
        return self.exchange

    def _next_step(self, request: Request) -> Step:
        if not self._script:
            return echo
        step, stays = self._script[0]
        self._script = self._script[not stays :]
        return step

    def _note(self, **news: Any) -> None:
        with self._changed:
            vars(self).update(news)
            self._changed.notify_all()


async def say(
    exchange: ModelExchange, text: str, pieces: Sequence[str] = (), ending: str = "stop"
) -> None:
    """Answer with a text, in pieces if the request wants that."""
    if exchange.streams:
        await exchange.stream(pieces or re.findall(r"\s*\S+|\s+$", text), ending)
    else:
        await exchange.send(200, exchange.whole(text, ending))


async def echo(exchange: ModelExchange) -> None:
    """Answer with the last message."""
    await say(exchange, exchange.said)


def _pieces(count: int) -> list[str]:
    return [f"piece{number} " for number in range(count)]


async def _read(reader: asyncio.StreamReader) -> Request:
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(start.split(" ")[1], headers, json.loads(body) if body else None)
