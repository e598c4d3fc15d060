"""What happens to a run as a whole."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ...diagram.model import Diagram, Label
from .base import Event, fact
from .parts import Breakpoint, Budget, ErrorInfo, ExecutionId, Message, Origin, Usage

PauseReason = Literal["asked", "steps", "breakpoint", "edited", "journal", "budget", "closed"]

DiagramText: TypeAlias = Annotated[str | None, Field(exclude=True)]
"""The JSON of an event's diagram, where it was made beforehand. It is never sent."""


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
    text: DiagramText = field(default=None, repr=False, compare=False)
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
    text: DiagramText = field(default=None, repr=False, compare=False)
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
