"""What is said to models, and what they say, whoever provides them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..diagram.model import Person
from ..protocol.events import ToolCall, Usage

Role = Literal["system", "user", "assistant", "tool"]
TOOL_NAME = r"[a-zA-Z0-9_-]{1,64}"
"""What all providers take for the name of a tool."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as a model sees it.

    `images` are URLs, mostly of the kind `data:`. An assistant may want `calls` of tools; then a
    message of the role `tool` `answers` each of them, by its id.
    """

    role: Role
    content: str
    images: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    answers: str | None = None

    def as_json(self) -> list[Any]:
        """All that reaches the model: `[role, content]`, and more where there is more."""
        more: dict[str, Any] = {}
        if self.images:
            more["images"] = [short_image(each) for each in self.images]
        if self.calls:
            more["calls"] = [each.model_dump() for each in self.calls]
        if self.answers is not None:
            more["answers"] = self.answers
        return [self.role, self.content, *([more] if more else ())]


def short_image(url: str) -> str:
    """What tells an image from all others, for those who do not look at it."""
    if not url.startswith("data:"):
        return url
    kind = url[len("data:") :].partition(";")[0]
    return f"{kind} sha256:{hashlib.sha256(url.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may call; `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """All that reaches the model."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }


def tool_name(text: str) -> str:
    """The name of a tool that is most like a text."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", text)[:64] or "tool"


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call to a model. `timeout` is in seconds and covers the whole call.

    With `cache` it may be answered by what was said to exactly the same before.
    """

    person: Person
    messages: Sequence[ChatMessage]
    timeout: float
    cache: bool = True
    tools: Sequence[Tool] = ()

    def said(self) -> dict[str, Any]:
        """All of it that reaches the model, but who that is, as JSON."""
        said: dict[str, Any] = {"chat": [each.as_json() for each in self.messages]}
        if self.tools:
            said["tools"] = [each.as_json() for each in self.tools]
        return said


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """What a model said, and the tokens it took; a `replayed` answer was recorded, and is free.

    With `calls`, it wants to go on when it knows what came of them. `images` are URLs.
    """

    text: str
    usage: Usage
    replayed: bool = False
    calls: tuple[ToolCall, ...] = ()
    images: tuple[str, ...] = ()
