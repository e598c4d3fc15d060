"""What arrives at a node: the values of its live edges, by name, in the form each edge asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..diagram.model import DEFAULT
from ..protocol.events import Message
from .node import Inputs
from .program import Wire
from .state import ExecutionState


def gather(state: ExecutionState, wires: Sequence[Wire]) -> Inputs:
    """Name the values: by the edge's label, else `default`.

    Two unlabelled edges arrive under their sources' labels; then `default` is what came round the
    loop, so that a prompt may say `{{default}}` in every round.
    """
    if len(wires) == 1:
        return Inputs({wires[0].name or DEFAULT: carried(state, wires[0])})
    inputs = Inputs()
    unlabelled = [wire for wire in wires if wire.name is None]
    for wire in wires:
        value = carried(state, wire)
        if wire.name is not None:
            inputs[wire.name] = value
        elif len(unlabelled) == 1:
            inputs[DEFAULT] = value
        else:
            inputs[state.program.labels[wire.source]] = value
            if wire.back:
                inputs[DEFAULT] = value
    return inputs


def carried(state: ExecutionState, wire: Wire) -> Any:
    """The value on a live edge, in the form the edge asks for."""
    activation = state.settled[wire.index]
    assert activation is not None
    if wire.content_type is None:
        return activation.outputs[wire.handle]
    spoken = activation.repeats or activation
    return convert(activation.outputs[wire.handle], wire.content_type, spoken.messages)


def convert(value: Any, content_type: str | None, messages: Sequence[Message] = ()) -> Any:
    """Pick a representation of an output: `raw_text`, `object` or `conversation_state`.

    Anything else means the value as it is. Text that is no JSON becomes the object `{"text": …}`.
    """
    match content_type:
        case "raw_text":
            return as_text(value)
        case "object":
            return as_object(value)
        case "conversation_state":
            return as_conversation(value, messages)
        case _:
            return value


def as_text(value: Any) -> str:
    """Text as it is, else JSON; an object with a `default` stands for that."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and DEFAULT in value:
        return as_text(value[DEFAULT])
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def as_object(value: Any) -> Any:
    """Text is read as JSON, if it is that."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return {"text": value}


def as_conversation(value: Any, messages: Sequence[Message]) -> dict[str, Any]:
    """The messages of the activation that produced the value; other values speak as one message.

    The form is `{"messages": [{id, sender, recipient, content}], "last_message": content}`.
    """
    if messages:
        said = [message.model_dump() for message in messages]
    elif isinstance(value, Mapping) and "messages" in value:
        return dict(value)
    else:
        said = [{"id": None, "sender": None, "recipient": None, "content": as_text(value)}]
    return {"messages": said, "last_message": said[-1]["content"] if said else None}
