"""One life of a process: it plays a scenario from wherever the journal says it has come to.

It ends itself by SIGKILL at a given write of the journal, or plays to the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dipeo_jupyter.app import build_services
from dipeo_jupyter.diagram.model import Label, Person
from dipeo_jupyter.engine.chat import ChatAnswer, ChatRequest
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.ports import Notion, OnePlace, Steps, Write
from dipeo_jupyter.engine.ports.web import WebAnswer, WebRequest
from dipeo_jupyter.engine.prices import FREE, Price
from dipeo_jupyter.errors import Problem, ServiceError
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import SqliteJournal
from dipeo_jupyter.services.llm.wire import wire_message
from dipeo_jupyter.services.notion import NotionService
from dipeo_jupyter.services.tools import Functions
from dipeo_jupyter.settings import Settings
from tests.notion_server import TOKEN

from .scenarios import APART, PART, SCENARIOS, Edit, Fork, Run, Scenario, Stage

NODE_TYPES = load_node_types()
NOTION = "notion.url"
OVER = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Kill:
    """Dies at the `nth` write of its life; `where` is `before_commit` or `after_commit`."""

    where: str
    nth: int


@dataclass(frozen=True)
class Life:
    """What a process is born with. `url` is the api base of this trial's models.

    With `die_when`, it dies as soon as the run is `waiting` for a human, or `paused`.
    """

    scenario: str
    folder: str
    url: str
    kill: Kill | None = None
    litellm: bool = False
    die_when: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Life:
        fields = json.loads(text)
        kill = fields.pop("kill")
        return cls(kill=Kill(**kill) if kill else None, **fields)


class LoopbackLLM:
    """Fulfils the port `LLM` without litellm, whose import takes seconds."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        messages = [*map(wire_message, request.messages)]
        asked = {"model": request.person.model, "messages": messages, "said": request.said()}
        body = json.dumps(asked).encode()
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        try:
            head = f"POST {self._url.path}/chat/completions HTTP/1.1\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            status, said = await _response(reader)
        finally:
            writer.close()
        if status != 200:
            raise ServiceError(f"refused ({status})", retryable=status >= 500)
        message = said["choices"][0]["message"]
        text = message["content"] or ""
        on_text(text)
        calls = tuple(
            e.ToolCall(id=each["id"], **each["function"]) for each in message.get("tool_calls", ())
        )
        counts = said["usage"]
        usage = e.Usage(
            input_tokens=counts["prompt_tokens"], output_tokens=counts["completion_tokens"]
        )
        return ChatAnswer(text, usage, calls=calls)

    def identity(self, person: Person) -> Mapping[str, Any]:
        return {"model": person.model}

    def price(self, person: Person) -> Price | None:
        return FREE

    def takes_schema(self, person: Person) -> bool:
        return False

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        yield from ()


async def _response(reader: asyncio.StreamReader) -> tuple[int, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split(" ")[1]), json.loads(await reader.readexactly(length))


class NotedNotion:
    """Fulfils the port `Notion`; the side log is all that is created."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def look(self) -> object:
        return self._log

    async def call(self, operation: str, arguments: Mapping[str, Any], steps: Steps) -> Any:
        async def work(_: str) -> Any:
            with self._log.open("a") as file:
                file.write(f"{operation}\n")
            return {"object": "page"}

        return await steps.once(Write("", {operation: arguments}, work, "Making a page in Notion"))


class NotedWeb:
    """Fulfils the port `Web`; the side log is all that is sent."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def find_key(self, api_key_id: str, host: str) -> object:
        return api_key_id

    async def send(self, request: WebRequest) -> WebAnswer:
        with self._log.open("a") as file:
            file.write(f"{request.method}\n")
        return WebAnswer(200, request.url, {}, b"sent", "sent")


