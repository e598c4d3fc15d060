"""The diagram as written: nodes, edges and persons. Nothing here knows how a node runs."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from .older import person_fields

Label: TypeAlias = str
DEFAULT = "default"
"""The handle that is meant when none is named, at both ends of an edge."""


class Frozen(BaseModel):
    """A value: immutable, and strict about fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(Frozen):
    """Where a node stands on the canvas, in pixels from the top left."""

    x: float
    y: float


class Person(BaseModel):
    """An LLM agent: which model it is, and what it was told at first.

    `service` is a provider (`openai`, `claude`, `gemini`, `grok`, `demo`, …); without it, `model`
    names the provider too (`openai/gpt-4.1-nano`). `api_key_id` is the *name* of a key, never a
    key. Further fields (`temperature`, `max_tokens`, …) go to the model as they are.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    service: str | None = None
    model: str | None = None
    api_key_id: str | None = None
    system_prompt: str | None = None
    prompt_file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _older_names(cls, data: Any) -> Any:
        return person_fields(data) if isinstance(data, dict) else data

    @property
    def parameters(self) -> dict[str, Any]:
        """The further fields, as they go to the model."""
        return dict(self.model_extra or {})


class NodeSpec(Frozen):
    """A node as drawn. `props` are checked later, by the node type that `type` names."""

    label: Label
    type: str
    props: dict[str, JsonValue] = {}
    position: Position | None = None


class Edge(Frozen):
    """Carries values from a handle of one node to a handle of another.

    `label` is the name under which the value arrives; `content_type` picks one of the
    representations that the output offers (`raw_text`, `object`, `conversation_state`).
    """

    source: Label
    target: Label
    source_handle: str = DEFAULT
    target_handle: str = DEFAULT
    label: str | None = None
    content_type: str | None = None
    data: dict[str, JsonValue] = {}

    def __str__(self) -> str:
        handle = "" if self.source_handle == DEFAULT else f"[{self.source_handle}]"
        target = "" if self.target_handle == DEFAULT else f"[{self.target_handle}]"
        return f"{self.source}{handle} -> {self.target}{target}"


class Diagram(Frozen):
    """A workflow as written. `extra` keeps the top-level entries that mean nothing to us."""

    name: str | None = None
    description: str | None = None
    nodes: tuple[NodeSpec, ...] = ()
    edges: tuple[Edge, ...] = ()
    persons: dict[str, Person] = {}
    extra: dict[str, JsonValue] = Field(default={}, description="Unknown entries, written back.")

    @cached_property
    def version(self) -> str:
        """Names this exact diagram: the same content always has the same version."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]
