"""Who is served: each user has an engine and a home of their own, and so only their own runs.

Whoever knows the one secret of a server (its token or password) is its owner. Where an identity
provider tells people apart, all but the owner have their homes below the owner's.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, cast
from weakref import WeakValueDictionary

from ..app import Folders, build_engine
from ..engine.engine import Engine
from ..engine.ports import Places
from ..errors import CommandError, DipeoError
from ..protocol import commands as c
from ..protocol import events as e
from ..settings import Settings
from .kernels import KernelDesk, KernelPlaces
from .limits import ServerLimits
from .outbox import Frames

OWNER = ""
UNIQUE = re.compile(
    r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE
)
"""A UUID or a ULID: as a correlation id, it names one command only."""
MOST_REMEMBERED = 1000
_OPEN = ("running", "waiting")

Log: TypeAlias = logging.Logger | logging.LoggerAdapter[logging.Logger]


class Connection(Protocol):
    """What a user's other connections are told."""

    def begun(self, execution_id: e.ExecutionId) -> None:
        """A run has begun, or is gone on with."""
        ...

    def relay(self, name: str, data: object) -> None: ...

    async def catch_up(self) -> None:
        """Tell all that has happened by now, if that is soon."""
        ...

    async def dismiss(self, code: int, reason: str) -> None:
        """End it; the other side is told why."""
        ...


@dataclass(frozen=True, slots=True)
class _Wish:
    """A command that was given under a correlation id of its own, and what came of it."""

    command: c.Command
    ack: asyncio.Future[c.Ack]


