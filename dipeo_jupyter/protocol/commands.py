"""What is asked. A command may be refused; once obeyed, it shows up as events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from ..diagram.model import Diagram, Label
from .events import ExecutionId, ExecutionStatus, Fact


class ExecuteDiagram(Fact):
    """Run a diagram. `inputs` are JSON values, `max_concurrency` limits activations at once."""

    type: Literal["execute_diagram"] = "execute_diagram"
    diagram: Diagram
    inputs: dict[str, Any] = {}
    max_concurrency: int | None = Field(None, ge=1)
    max_rounds: int | None = Field(None, ge=1)
    paused: bool = Field(default=False, description="Wait for the first step or resume.")


class CheckDiagram(Fact):
    """Find all problems of a diagram, without running anything."""

    type: Literal["check_diagram"] = "check_diagram"
    diagram: Diagram
    partial: bool = Field(default=False, description="Parts that could not be read are missing.")


class Describe(Fact):
    """Tell what a diagram may contain: the JSON Schema of the light format, and the node types."""

    type: Literal["describe"] = "describe"


class ListExecutions(Fact):
    type: Literal["list_executions"] = "list_executions"


class OnExecution(Fact):
    """Base of commands about one run; its id may be shortened as long as it is clear."""

    execution_id: ExecutionId


class GetExecution(OnExecution):
    type: Literal["get_execution"] = "get_execution"


class PauseExecution(OnExecution):
    """Start nothing new; what runs may finish, or with `now` is stopped and run again later."""

    type: Literal["pause_execution"] = "pause_execution"
    now: bool = False


class ResumeExecution(OnExecution):
    type: Literal["resume_execution"] = "resume_execution"


class StepExecution(OnExecution):
    """Let `steps` activations through, then pause again."""

    type: Literal["step_execution"] = "step_execution"
    steps: int = Field(1, ge=1)


class CancelExecution(OnExecution):
    type: Literal["cancel_execution"] = "cancel_execution"


class UserResponse(OnExecution):
    """Answer a question. The first valid answer wins."""

    type: Literal["user_response"] = "user_response"
    node: Label
    value: Any


class BroadcastEvent(OnExecution):
    """Tell everyone who watches a run."""

    type: Literal["broadcast_event"] = "broadcast_event"
    name: str
    data: Any = None


Command = Annotated[
    ExecuteDiagram
    | CheckDiagram
    | Describe
    | ListExecutions
    | GetExecution
    | PauseExecution
    | ResumeExecution
    | StepExecution
    | CancelExecution
    | UserResponse
    | BroadcastEvent,
    Field(discriminator="type"),
]
command_adapter: TypeAdapter[Command] = TypeAdapter(Command)


class ExecutionSummary(Fact):
    """A run in one line. `started` is Unix time; `waiting_for` lists nodes with open questions."""

    execution_id: ExecutionId
    name: str | None
    status: ExecutionStatus
    started: float
    events: int
    waiting_for: tuple[Label, ...] = ()


class Ack(Fact):
    """A command was obeyed. `execution_id` is the run it was about, `result` what was asked for.

    `seq` is the number of the run's last entry by then: whoever has read it sees the effect.
    """

    type: Literal["ack"] = "ack"
    execution_id: ExecutionId | None = None
    seq: int = 0
    result: Any = None
