"""The diagram as written: nodes, edges and persons. Nothing here knows how a node runs."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from .older import person_fields, without_secrets

Label: TypeAlias = str
Handle: TypeAlias = Annotated[str, AfterValidator(str.strip)]
"""One end of an edge at its node; blanks around its name mean nothing."""
DEFAULT = "default"
"""The handle that is meant when none is named, at both ends of an edge."""


class Frozen(BaseModel):
    """A value: immutable, and strict about fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(Frozen):
    """Where a node stands on the canvas, in pixels from the top left."""

    x: float = Field(description="Pixels from the left.", examples=[100])
    y: float = Field(description="Pixels from the top.", examples=[200])


class Person(BaseModel):
    """An LLM agent: which model it is, and what it was told at first.

    `service` is a provider (`openai`, `claude`, `gemini`, `grok`, `demo`, …); without it, `model`
    names the provider too (`openai/gpt-4.1-nano`). `api_key_id` is the *name* of a key, never a
    key. Further fields (`temperature`, `max_tokens`, …) go to the model as they are.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    service: str | None = Field(
        None,
        description=(
            "The provider of the model; `demo` answers by itself, without a key. "
            "Without it, `model` names the provider too."
        ),
        examples=["openai", "claude", "gemini", "grok", "ollama", "demo"],
    )
    model: str | None = Field(
        None,
        description="The model, as its provider calls it.",
        examples=["gpt-4.1-nano", "openai/gpt-4.1-nano"],
    )
    api_key_id: str | None = Field(
        None,
        description="The name of a key, never a key. By default the key of the service is taken.",
        examples=["OPENAI_API_KEY"],
    )
    system_prompt: str | None = Field(
        None,
        description="What the person is told before everything else, in every turn.",
        examples=["You are a careful editor."],
    )
    prompt_file: str | None = Field(
        None,
        description="A file with the system prompt, relative to the run's root.",
        examples=["prompts/editor.md"],
    )

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

    label: Label = Field(description="The name of the node; no two have the same.")
    type: str = Field(description="What the node does; the name of a node type.")
    props: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="The properties of the node; they may stand beside `label` too.",
    )
    position: Position | None = Field(
        None, description="Where the node stands; without it, a place is found when it is drawn."
    )


class Edge(Frozen):
    """Carries values from a handle of one node to a handle of another.

    `label` is the name under which the value arrives; `content_type` picks one of the
    representations that the output offers (`raw_text`, `object`, `conversation_state`).
    """

    source: Label = Field(description="The node that gives the value.")
    target: Label = Field(description="The node that gets the value.")
    source_handle: Handle = Field(DEFAULT, description="The output by which the value leaves.")
    target_handle: Handle = Field(DEFAULT, description="The input by which the value arrives.")
    label: str | None = Field(
        None,
        description=(
            "The name under which the value arrives. Without it, the value is `default` there, "
            "and the keys of an object are names too."
        ),
        examples=["topic"],
    )
    content_type: str | None = Field(
        None,
        description=(
            "What is taken of the value. `raw_text` is its text, `object` its structure, "
            "`conversation_state` the messages of the person. By default it arrives as it is."
        ),
        examples=["raw_text", "object", "conversation_state"],
    )
    data: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Anything else about the edge; it is kept and changes nothing.",
    )

    def __str__(self) -> str:
        handle = "" if self.source_handle == DEFAULT else f"[{self.source_handle}]"
        target = "" if self.target_handle == DEFAULT else f"[{self.target_handle}]"
        return f"{self.source}{handle} -> {self.target}{target}"


class Diagram(Frozen):
    """A workflow as written. `extra` keeps the top-level entries that mean nothing to us."""

    name: str | None = Field(None, description="What the diagram is called.")
    description: str | None = Field(None, description="What the diagram is for.")
    nodes: tuple[NodeSpec, ...] = Field((), description="The steps of the workflow.")
    edges: tuple[Edge, ...] = Field((), description="Which values go from where to where.")
    persons: dict[str, Person] = Field(
        default_factory=dict,
        description="The models that `person_job` nodes speak to, by their labels.",
    )
    extra: dict[str, JsonValue] = Field(
        default_factory=dict, description="Unknown entries, written back."
    )

    @field_validator("extra", mode="after")
    @classmethod
    def _no_secrets(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return without_secrets(extra)

    @property
    def version(self) -> str:
        """Names this exact diagram: the same content always has the same version."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Jupyter's hook: the picture, and one line where there can be none."""
        from .picture import draw  # noqa: PLC0415 - it draws what is defined here

        counts = f"{len(self.nodes)} nodes, {len(self.edges)} edges, {len(self.persons)} persons"
        line = f"<Diagram {self.name}: {counts}>" if self.name else f"<Diagram: {counts}>"
        return {"text/plain": line, "image/svg+xml": draw(self)}
