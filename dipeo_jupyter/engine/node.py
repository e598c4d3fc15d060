"""What a node type is: its settings as fields, its behaviour as `run`."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, ClassVar, Literal, NamedTuple, NoReturn, Protocol, Self, TypeAlias, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from ..diagram.model import DEFAULT, Diagram, Label, Person
from ..diagram.source import Reading, Source
from ..errors import DipeoError, FailureKind, Problem, ServiceError
from ..protocol.events import EffectCompleted, Message, Question
from .ports import Files, Services
from .powers import Power
from .prices import Quote

T = TypeVar("T")
ErrorTypes: TypeAlias = tuple[type[DipeoError], ...]

NodeType: TypeAlias = "type[Node]"
"""For classes in which `type` is a name of their own."""

DRAWING_ONLY = frozenset({"flipped", "id"})
"""Properties that only say how a node is drawn, or how another program calls it."""


class Inputs(dict[str, Any]):
    """The values that arrived, by name: the edge's label, else `default`.

    Two unlabelled edges arrive under the labels of their sources, and neither overwrites the other.
    """

    __slots__ = ()

    def single(self) -> Any:
        """The one value there is: `default`, or the only one, or all of them by name."""
        if DEFAULT in self:
            return self[DEFAULT]
        if len(self) == 1:
            return next(iter(self.values()))
        return dict(self) if self else None

    def by_name(self) -> dict[str, Any]:
        """All of them; the keys of an unlabelled object are names too, where no label is."""
        unlabelled = self.get(DEFAULT)
        return {**unlabelled, **self} if isinstance(unlabelled, dict) else dict(self)


class Result(NamedTuple):  # made for every activation, and three times as fast as a frozen class
    """What a node hands on: one JSON value for each handle it chose. Other handles are dead."""

    outputs: Mapping[str, Any]
    person: str | None = None
    messages: tuple[Message, ...] = ()
    seen: tuple[str, ...] = ()

    @classmethod
    def value(cls, value: Any) -> Result:
        """Hand on one value by the default handle."""
        return cls({DEFAULT: value})

    @classmethod
    def branch(cls, handle: str, value: Any) -> Result:
        """Hand on a value by one handle only."""
        return cls({handle: value})


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What came of a diagram that ran inside of a node: its results, and what was said in it."""

    outputs: Mapping[Label, Any]
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectPolicy:
    """What may stand in for an effect, and what is done when nobody knows whether it is done.

    With `reuse`, the result of the same request in any other run will do; without, only one of
    this run before an edit, or of the run it was forked from. `unknown: ask` is for what must not
    be done twice. People are then asked about `what` it is, unless there is a way of telling:
    `look`, given the key of the effect, gives its result, or None when it was not done. It raises
    `ServiceError` with `perhaps_done` where it cannot tell.
    """

    reuse: bool = False
    unknown: Literal["repeat", "ask"] = "repeat"
    what: str = "This"
    look: Callable[[str], Awaitable[Any]] | None = None


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
    def path(self) -> str:
        """Where the run stands in the one that it is a part of; nothing for a run of its own."""
        ...

    @property
    def name(self) -> str:
        """The activation, unique in the run and all its parts: `review[1]/argue[2]`."""
        ...

    @property
    def fresh(self) -> bool:
        """Whether it shall be done anew, whatever was recorded elsewhere."""
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

    @property
    def named_inputs(self) -> Mapping[str, Any]:
        """The inputs as templates see them: the keys of unlabelled objects are names too."""
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

    @property
    def paused(self) -> bool:
        """Whether people want the run to stand still; a node may stop between two pieces of work.

        A step or a breakpoint elsewhere is no reason for that.
        """
        ...

    async def put_off(self) -> NoReturn:
        """Stop in a paused run: the node starts again with it, and effects that are done stay."""
        ...

    async def effect(
        self,
        request: Mapping[str, Any],
        work: Callable[[str], Awaitable[Any]],
        policy: EffectPolicy = ...,
        name: str = "",
        quote: Quote | None = None,
    ) -> EffectCompleted:
        """Do something that costs or changes something, at most once.

        `request` (JSON values) says exactly what is done: whenever it is the same, the result may
        be taken from the journal instead. `work` does it and returns JSON; it is given a key that
        is the same whenever this very thing is tried again. Several effects of one activation have
        names of their own. A call to a model has a `quote`, waits until there is money for it,
        and its work returns what it took as well (`Billed`).
        """
        ...

    async def ask(self, question: Question) -> Any:
        """Ask a human and wait for a valid answer."""
        ...

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do a part of the node's work, again and again as its `retry` says."""
        ...

    async def run_diagram(
        self,
        diagram: Diagram,
        inputs: Mapping[str, Any],
        *,
        item: int | None = None,
        shared: bool = True,
        file: Source | None = None,
    ) -> ChildResult:
        """Run a diagram to its end, as a part of this run.

        Of several, each is about an `item`. With `shared`, what was said here before is known
        there. What it asks for must be trusted when it is from a `file`, which may come from
        elsewhere, or have been written by this very run. Raises `ChildError` when it fails.
        """
        ...

    async def check_script(self, power: Power, text: str) -> None:
        """Raise `NodeError` when the text of a power's script is not what was trusted."""
        ...


class RetryPolicy(BaseModel):
    """When and how often to try again after an error that may pass. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_attempts: int = Field(
        3, ge=1, description="How often it is tried in all, the first time included."
    )
    initial_interval: float = Field(
        0.5, ge=0, description="Seconds to wait before the second attempt."
    )
    backoff_factor: float = Field(
        2.0, ge=1, description="How many times longer each wait is than the one before."
    )
    max_interval: float = Field(30.0, ge=0, description="Seconds that no wait is longer than.")
    jitter: bool = Field(default=True, description="Shorten each wait by up to a half, at random.")
    retry_on: tuple[FailureKind, ...] | None = Field(
        None,
        min_length=1,
        description="Only these failures are tried again. By default all that may pass.",
        examples=[["rate_limit", "timeout"]],
    )


class DefaultValue(BaseModel):
    """`on_error: {default: value}`: go on with this value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Any = Field(description="The value to hand on.", examples=["", 0, []])


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


NodeTypes: TypeAlias = Mapping[str, type[Node]]
"""Node types by name; aliases have entries of their own."""


def node_type_named(name: str, node_types: NodeTypes) -> type[Node] | None:
    """The node type that a diagram means: case, `_`, `-` and spaces make no difference."""
    exact = node_types.get(name)
    if exact is not None:
        return exact
    wanted = _bare(name)
    return next((each for known, each in node_types.items() if _bare(known) == wanted), None)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
