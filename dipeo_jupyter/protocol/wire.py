"""What is said on a WebSocket beside commands and events: wishes about the connection, and replies.

One JSON object in each text frame: `{type, payload, timestamp, correlation_id, execution_id, seq}`.
What has no meaning for a frame is not in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import to_json, to_jsonable_python

from ..diagram.files import Format
from ..diagram.model import Diagram
from .commands import Ack, Command, ExecutionSummary, Folder, OnExecution
from .events import Entry, ExecutionId, Fact
from .kernel import KernelCancel, KernelRequest, KernelSaid
from .refusals import Refusal

VERSION = 1
"""Of the protocol; another one would not understand what is said."""
ALL_RUNS = "*"


class Subscribe(OnExecution):
    """Tell what happens in a run, from the entry behind number `after_seq` on, until it is over.

    The run `*` is all runs of this user that go on, and all that will begin. With `brief`, it is
    told by a `standing` now and then how each of them stands, and not what happens in it.
    """

    type: Literal["subscribe"] = "subscribe"
    after_seq: int = Field(0, ge=0)
    brief: bool = False


class Unsubscribe(OnExecution):
    """Tell no more of a run (`*`: of any)."""

    type: Literal["unsubscribe"] = "unsubscribe"


class Ping(Fact):
    type: Literal["ping"] = "ping"


class ConvertDiagram(Fact):
    """The text of a diagram in another format."""

    type: Literal["convert_diagram"] = "convert_diagram"
    diagram: Diagram
    to: Format = "light"


class DrawDiagram(Fact):
    """Tell where everything in a diagram stands, and all that is wrong with it; nothing is run.

    A diagram that says no name has the one of its `file`. The result has the `diagram`, as far as
    it can be read, its `places` and its `problems`.
    """

    type: Literal["draw_diagram"] = "draw_diagram"
    diagram: Diagram
    folder: Folder = ""
    file: str = Field("", max_length=1000)


class RelayEvent(Fact):
    """Tell every connection of this user something that is about no run."""

    type: Literal["relay_event"] = "relay_event"
    name: str
    data: Any = None


ConnectionCommand = Annotated[
    Subscribe | Unsubscribe | Ping | ConvertDiagram | DrawDiagram | RelayEvent | KernelSaid,
    Field(discriminator="type"),
]
AnyCommand = Command | ConnectionCommand
any_command_adapter: TypeAdapter[AnyCommand] = TypeAdapter(
    Annotated[AnyCommand, Field(discriminator="type")]
)


class Connected(Fact):
    """The first thing that is said. `most_bytes` is the largest frame that is taken."""

    type: Literal["connected"] = "connected"
    client_id: str
    version: int = VERSION
    most_bytes: int


class Relayed(Fact):
    """What somebody had relayed to all connections."""

    type: Literal["relayed"] = "relayed"
    name: str
    data: Any = None


class EndOfEvents(Fact):
    """A run is over, or nobody holds it any more: nothing more is told, unless it is gone on with.

    What was told is all up to number `after_seq`; then `subscribe` again.
    """

    type: Literal["end_of_events"] = "end_of_events"
    after_seq: int


class Standing(Fact):
    """How a run stands now."""

    type: Literal["standing"] = "standing"
    summary: ExecutionSummary


ServerMessage = Annotated[
    Connected | Ack | Refusal | Relayed | EndOfEvents | Standing | KernelRequest | KernelCancel,
    Field(discriminator="type"),
]


def frame(
    message: ServerMessage,
    *,
    correlation_id: str | None = None,
    execution_id: ExecutionId | None = None,
) -> str:
    """A message of the server as it travels."""
    payload = to_jsonable_python(message.model_dump(exclude={"type"}), by_alias=True)
    told = {name: value for name, value in payload.items() if value is not None}
    envelope: dict[str, Any] = {"type": message.type, "payload": told, "timestamp": _now()}
    if correlation_id is not None:
        envelope["correlation_id"] = correlation_id
    if isinstance(message, Ack) and message.execution_id is not None:
        envelope |= {"execution_id": message.execution_id, "seq": message.seq}
    elif execution_id is not None:
        envelope["execution_id"] = execution_id
    return to_json(envelope).decode()


def frame_of_entry(entry: Entry) -> str:
    """An entry of a run as it travels."""
    return to_json(entry.to_wire()).decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
