"""A world without luck: a model, a sandbox and files whose answers are a function of the question.

Who finishes first is drawn by dice, the clock ticks when it is looked at, and everything that is
asked or done is counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dipeo_jupyter.diagram.model import Diagram, Label, Person
from dipeo_jupyter.engine.chat import ChatAnswer, ChatRequest
from dipeo_jupyter.engine.compile import compile_diagram
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.engine.loading import Loaded, fold
from dipeo_jupyter.engine.ports import Job, JobResult, Notion, OnePlace, Services
from dipeo_jupyter.engine.ports.web import WebAnswer, WebRequest
from dipeo_jupyter.engine.prices import FREE, Price
from dipeo_jupyter.engine.program import Program
from dipeo_jupyter.errors import Problem, ServiceError
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.collections import SqlCollections
from dipeo_jupyter.services.drawings import DemoPainter
from dipeo_jupyter.services.embeddings import DemoEmbedder
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.kernel import NotebookKernel, no_notebook
from dipeo_jupyter.services.tools import Functions, LocalToolbox
from dipeo_jupyter.services.tools.mcp import McpServers
from tests.running import Outcome

TYPES = load_node_types()


def digest(value: Any) -> str:
    """No two values have the same."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class Turns:
    """Whoever waits here goes on when the dice fall on it, and only when nobody else can move."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self._waiting: list[asyncio.Future[None]] = []
        self._dealer: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._dealer is None or self._dealer.done():
            self._dealer = asyncio.create_task(self._deal())
        await turn

    async def _deal(self) -> None:
        while self._waiting:
            calm, size = 0, len(self._waiting)
            while calm < 3:
                await asyncio.sleep(0)
                calm = calm + 1 if len(self._waiting) == size else 0
                size = len(self._waiting)
            turn = self._waiting.pop(self.dice.randrange(len(self._waiting)))
            if not turn.done():
                turn.set_result(None)


class FakeLLM:
    """Fulfils the port `LLM`. Its answer says all about the request; `sampled`, also which it is.

    What is in `broken` makes a request fail that contains it, as long as it is there.
    """

    def __init__(self, turns: Turns | None = None, *, sampled: bool = False) -> None:
        self.requests: list[ChatRequest] = []
        self.broken: set[str] = set()
        self.gate: asyncio.Event | None = None
        self._turns = turns
        self._sampled = sampled

    @property
    def calls(self) -> int:
        return len(self.requests)

    def since(self, count: int) -> list[str]:
        """The last words of the requests after so many."""
        return [request.messages[-1].content for request in self.requests[count:]]

    def shown(self) -> list[str]:
        """Everything that models were sent, as canonical JSON."""
        return sorted(json.dumps(self._all_of(request)) for request in self.requests)

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        self.requests.append(request)
        if any(each in request.messages[-1].content for each in self.broken):
            raise ServiceError("The model is ill.")
        number = len(self.requests)
        if self.gate is not None:
            await self.gate.wait()
        if self._turns is not None:
            await self._turns.wait()
        said = digest([self._all_of(request), number if self._sampled else 0])
        on_text(said)
        return ChatAnswer(said, e.Usage(input_tokens=1, output_tokens=1))

    def price(self, person: Person) -> Price | None:
        return FREE

    def _all_of(self, request: ChatRequest) -> Any:
        said = [[each.role, each.content] for each in request.messages]
        return [dict(self.identity(request.person)), said]

    def identity(self, person: Person) -> Mapping[str, Any]:
        return {"provider": person.service, "model": person.model, **person.parameters}

    def takes_schema(self, person: Person) -> bool:
        return False

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        yield from ()


class FakeSandbox:
    """Fulfils the port `Sandbox`: the value of a job says all about it."""

    def __init__(self, turns: Turns | None = None) -> None:
        self.jobs: list[Job] = []
        self._turns = turns

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        self.jobs.append(job)
        if self._turns is not None:
            await self._turns.wait()
        return JobResult(f"job {digest([job.code, job.inputs])}")

    async def aclose(self) -> None:
        """Nothing is started ahead."""


class FakeFiles:
    """Fulfils the port `Files`, in memory. `changes` counts how often each file was written."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.changes: Counter[str] = Counter()

    async def read(self, path: str) -> str:
        if path not in self.texts:
            raise ServiceError(f"There is no file {path}.")
        return self.texts[path]

    async def write(self, path: str, text: str) -> str:
        self.texts[path] = text
        self.changes[path] += 1
        return path

    async def write_bytes(self, path: str, data: bytes) -> str:
        return await self.write(path, data.decode())

    async def append(self, path: str, text: str) -> str:
        return await self.write(path, self.texts.get(path, "") + text)

    async def exists(self, path: str) -> bool:
        return path in self.texts

    async def glob(self, pattern: str) -> list[str]:
        return sorted(self.texts)


