"""What a kernel or a program has one of: a background loop, and an engine on it."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

from ..app import Folders, build_engine, build_services, with_cassette
from ..client import Ask, Client, Conversation, Place, breakpoints, changed, check, check_answers
from ..client.address import with_token
from ..client.kernel_side import KernelSide
from ..client.remote import RemoteClient
from ..client.trusting import allowed
from ..diagram.files import Readable, is_file, survey
from ..diagram.source import Reading, Source
from ..engine.engine import Engine
from ..errors import CommandError, DiagramError, Problem, UntrustedError
from ..protocol import commands as c
from ..protocol import events as e
from ..services.keys import is_lent
from ..services.tools import FUNCTIONS
from ..settings import CassetteMode, Settings
from .asking import ask_by_input
from .background import BackgroundLoop
from .card.trusting import ask_trust
from .connecting import (
    ELSEWHERE,
    HERE,
    NOT_FOUND,
    SOON,
    folder_in,
    servers_of_this_kernel,
    there,
)
from .interrupts import Stopped, held, stopped, unbegun
from .listing import Plan, Runs
from .names import Namespace, notebook_names
from .run import Run
from .taped import Taped
from .values import as_inputs


@dataclass(frozen=True)
class Options:
    """How a run is to be made. Questions that `answers` do not answer are put through `ask`.

    The conversation of a `thread` is carried on.

    A `fresh` run asks models again; the results of the run `since` hold where nothing changes;
    `values` are outputs given by hand, by activation. The `cassette` is by default the session's.

    A file, and any diagram that is `foreign`, may have come from elsewhere: with `trust`, nobody is
    asked before it does what it asks for.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = ask_by_input
    name: str | None = None
    thread: str | None = None
    paused: bool = False
    breakpoints: Iterable[Place] = ()
    fresh: bool = False
    since: Run | str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    budget: e.Budget | None = None
    cassette: str | Path | None = None
    cassette_mode: CassetteMode | None = None
    trust: bool = False
    foreign: bool = False


