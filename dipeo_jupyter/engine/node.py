"""What a node type is: its settings as fields, its behaviour as `run`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

from ..diagram.model import DEFAULT, Diagram, Label, Person
from ..errors import DipeoError, Problem, ServiceError
from ..protocol.events import Message, Question, Usage
from .ports import Services

T = TypeVar("T")
ErrorTypes: TypeAlias = tuple[type[DipeoError], ...]


class Inputs(dict[str, Any]):
    """The values that arrived, by name: the edge's label, else `default`.

    Two unlabelled edges arrive under the labels of their sources, and neither overwrites the other.
    """

    def single(self) -> Any:
        """The one value there is: `default`, or the only one, or all of them by name."""
        if DEFAULT in self:
            return self[DEFAULT]
        if len(self) == 1:
            return next(iter(self.values()))
        return dict(self) if self else None


@dataclass(frozen=True, slots=True)
class Result:
    """What a node hands on: one JSON value for each handle it chose. Other handles are dead."""

    outputs: Mapping[str, Any]
    person: str | None = None
    messages: tuple[Message, ...] = ()
    seen: tuple[str, ...] = ()
    usage: Usage | None = None

    @classmethod
    def value(cls, value: Any) -> Result:
        """Hand on one value by the default handle."""
        return cls({DEFAULT: value})

    @classmethod
    def branch(cls, handle: str, value: Any) -> Result:
        """Hand on a value by one handle only."""
        return cls({handle: value})


class Context(Protocol):
    """All that a running node may know and do."""

    @property
    def node(self) -> Label: ...

    @property
    def activation(self) -> int:
        """How many times this node has fired in this run, counting this one."""
        ...

    @property
    def turn(self) -> int:
        """The same, counted since the loop around the node was entered."""
        ...

    @property
    def diagram(self) -> Diagram: ...

    @property
    def services(self) -> Services: ...

    @property
    def run_inputs(self) -> Mapping[str, Any]: ...

    @property
    def names(self) -> Mapping[str, Any]:
        """What templates and expressions see: see `names.py`."""
        ...

    def render(self, template: str) -> str:
        """Fill in a template; an unknown name raises `TemplateError`."""
        ...

    def evaluate(self, expression: str) -> Any:
        """Evaluate a condition's expression; raises `ExpressionError`."""
        ...

    def person(self, label: Label) -> Person: ...

    def conversation(self) -> Sequence[Message]:
        """All messages of activations that happened before this one, in the order of the flow."""
        ...

    def limits_reached(self) -> bool:
        """Whether every node with a `max_iteration` in the loop around has used its turns.

        Outside a loop: every such node among those that lead here. False when there is none.
        """
        ...

    def turns(self, label: Label) -> int:
        """How many times a node has fired since the loop around it was entered."""
        ...

    def stream(self, text: str) -> None:
        """Show a piece of an answer as it arrives."""
        ...

    def progress(self, message: str) -> None:
        """Show what the node is doing."""
        ...

    async def ask(self, question: Question) -> Any:
        """Ask a human and wait for a valid answer."""
        ...

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do a part of the node's work, again and again as its `retry` says."""
        ...


class RetryPolicy(BaseModel):
    """When and how often to try again after an error that may pass. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = Field(3, ge=1)
    initial_interval: float = Field(0.5, ge=0)
    backoff_factor: float = Field(2.0, ge=1)
    max_interval: float = Field(30.0, ge=0)
    jitter: bool = True


class DefaultValue(BaseModel):
    """`on_error: {default: value}`: go on with this value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Any


class Node(BaseModel, ABC):
    """Base of all node types. To add one: subclass, write `run`, register the entry point.

    `type` is its name in diagrams, `aliases` are other names; `handles` are its outputs, `inputs`
    its inputs. `ignored` lists properties that files of the ancestor carry and that mean nothing
    here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    handles: ClassVar[tuple[str, ...]] = (DEFAULT,)
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT,)
    ignored: ClassVar[frozenset[str]] = frozenset()
    default_retry: ClassVar[RetryPolicy | None] = None
    """How often to try again when the diagram says nothing."""
    retried_errors: ClassVar[ErrorTypes] = (ServiceError,)
    """What may pass when tried again (unless the error itself says that it will not)."""

    max_iteration: int | None = Field(
        None, ge=1, validation_alias=AliasChoices("max_iteration", "max_iterations", "maxIteration")
    )
    """After so many turns in its loop the node hands on its last output instead of running."""
    timeout: float | None = Field(None, gt=0, description="Seconds for the whole node.")
    retry: RetryPolicy | None = None
    on_error: Literal["fail", "continue", "edge"] | DefaultValue = "fail"
    join: Literal["all", "any"] = "all"

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
    def property_names(cls) -> list[str]:
        """What may be written in a diagram, aliases included."""
        return list(
            dict.fromkeys(name for field in cls.model_fields for name in cls.names_of(field))
        )

    @classmethod
    def names_of(cls, field: str) -> list[str]:
        """How a property may be written: its own name, then its aliases."""
        alias = cls.model_fields[field].validation_alias if field in cls.model_fields else None
        choices = alias.choices if isinstance(alias, AliasChoices) else ()
        return [field, *(str(choice) for choice in choices if choice != field)]

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

    @abstractmethod
    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        """Do the work once. Raise `NodeError` or `ServiceError` when it cannot be done."""
