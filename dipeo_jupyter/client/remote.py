"""The client for an engine in another process: the same pair, over the WebSocket of a server.

Whoever uses it notices nothing of a connection that is lost: it is made again, what was asked and
not answered is asked again (under its old id, so that it is done once), and the events of each run
go on behind the last one that was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from ..errors import CommandError, DiagramError, Problem, UntrustedError
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol.conversation import Said
from ..protocol.kernel import AttachKernel, KernelOutput, KernelReply, OfferKernel
from .kernel_side import KernelSide

if TYPE_CHECKING:
    from tornado.websocket import WebSocketClientConnection

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""Seconds between two tries to reach the server."""
LATER_PATIENCE = 30.0
"""Seconds, at least, that a server may take to come back that was there before."""
GOODBYE = 2.0
"""Seconds that the server has for its own goodbye."""
SLOWER = 1.0
"""Seconds to wait, at most, with what was too much at once."""
_RESULTS: Mapping[type[Any], TypeAdapter[Any]] = {
    c.CheckDiagram: TypeAdapter(list[Problem]),
    c.GetConversation: TypeAdapter(list[Said]),
    c.GetExecution: TypeAdapter(c.ExecutionSummary),
    c.ListCollections: TypeAdapter(list[c.CollectionSummary]),
    c.ListExecutions: TypeAdapter(list[c.ExecutionSummary]),
    c.PlanExecution: TypeAdapter(c.Plan),
    c.TrustDiagram: TypeAdapter(list[c.AskedPower]),
}
_PROBLEMS: TypeAdapter[list[Problem]] = TypeAdapter(list[Problem])


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and how to come in. `headers` are asked for at every try.

    With `certificates` (a file) its own certificate is trusted. Who does not reach it for
    `patience` seconds gives up. Its runs work below the folder `root`, as far as that is known.
    """

    url: str
    headers: Callable[[], Mapping[str, str]] = dict
    certificates: str | None = None
    patience: float = 30.0
    root: str | None = None


def with_token(url: str, token: str | None = None, **options: Any) -> Server:
    """The server at the address that Jupyter prints (`http://localhost:8888/lab?token=…` too).

    >>> with_token("http://localhost:8888/lab?token=abc").url
    'ws://localhost:8888/dipeo/ws'
    """
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415 - nobody else needs it

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.netloc:
        message = f"{url.partition('?')[0]!r} is no address of a Jupyter server."
        hint = "Write it as Jupyter prints it: http://localhost:8888/?token=…"
        raise CommandError(message, code="bad_address", hint=hint)
    secret = token or next(iter(parse_qs(parts.query).get("token", [])), None)
    scheme = "wss" if parts.scheme in ("https", "wss") else "ws"
    path = parts.path.removesuffix("/dipeo/ws").rstrip("/")
    for page in ("/lab", "/tree", "/notebooks"):
        path = path.removesuffix(page)
    headers = {"Authorization": f"token {secret}"} if secret else {}
    return Server(f"{scheme}://{parts.netloc}{path}/dipeo/ws", lambda: headers, **options)


@dataclass(slots=True, eq=False)
class _Asked:
    """Something that was asked for, and is not answered."""

    text: str
    answer: asyncio.Future[dict[str, Any]]


@dataclass(slots=True, eq=False)
class _Follower:
    """Somebody who follows a run, and has heard of all up to number `heard`.

    Several may follow one run on one connection, from different places; entries are numbered
    without a gap, so each takes the one that comes next for it. None is the end of them.
    """

    heard: int
    queue: asyncio.Queue[e.Entry | CommandError | None] = field(default_factory=asyncio.Queue)

    def hear(self, entry: e.Entry) -> None:
        if not entry.event.ephemeral:
            if entry.seq != self.heard + 1:
                return
            self.heard = entry.seq
        elif entry.seq > self.heard:
            return
        self.queue.put_nowait(entry)

    def hear_the_end(self, told: int) -> None:
        if self.heard >= told:
            self.queue.put_nowait(None)


class RemoteClient:
    """A `Client` by its shape, like `Engine`. It belongs to the event loop it is first used on.

    With a `kernel`, the server asks for what only that kernel can do for the runs that it starts.
    """

    def __init__(self, server: Server, kernel: KernelSide | None = None) -> None:
        self._server = server
        self._kernel = kernel
        self._offered: OfferKernel | None = None
        self._offer_number = ""
        self._socket: WebSocketClientConnection | None = None
        self._most_bytes = 0
        self._linking: asyncio.Task[None] | None = None
        self._linked = asyncio.Event()
        self._connecting: asyncio.Future[WebSocketClientConnection] | None = None
        self._trouble: CommandError | None = None
        self._asked: dict[str, _Asked] = {}
        self._followers: dict[e.ExecutionId, set[_Follower]] = {}
        self._closed = False

    @property
    def url(self) -> str:
        """Where people's pages reach the server; kernels have a door of their own."""
        return self._server.url.replace("/dipeo/kernel/ws", "/dipeo/ws")

    async def send(self, command: c.Command) -> c.Ack:
        """Ask for something; raises `CommandError` or `DiagramError` when it is refused."""
        payload = command.model_dump(mode="json", by_alias=True, exclude={"type"})
        if isinstance(command, c.ExecuteDiagram | c.ForkExecution):
            payload["follow"] = False  # whoever wants to, will
        await self._offer()
        answer = await self._ask(command.type, payload)
        adapter = _RESULTS.get(type(command))
        try:
            ack = c.Ack.model_validate(answer)
            if adapter is None:
                return ack
            return ack.model_copy(update={"result": adapter.validate_python(ack.result)})
        except ValidationError:
            raise self._not_understood() from None

    async def attach(self, execution_id: e.ExecutionId) -> None:
        """Have a run ask this kernel from now on for what only a kernel can do."""
        if self._kernel is not None:
            await self._offer()
            await self._tell(AttachKernel(execution_id=execution_id))

    async def events(
        self, execution_id: e.ExecutionId, after: int = 0
    ) -> AsyncGenerator[e.Entry, None]:
        """Yield a run's entries after number `after`, then those to come, until it is over."""
        named = await self.send(c.GetExecution(execution_id=execution_id))
        execution_id = named.execution_id or execution_id
        follower = _Follower(after)
        self._followers.setdefault(execution_id, set()).add(follower)
        try:
            await self._subscribe(execution_id)
            while (entry := await follower.queue.get()) is not None:
                if isinstance(entry, CommandError):
                    raise entry
                yield entry
        finally:
            await self._leave(execution_id, follower)

    async def close(self) -> None:
        """Let go of the server; what runs there goes on."""
        self._closed = True
        if self._kernel is not None:
            self._kernel.close()
        if self._linking is not None:
            if self._socket is not None:
                self._socket.close()
                await asyncio.wait({self._linking}, timeout=GOODBYE)
            self._linking.cancel()
            await asyncio.wait({self._linking})
            await self._hang_up()
        self._fail(CommandError("The connection to the server was closed.", code="no_server"))

    async def _hang_up(self) -> None:
        """A connection that is only being made cannot be given up halfway."""
        if self._connecting is not None:
            with contextlib.suppress(Exception):  # nobody wants to know any more
                async with asyncio.timeout(GOODBYE):
                    (await self._connecting).close()

    # -- asking -----------------------------------------------------------------------------------

    async def _ask(self, type_: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._link()  # says what the server takes
        number = uuid.uuid4().hex
        text = to_json({"type": type_, "payload": payload, "correlation_id": number}).decode()
        if len(text) > self._most_bytes and len(text.encode()) > self._most_bytes:
            message = (
                f"{type_} is larger than the {self._most_bytes:,} bytes that the server takes."
            )
            hint = "Give large values as files, or set DipeoApp.frame_bytes."
            raise CommandError(message, code="too_large", hint=hint)
        while True:
            await self._link()
            try:
                return await self._ask_once(number, text)
            except CommandError as error:
                if error.code not in ("rate_limited", "stopping"):
                    raise
            await asyncio.sleep(random.uniform(0.5, 1) * SLOWER)  # noqa: S311 - not all at once

    async def _ask_once(self, number: str, text: str) -> dict[str, Any]:
        asked = _Asked(text, asyncio.get_running_loop().create_future())
        self._asked[number] = asked
        try:
            self._say(text)
            return await asked.answer
        finally:
            del self._asked[number]

    async def _offer(self) -> None:
        """Let the server know what this kernel can do, as far as it does not yet."""
        if self._kernel is None:
            return
        await self._link()  # which tells it
        offer = self._kernel.offer()
        if offer != self._offered:
            self._offered = offer
            await self._tell(offer)

    async def _tell(self, said: AttachKernel | OfferKernel | KernelReply | KernelOutput) -> None:
        await self._ask(said.type, said.model_dump(mode="json", exclude={"type"}))

    async def _subscribe(self, execution_id: e.ExecutionId) -> None:
        """Have the server begin behind what the one has heard who has heard least."""
        after = min(each.heard for each in self._followers[execution_id])
        await self._ask("subscribe", {"execution_id": execution_id, "after_seq": after})

    async def _leave(self, execution_id: e.ExecutionId, follower: _Follower) -> None:
        followers = self._followers.get(execution_id, set())
        followers.discard(follower)
        if not followers and self._followers.pop(execution_id, None) is not None:
            payload = {"execution_id": execution_id}
            text = to_json({"type": "unsubscribe", "payload": payload}).decode()
            self._say(text)  # nobody waits for it

    def _say(self, text: str) -> None:
        """Say something now, if there is anybody; what waits for an answer is said again."""
        from tornado.websocket import WebSocketClosedError  # noqa: PLC0415 - loaded by now

        if self._socket is not None:
            with contextlib.suppress(WebSocketClosedError):
                self._socket.write_message(text)

    # -- hearing ----------------------------------------------------------------------------------

    def _hear(self, frame: dict[str, Any]) -> None:  # noqa: C901 - one flat match over what is said
        match frame:
            case {"type": "ack" | "error", "correlation_id": str() as number}:
                self._hear_answer(number, frame)
            case {"type": "ack"}:
                pass  # of what nobody waits for
            case {"type": "end_of_events", "execution_id": execution_id}:
                for each in self._followers.get(execution_id, ()):
                    each.hear_the_end(frame["payload"]["after_seq"])
            case {"type": "error", "execution_id": execution_id}:
                for each in self._followers.get(execution_id, ()):
                    each.queue.put_nowait(_command_error(frame["payload"]))
            case {"seq": int(), "execution_id": execution_id} if execution_id in self._followers:
                entry = e.Entry.from_wire(frame)
                for each in self._followers[execution_id]:
                    each.hear(entry)
            case {"type": "kernel_request", "payload": request} if self._kernel:
                self._kernel.take(request, self._tell)
            case {"type": "kernel_cancel", "payload": {"number": number}} if self._kernel:
                self._kernel.cancel(number)
            case _:
                pass

    def _hear_answer(self, number: str, frame: dict[str, Any]) -> None:
        if (asked := self._asked.get(number)) is not None:
            _answer(asked, frame)
        elif number == self._offer_number and self._kernel is not None:
            self._kernel.wanted(frame["payload"].get("result", ()))

    # -- the connection ---------------------------------------------------------------------------

    async def _link(self) -> None:
        """Wait until there is a connection; raises `CommandError` when there cannot be one."""
        if self._closed:
            raise CommandError("This client is closed.", code="no_server")
        if self._linking is None or self._linking.done():
            self._trouble = None
            self._linking = asyncio.create_task(self._keep_linked())
        waiting = asyncio.ensure_future(self._linked.wait())
        try:
            await asyncio.wait({waiting, self._linking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._trouble is not None:
            raise self._trouble

    async def _keep_linked(self) -> None:
        """Connect, hear what is said, and connect again, until that cannot be done any more."""
        try:
            while not self._closed:
                socket = await self._connect()
                try:
                    self._take_up()
                    while (text := await socket.read_message()) is not None:
                        self._hear(from_json(text))
                finally:
                    self._linked.clear()
                    self._socket = None
                    socket.close()
        except CommandError as error:
            self._fail(error)
        except (ValueError, LookupError, TypeError):
            self._fail(self._not_understood())

    def _not_understood(self) -> CommandError:
        message = f"What the server at {self._server.url} says is not understood."
        hint = "Both sides must have the same version of dipeo_jupyter."
        return CommandError(message, code="bad_server", hint=hint)

    async def _connect(self) -> WebSocketClientConnection:
        """A connection on which the server has said hello."""
        begun, pause = asyncio.get_running_loop().time(), FIRST_PAUSE
        patience = self._server.patience
        if self._most_bytes:  # it is known to be the right one
            patience = max(patience, LATER_PATIENCE)
        while True:
            try:
                return await self._try()
            except OSError as error:
                if asyncio.get_running_loop().time() - begun > patience:
                    message = f"The server at {self._server.url} cannot be reached: {error}."
                    hint = "Runs that it has go on; look whether it is up."
                    raise CommandError(message, code="no_server", hint=hint) from None
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - not all at once
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _try(self) -> WebSocketClientConnection:
        # Loaded at the first connection: who runs diagrams in this process never needs it.
        from tornado.httpclient import HTTPClientError, HTTPRequest  # noqa: PLC0415
        from tornado.websocket import WebSocketError, websocket_connect  # noqa: PLC0415

        server = self._server
        request = HTTPRequest(
            server.url,
            headers=dict(server.headers()),
            ca_certs=server.certificates,
            connect_timeout=10,
            request_timeout=10,
        )
        self._connecting = asyncio.ensure_future(
            websocket_connect(request, ping_interval=20, ping_timeout=20, max_message_size=2**30)
        )
        try:
            socket = await asyncio.shield(self._connecting)
        except HTTPClientError as error:
            if error.code in (502, 503, 504, 599):
                raise ConnectionError(f"HTTP {error.code}") from None
            raise _shut(server.url, error.code) from None
        except WebSocketError as error:
            raise ConnectionError(str(error)) from None
        text = None
        try:
            text = await socket.read_message()
        finally:
            if text is None:
                socket.close()
        if text is None:
            raise ConnectionError(socket.close_reason or "it has closed the connection")
        self._most_bytes = from_json(text)["payload"]["most_bytes"]
        self._socket = socket
        return socket

    def _take_up(self) -> None:
        """Say again what may not have been heard, and go on with what was followed."""
        self._linked.set()
        if self._kernel is not None:
            self._offered, self._offer_number = self._kernel.offer(), uuid.uuid4().hex
            self._say(_framed(self._offered, self._offer_number))
        for asked in self._asked.values():
            self._say(asked.text)
        for execution_id, followers in self._followers.items():
            payload = {
                "execution_id": execution_id,
                "after_seq": min(each.heard for each in followers),
            }
            self._say(to_json({"type": "subscribe", "payload": payload}).decode())

    def _fail(self, error: CommandError) -> None:
        self._trouble = error
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(error)
        for follower in [each for group in self._followers.values() for each in group]:
            follower.queue.put_nowait(error)


def _framed(offer: OfferKernel, number: str) -> str:
    payload = offer.model_dump(mode="json", exclude={"type"})
    return to_json({"type": offer.type, "payload": payload, "correlation_id": number}).decode()


def _answer(asked: _Asked, frame: Mapping[str, Any]) -> None:
    if asked.answer.done():
        return
    if frame["type"] == "ack":
        asked.answer.set_result(frame["payload"])
    else:
        asked.answer.set_exception(_error(frame["payload"]))


def _shut(url: str, status: int) -> CommandError:
    if status == 404:  # noqa: PLR2004 - as in HTTP
        message = f"The server at {url} does not run diagrams."
        hint = "Install dipeo_jupyter where the server runs, and start it again."
        return CommandError(message, code="no_extension", hint=hint)
    message = f"The server at {url} does not let you in (HTTP {status})."
    return CommandError(message, code="forbidden", hint="Is the token still the right one?")


def _error(refusal: Mapping[str, Any]) -> CommandError | DiagramError:
    if refusal["code"] == "bad_diagram":
        return DiagramError(*_PROBLEMS.validate_python(refusal["problems"]))
    return _command_error(refusal)


def _command_error(refusal: Mapping[str, Any]) -> CommandError:
    if powers := refusal.get("powers"):
        asked = tuple(map(c.AskedPower.model_validate, powers))
        return UntrustedError(refusal["message"], powers=asked, hint=refusal.get("hint"))
    return CommandError(refusal["message"], code=refusal["code"], hint=refusal.get("hint"))
