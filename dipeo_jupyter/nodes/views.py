"""What a person sees of the run's conversation.

The conversation is one and only grows; a view chooses from it. Forgetting hides, never deletes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal, TypeAlias

from ..diagram.suggest import did_you_mean
from ..engine.ports import ChatMessage
from ..protocol.events import Message

View: TypeAlias = Literal[
    "ALL_INVOLVED",
    "ALL_MESSAGES",
    "SENT_BY_ME",
    "SENT_TO_ME",
    "CONVERSATION_PAIRS",
    "SYSTEM_AND_ME",
    "GOLDFISH",
]

_VIEWS: dict[str, Callable[[Message, str], bool]] = {
    "ALL_INVOLVED": lambda message, me: me in (message.sender, message.recipient),
    "ALL_MESSAGES": lambda message, me: True,
    "SENT_BY_ME": lambda message, me: message.sender == me,
    "SENT_TO_ME": lambda message, me: message.recipient == me,
    "CONVERSATION_PAIRS": lambda message, me: me in (message.sender, message.recipient),
    "SYSTEM_AND_ME": lambda message, me: (
        message.sender in (None, me) and me in (message.sender, message.recipient)
    ),
    "GOLDFISH": lambda message, me: False,
}
_ALIASES = {
    "FULL": "ALL_MESSAGES",
    "FOCUSED": "CONVERSATION_PAIRS",
    "MINIMAL": "SYSTEM_AND_ME",
    "ONLY_ME": "SENT_TO_ME",
    "ONLY_I_SENT": "SENT_BY_ME",
    "NO_FORGET": "ALL_INVOLVED",
    "ON_EVERY_TURN": "GOLDFISH",
    "UPON_REQUEST": "SENT_TO_ME",
}


def view_named(name: str) -> View:
    """The view that a diagram means, whatever the spelling; raises `ValueError`."""
    upper = name.strip().upper()
    view = _ALIASES.get(upper, upper)
    if view not in _VIEWS:
        hint = did_you_mean(name, [*_VIEWS, *_ALIASES]) or "The views are " + ", ".join(_VIEWS)
        raise ValueError(f"{name!r} is no view of the conversation. {hint}")
    return view  # type: ignore[return-value] - just looked up


def choose(
    conversation: Sequence[Message],
    view: View,
    me: str,
    at_most: int | None = None,
    ignored: Collection[str] = (),
) -> list[Message]:
    """The messages that a person sees, the newest `at_most` of them, in order."""
    belongs = _VIEWS[view]
    chosen = [
        message
        for message in conversation
        if belongs(message, me) and not {message.sender, message.recipient} & set(ignored)
    ]
    return chosen[-at_most:] if at_most else chosen


def as_chat(message: Message, me: str) -> ChatMessage:
    """A message as the model sees it: its own are the assistant's, all others are the user's."""
    return ChatMessage("assistant" if message.sender == me else "user", message.content)
