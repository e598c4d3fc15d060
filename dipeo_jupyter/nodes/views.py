"""What a person sees of the run's conversation.

The conversation is one and only grows; a view chooses from it. Forgetting hides, never deletes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias, TypeGuard, assert_never, get_args

from ..diagram.suggest import CLEARLY, LIKE, nearest
from ..engine.chat import ChatMessage
from ..protocol.events import Message, ToolCall
from .tools import DRAW

View: TypeAlias = Literal[
    "ALL_INVOLVED",
    "ALL_MESSAGES",
    "SENT_BY_ME",
    "SENT_TO_ME",
    "CONVERSATION_PAIRS",
    "SYSTEM_AND_ME",
    "GOLDFISH",
]

_ALIASES: dict[str, View] = {
    "FULL": "ALL_MESSAGES",
    "FOCUSED": "CONVERSATION_PAIRS",
    "MINIMAL": "SYSTEM_AND_ME",
    "ONLY_ME": "SENT_TO_ME",
    "ONLY_I_SENT": "SENT_BY_ME",
    "NO_FORGET": "ALL_INVOLVED",
    "ON_EVERY_TURN": "GOLDFISH",
    "UPON_REQUEST": "SENT_TO_ME",
}
_IMAGES = "These are the images."
_NO_WORDS = "(images)"
"""Providers refuse what is empty."""
VIEWS: dict[str, View] = {view: view for view in get_args(View)} | _ALIASES
"""By every name that a diagram may use."""


def is_view(memory: str) -> TypeGuard[View]:
    """Whether it is the name of a view, and not what is wanted in words."""
    return memory in get_args(View)


def memory_named(text: str) -> str:
    """The view that a diagram means, whatever the spelling, or what is wanted in words.

    Words have a space between them, and are not nearly the name of a view. Raises `ValueError`.
    """
    view = VIEWS.get(text.strip().upper())
    if view is not None:
        return view
    words = text.split()
    in_words = len(words) > 1
    closest = nearest("_".join(words), VIEWS, CLEARLY if in_words else LIKE)
    if in_words and closest is None:
        return text.strip()
    views = f"The views are {', '.join(get_args(View))}. Or say in several words what is wanted."
    hint = f"Did you mean {closest!r}?" if closest else views
    raise ValueError(f"{text!r} is no view of the conversation. {hint}")


def choose(
    conversation: Sequence[Message],
    view: View,
    me: str,
    at_most: int | None = None,
    ignored: Collection[str] = (),
) -> list[Message]:
    """The messages that a person sees, the newest `at_most` of them, in order."""
    chosen = [
        message
        for message in conversation
        if _belongs(message, view, me) and not {message.sender, message.recipient} & set(ignored)
    ]
    return chosen[-at_most:] if at_most else chosen


def _belongs(message: Message, view: View, me: str) -> bool:
    involved = me in (message.sender, message.recipient)
    match view:
        # Whoever is asked answers, so the pairs with me are all that involves me.
        case "ALL_INVOLVED" | "CONVERSATION_PAIRS":
            return involved
        case "ALL_MESSAGES":
            return True
        case "SENT_BY_ME":
            return message.sender == me
        case "SENT_TO_ME":
            return message.recipient == me
        case "SYSTEM_AND_ME":
            return involved and message.sender in (None, me)
        case "GOLDFISH":
            return False
        case _:
            assert_never(view)


def as_chat(message: Message, me: str) -> list[ChatMessage]:
    """A message as the model sees it: its own are the assistant's, all others are the user's.

    With tools it is several: who used them has what came of them from the tools, others are told.
    A model shows images only to others, so those that it made come back as the user's. What it had
    drawn by a tool does not: it was told that it was, and may be one that sees nothing.
    """
    if message.sender != me:
        return [ChatMessage("user", message.words, message.all_images)]
    if not message.uses:
        said = [ChatMessage("assistant", message.content or _NO_WORDS)]
    else:
        calls = tuple(
            ToolCall(id=each.id, name=each.name, arguments=each.arguments) for each in message.uses
        )
        said = [
            ChatMessage("assistant", message.content, calls=calls),
            *(ChatMessage("tool", each.result, answers=each.id) for each in message.uses),
        ]
    shown = (image for use in message.uses if use.name != DRAW for image in use.images)
    images = (*message.images, *shown)
    return [*said, ChatMessage("user", _IMAGES, images)] if images else said