class Session:
    """Starts runs on an engine in this process. Jobs that still run when it exits are stopped.

    There is an engine for each cassette that is used, and in each mode; so a run keeps what it was
    started with, and one that replays can never come to ask a model.
    """

    def __init__(self, settings: Settings, namespace: Namespace = notebook_names) -> None:
        self.settings = settings
        self._namespace = namespace
        self._engines: dict[object, Engine] = {}
        self.loop = BackgroundLoop()
        self._remotes: list[RemoteClient] = []
        self._server: RemoteClient | None = None
        self._folder = ""
        self._settled = False
        self._runs: WeakValueDictionary[e.ExecutionId, Run] = WeakValueDictionary()
        atexit.register(self._stop)

    @property
    def engine(self) -> Client:
        """The server that is connected, else the engine here that has the cassette in use."""
        self._settle()
        return self._server or self._engine(self.settings)

    @property
    def _place(self) -> str:
        """The folder of this session's diagrams where they run, once that is settled."""
        self._settle()
        return self._folder

    @property
    def server(self) -> RemoteClient | None:
        """The server that is connected by now."""
        return self._server

    def connect(self, where: str) -> str:
        """Say where diagrams run from now on, and be told in words where that is.

        `embedded`: in this process; `auto`: in the server that has started this kernel, if there
        is one; else the address of a server. Runs that there are stay where they are. Raises
        `CommandError` when a server cannot be reached.
        """
        self._settled = True
        self._server, self._folder = None, ""
        if where == "embedded":
            return HERE
        if where == "auto":
            return self._connect_to_own()
        server = with_token(where, self.settings.environ.get("JUPYTER_TOKEN"))
        self._server = self._connected(RemoteClient(server))
        return there(server)

    def use(self, cassette: str | Path | None, mode: CassetteMode | None = None) -> None:
        """Have models asked through a cassette in all runs that are started from now on.

        Raises `CommandError` for one that cannot be read, or has nothing to be replayed.
        """
        self.settings = with_cassette(self.settings, cassette, mode)

    def start(
        self, diagram: Readable, inputs: Mapping[str, Any] | None = None, **options: Any
    ) -> Run:
        """Start a run and return it at once; raises `DiagramError` for a diagram that is wrong.

        The options are those of `Options`. Without `inputs`, those of the run `since` are taken.
        Raises `Stopped` when it is interrupted, which says whether anything has begun.
        """
        try:
            return self._start(diagram, inputs, Options(**options))
        except KeyboardInterrupt as stop:
            raise unbegun(stop) from None

    def _start(self, diagram: Readable, inputs: Mapping[str, Any] | None, chosen: Options) -> Run:
        reading = self._read(diagram, chosen.name)
        drawn = reading.diagram
        check_answers(chosen.answers, drawn)
        since = self._since(chosen.since)
        settings = self.settings
        if chosen.cassette or chosen.cassette_mode:
            settings = with_cassette(settings, chosen.cassette, chosen.cassette_mode)
        # A cassette is a file here, and so is whoever plays it.
        if settings.taped:
            client: Client = Taped(self._engine(settings))
        else:
            self._settle()
            client = self._server or self._engine(settings)
        command = c.ExecuteDiagram(
            diagram=drawn,
            folder=self._folder if client is self._server else "",
            inputs=_inputs(inputs, since),
            thread=_thread(chosen.thread),
            paused=chosen.paused,
            breakpoints=breakpoints(chosen.breakpoints, drawn),
            fresh=chosen.fresh or settings.taped,
            origin=e.Origin(execution_id=since.id) if since else None,
            values=dict(chosen.values),
            budget=chosen.budget or e.Budget(),
            foreign=chosen.foreign or is_file(diagram),
        )
        try:
            return self._begun(command, reading, client, chosen)
        except UntrustedError as error:
            ask = ask_trust if chosen.ask else None
            command = allowed(command, error, reading.source, trust=chosen.trust, ask=ask)
        return self._begun(command, reading, client, chosen)

    def _begun(
        self, command: c.ExecuteDiagram, reading: Reading, client: Client, options: Options
    ) -> Run:
        """The run that is begun by this. When it is interrupted meanwhile, the run is paused."""
        run: Run | None = None
        sent = False
        try:
            with held():
                sent = True
                try:
                    ack = self._send(command, reading.source, client)
                except (DiagramError, UntrustedError):
                    sent = False  # it was refused
                    raise
                assert ack.execution_id is not None
                conversation = Conversation(client, ack.execution_id, options.answers, options.ask)
                run = Run(conversation, reading.diagram, reading.source, self.loop, ack.seq)
                return self._known(run)
        except KeyboardInterrupt:
            if run is not None:
                raise stopped(run) from None
            if not sent:
                raise
            message = "it is not known whether the run has begun. `dipeo.runs()` lists what has."
            raise Stopped(message) from None

    def get(self, run: str, ask: Ask | None = ask_by_input) -> Run:
        """The run with this id, which may be shortened; it does not go on by this."""
        summary, client = self._find(run)
        known = self._runs.get(summary.execution_id)
        if known is not None:
            return known
        diagram = self.loop.run(_diagram(client, summary.execution_id))
        conversation = Conversation(client, summary.execution_id, {}, ask)
        source = Source("", diagram.name or "diagram", {})
        attached = Run(conversation, diagram, source, self.loop, summary.events)
        return self._known(attached)

    def attach(self, run: str, ask: Ask | None = ask_by_input) -> Run:
        """The same; what it needs from a notebook, it asks this one for from now on."""
        found = self.get(run, ask)
        if self._server is not None:
            self.loop.run(self._server.attach(found.id))
        return found

    def runs(self) -> Runs:
        """All runs that are kept, the newest first."""
        found: dict[e.ExecutionId, c.ExecutionSummary] = {}
        for client in self._keepers():
            for each in self.loop.run(client.send(c.ListExecutions())).result:
                found.setdefault(each.execution_id, each)
        return Runs(sorted(found.values(), key=lambda each: each.execution_id, reverse=True))

    def plan(
        self,
        diagram: Readable,
        inputs: Mapping[str, Any] | None = None,
        *,
        changes: Mapping[str, Any] = {},
        fresh: bool = False,
        since: Run | str | None = None,
        thread: str | None = None,
    ) -> Plan:
        """What `start` with the same arguments would do; nothing is done."""
        reading = self._read(diagram)
        drawn, values = changed(reading.diagram, as_inputs(changes))
        before = self._since(since)
        given = _inputs(inputs, before)
        command = c.PlanExecution(
            diagram=drawn,
            folder=self._place,
            inputs=given,
            since=before.id if before else None,
            fresh=fresh or self.settings.taped,
            values=values,
            thread=_thread(thread),
        )
        planned: c.Plan = self._send(command, reading.source).result
        start = partial(
            self.start,
            *(drawn, given),
            fresh=fresh,
            since=before,
            values=values,
            thread=_thread(thread),
            foreign=is_file(diagram),
        )
        return Plan(planned, start)

    def prune(self, keep_last: int) -> int:
        """Forget finished runs but the last so many; how many were forgotten."""
        if keep_last < 0:
            raise CommandError(f"{keep_last} is no number of runs: none is forgotten.")
        return len(self.loop.run(self.engine.send(c.PruneExecutions(keep_last=keep_last))).result)

    def collections(self, database: str) -> list[c.CollectionSummary]:
        """The collections of a database, of the usual one when it has no name."""
        command = c.ListCollections(folder=self._place, database=database)
        found: list[c.CollectionSummary] = self.loop.run(self.engine.send(command)).result
        return found

    def check(self, reading: Reading) -> list[Problem]:
        """All problems of what was read, warnings and hints included; nothing is run."""
        return self.loop.run(check(self.engine, reading, self._place))

    def close(self) -> None:
        """Stop everything that runs, and the loop it runs on."""
        atexit.unregister(self._stop)
        self._stop()
        self.loop.close()

    def _stop(self) -> None:
        for remote in self._remotes:
            self.loop.run(remote.close())
        for engine in self._engines.values():
            self.loop.run(engine.close())
        self.loop.cancel()

    def _engine(self, settings: Settings) -> Engine:
        tape = _tape(settings)
        if tape not in self._engines:
            self._engines[tape] = self._built(settings)
        return self._engines[tape]

    def _settle(self) -> None:
        """At the first use: go where the settings say, and tell people if that is not here."""
        if self._settled:
            return
        self._settled = True
        where = self.settings.connect
        try:
            said = self.connect(where)
        except KeyboardInterrupt:  # it is not settled that diagrams run here
            self._settled = False
            raise
        if where not in ("auto", "embedded"):
            print(said)  # noqa: T201 - people must know whose files and keys it has

    def _connect_to_own(self) -> str:
        """Connect to the server that has started this kernel, if it serves this folder."""
        end = monotonic() + SOON
        for server in servers_of_this_kernel(self.settings.environ):
            remote = RemoteClient(server, self._kernel_side())
            try:
                connected = self._connected(remote, max(0.0, end - monotonic()))
            except CommandError:
                continue  # it is another one's
            folder = folder_in(server, self.settings.root)
            if folder is None:
                self.loop.run(connected.close())
                return ELSEWHERE
            self._server, self._folder = connected, folder
            return there(server, folder)
        return NOT_FOUND

    def _connected(self, remote: RemoteClient, within: float | None = None) -> RemoteClient:
        async def first() -> None:
            try:
                async with asyncio.timeout(within):
                    await remote.send(c.ListExecutions())
            except TimeoutError:
                message = "The server does not answer."
                raise CommandError(message, code="no_server") from None

        try:
            self.loop.run(first())
        except CommandError:
            self.loop.run(remote.close())
            raise
        self._remotes.append(remote)
        return remote

    def _kernel_side(self) -> KernelSide:
        services = build_services(self.settings, namespace=self._namespace)
        notebook = self.settings.environ.get("JPY_SESSION_NAME")
        called = Path(notebook).name if notebook else None
        return KernelSide(services, FUNCTIONS.offered, called, self._lent)

    def _lent(self) -> dict[str, str]:
        """The variables of this process that its runs in a server shall know."""
        environ = self.settings.environ
        return {name: environ[name] for name in list(environ) if is_lent(name)}

    def _built(self, settings: Settings) -> Engine:
        return build_engine(settings, Folders(settings, namespace=self._namespace))

    def _read(self, diagram: Readable, name: str | None = None) -> Reading:
        reading = survey(diagram)
        if reading.errors:
            raise DiagramError(*(each for each in self.check(reading) if each.severity == "error"))
        if name is None:
            return reading
        return replace(reading, diagram=reading.diagram.model_copy(update={"name": name}))

    def _since(self, run: Run | str | None) -> Run | None:
        return self.get(run) if isinstance(run, str) else run

    def _send(self, command: c.Command, source: Source, client: Client | None = None) -> c.Ack:
        try:
            return self.loop.run((client or self.engine).send(command))
        except DiagramError as error:
            raise DiagramError(*(source.locate(each) for each in error.problems)) from None

    def _known(self, run: Run) -> Run:
        self._runs[run.id] = run
        return run

    def _keepers(self) -> list[Client]:
        """Whoever keeps runs: where a server does, also this process, which runs cassettes."""
        home = self.settings.home
        keepers: list[Client] = [self.engine]
        if self._server is not None and (self._engines or (home is not None and home.exists())):
            keepers.append(self._engine(self.settings))
        return keepers

    def _find(self, run: str) -> tuple[c.ExecutionSummary, Client]:
        """A run and who keeps it; raises `CommandError` as the last one does who was asked."""
        *others, last = self._keepers()
        for client in others:
            try:
                return self.loop.run(client.send(c.GetExecution(execution_id=run))).result, client
            except CommandError as error:
                if error.code != "unknown_execution":
                    raise
        return self.loop.run(last.send(c.GetExecution(execution_id=run))).result, last


async def _diagram(client: Client, execution_id: e.ExecutionId) -> Any:
    """What a run was begun with."""
    events = client.events(execution_id)
    first = await anext(events)
    await events.aclose()  # type: ignore[attr-defined] # it is a generator
    assert isinstance(first.event, e.ExecutionStarted)
    return first.event.diagram


def _tape(settings: Settings) -> tuple[Path, CassetteMode] | None:
    """What tells engines apart."""
    if settings.cassette is None or not settings.taped:
        return None
    return settings.cassette.absolute(), settings.cassette_mode


def _thread(name: str | None) -> str | None:
    if name == "":
        raise CommandError("A thread has a name; without `thread` a run has none.", code="no_name")
    return name


def _inputs(inputs: Mapping[str, Any] | None, since: Run | None) -> dict[str, Any]:
    return since.inputs if inputs is None and since else as_inputs(inputs or {})


@cache
def default_session() -> Session:
    """The one session of this kernel, made when it is first used."""
    return Session(Settings.from_environment())
