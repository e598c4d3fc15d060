"""What nodes need from outside, as protocols. `services/` fulfils them by shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, NamedTuple, Protocol, TypeVar

from ..diagram.model import Label, Person
from ..errors import CommandError, Problem
from ..protocol.events import Entry, ExecutionId, ExecutionStatus, Usage
from .chat import ChatAnswer, ChatRequest, Tool
from .collections import Collections
from .powers import Power
from .prices import Price
from .web import Web

JobLanguage = Literal["python", "javascript", "bash"]

T = TypeVar("T")


class LLM(Protocol):
    """Speaks with models."""

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """Ask once, handing each piece of the answer to `on_text` as it arrives.

        Raises `ServiceError`, whose `retryable` says whether asking again can help.
        """
        ...

    def identity(self, person: Person) -> Mapping[str, Any]:
        """Who answers, as JSON: all but the messages that reaches the provider, keys apart.

        The `provider` is among it. Two persons with the same identity answer alike. Raises
        `ServiceError` when nobody answers.
        """
        ...

    def price(self, person: Person) -> Price | None:
        """What its tokens cost; None when nobody knows. May read a file the first time."""
        ...

    def takes_schema(self, person: Person) -> bool:
        """Whether its answers are held to a JSON Schema when its `response_format` has one.

        May read a file the first time.
        """
        ...

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """What is wrong with a person, as far as it shows without asking anybody; may block."""
        ...


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts to be turned into vectors, none of them empty.

    `model` says which model does it, by the fields of a person; `timeout` is in seconds.
    """

    model: Person
    texts: Sequence[str]
    timeout: float


class Embedded(NamedTuple):
    """The vector of each text, and the tokens that it took."""

    vectors: Sequence[Sequence[float]]
    usage: Usage


class Embedder(Protocol):
    """Turns texts into vectors: the more alike what they are about, the smaller the angle."""

    async def embed(self, request: EmbedRequest) -> Embedded:
        """The vectors of texts, in their order.

        Raises `ServiceError`, whose `retryable` says whether asking again can help.
        """
        ...

    def identity(self, model: Person) -> Mapping[str, Any]:
        """Which model it is, as JSON: two with the same identity give the same vectors.

        Raises `ServiceError` when nobody can be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """An image to be drawn.

    `model` says which model does it, by the fields of a person, and how, by more of them (`size`);
    `timeout` is in seconds.
    """

    model: Person
    prompt: str
    timeout: float


class Drawn(NamedTuple):
    """What was drawn, as URLs of the kind `data:`, and the tokens that it took."""

    images: tuple[str, ...]
    usage: Usage


class Painter(Protocol):
    """Draws images."""

    async def draw(self, request: DrawRequest) -> Drawn:
        """At least one image.

        Raises `ServiceError`, whose `retryable` says whether asking again can help.
        """
        ...

    def identity(self, model: Person) -> Mapping[str, Any]:
        """Which model it is, its `provider`, and how it draws, as JSON.

        Raises `ServiceError` when nobody can be asked like this.
        """
        ...

    def price(self, model: Person) -> Price | None:
        """What its tokens, or its images, cost; None when nobody knows.

        May read a file the first time.
        """
        ...


class Files(Protocol):
    """Reads and writes files below one root; paths that lead out of it are refused.

    Every method raises `ServiceError` when it cannot do its work.
    """

    async def read(self, path: str) -> str: ...

    async def read_bytes(self, path: str) -> bytes: ...

    def opened(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file of any size, to be read piece by piece; it blocks, so read it in a thread."""
        ...

    async def write(self, path: str, text: str) -> str:
        """Replace the whole file at once (old or new, never half); return its path."""
        ...

    async def write_bytes(self, path: str, data: bytes) -> str:
        """The same for what is no text."""
        ...

    async def append(self, path: str, text: str) -> str: ...

    async def exists(self, path: str) -> bool: ...

    async def glob(self, pattern: str) -> list[str]:
        """The files that match, relative to the root, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of code to run. `inputs` are JSON values; `timeout` is in seconds of wall time.

    `idempotency_key` is the same whenever this very job is tried again. With `network` it may speak
    with public addresses.
    """

    language: JobLanguage
    code: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    function: str | None = None
    timeout: float = 30.0
    idempotency_key: str = ""
    network: bool = False


@dataclass(frozen=True, slots=True)
class JobResult:
    """`value` is what the code returned, or None when it returned nothing; `stdout` is capped."""

    value: Any
    stdout: str = ""
    returned: bool = True


