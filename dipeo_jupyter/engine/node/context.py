"""What a running node may know and do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Protocol, TypeVar

from ...diagram.model import Diagram, Label, Person
from ...diagram.source import Source
from ...protocol.events import EffectCompleted, Message, Question
from ..ports import Services
from ..powers import Power
from ..prices import Quote

T = TypeVar("T")


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
