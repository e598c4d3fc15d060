"""What is asked. A command may be refused; once obeyed, it shows up as events."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from ..diagram.model import Diagram, Label
from .events import Breakpoint, Budget, ExecutionId, ExecutionStatus, Fact, Origin, Usage

Folder: TypeAlias = Annotated[str, Field(max_length=4096)]
"""Where a run has its files, its `.env` and its tools: a path below the root of whoever runs it,
with `/` between its parts; the root itself when it is empty."""

Traceparent: TypeAlias = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
]
"""The span that a run is to be a part of, as of W3C Trace Context."""


class MayBeForeign(Fact):
    """Base of commands that bring a diagram, which may have come from elsewhere."""

    foreign: bool = Field(
        default=False,
        description=(
            "The diagram may have come from elsewhere, as any file may: it is refused "
            "(`untrusted`) when it asks for powers that are neither granted here nor trusted for "
            "good. Without it the diagram is the sender's own, and only diagrams in files that it "
            "runs are held to that."
        ),
    )
    granted: tuple[str, ...] = Field(
        default=(), description="Powers that it may use in this run, each as its `digest` says."
    )
    remember: bool = Field(
        default=False, description="Trust what is granted here for good, until it changes."
    )


class ExecuteDiagram(MayBeForeign):
    """Run a diagram. `inputs` are JSON values, `max_concurrency` limits activations at once.

    A `fresh` run asks models again what has been asked before; `origin` is a run whose results
    hold where nothing has changed, `values` are outputs of activations (`argue[2]`) given by hand.
    It begins with the conversation that the last run of its `thread` has ended with, or without a
    thread, with that of its origin, if that had one. With a `traceparent` it is part of the trace
    that this names.
    """

    type: Literal["execute_diagram"] = "execute_diagram"
    diagram: Diagram
    folder: Folder = ""
    inputs: dict[str, Any] = {}
    thread: str | None = Field(None, min_length=1)
    max_concurrency: int | None = Field(None, ge=1)
    max_rounds: int | None = Field(None, ge=1)
    paused: bool = Field(default=False, description="Wait for the first step or resume.")
    breakpoints: tuple[Breakpoint, ...] = ()
    fresh: bool = False
    origin: Origin | None = None
    values: dict[str, Any] = {}
    budget: Budget = Budget()
    traceparent: Traceparent | None = None


class CheckDiagram(Fact):
    """Find all problems of a diagram, without running anything."""

    type: Literal["check_diagram"] = "check_diagram"
    diagram: Diagram
    folder: Folder = ""
    partial: bool = Field(default=False, description="Parts that could not be read are missing.")


class PlanExecution(Fact):
    """Tell what a run of this diagram would do, reuse and cost, without doing any of it."""

    type: Literal["plan_execution"] = "plan_execution"
    diagram: Diagram
    folder: Folder = ""
    inputs: dict[str, Any] = {}
    thread: str | None = Field(None, min_length=1)
    since: ExecutionId | None = None
    at: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    fresh: bool = False


class TrustDiagram(Fact):
    """Tell which powers a diagram asks for, and trust those that are `granted` for good.

    The result is a list of `AskedPower`, those of diagrams in files that it runs among them.
    """

    type: Literal["trust_diagram"] = "trust_diagram"
    diagram: Diagram
    folder: Folder = ""
    granted: tuple[str, ...] = ()


class PruneExecutions(Fact):
    """Forget finished runs, the oldest first, but the last `keep_last`."""

    type: Literal["prune_executions"] = "prune_executions"
    keep_last: int = Field(50, ge=0)


class Describe(Fact):
    """Tell what a diagram may contain: the JSON Schema of the light format, and the node types."""

    type: Literal["describe"] = "describe"


class ListExecutions(Fact):
    type: Literal["list_executions"] = "list_executions"


class ListCollections(Fact):
    """Tell which collections a database has, and of which columns: a list of `CollectionSummary`.

    Without a name it is the usual database of the folder.
    """

    type: Literal["list_collections"] = "list_collections"
    folder: Folder = ""
    database: str = ""


class OnExecution(Fact):
    """Base of commands about one run; its id may be shortened as long as it is clear."""

    execution_id: ExecutionId


class GetExecution(OnExecution):
    type: Literal["get_execution"] = "get_execution"


class GetConversation(OnExecution):
    """Tell who said what to whom so far, and who still sees it: a list of `conversation.Said`."""

    type: Literal["get_conversation"] = "get_conversation"


class PauseExecution(OnExecution):
    """Start nothing new; what runs may finish, or with `now` is stopped and run again later."""

    type: Literal["pause_execution"] = "pause_execution"
    now: bool = False


class ResumeExecution(OnExecution):
    """Go on. A `budget` takes the place of the one that the run has."""

    type: Literal["resume_execution"] = "resume_execution"
    budget: Budget | None = None


class StepExecution(OnExecution):
    """Let `steps` activations through, then pause again."""

    type: Literal["step_execution"] = "step_execution"
    steps: int = Field(1, ge=1)


class CancelExecution(OnExecution):
    type: Literal["cancel_execution"] = "cancel_execution"


class SetBreakpoints(OnExecution):
    """Replace all breakpoints of a run."""

    type: Literal["set_breakpoints"] = "set_breakpoints"
    breakpoints: tuple[Breakpoint, ...] = ()


class PauseNode(OnExecution):
    """Let this node not start any more; all others go on."""

    type: Literal["pause_node"] = "pause_node"
    node: Label


class ResumeNode(OnExecution):
    type: Literal["resume_node"] = "resume_node"
    node: Label


class SkipNode(OnExecution):
    """Leave out the next firing of a node, or the one that is under way; its edges die."""

    type: Literal["skip_node"] = "skip_node"
    node: Label


class EditExecution(OnExecution, MayBeForeign):
    """Give a run another diagram; it is paused then, and goes on by `resume_execution`.

    What does not depend on the change keeps its results. `values` are outputs of activations
    (`argue[2]`) given by hand; with `keep`, whatever has fired keeps its result. Inputs of the run
    that are not given stay.
    """

    type: Literal["edit_execution"] = "edit_execution"
    diagram: Diagram | None = None
    inputs: dict[str, Any] | None = None
    values: dict[str, Any] = {}
    keep: bool = False


class ForkExecution(OnExecution, MayBeForeign):
    """Start a new run with the past of this one, up to the activation `at` (`argue[2]`).

    What happened before that is kept as it was; the activation itself is run anew, with the
    changes. Without `at`, the new run takes over whatever does not depend on the changes.
    """

    type: Literal["fork_execution"] = "fork_execution"
    at: tuple[str, ...] = ()
    diagram: Diagram | None = None
    inputs: dict[str, Any] | None = None
    values: dict[str, Any] = {}
    budget: Budget = Budget()
    paused: bool = False
    traceparent: Traceparent | None = None


class UserResponse(OnExecution):
    """Answer a question. The first valid answer wins.

    With `activation` it is for the question of this firing only, and refused when that is over.
    """

    type: Literal["user_response"] = "user_response"
    node: Label
    activation: int | None = None
    value: Any


class BroadcastEvent(OnExecution):
    """Tell everyone who watches a run."""

    type: Literal["broadcast_event"] = "broadcast_event"
    name: str
    data: Any = None


Command = Annotated[
    ExecuteDiagram
    | CheckDiagram
    | PlanExecution
    | TrustDiagram
    | PruneExecutions
    | Describe
    | ListExecutions
    | ListCollections
    | GetExecution
    | GetConversation
    | PauseExecution
    | ResumeExecution
    | StepExecution
    | CancelExecution
    | SetBreakpoints
    | PauseNode
    | ResumeNode
    | SkipNode
    | EditExecution
    | ForkExecution
    | UserResponse
    | BroadcastEvent,
    Field(discriminator="type"),
]
command_adapter: TypeAdapter[Command] = TypeAdapter(Command)


class AskedPower(Fact):
    """Something that a diagram can do beyond its walls, and for which people are asked.

    "Node 'scan'" goes on with what it `says`. `node` is a way through diagrams within diagrams
    (`review/scan`), `file` the one that it stands in, if that is another one than the diagram's
    own, and `line` the line there. `digest` is what it is known by: it changes with what is done.
    """

    code: str
    node: str
    says: str
    hint: str
    digest: str
    path: tuple[str | int, ...] = ()
    file: str | None = None
    line: int | None = None
    trusted: bool = False

    def __str__(self) -> str:
        places = ([self.file] if self.file else []) + ([f"line {self.line}"] if self.line else [])
        where = f"{', '.join(places)}: " if places else ""
        return f"{where}Node {self.node!r} {self.says}."


class ExecutionSummary(Fact):
    """A run in one line. `started` is Unix time; `waiting_for` lists nodes with open questions.

    `live` runs are held by a process; the others wait for one that resumes them. `origin` is the
    run whose past it shares, `thread` the conversation that it carries on, `usage` what all
    nodes that are done have taken, where it is known.
    """

    execution_id: ExecutionId
    name: str | None
    thread: str | None = None
    status: ExecutionStatus
    started: float
    events: int
    waiting_for: tuple[Label, ...] = ()
    live: bool = True
    origin: ExecutionId | None = None
    usage: Usage | None = None


class CollectionSummary(Fact):
    """A table of a database: its columns, with what the database says that each holds.

    By its `keys` rows are told apart.
    """

    name: str
    columns: dict[str, str]
    keys: tuple[str, ...] = ()


PlannedAction = Literal["run", "reuse", "compute", "fail"]


class PlannedActivation(Fact):
    """What would become of one activation, and why.

    `run` does something that counts, `calls` times; `reuse` takes recorded results, `compute` costs
    nothing, `fail` cannot be done. What is `assumed` comes about if the run goes on the way it went
    before. The `estimate` is what its calls to models will take, as far as that can be told; with
    `at_least`, what comes out is not known and not in it.
    """

    node: Label
    activation: int
    node_type: str
    action: PlannedAction
    why: str
    calls: int = 0
    assumed: bool = False
    estimate: Usage | None = None
    at_least: bool = False

    @property
    def cost(self) -> str | None:
        """The estimated dollars, as people read them; None when no model is asked."""
        return None if self.estimate is None else _estimated(self.estimate, self.at_least)


class Plan(Fact):
    """All activations of a run that was not run, in their order."""

    activations: tuple[PlannedActivation, ...]

    @property
    def estimate(self) -> Usage:
        """What the whole run will take."""
        return sum((each.estimate for each in self.activations if each.estimate), Usage())

    @property
    def at_least(self) -> bool:
        """Whether it can only take more."""
        return any(each.at_least for each in self.activations)

    @property
    def cost(self) -> str:
        """The estimated dollars of the whole run, as people read them."""
        return _estimated(self.estimate, self.at_least)


def _estimated(usage: Usage, at_least: bool) -> str:  # noqa: FBT001
    return f"≥ {usage.cost.removeprefix('≥ ')}" if at_least else usage.cost


class Ack(Fact):
    """A command was obeyed. `execution_id` is the run it was about, `result` what was asked for.

    `seq` is the number of the run's last entry by then: whoever has read it sees the effect.
    """

    type: Literal["ack"] = "ack"
    execution_id: ExecutionId | None = None
    seq: int = 0
    result: Any = None
