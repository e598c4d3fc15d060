"""What happened. An event is a fact: it is never changed, only followed by another.

An event says nothing about when and where it stands in the order of things: that is the business
of the `Entry` around it, which is made when the event is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    TypeAlias,
    TypeVar,
    dataclass_transform,
)

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ..diagram.model import Diagram, Label

T = TypeVar("T")
ExecutionId: TypeAlias = str
"""`exec_` and a ULID: unique, and sorted by time."""

SkipReason = Literal["no_live_input", "max_iterations", "asked"]
PauseReason = Literal["asked", "steps", "breakpoint", "edited", "journal", "budget", "closed"]
ExecutionStatus = Literal[
    "pending", "running", "waiting", "paused", "completed", "failed", "cancelled"
]


class Fact(BaseModel):
    """Base of everything that is said: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolCall(Fact):
    """A tool that a model wants to be used; `arguments` is JSON, as the model wrote it."""

    id: str
    name: str
    arguments: str


class ToolUse(ToolCall):
    """A tool that was used, and what came of it; `images` are URLs."""

    result: str
    failed: bool = False
    images: tuple[str, ...] = ()


class Message(Fact):
    """One thing said in the run's conversation.

    `sender` and `recipient` are persons; None is the diagram itself, which asks and is answered.
    `id` is unique in a run: the activation, and which of its messages (`argue[2].0`), behind the
    run that it was said in, if that was an earlier one of the thread. `images` are URLs. Whoever
    used tools said so, and heard what came of it, in one message: none of it is seen without the
    rest.
    """

    id: str
    sender: str | None = None
    recipient: str | None = None
    content: str
    images: tuple[str, ...] = ()
    uses: tuple[ToolUse, ...] = ()

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Most messages are words alone."""
        return ((name, value) for name, value in super().__repr_args__() if value != ())

    @property
    def words(self) -> str:
        """All of it in words, the tools included."""
        used = (f"[used {each.name}({each.arguments}): {each.result}]" for each in self.uses)
        return "\n".join(filter(None, [self.content, *used]))

    @property
    def all_images(self) -> tuple[str, ...]:
        """The images that came with it, those of tools included."""
        return (*self.images, *(image for each in self.uses for image in each.images))


class Usage(Fact):
    """What calls to models took, in tokens and money.

    `input_tokens` includes the cached ones and those written to the cache, `output_tokens` the
    reasoning ones and those that make up images. `nano_usd` are billionths of a dollar, whole, so
    that sums are the same in any order; what the `unpriced` ones of the `calls` cost is not known
    and not among it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    calls: int = 0
    unpriced: int = 0
    nano_usd: int = 0
    image_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in USAGE})

    def __sub__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) - getattr(other, name) for name in USAGE})

    @property
    def tokens(self) -> int:
        """All of them, in and out."""
        return self.input_tokens + self.output_tokens

    @property
    def usd(self) -> float:
        """Dollars; with `unpriced` calls, the least that it can have been."""
        return self.nano_usd / 1e9

    @property
    def cost(self) -> str:
        """The dollars as people read them: `$0.0123`, `≥ $0.0123` when a price is not known."""
        least = "≥ " if self.unpriced else ""
        digits = 2 if not self.nano_usd or self.usd >= 1 else 4 if self.usd >= 0.0001 else 9  # noqa: PLR2004
        return f"{least}${self.usd:.{digits}f}"


USAGE = tuple(Usage.model_fields)


class Budget(Fact):
    """What a run may take: dollars, calls to models, tokens in and out. None is no limit."""

    usd: float | None = Field(None, ge=0, allow_inf_nan=False)
    calls: int | None = Field(None, ge=0)
    tokens: int | None = Field(None, ge=0)


class ErrorInfo(Fact):
    """An error as it travels: for people (`message`) and for programs (`type`).

    `field` is the property of the node at fault; `details` is longer text, worth showing on demand.
    """

    type: str
    message: str
    node: Label | None = None
    activation: int | None = None
    field: str | None = None
    details: str | None = None


class Question(Fact):
    """What a human is asked. `schema_` (JSON Schema) says what a valid answer is; None: any text.

    `timeout` is in seconds; without it the question waits for ever.
    """

    prompt: str
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    timeout: float | None = None

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Breakpoint(Fact):
    """Where a run pauses by itself: before or after a node fires.

    `visit` is one firing only (`argue[2]`), `condition` an expression that must hold; it sees what
    the node sees, and after the node also `output`.
    """

    node: Label
    when: Literal["before", "after"] = "before"
    visit: int | None = Field(None, ge=1)
    condition: str | None = None


class Origin(Fact):
    """Where a run has its past from: another run, up to the activations `at` (`argue[2]`)."""

    execution_id: ExecutionId
    at: tuple[str, ...] = ()