class Sandbox(Protocol):
    """Runs code apart from this process."""

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """Run to the end, handing lines of output to `on_output` as they come.

        Raises `NodeError` (the code failed: message is its own last line, `details` its traceback)
        or `NodeTimeoutError`; when cancelled, nothing of the job is left running.
        """
        ...

    async def aclose(self) -> None:
        """End what was started ahead of jobs. The next one starts it again."""
        ...


class Kernel(Protocol):
    """The notebook that a run was started from: runs Python among its names."""

    def look(self) -> None:
        """Raise `ServiceError` when there is none; the sentence says why."""
        ...

    async def run(self, job: Job, on_output: Callable[[str], None]) -> JobResult:
        """As a sandbox does; what the code assigns stays there. Also raises `ServiceError`."""
        ...


@dataclass(frozen=True, slots=True)
class Write:
    """Something that a service changes outside, as one step of several; each has its `name`.

    `request` (JSON values) says exactly what is done, and `what` does so for people. When nobody
    knows whether it was done, `look` finds what `work` would have given, and gives None when it was
    not done. Without it nothing tells.
    """

    name: str
    request: Mapping[str, Any]
    work: Callable[[str], Awaitable[Any]]
    what: str
    look: Callable[[str], Awaitable[Any]] | None = None


class Steps(Protocol):
    """How the steps of a call are done."""

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do a step, and again as long as it fails in a way that may pass and there is patience."""
        ...

    async def once(self, write: Write) -> Any:
        """Change something, at most once, and give what came of it.

        None when people say that it is done.
        """
        ...


class Notion(Protocol):
    """Speaks with the Notion service."""

    async def call(
        self, operation: str, arguments: Mapping[str, Any], steps: Steps | None = None
    ) -> Any:
        """Do one operation and return Notion's JSON. Raises `ServiceError`.

        Without `steps` nothing is tried again, and nothing is known of what was done before.
        """
        ...


@dataclass(frozen=True, slots=True)
class OutsideTool:
    """A tool outside of all diagrams; `home` says whose it is, and which version of it.

    A `repeatable` one may be used again when nobody knows whether it was.
    """

    tool: Tool
    home: str
    repeatable: bool = False


class ToolResult(NamedTuple):
    """What came of a tool; `images` are URLs. That it `failed` is for the model to know."""

    text: str
    images: tuple[str, ...] = ()
    failed: bool = False


class Toolbox(Protocol):
    """The tools outside of all diagrams: functions that people have given, and MCP servers."""

    def function(self, name: str) -> OutsideTool:
        """The function of this name; raises `ServiceError` when there is none."""
        ...

    async def of_server(self, name: str) -> Sequence[OutsideTool]:
        """The tools of an MCP server; raises `ServiceError` when it cannot be reached."""
        ...

    async def described(self, name: str) -> str:
        """What the configuration says of an MCP server, which is not reached for it.

        Raises `ServiceError` when it says nothing.
        """
        ...

    async def use(
        self, tool: OutsideTool, arguments: Mapping[str, Any], key: str = ""
    ) -> ToolResult:
        """Use it once, now. Raises `ServiceError` when it cannot be reached.

        The `key` is the same whenever this very use is tried again.
        """
        ...

    async def aclose(self) -> None:
        """End what was started to reach them. The next use starts it again."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedEffect:
    """The result of an effect of some run, kept under its `key`."""

    execution_id: ExecutionId
    node: Label
    activation: int
    effect: str
    value: Any


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the journal lists it. `owner` is the process that holds it, None for nobody.

    `usage` is what its nodes have taken by now, None if that is not known.
    """

    execution_id: ExecutionId
    name: str | None
    status: ExecutionStatus
    started: float
    events: int
    waiting_for: tuple[Label, ...] = ()
    owner: str | None = None
    origin: ExecutionId | None = None
    parent: ExecutionId | None = None
    thread: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A command for whoever holds a run, from another process. `command` is its JSON."""

    number: int
    execution_id: ExecutionId
    command: dict[str, Any]


PAGE = 500
"""So many entries are read at once for somebody who follows a run."""