class Player:
    """Does what people do in a scenario, as far as the journal says that it was not done yet."""

    def __init__(self, life: Life, engine: Engine, journal: SqliteJournal) -> None:
        self.scenario: Scenario = {**SCENARIOS, **APART}[life.scenario]
        self.life = life
        self.engine = engine
        self.journal = journal
        self.folder = Path(life.folder)

    async def play(self) -> None:
        """Play all stages; the n-th run of the journal is that of the n-th `Run` or `Fork`."""
        edits = runs = 0
        for stage in self.scenario.stages:
            records = reversed(self.journal.runs())
            begun = [each.execution_id for each in records if each.parent is None]
            if isinstance(stage, Edit):
                edits += 1
                run = begun[runs - 1]
                if _edits(self.journal, run) < edits:
                    await self.engine.send(self._edit(run, stage))
                await self._go_on(run)
            else:
                edits, runs = 0, runs + 1
                run = begun[runs - 1] if len(begun) >= runs else await self._begin(stage, begun)
                # What was edited since is the next stage's business.
                if not _edits(self.journal, run):
                    await self._go_on(run)

    async def _begin(self, stage: Run | Fork, begun: list[str]) -> str:
        diagram = self._diagram(stage)
        command: c.Command
        match stage:
            case Run():
                command = c.ExecuteDiagram(
                    diagram=diagram, fresh=stage.fresh, breakpoints=stage.breakpoints
                )
            case Fork():
                command = c.ForkExecution(execution_id=begun[0], at=stage.at, diagram=diagram)
        ack = await self.engine.send(command)
        assert ack.execution_id
        return ack.execution_id

    def _edit(self, run: str, stage: Edit) -> c.EditExecution:
        return c.EditExecution(
            execution_id=run,
            diagram=self._diagram(stage),
            values=dict(stage.values),
            keep=stage.keep,
        )

    def _diagram(self, stage: Stage) -> Any:
        return self.scenario.diagram(self.folder / "side.log", stage)

    async def _go_on(self, run: str) -> None:
        """See a run through to its end: resume it, answer it, repair what made it fail."""
        while True:
            ack = await self.engine.send(c.GetExecution(execution_id=run))
            if ack.result.status == "failed" and self.scenario.repairs:
                (self.folder / "root/fixed").touch()
            elif ack.result.status in OVER:
                return
            if self.life.die_when == "paused" and ack.result.status == "paused":
                await self.journal.written()
                die()
            if ack.result.status in ("failed", "paused") or not ack.result.live:
                ack = await self.engine.send(c.ResumeExecution(execution_id=run))
            await self._follow(run, ack.seq)

    async def _follow(self, run: str, now: int) -> None:
        """Answer and resume, once all that happened until `now` is known."""
        questions: dict[str, e.InputRequired] = {}
        paused = False
        async for entry in self.engine.events(run):
            match entry.event:
                case e.InputRequired(node=node) as event:
                    questions[node] = event
                case e.InputReceived(node=node) | e.NodeFailed(node=node):
                    questions.pop(node, None)
                case e.ExecutionEdited():
                    questions.clear()
                    paused = True
                case e.ExecutionPaused():
                    paused = True
                case e.ExecutionResumed():
                    paused = False
                case _:
                    pass
            if entry.seq >= now:
                paused = await self._attend(run, questions, paused=paused)

    async def _attend(
        self, run: str, questions: dict[str, e.InputRequired], *, paused: bool
    ) -> bool:
        if self.life.die_when:
            ack = await self.engine.send(c.GetExecution(execution_id=run))
            if ack.result.status == self.life.die_when:
                await self.journal.written()  # nobody sees it before
                die()
            if self.life.die_when == "waiting":
                return paused
        if paused:
            await self.engine.send(c.ResumeExecution(execution_id=run))
        for event in questions.values():
            if event.node in self.scenario.silent:
                continue
            unknown = "repeat" in (event.question.schema_ or {}).get("enum", ())
            value = self.scenario.unknown if unknown else f"{event.node}-{event.activation}"
            await self.engine.send(c.UserResponse(execution_id=run, node=event.node, value=value))
        questions.clear()
        return False


def _edits(journal: SqliteJournal, run: str) -> int:
    return sum(isinstance(entry.event, e.ExecutionEdited) for entry in journal.read(run))


def die() -> None:
    """As the power button does it: nothing is flushed, closed or told."""
    os.kill(os.getpid(), signal.SIGKILL)


def engine_of(life: Life, journal: SqliteJournal) -> Engine:
    """An engine whose models are at the loopback provider."""
    environ = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
    bases = {"openai": life.url}
    root = Path(life.folder, "root")
    (root / "part.light.yaml").write_text(PART)
    # Jobs leave traces outside of all sandboxes, for the tests to count.
    settings = Settings(root=root, environ=environ, api_bases=bases, sandbox="off")
    services = build_services(settings, functions(Path(life.folder, "side.log")))
    web = NotedWeb(Path(life.folder, "side.log"))
    services = replace(services, notion=notion(Path(life.folder)), web=web)
    if not life.litellm:
        services = replace(services, llm=LoopbackLLM(life.url))
    return Engine(NODE_TYPES, OnePlace(services), journal, SystemClock())


def notion(folder: Path) -> Notion:
    """A real service where a trial says at which address its Notion is."""
    address = folder / NOTION
    if not address.exists():
        return NotedNotion(folder / "side.log")
    return NotionService(lambda: TOKEN, address.read_text())


def functions(log: Path) -> Functions:
    """Tools that leave a trace outside; the first one may be used again when nobody knows."""

    def look(number: int) -> str:
        with log.open("a") as file:
            file.write("look\n")
        return f"seen {number}"

    def note(number: int) -> str:
        with log.open("a") as file:
            file.write("note\n")
        return f"noted {number}"

    known = Functions()
    known.add(look, repeatable=True)
    known.add(note)
    return known


async def live(life: Life) -> int:
    """Live until the end of the scenario, or until killed; how often the journal was written."""
    home = Path(life.folder, "home")
    writes = 0

    def failpoint(where: str, count: int) -> None:
        nonlocal writes
        writes = count
        if life.kill == Kill(where, count):
            die()

    journal = SqliteJournal(home, group=1, failpoint=failpoint)
    engine = engine_of(life, journal)
    await Player(life, engine, journal).play()
    await engine.close()
    return writes
