"""What happens to a node: what it is given, does, asks and hands on."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Literal

from ...diagram.model import Label
from .base import Event, fact, frequent_fact
from .parts import ErrorInfo, Message, Question, Usage

SkipReason = Literal["no_live_input", "max_iterations", "asked"]


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
