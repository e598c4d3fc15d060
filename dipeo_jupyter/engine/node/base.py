"""The base of all node types."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, ClassVar, Literal, Self, TypeAlias

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from ...diagram.model import DEFAULT, Diagram, Label
from ...diagram.source import Reading
from ...errors import DipeoError, Problem, ServiceError
from ..ports import Files
from ..powers import Power
from .context import Context
from .failures import DefaultValue, RetryPolicy
from .values import Inputs, Result

ErrorTypes: TypeAlias = tuple[type[DipeoError], ...]

NodeType: TypeAlias = "type[Node]"
"""For classes in which `type` is a name of their own."""

DRAWING_ONLY = frozenset({"flipped", "id"})
"""Properties that only say how a node is drawn, or how another program calls it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A property of other tools that asks for what is not done here; `hint` says what to write.

    The values in `harmless` ask for nothing, so they may stay.
    """

    hint: str
    harmless: tuple[Any, ...] = (None, False, "", "none", [], {})


class Node(BaseModel, ABC):
    """Base of all node types. To add one: subclass, write `run`, register the entry point.

    `type` is its name in diagrams, `aliases` are other names; `handles` are its outputs, `inputs`
    its inputs. `ignored` lists properties that files of the ancestor carry and that mean nothing
    here, `refused` those that mean something which is not done here. `example` is a small set of
    settings, for a new node. The first line of the docstring and the descriptions of the fields are
    shown to people while they write.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    handles: ClassVar[tuple[str, ...]] = (DEFAULT,)
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT,)
    ignored: ClassVar[frozenset[str]] = frozenset()
    refused: ClassVar[Mapping[str, Refusal]] = {}
    older: ClassVar[Mapping[str, str]] = {}
    """Properties of older files that are read into others, with what is written now."""
    example: ClassVar[Mapping[str, JsonValue]] = {}
    forms: ClassVar[tuple[NodeType, ...]] = ()
    """Node types that some properties make of it; what they know may be written too."""
    templates: ClassVar[tuple[str, ...]] = ()
    """Fields whose texts, at any depth, are templates."""
    expressions: ClassVar[tuple[str, ...]] = ()
    """Fields that hold an expression."""
    names_persons: ClassVar[tuple[str, ...]] = ()
    """Fields that hold labels of persons."""
    names_nodes: ClassVar[tuple[str, ...]] = ()
    """Fields that hold labels of nodes."""
    own_names: ClassVar[tuple[str, ...]] = ()
    """What its templates see beside all that every node sees."""
    keeps_inputs: ClassVar[bool] = False
    """Whether it leaves what it is given as it is; else it is given a copy, each time it is run."""
    passes_on: ClassVar[bool] = False
    """Whether it hands on what it is given, unchanged."""
    default_retry: ClassVar[RetryPolicy | None] = None
    """How often to try again when the diagram says nothing."""
    retried_errors: ClassVar[ErrorTypes] = (ServiceError,)
    """What may pass when tried again (unless the error itself says that it will not)."""

    description: str | None = Field(
        None, description="What the node is for, in your own words. It changes nothing."
    )
    max_iteration: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("max_iteration", "max_iterations", "maxIteration"),
        description=(
            "After so many turns in its loop the node hands on its last output instead of running. "
            "Without it there is no limit."
        ),
        examples=[3],
    )
    timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds for the whole node, after which it fails.",
        examples=[60],
    )
    retry: RetryPolicy | None = Field(
        None,
        description=(
            "When and how often to try again after an error that may pass. Without it, nodes that "
            "call a service try three times, all others once."
        ),
        examples=[{"max_attempts": 5}],
    )
    on_error: Literal["fail", "continue", "edge"] | DefaultValue = Field(
        "fail",
        description=(
            "What an error leads to. `fail` ends the run, `continue` skips what follows the node, "
            "`edge` goes on by the handle `error`, `{default: value}` goes on with this value."
        ),
        examples=["continue", {"default": "unknown"}],
    )
    join: Literal["all", "any"] = Field(
        "all",
        description=(
            "With `all` the node waits for everything that leads to it, "
            "with `any` for the first value alone."
        ),
    )

    @field_validator("on_error", mode="before")
    @classmethod
    def _known_policy(cls, value: Any) -> Any:
        """One sentence, where the union of types would give two for each mistake."""
        default = isinstance(value, DefaultValue) or (
            isinstance(value, Mapping) and value.keys() == {"default"}
        )
        if not default and value not in ("fail", "continue", "edge"):
            raise ValueError("write fail, continue, edge, or {default: value}")
        return value

    @property
    def counter(self) -> str | None:
        """The name under which templates see how often this node ran before (from 0)."""
        return None

    @classmethod
    def for_settings(cls, props: Mapping[str, Any]) -> NodeType:  # noqa: ARG003 - for subclasses
        """What these properties make of it: itself or one of its `forms`."""
        return cls

    @classmethod
    def settings_in(cls, props: Mapping[str, Any]) -> dict[str, Any]:
        """The properties that mean something.

        Left out are those ignored, those refused but harmless, and those that say again under
        another name what is said already.
        """
        without_meaning = cls.ignored | DRAWING_ONLY
        settings = {
            name: value
            for name, value in props.items()
            if name not in without_meaning
            and not (name in cls.refused and value in cls.refused[name].harmless)
        }
        for names in _names(cls).values():
            if len(names) == 1:
                continue
            first, *others = [name for name in names if name in settings] or names[:1]
            for name in others:
                if settings[name] == settings[first]:
                    del settings[name]
        return settings

    @property
    def output_keys(self) -> Collection[str] | None:
        """The keys of the object it hands on; none when it is no object, None when not known."""
        return None

    @property
    def given_names(self) -> Collection[str]:
        """What else its templates see, because its settings say so."""
        return ()

    @property
    def wanted_inputs(self) -> Collection[str] | None:
        """The inputs of the run, when it lists them."""
        return None

    @property
    def functions(self) -> Collection[str]:
        """The Python functions that it needs as tools, by their names."""
        return ()

    @property
    def sent_keys(self) -> Collection[tuple[str, str]]:
        """The keys that it sends, by their names, each with the host that it goes to."""
        return ()

    @property
    def needs_kernel(self) -> bool:
        """Whether it works among the names of a notebook."""
        return False

    @property
    def needs_notion(self) -> bool:
        """Whether it speaks with Notion."""
        return False

    @property
    def needed_database(self) -> str | None:
        """The database whose collections it works on, if it does; `""` is the usual one."""
        return None

    @property
    def looks_at_limits(self) -> bool:
        """Whether it asks `Context.limits_reached`, which is never true without a limit."""
        return False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for contradiction in self.contradictions():
            raise ValueError(contradiction)
        return self

    def contradictions(self) -> Iterator[str]:
        """What is missing, or cannot stand beside the rest, in sentences: the first one is told."""
        yield from ()

    def without_effect(self) -> Mapping[str, str]:
        """Fields that mean nothing beside the others, and when they would: the end of a sentence.

        What they hold is not looked at.
        """
        return {}

    @classmethod
    def property_names(cls) -> list[str]:
        """What may be written in a diagram, aliases included."""
        return list(dict.fromkeys(chain.from_iterable(_names(cls).values())))

    @classmethod
    def names_of(cls, field: str) -> Sequence[str]:
        """How a property may be written: its own name, then its aliases."""
        return _names(cls).get(field) or (field,)

    @classmethod
    def as_written(cls, field: str, props: Collection[str]) -> str:
        """The one of these names that a diagram uses, so that the line can be found."""
        return next((name for name in cls.names_of(field) if name in props), field)

    def output_handles(self) -> tuple[str, ...]:
        """Where edges may start: `handles`, and `error` when failures have a way of their own."""
        return (*self.handles, "error") if self.on_error == "edge" else self.handles

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        """Problems that show only in the company of the rest of the diagram."""
        yield from ()

    def inner(self) -> tuple[str, Reading] | None:
        """The diagram that is written in one of its fields, and the field."""
        return None

    async def diagrams(self, files: Files) -> Sequence[Reading]:
        """The diagrams in files that it may run, as far as they can be read now."""
        return ()

    def powers(self) -> Iterator[Power]:
        """What it can do beyond the walls of its run."""
        yield from ()

    @abstractmethod
    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        """Do the work once. Raise `NodeError` or `ServiceError` when it cannot be done."""


@cache
def _names(node_type: type[Node]) -> Mapping[str, tuple[str, ...]]:
    """The names of each property: asked for every node of a diagram, and the same for all."""
    found = {}
    for field, info in node_type.model_fields.items():
        alias = info.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else ()
        found[field] = (field, *(str(choice) for choice in choices if choice != field))
    return found