class User:
    """One person: their engine, their connections, and what of theirs goes on."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        folders: Folders,
        limits: ServerLimits,
        log: Log,
    ) -> None:
        self.name = name
        self.limits = limits
        self.connections: set[Connection] = set()
        self.frames = Frames()
        self._engine = engine
        self._folders = folders
        self._log = log
        self._watching: dict[e.ExecutionId, asyncio.Task[None]] = {}
        self._still: set[e.ExecutionId] = set()
        self._starting = 0
        self._wishes: OrderedDict[str, _Wish] = OrderedDict()
        self._desks: WeakValueDictionary[tuple[str, str], KernelDesk] = WeakValueDictionary()

    @property
    def live(self) -> tuple[e.ExecutionId, ...]:
        """The runs that are not over, as far as they were started or gone on with here."""
        return tuple(self._watching)

    @property
    def going_on(self) -> tuple[e.ExecutionId, ...]:
        """Those of them that are not paused."""
        return tuple(each for each in self._watching if each not in self._still)

    @property
    def busy(self) -> int:
        """How many runs go on or begin."""
        return len(self._watching) - len(self._still) + self._starting

    def desk(self, kernel_id: str, process: str) -> KernelDesk:
        """Where this process of a kernel is asked; earlier ones of the same kernel have ended."""
        desk = self._desks.get((kernel_id, process))
        if desk is None:
            for (other, _), earlier in list(self._desks.items()):
                if other == kernel_id:
                    earlier.end("was restarted meanwhile")
            desk = KernelDesk(kernel_id, self.limits.kernel_patience)
            self._desks[kernel_id, process] = desk
        return desk

    async def attach(self, execution_id: e.ExecutionId, desk: KernelDesk) -> e.ExecutionId:
        """Have a run ask another kernel from now on; its full id."""
        return await self._engine.lend(execution_id, KernelPlaces(desk, self._folders))

    async def send(
        self,
        command: c.Command,
        correlation_id: str | None = None,
        desk: KernelDesk | None = None,
    ) -> c.Ack:
        """Have the engine obey; what is asked for again, under the same UUID, is done once.

        A run that is started or gone on with asks the kernel at the `desk`, if there is one.
        """
        places = KernelPlaces(desk, self._folders) if desk is not None else None
        if correlation_id is None or not UNIQUE.fullmatch(correlation_id):
            return await self._send(command, places)
        known = self._wishes.get(correlation_id)
        if known is None:
            return await self._send_once(command, correlation_id, places)
        if known.command != command:
            message = f"Something else was asked for by the correlation id {correlation_id!r}."
            raise CommandError(message, code="duplicate_id", hint="Use a new one for each command.")
        return await asyncio.shield(known.ack)

    def events(self, execution_id: e.ExecutionId, after: int = 0) -> AsyncGenerator[e.Entry, None]:
        """The entries of a run, as `Client.events` gives them."""
        return cast(AsyncGenerator[e.Entry, None], self._engine.events(execution_id, after))

    async def take_up(self) -> None:
        """Go on with what was interrupted when its process ended, but not with what was paused."""
        for each in (await self._engine.send(c.ListExecutions())).result:
            if each.live or each.status in e.OVER:
                continue
            try:
                if each.status in _OPEN or await self._was_interrupted(each.execution_id):
                    await self.send(c.ResumeExecution(execution_id=each.execution_id))
                    self._log.info("dipeo_jupyter goes on with %s", each.execution_id)
            except DipeoError as error:
                self._log.warning("%s cannot be gone on with: %s", each.execution_id, error)

    async def drain(self) -> None:
        """Begin nothing new, and wait for what is under way; everyone may go on listening."""
        await self._engine.drain()

    async def close(self) -> None:
        """Say good-bye to everyone, and stop what runs so that it can be gone on with."""
        connections = [*self.connections]
        await asyncio.gather(*(each.catch_up() for each in connections), return_exceptions=True)
        goodbyes = (each.dismiss(1012, "the server stops") for each in connections)
        await asyncio.gather(*goodbyes, return_exceptions=True)
        for task in self._watching.values():
            task.cancel()
        await asyncio.gather(*self._watching.values(), return_exceptions=True)
        await self._engine.close()

    async def _send_once(
        self, command: c.Command, correlation_id: str, places: Places | None
    ) -> c.Ack:
        wish = _Wish(command, asyncio.get_running_loop().create_future())
        self._wishes[correlation_id] = wish
        while len(self._wishes) > MOST_REMEMBERED:
            self._wishes.popitem(last=False)
        try:
            ack = await self._send(command, places)
        except BaseException as error:
            del self._wishes[correlation_id]  # it may be tried again
            wish.ack.set_exception(error)
            wish.ack.exception()  # nobody else may have waited for it
            raise
        wish.ack.set_result(ack)
        return ack

    async def _send(self, command: c.Command, places: Places | None = None) -> c.Ack:
        if isinstance(command, c.ExecuteDiagram | c.ForkExecution):
            return await self._start(command, places)
        ack = await self._engine.send(command, places)
        if isinstance(command, c.OnExecution) and ack.execution_id is not None:
            self._look_after(ack.execution_id, ack.seq, command)
        return ack

    async def _start(self, command: c.Command, places: Places | None) -> c.Ack:
        if self.busy >= self.limits.runs_at_once:
            message = f"{self.busy} of your runs go on already, and more may not."
            hint = "Wait for one to end, or cancel one; DipeoApp.runs_at_once is the limit."
            raise CommandError(message, code="too_many_runs", hint=hint)
        self._starting += 1
        try:
            ack = await self._engine.send(command, places)
        finally:
            self._starting -= 1
        assert ack.execution_id is not None
        self._watch(ack.execution_id, ack.seq)
        return ack

    def _look_after(self, execution_id: e.ExecutionId, seq: int, command: c.OnExecution) -> None:
        """A run that somebody steers may go on by it, here or in another process."""
        steers = not isinstance(command, c.GetExecution | c.GetConversation | c.CancelExecution)
        if steers and execution_id not in self._watching:
            self._watch(execution_id, seq)

    def _watch(self, execution_id: e.ExecutionId, seq: int) -> None:
        self._watching[execution_id] = asyncio.create_task(self._follow(execution_id, seq))
        for each in tuple(self.connections):
            each.begun(execution_id)

    async def _follow(self, execution_id: e.ExecutionId, seq: int) -> None:
        try:
            async with contextlib.aclosing(self.events(execution_id, max(0, seq - 1))) as entries:
                async for entry in entries:
                    if isinstance(entry.event, e.ExecutionPaused):
                        self._still.add(execution_id)
                    elif isinstance(entry.event, e.ExecutionResumed):
                        self._still.discard(execution_id)
        except DipeoError as error:
            self._log.warning("%s cannot be watched: %s", execution_id, error)
        finally:
            self._still.discard(execution_id)
            self._watching.pop(execution_id, None)

    async def _was_interrupted(self, execution_id: e.ExecutionId) -> bool:
        """Whether a run stands still only because its process has ended, in whatever way."""
        stopped: e.ExecutionPaused | e.ExecutionEdited | None = None
        async for entry in self.events(execution_id):
            if isinstance(entry.event, e.ExecutionPaused | e.ExecutionEdited):
                stopped = stopped or entry.event  # who had paused it before, wants it so
            elif isinstance(entry.event, e.ExecutionResumed):
                stopped = None
        if isinstance(stopped, e.ExecutionPaused):
            return stopped.reason == "closed"
        return stopped is None


class Users:
    """All who are served, made when they first come."""

    def __init__(
        self,
        settings: Settings,
        limits: ServerLimits,
        log: Log,
        *,
        auto_resume: bool = False,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self._log = log
        self._auto_resume = auto_resume
        self._users: dict[str, asyncio.Task[User]] = {}
        self._closing: asyncio.Task[None] | None = None
        self._at_once = asyncio.Event()

    async def get(self, name: str) -> User:
        """The user of this name; raises `CommandError` when the server stops."""
        if self._closing is not None:
            raise CommandError("The server stops.", code="stopping")
        if name not in self._users:
            self._users[name] = asyncio.create_task(self._open(name))
        try:
            return await asyncio.shield(self._users[name])
        except Exception:
            self._users.pop(name, None)  # it may be better next time
            raise

    @property
    def known(self) -> list[User]:
        """Those who have come."""
        return [
            task.result()
            for task in self._users.values()
            if task.done() and not task.cancelled() and task.exception() is None
        ]

    async def close(self) -> None:
        """Stop, when what is under way is done or has had its time; called again, at once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        else:
            self._at_once.set()
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await asyncio.gather(*self._users.values(), return_exceptions=True)
        done = asyncio.create_task(self._drain())
        enough = asyncio.create_task(self._at_once.wait())
        limit = self.limits.drain_seconds
        await asyncio.wait({done, enough}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        for each in (done, enough):
            each.cancel()
        await asyncio.gather(done, enough, return_exceptions=True)
        await asyncio.gather(*(user.close() for user in self.known))
        self._users.clear()

    async def _drain(self) -> None:
        await asyncio.gather(*(user.drain() for user in self.known))

    async def _open(self, name: str) -> User:
        settings = self.settings
        if name != OWNER and settings.home is not None:
            settings = replace(settings, home=settings.home / "users" / folder_of(name))
        folders = await asyncio.to_thread(Folders, settings)
        engine = await asyncio.to_thread(build_engine, settings, folders)
        user = User(name, engine, folders, self.limits, self._log)
        if self._auto_resume:
            await user.take_up()
        return user


def folder_of(name: str) -> str:
    """A folder's name for a user's: readable, and another one for every other user."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24]
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