@dataclass_transform(frozen_default=True, kw_only_default=True)
def fact(cls: type[T]) -> type[T]:
    """Make an event class: plain data that the type checker keeps anybody from changing.

    Two are made for every activation, and freezing them at run time as well would cost more than
    all the rest of making them. What comes from outside is checked by `event_adapter`.
    """
    return dataclass(slots=True, kw_only=True)(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frequent_fact(cls: type[T]) -> type[T]:
    """The same, made by position: that takes half the time."""
    return dataclass(slots=True)(cls)


@fact
class Event:
    """Base of all events. Ephemeral events are shown, but not journaled and not numbered."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    ephemeral: ClassVar[bool] = False


@fact
class ExecutionStarted(Event):
    """`values` are outputs that activations (`argue[2]`) have whatever they would do.

    A `fresh` run reuses nothing that other runs have recorded. `parent` is the run that this one
    is a part of, and `generation` how often that one had been edited by then. `before` is what had
    been said there, or in the earlier runs of the `thread`. `traceparent` is where the run stands
    in its trace, as of W3C Trace Context; `folder` is where it works, below the root. The diagram
    of a `foreign` run may have come from elsewhere; `granted` are the powers that it, and diagrams
    in files that it runs, may use.
    """

    type: Literal["execution_started"] = "execution_started"
    diagram: Diagram
    inputs: dict[str, Any] = field(default_factory=dict)
    max_concurrency: int = 20
    max_rounds: int = 100
    breakpoints: tuple[Breakpoint, ...] = ()
    fresh: bool = False
    thread: str | None = None
    origin: Origin | None = None
    parent: ExecutionId | None = None
    values: dict[str, Any] = field(default_factory=dict)
    before: tuple[Message, ...] = ()
    generation: int = 0
    budget: Budget = field(default_factory=Budget)
    traceparent: str | None = None
    folder: str = ""
    foreign: bool = False
    granted: tuple[str, ...] = ()


@fact
class ExecutionPaused(Event):
    """Nothing new starts. `interrupted` nodes were stopped at once and will run again.

    `at` is the activation at whose breakpoint the run stands (`before argue[2]`), `message` what
    people should know about the pause.
    """

    type: Literal["execution_paused"] = "execution_paused"
    interrupted: tuple[Label, ...] = ()
    reason: PauseReason = "asked"
    at: str | None = None
    message: str | None = None


@fact
class ExecutionResumed(Event):
    """`steps` activations may start before the next pause; None means no limit.

    A `budget` takes the place of the one that the run had.
    """

    type: Literal["execution_resumed"] = "execution_resumed"
    steps: int | None = None
    budget: Budget | None = None


@fact
class ExecutionRecovered(Event):
    """A new process has taken the run over. `repeated` were under way, and run once more."""

    type: Literal["execution_recovered"] = "execution_recovered"
    repeated: tuple[str, ...] = ()


@fact
class ExecutionEdited(Event):
    """The run has another diagram from now on, and is gone through again from its beginning.

    Whatever does not depend on the change takes the result it had. `values` are outputs that
    activations (`argue[2]`) have whatever they would do; with `keep`, all that has fired keeps its
    result, and the change counts from here on. `before`, `generation`, `foreign` and `granted` are
    as at the start.
    """

    type: Literal["execution_edited"] = "execution_edited"
    diagram: Diagram
    inputs: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    before: tuple[Message, ...] = ()
    generation: int = 0
    foreign: bool = False
    granted: tuple[str, ...] = ()


@fact
class BreakpointsSet(Event):
    type: Literal["breakpoints_set"] = "breakpoints_set"
    breakpoints: tuple[Breakpoint, ...] = ()


@fact
class ExecutionCompleted(Event):
    """`outputs` holds the value of each endpoint (without any: of each last node) by label."""

    type: Literal["execution_completed"] = "execution_completed"
    outputs: dict[Label, Any] = field(default_factory=dict)


@fact
class ExecutionFailed(Event):
    type: Literal["execution_failed"] = "execution_failed"
    error: ErrorInfo


@fact
class ExecutionCancelled(Event):
    type: Literal["execution_cancelled"] = "execution_cancelled"


@fact
class NodeEvent(Event):
    """`activation` counts the firings of this node in this run from 1: `argue[2]`."""

    node: Label
    activation: int


@frequent_fact
class NodeStarted(NodeEvent):
    node: Label
    activation: int
    type: Literal["node_started"] = field(default="node_started", kw_only=True)
    inputs: dict[str, Any] = field(default_factory=dict)


@fact
class NodePaused(Event):
    """The node starts no more, until it is resumed; all others go on."""

    type: Literal["node_paused"] = "node_paused"
    node: Label


@fact
class NodeResumed(Event):
    type: Literal["node_resumed"] = "node_resumed"
    node: Label


@fact
class SkipRequested(Event):
    """The next firing of this node (or the one under way) is left out, and its edges die."""

    type: Literal["skip_requested"] = "skip_requested"
    node: Label


@fact
class EffectStarted(NodeEvent):
    """Something that costs or changes something has begun: whether it is done, the end tells.

    `effect` names it within the activation, `key` says what exactly is done: `engine/reuse.py`.
    """

    type: Literal["effect_started"] = "effect_started"
    effect: str
    key: str


@fact
class EffectCompleted(NodeEvent):
    """It is done, and need not be done again. A `reused` one was done earlier, and is free.

    `usage` is what it took, if it was a call to a model.
    """

    type: Literal["effect_completed"] = "effect_completed"
    effect: str
    key: str
    value: Any
    reused: bool = False
    usage: Usage | None = None


@fact
class NodeProgress(NodeEvent):
    """Something worth showing while a node works: a line of output, an attempt that failed."""

    type: Literal["node_progress"] = "node_progress"
    message: str


@fact
class TokenDelta(NodeEvent):
    """A piece of an answer, as it arrives."""

    ephemeral: ClassVar[bool] = True

    type: Literal["token_delta"] = "token_delta"
    text: str


@frequent_fact
class NodeCompleted(NodeEvent):
    """`outputs` has one value for each handle that goes on; the other handles are dead.

    `messages` are the ones this activation added to the conversation, `seen` the ids of all that
    the person was shown, in order (its system prompt apart). `duration_ms` is wall time.
    """

    node: Label
    activation: int
    type: Literal["node_completed"] = field(default="node_completed", kw_only=True)
    outputs: dict[str, Any]
    person: str | None = None
    messages: tuple[Message, ...] = ()
    seen: tuple[str, ...] = ()
    usage: Usage | None = None
    cached: bool = False
    duration_ms: float = 0.0


@fact
class NodeFailed(NodeEvent):
    """A node gave up. With `outputs` the run goes on with them; None means that it cannot.

    `usage` is what it took all the same.
    """

    type: Literal["node_failed"] = "node_failed"
    error: ErrorInfo
    outputs: dict[str, Any] | None = None
    usage: Usage | None = None
    duration_ms: float = 0.0


@fact
class NodeSkipped(Event):
    """Not run: nothing live arrived, somebody asked for it, or its turns are used up.

    In the last case it hands on its last outputs.
    """

    type: Literal["node_skipped"] = "node_skipped"
    node: Label
    reason: SkipReason = "no_live_input"


@fact
class InputRequired(NodeEvent):
    """A human must answer. `asked_by` is the activation that asks, when it is one of a part."""

    type: Literal["input_required"] = "input_required"
    question: Question
    asked_by: str | None = None


@fact
class InputReceived(NodeEvent):
    type: Literal["input_received"] = "input_received"
    value: Any


@fact
class BudgetWarning(Event):
    """Nearly all of the budget is used up: `used` of `budget`."""

    type: Literal["budget_warning"] = "budget_warning"
    used: Usage
    budget: Budget


@fact
class Broadcast(Event):
    """Something a tool outside the engine wants everyone watching to know."""

    type: Literal["broadcast"] = "broadcast"
    name: str
    data: Any = None


AnyEvent = Annotated[
    ExecutionStarted
    | ExecutionPaused
    | ExecutionResumed
    | ExecutionRecovered
    | ExecutionEdited
    | BreakpointsSet
    | ExecutionCompleted
    | ExecutionFailed
    | ExecutionCancelled
    | NodeStarted
    | NodePaused
    | NodeResumed
    | SkipRequested
    | EffectStarted
    | EffectCompleted
    | NodeProgress
    | TokenDelta
    | NodeCompleted
    | NodeFailed
    | NodeSkipped
    | InputRequired
    | InputReceived
    | BudgetWarning
    | Broadcast,
    Field(discriminator="type"),
]
event_adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


class Entry(NamedTuple):
    """An event as it stands in a run's journal: numbered (1, 2, 3, …) and dated (Unix seconds).

    An ephemeral event carries the number of the entry it follows.
    """

    execution_id: ExecutionId
    seq: int
    time: float
    event: AnyEvent

    def to_wire(self) -> dict[str, Any]:
        """The envelope that travels: `{type, payload, timestamp, execution_id, seq}`."""
        return {
            "type": self.event.type,
            "payload": event_adapter.dump_python(
                self.event, mode="json", exclude={"type"}, by_alias=True
            ),
            "timestamp": datetime.fromtimestamp(self.time, UTC).isoformat().replace("+00:00", "Z"),
            "execution_id": self.execution_id,
            "seq": self.seq,
        }

    @classmethod
    def from_wire(cls, frame: Mapping[str, Any]) -> Entry:
        """The inverse of `to_wire`; raises `pydantic.ValidationError`."""
        event = event_adapter.validate_python({**frame["payload"], "type": frame["type"]})
        time = datetime.fromisoformat(frame["timestamp"]).timestamp()
        return cls(frame["execution_id"], frame["seq"], time, event)


FINAL_EVENTS = (ExecutionCompleted, ExecutionFailed, ExecutionCancelled)
"""After one of these nothing more happens in a run."""
