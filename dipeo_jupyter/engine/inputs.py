"""What arrives at a node: the values of its live edges, by name, in the form each edge asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..diagram.model import DEFAULT
from ..protocol.events import Message
from .moments import Activation
from .node import Inputs
from .program import Wire
from .state import ExecutionState

_MESSAGES = TypeAdapter(list[Message])


def gather(state: ExecutionState, wires: Sequence[Wire]) -> Inputs:
    """Name the values: by the edge's label, else `default`.

    Two unlabelled edges arrive under their sources' labels; then `default` is what came round the
    loop, so that a prompt may say `{{default}}` in every round.
    """
    inputs = Inputs()
    settled, unlabelled = state.settled, 0
    for wire in wires:
        if wire.name is None:
            unlabelled += 1
    for wire in wires:
        source = settled[wire.index]
        assert source is not None
        value = source.outputs[wire.handle]
        if wire.content_type is not None:
            value = _represented(state, source, value, wire.content_type)
        if wire.name is not None:
            inputs[wire.name] = value
        elif unlabelled == 1:
            inputs[DEFAULT] = value
        else:
            inputs[state.labels[wire.source]] = value
            if wire.back:
                inputs[DEFAULT] = value
    return inputs


def _represented(state: ExecutionState, source: Activation, value: Any, content_type: str) -> Any:
    """The value in the form that an edge asks for; other names mean as it is."""
    match content_type:
        case "raw_text":
            return as_text(value)
        case "object":
            return as_object(value)
        case "conversation_state":
            spoken = source.repeats or source
            name = f"{state.labels[spoken.node]}[{spoken.number}]"
            return as_conversation(value, spoken.messages, name)
        case _:
            return value


def as_text(value: Any) -> str:
    """Text as it is, of an object its `default`, of a conversation its last word; else JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and DEFAULT in value:
        return as_text(value[DEFAULT])
    if said := messages_in(value):
        return said[-1].content
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def as_object(value: Any) -> Any:
    """Text is read as JSON; text that is none becomes the object `{"text": …}`."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return {"text": value}


def as_conversation(value: Any, messages: Sequence[Message], name: str) -> dict[str, Any]:
    """The messages of the activation `name`, or those in the value; else it speaks as one message.

    The form is `{"messages": [{id, sender, recipient, content}], "last_message": content}`.
    """
    said = list(messages) or messages_in(value)
    if said is None:
        said = [] if value in (None, "", [], {}) else [Message(id=name, content=as_text(value))]
    return {
        "messages": [_message(message) for message in said],
        "last_message": said[-1].content if said else None,
    }


def _message(message: Message) -> dict[str, Any]:
    rare = {name for name in ("images", "uses") if not getattr(message, name)}
    return message.model_dump(mode="json", exclude=rare)


def messages_in(value: Any) -> list[Message] | None:
    """The messages of a value that has the form of a conversation; None for any other value."""
    if not (isinstance(value, Mapping) and value.keys() == {"messages", "last_message"}):
        return None
    try:
        return _MESSAGES.validate_python(value["messages"])
    except ValidationError:
        return None