class Journal(Protocol):
    """Remembers the entries of runs, in order; and who holds which run.

    `append` and `written` belong to the event loop, all else may block and is called in a thread.
    """

    has_neighbours: bool
    """Whether other processes can reach it, and leave letters."""

    def append(self, entry: Entry) -> None:
        """Take an entry; it is safe as soon as `written` has returned."""
        ...

    def position(self) -> int:
        """Where the journal ends: how much was appended so far; costs nothing to ask."""
        ...

    def is_written(self, position: int | None = None) -> bool:
        """Whether all up to a position (None: the end) is safe by now; costs nothing to ask."""
        ...

    def is_awaited(self) -> bool:
        """Whether anybody waits for `written`; costs nothing to ask."""
        ...

    async def written(self, position: int | None = None, *, urgent: bool = True) -> None:
        """Wait until all up to a position (None: the end, as it is now) is safe.

        Whoever only looks on is not `urgent`, and has a moment for more to gather.

        Raises `JournalError` when it cannot be written now; it is kept and tried again.
        """
        ...

    def watch(self, on_trouble: Callable[[str | None], None]) -> None:
        """Have trouble with writing reported, in any thread; None says that it is over."""
        ...

    def read(
        self, execution_id: ExecutionId, after: int = 0, most: int | None = None
    ) -> Sequence[Entry]:
        """The entries of a run whose number is greater than `after`; none for an unknown run.

        With `most`, only the first so many of them, or fewer when they are large; but at least
        one, if there is one.
        """
        ...

    def effects(self, key: str) -> Sequence[RecordedEffect]:
        """All recorded results of this key, the newest first."""
        ...

    def runs(self, prefix: str = "") -> Sequence[RunRecord]:
        """The runs whose ids begin so, the newest first; parts of other runs are among them."""
        ...

    def claim(self, execution_id: ExecutionId) -> bool:
        """Hold a run, unless another living process does; True when this one holds it now."""
        ...

    def release(self, execution_id: ExecutionId) -> None:
        """Hold a run no longer."""
        ...

    def post(self, execution_id: ExecutionId, command: Mapping[str, Any]) -> int:
        """Leave a command for the process that holds a run; return the number of the letter."""
        ...

    def letters(self) -> Sequence[Letter]:
        """The commands left for this process, the oldest first, each once."""
        ...

    def reply(self, number: int, answer: Mapping[str, Any]) -> None:
        """Say what came of a letter."""
        ...

    def replied(self, number: int) -> Mapping[str, Any] | None:
        """What came of a letter; None while nobody has said."""
        ...

    def withdraw(self, number: int) -> bool:
        """Take a letter back; False when it has been taken out already."""
        ...

    def prune(self, keep_last: int) -> Sequence[ExecutionId]:
        """Forget finished runs, the oldest first, but the last so many; return the forgotten."""
        ...

    def close(self) -> None:
        """Write what is left, and let go of every run."""
        ...


class Trust(Protocol):
    """Which powers of diagrams people have trusted for good."""

    def minds(self, power: Power) -> bool:
        """Whether people are asked for a power here."""
        ...

    def knows(self, digest: str) -> bool:
        """Whether a power is trusted."""
        ...

    def remember(self, powers: Mapping[str, str]) -> None:
        """Trust them from now on: what each is known by, and in words what it is.

        Raises `CommandError` when it cannot be kept.
        """
        ...

    def knows_run(self, execution_id: ExecutionId) -> bool:
        """Whether a run was begun by this user; a journal may come along with a folder."""
        ...

    def remember_run(self, execution_id: ExecutionId) -> None:
        """Know it from now on, if that can be kept."""
        ...


class NothingTrusted:
    """Fulfils the port `Trust` where nothing is kept."""

    def minds(self, power: Power) -> bool:
        return power.asks and not power.walled

    def knows(self, digest: str) -> bool:
        return False

    def remember(self, powers: Mapping[str, str]) -> None:
        message = "Nothing is kept here, and so nothing can be trusted for good."
        raise CommandError(message, code="no_trust")

    def knows_run(self, execution_id: ExecutionId) -> bool:
        return True

    def remember_run(self, execution_id: ExecutionId) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Services:
    """All that nodes may use. Tests hand in what they like."""

    llm: LLM
    files: Files
    sandbox: Sandbox
    notion: Notion
    embedder: Embedder
    tools: Toolbox
    painter: Painter
    kernel: Kernel
    web: Web
    collections: Collections
    trust: Trust = field(default_factory=NothingTrusted)


class Places(Protocol):
    """The outside world by folders: each has files, keys and tools of its own."""

    def at(self, folder: str) -> Services:
        """What a run in this folder below the root may use; `""` is the root.

        Raises `CommandError` when it is none.
        """
        ...

    async def aclose(self) -> None:
        """End what was started for any of them. The next use starts it again."""
        ...


@dataclass(frozen=True, slots=True)
class OnePlace:
    """Fulfils the port `Places` where there is no folder but the root."""

    services: Services

    def at(self, folder: str) -> Services:
        if folder:
            message = f"There is no folder {folder!r} here."
            raise CommandError(message, code="bad_folder")
        return self.services

    async def aclose(self) -> None:
        await self.services.tools.aclose()
        await self.services.sandbox.aclose()
