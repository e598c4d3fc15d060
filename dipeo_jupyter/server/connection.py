"""One connection: commands come in, replies and events go out. It knows nothing of sockets."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from ulid import ULID

from ..diagram.drawn import read_and_drawn
from ..diagram.files import converted, name_of_file
from ..engine.pace import at_length
from ..errors import CommandError, DipeoError
from ..protocol import commands as c
from ..protocol import events as e
from ..protocol import kernel as k
from ..protocol import wire as w
from ..protocol.refusals import Problem, Refusal, refusal_of, told
from ..protocol.requests import BadFrameError, Request, read_request
from .kernels import KernelDesk
from .limits import Bucket
from .outbox import Outbox, Write
from .telling import Telling
from .users import Log, User

LARGE = 50_000
"""Reading a frame of more characters than this would hold up the loop for too long."""
VERY_LARGE = 1_000_000
"""The same for whoever waits until what calculates at length is done."""
LAST_WORDS = 1.0
"""Seconds that the last replies may take before a connection is ended."""
READS = (
    "check_diagram",
    "convert_diagram",
    "describe",
    "draw_diagram",
    "get_conversation",
    "get_execution",
    "list_collections",
    "list_executions",
    "ping",
    "plan_execution",
    "subscribe",
    "unsubscribe",
)
"""What changes nothing and starts nothing."""

May: TypeAlias = Callable[[str], Awaitable[bool]]
"""Whether this user may `read` or `execute`, at this moment; raises `GoneError` for nobody."""
Close: TypeAlias = Callable[[int, str], Awaitable[None]]


class GoneError(DipeoError):
    """Whoever is at the other end is not, or no longer, who they were."""


class Connection:
    def __init__(
        self,
        user: User,
        may: May,
        write: Write,
        close: Close,
        log: Log,
        kernel_id: str | None = None,
    ) -> None:
        """With a `kernel_id`, it is that kernel's, which has proved what it is."""
        self._kernel_id = kernel_id
        self._desk: KernelDesk | None = None
        self.id = f"client_{ULID()}"
        self._user = user
        self._may = may
        self._end = close
        self._log = log
        self._limits = user.limits
        self._outbox = Outbox(write, user.limits, user.frames)
        self._bucket = Bucket(user.limits.messages_per_second, user.limits.message_burst)
        self._at_once = asyncio.Semaphore(user.limits.commands_at_once)
        self._obeying: dict[asyncio.Task[None], str | None] = {}
        self._telling = Telling(user, self._outbox)
        self._writing: asyncio.Task[None] | None = None

    @property
    def held(self) -> int:
        """How much is not told yet, in bytes."""
        return self._outbox.held

    async def open(self) -> None:
        """Begin to talk."""
        self._user.connections.add(self)
        self._outbox.say(
            w.frame(w.Connected(client_id=self.id, most_bytes=self._limits.frame_bytes))
        )
        self._writing = asyncio.create_task(self._write())

    async def receive(self, text: str) -> None:
        """Take a frame. What it asks for is done meanwhile; nothing that is asked for waits for it.

        Commands about one run are obeyed one after the other, in the order in which they came.
        """
        # A kernel answers as fast as it is asked; what it may have to do at once is bounded.
        if self._kernel_id is None and not self._bucket.take():
            await self._slow_down(text)
            return
        await self._outbox.room()  # who does not read is not heard
        await self._at_once.acquire()
        try:
            request = await self._read(text)
        except BadFrameError as error:
            self._at_once.release()
            self._refuse(error, error.correlation_id)
            return
        except BaseException:
            self._at_once.release()
            raise
        about = getattr(request.command, "execution_id", None)
        before = [task for task, run in self._obeying.items() if about is not None and run == about]
        task = asyncio.create_task(self._obey(request, before))
        self._obeying[task] = about
        task.add_done_callback(self._obeyed)

    def begun(self, execution_id: e.ExecutionId) -> None:
        """A run of this user has begun, or is gone on with."""
        self._telling.begun(execution_id)

    def relay(self, name: str, data: object) -> None:
        """Tell what somebody has relayed, unless there is no room for it."""
        if self.held < self._limits.held_bytes:
            self._outbox.say(w.frame(w.Relayed(name=name, data=data)))

    async def catch_up(self) -> None:
        """Tell all that has happened by now in the runs that are followed, if that is soon."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await self._telling.catch_up()

    async def dismiss(self, code: int, reason: str) -> None:
        """End the connection; the other side is told what there is to tell, and why it ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await self._outbox.empty()
        await self._end(code, reason)
        self.closed()

    def closed(self) -> None:
        """The other side is gone. Runs are not: they go on."""
        self._user.connections.discard(self)
        self._telling.close()
        if self._writing is not None and self._writing is not asyncio.current_task():
            self._writing.cancel()
        if self._desk is not None:
            self._desk.disconnected(self._outbox.say)

    # -- commands ---------------------------------------------------------------------------------

    async def _read(self, text: str) -> Request:
        if len(text) > VERY_LARGE:
            return await asyncio.to_thread(read_request, text)
        if len(text) > LARGE:
            return await at_length(read_request, text)
        return read_request(text)

    async def _obey(self, request: Request, before: list[asyncio.Task[None]]) -> None:
        if before:
            await asyncio.wait(before)
        kind = request.command.type
        action = "read" if kind in READS else "execute"
        try:
            if await self._may(action):
                await self._answer(request)
            else:
                message = f"You may not {action} diagrams here, and so not {kind}."
                self._refuse(CommandError(message, code="forbidden"), request.correlation_id)
        except GoneError as error:
            await self.dismiss(4401, str(error))
        except DipeoError as error:
            source = request.reading.source if request.reading else None
            # The first look into the text for what is wrong takes long.
            refusal = await at_length(refusal_of, error, source) if source else refusal_of(error)
            self._say(refusal, request.correlation_id, request)
        except Exception as error:  # noqa: BLE001 - one of the three edges: whatever it is, it is told
            number = secrets.token_hex(4)
            # Neither what was said nor the address: there may be keys and tokens in them.
            self._log.error("dipeo_jupyter: error %s in %s", number, kind, exc_info=_bare(error))
            message = f"This is a fault of the server; its log has more, at error {number}."
            self._refuse(CommandError(message, code="internal"), request.correlation_id)
            await self.dismiss(1011, f"error {number}")

    async def _answer(self, request: Request) -> None:
        match request.command:
            case w.Ping():
                self._acknowledge(c.Ack(result="pong"), request)
            case w.Subscribe() as command:
                await self._subscribe(command, request)
            case w.Unsubscribe() as command:
                self._telling.leave(command.execution_id)
                self._acknowledge(c.Ack(), request)
            case w.ConvertDiagram() | w.DrawDiagram() as command:
                await self._report(c.Ack(result=await self._remade(command, request)), request)
            case w.RelayEvent() as command:
                for each in tuple(self._user.connections):
                    each.relay(command.name, command.data)
                self._acknowledge(c.Ack(), request)
            case k.OfferKernel() as offer:
                self._take_offer(offer, request)
            case k.AttachKernel(execution_id=execution_id):
                attached = await self._user.attach(execution_id, self._kernels_desk())
                self._acknowledge(c.Ack(execution_id=attached), request)
            case k.KernelReply() | k.KernelOutput() as said:
                self._kernels_desk().hear(said)
                self._acknowledge(c.Ack(), request)
            case command:
                await self._send(command, request)

    async def _subscribe(self, command: w.Subscribe, request: Request) -> None:
        if command.execution_id == w.ALL_RUNS:
            self._acknowledge(c.Ack(), request)
            self._telling.follow_all(brief=command.brief)
            return
        ack = await self._user.send(c.GetExecution(execution_id=command.execution_id))
        assert ack.execution_id is not None
        await self._telling.stop(ack.execution_id)
        self._acknowledge(ack.model_copy(update={"result": None}), request)
        self._telling.follow(ack.execution_id, command.after_seq, ack.seq)

    def _take_offer(self, offer: k.OfferKernel, request: Request) -> None:
        if self._kernel_id is None:
            raise _no_kernel()
        desk = self._user.desk(self._kernel_id, offer.process)
        if self._desk is not None and self._desk is not desk:
            self._desk.disconnected(self._outbox.say)
        self._desk = desk
        numbers = desk.connected(offer, self._outbox.say)
        self._acknowledge(c.Ack(result=numbers), request)
        desk.ask_again()

    def _kernels_desk(self) -> KernelDesk:
        if self._desk is None:
            raise _no_kernel()
        return self._desk

    async def _send(self, command: c.Command, request: Request) -> None:
        if isinstance(command, c.CheckDiagram):
            problems = await self._problems(command, request)
            await self._report(c.Ack(result=problems), request)
            return
        if request.reading is not None:
            _checked(request, request.reading.diagram)
        # What only tells is told anew: it may be large, and have changed.
        number = None if command.type in READS else request.correlation_id
        ack = await self._user.send(command, number, self._desk)
        await self._report(ack, request)
        starts = isinstance(command, c.ExecuteDiagram | c.ForkExecution)
        if starts and request.follow:
            assert ack.execution_id is not None
            self._telling.follow(ack.execution_id, 0, ack.seq)

    async def _remade(self, command: w.ConvertDiagram | w.DrawDiagram, request: Request) -> Any:
        diagram = command.diagram
        if isinstance(command, w.ConvertDiagram):
            return await at_length(converted, _checked(request, diagram), command.to)
        check = c.CheckDiagram(diagram=diagram, folder=command.folder)
        problems = await self._problems(check, request)
        if diagram.name is None and command.file:
            called = name_of_file(PurePosixPath(command.file).name)
            diagram = diagram.model_copy(update={"name": called})
        return {**await at_length(read_and_drawn, diagram), "problems": problems}

    async def _problems(self, command: c.CheckDiagram, request: Request) -> list[Problem]:
        """What is wrong with the text comes first; the rest is found in what could be read."""
        reading = request.reading
        found = list(reading.problems) if reading else []
        partial = command.partial or bool(reading and reading.errors)
        checked = command.model_copy(update={"partial": partial})
        ack = await self._user.send(checked, desk=self._desk)

        def placed() -> list[Problem]:
            more = [reading.source.locate(each) if reading else each for each in ack.result]
            return [*map(told, [*found, *more])]

        return await at_length(placed)

    def _acknowledge(self, ack: c.Ack, request: Request) -> None:
        self._outbox.say(w.frame(ack, correlation_id=request.correlation_id))

    async def _report(self, ack: c.Ack, request: Request) -> None:
        """The same for an answer that may be long."""
        if request.command.type in READS:
            told = await at_length(w.frame, ack, correlation_id=request.correlation_id)
            self._outbox.say(told)
        else:
            self._acknowledge(ack, request)

    def _refuse(self, error: DipeoError, correlation_id: str | None) -> None:
        self._say(refusal_of(error), correlation_id)

    def _say(
        self, refusal: Refusal, correlation_id: str | None, request: Request | None = None
    ) -> None:
        about = getattr(request.command, "execution_id", None) if request else None
        self._outbox.say(w.frame(refusal, correlation_id=correlation_id, execution_id=about))

    async def _slow_down(self, text: str) -> None:
        """Refuse a message that is one too many; who goes on and on is sent away."""
        if self._bucket.empty_for > self._limits.patience:
            await self.dismiss(1008, "too many messages")
            return
        await self._outbox.room()
        message = f"More than {self._limits.messages_per_second:g} messages a second."
        error = CommandError(message, code="rate_limited", hint="Send this one again, later.")
        correlation_id = None
        with contextlib.suppress(CommandError):
            correlation_id = read_request(text).correlation_id if len(text) < LARGE else None
        self._refuse(error, correlation_id)

    def _obeyed(self, task: asyncio.Task[None]) -> None:
        del self._obeying[task]
        self._at_once.release()
        if not task.cancelled():
            task.exception()

    async def _write(self) -> None:
        try:
            await self._outbox.run()
        except TimeoutError:
            await self._end(1013, "too slow")
            self.closed()
        except ConnectionError:
            self.closed()


def _no_kernel() -> CommandError:
    message = "Only kernels of this server say that, and say first what they offer."
    return CommandError(message, code="no_kernel")


def _checked(request: Request, diagram: Any) -> Any:
    """The diagram of a request; raises `DiagramError` when its text is wrong."""
    return request.reading.checked().diagram if request.reading else diagram


def _bare(error: Exception) -> Any:
    """What sort of error it is and where it was raised; what it says may repeat what was said."""
    return RuntimeError, RuntimeError(type(error).__name__), error.__traceback__
