"""All events as one type, and an event as it stands in the journal of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, NamedTuple

from pydantic import Field, TypeAdapter

from .nodes import (
    EffectCompleted,
    EffectStarted,
    InputReceived,
    InputRequired,
    NodeCompleted,
    NodeFailed,
    NodePaused,
    NodeProgress,
    NodeResumed,
    NodeSkipped,
    NodeStarted,
    SkipRequested,
    TokenDelta,
)
from .parts import ExecutionId
from .runs import (
    BreakpointsSet,
    Broadcast,
    BudgetWarning,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionEdited,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionRecovered,
    ExecutionResumed,
    ExecutionStarted,
)

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


entry_of: Callable[[tuple[ExecutionId, int, float, AnyEvent]], Entry] = partial(
    tuple.__new__, Entry
)
"""An entry of its fields, in half the time of `Entry(…)`: for whoever makes one for every event."""

FINAL_EVENTS = (ExecutionCompleted, ExecutionFailed, ExecutionCancelled)
"""After one of these nothing more happens in a run."""