class NoWeb:
    def find_key(self, api_key_id: str, host: str) -> object:
        raise ServiceError("There is no key here.")

    async def send(self, request: WebRequest) -> WebAnswer:
        raise ServiceError("There is no network here.")


class NoNotion:
    def look(self) -> object:
        raise ServiceError("There is no Notion here.")

    async def call(self, operation: str, arguments: Mapping[str, Any], steps: object) -> Any:
        raise ServiceError("There is no Notion here.")


class TickingClock:
    """Fulfils the port `Clock`: later is later, but nobody waits."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> float:
        self.now += 1
        return self.now

    def monotonic(self) -> float:
        return self.time()

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class World:
    """Everything that outlives an engine, and engines in it; `turns` decide who finishes first."""

    def __init__(
        self,
        turns: Turns | None = None,
        *,
        sampled: bool = False,
        notion: Notion | None = None,
    ) -> None:
        self.llm = FakeLLM(turns, sampled=sampled)
        self.notion = notion or NoNotion()
        self.sandbox = FakeSandbox(turns)
        self.files = FakeFiles()
        self.journal = MemoryJournal()
        self.clock = TickingClock()
        self.engine = self.another_engine()

    def another_engine(self) -> Engine:
        """The engine of a process that is started later."""
        services = Services(
            self.llm,
            self.files,
            self.sandbox,
            self.notion,
            DemoEmbedder(),
            LocalToolbox(Functions(), McpServers(Path(), {}, str)),
            DemoPainter(),
            NotebookKernel(no_notebook),
            NoWeb(),
            SqlCollections(Path(), {}),
        )
        self.engine = Engine(TYPES, OnePlace(services), self.journal, self.clock)
        return self.engine

    async def send(self, command: c.Command) -> c.Ack:
        return await self.engine.send(command)

    async def start(self, diagram: Diagram, inputs: Mapping[str, Any] = {}, **options: Any) -> str:
        command = c.ExecuteDiagram(diagram=diagram, inputs=dict(inputs), **options)
        return str((await self.send(command)).execution_id)

    async def run(self, diagram: Diagram, inputs: Mapping[str, Any] = {}, **options: Any) -> str:
        """Run to the end, or to where it stops; the id of the run."""
        run_id = await self.start(diagram, inputs, **options)
        await self.stopped(run_id)
        return run_id

    async def resume(self, run_id: str) -> None:
        """Go on to the end, or to where it stops."""
        ack = await self.send(c.ResumeExecution(execution_id=run_id))
        await self.stopped(run_id, ack.seq)

    async def step(self, run_id: str, steps: int = 1) -> None:
        ack = await self.send(c.StepExecution(execution_id=run_id, steps=steps))
        await self.stopped(run_id, ack.seq)

    async def edit(self, run_id: str, diagram: Diagram | None = None, **options: Any) -> None:
        """Edit a run and go on to the end."""
        await self.send(c.EditExecution(execution_id=run_id, diagram=diagram, **options))
        await self.resume(run_id)

    async def fork(self, run_id: str, *at: str, **options: Any) -> str:
        """Fork a run and go on to the end, or to where it stops."""
        command = c.ForkExecution(execution_id=run_id, at=at, **options)
        ack = await self.send(command)
        await self.stopped(str(ack.execution_id))
        return str(ack.execution_id)

    async def plan(self, diagram: Diagram, **options: Any) -> c.Plan:
        return (await self.send(c.PlanExecution(diagram=diagram, **options))).result

    async def until(self, run_id: str, kind: type[Any], after: int = 0) -> e.Entry:
        """The first entry of a kind."""
        async for entry in self.engine.events(run_id, after):
            if isinstance(entry.event, kind):
                return entry
        raise AssertionError(f"the run ended without {kind.__name__}")

    async def stopped(self, run_id: str, after: int = 0) -> None:
        """Wait until nothing of a run goes on: it is over, paused, or waits for a human."""
        execution = self.engine._runs.held[run_id]
        async for _ in self.engine.events(run_id, after):
            state = execution.state
            if execution.status != "running" and state.running.keys() <= state.questions.keys():
                return

    async def status(self, run_id: str) -> str:
        return str((await self.send(c.GetExecution(execution_id=run_id))).result.status)

    def past(self, run_id: str) -> Told:
        """What the journal holds of a run."""
        return Told(list(self.journal.read(run_id)))

    def fold(self, run_id: str) -> Loaded:
        """The run as its entries have left it."""
        entries = self.journal.read(run_id)
        return fold(entries, lambda diagram: self._program(run_id, diagram))

    def _program(self, run_id: str, diagram: Diagram) -> Program:
        if (here := self.engine._runs.held.get(run_id)) and here.program.diagram is diagram:
            return here.program
        return compile_diagram(diagram, TYPES)


class Told(Outcome):
    """A run as it was since its last edit."""

    @property
    def latest(self) -> list[e.AnyEvent]:
        events = self.events
        edits = [place for place, x in enumerate(events) if isinstance(x, e.ExecutionEdited)]
        return events[edits[-1] :] if edits else events

    @property
    def effects(self) -> list[e.EffectCompleted]:
        return [event for event in self.latest if isinstance(event, e.EffectCompleted)]

    @property
    def done(self) -> set[str]:
        """Activations that did something that counts."""
        return {named(effect) for effect in self.effects if not effect.reused}

    @property
    def reused(self) -> set[str]:
        """Activations for which all was taken from what was recorded."""
        found = {named(effect) for effect in self.effects}
        kept = {named(x) for x in self.latest if isinstance(x, e.NodeCompleted) and x.cached}
        return (found | kept) - self.done

    @property
    def ended(self) -> dict[str, e.NodeCompleted]:
        """The last ending of each activation."""
        return {named(x): x for x in self.latest if isinstance(x, e.NodeCompleted)}

    def prompts(self, node: str) -> list[str]:
        ended = [x for x in self.ended.values() if x.node == node]
        return [x.messages[0].content for x in sorted(ended, key=lambda x: x.activation)]

    @property
    def fired(self) -> list[str]:
        return [named(event) for event in self.latest if isinstance(event, e.NodeStarted)]

    @property
    def values(self) -> Mapping[str, Any]:
        return {name: event.outputs for name, event in self.ended.items()}

    @property
    def messages(self) -> dict[str, tuple[e.Message, ...]]:
        return {name: event.messages for name, event in self.ended.items()}


def named(event: Any) -> str:
    return f"{event.node}[{event.activation}]"


def canonical(value: Any) -> bytes:
    """JSON in the one form it has."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def changed(diagram: Diagram, label: str, **props: Any) -> Diagram:
    """The diagram with other properties of one node."""
    nodes = [
        node.model_copy(update={"props": {**node.props, **props}}) if node.label == label else node
        for node in diagram.nodes
    ]
    return diagram.model_copy(update={"nodes": tuple(nodes)})


def with_person(diagram: Diagram, label: str, **fields: Any) -> Diagram:
    """The diagram with other fields of one person."""
    before = diagram.persons[label].model_dump(exclude_none=True)
    person = Person.model_validate({**before, **fields})
    return diagram.model_copy(update={"persons": {**diagram.persons, label: person}})


def renamed(diagram: Diagram, label: str, name: str) -> Diagram:
    """The diagram with another label of one node, at its edges too."""

    def new(each: str) -> str:
        return name if each == label else each

    nodes = [node.model_copy(update={"label": new(node.label)}) for node in diagram.nodes]
    edges = [
        edge.model_copy(update={"source": new(edge.source), "target": new(edge.target)})
        for edge in diagram.edges
    ]
    return diagram.model_copy(update={"nodes": tuple(nodes), "edges": tuple(edges)})


def play(story: Callable[[World], Any], **options: Any) -> Any:
    """Let something happen in a new world, and end it."""

    async def main() -> Any:
        world = World(**options)
        try:
            return await story(world)
        finally:
            await world.engine.close()

    return asyncio.run(main())
