"""What an effect asks of whom, as far as whoever looks on wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Operation = Literal["chat", "embeddings", "generate_content"]


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call to a model; `parameters` are what it was given beside the messages."""

    operation: Operation
    provider: str
    model: str
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The model and whose it is, as diagrams name it: `openai/gpt-4.1-nano`."""
        return self.model if self.model == self.provider else f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool outside of all diagrams; `home` says whose it is."""

    name: str
    home: str


def work_of(request: Mapping[str, Any]) -> ModelCall | ToolUse | None:
    """Who is asked for what in the request of an effect; None when it is neither model nor tool."""
    match request:
        case {"with": {"provider": str() as provider, **identity}}:
            parameters = {str(name): each for name, each in identity.items() if name != "model"}
            model = identity.get("model") or provider
            return ModelCall(_operation(request), provider, str(model), parameters)
        case {"tool": str() as name, "of": home}:
            return ToolUse(name, str(home))
        case _:
            return None


def _operation(request: Mapping[str, Any]) -> Operation:
    if "draw" in request:
        return "generate_content"
    return "embeddings" if "of" in request else "chat"
