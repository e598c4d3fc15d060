"""What events speak of: messages, questions, errors, money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from ...diagram.model import Label

ExecutionId: TypeAlias = str
"""`exec_` and a ULID: unique, and sorted by time."""

ExecutionStatus = Literal[
    "pending", "running", "waiting", "paused", "completed", "failed", "cancelled"
]
OVER: frozenset[ExecutionStatus] = frozenset({"completed", "failed", "cancelled"})
"""A run that has failed can be resumed all the same."""


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
    """Where a run has its past from: another run, up to the activations `at` (`argue[2]`).

    What happened in the other one after its entry `seq` has no bearing on it; None is all there is.
    """

    execution_id: ExecutionId
    at: tuple[str, ...] = ()
    seq: int | None = None


def label_and_visit(name: str) -> tuple[Label, int | None]:
    """`argue[2]` as the node and the number of its activation; None of a whole node."""
    label, bracket, number = name.removesuffix("]").rpartition("[")
    if bracket and name.endswith("]") and number.isdecimal() and int(number):
        return label, int(number)
    return name, None
