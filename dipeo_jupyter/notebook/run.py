"""The `Run` that people hold: look at it, steer it, wait for it, from ordinary code."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

from ..client import Conversation, explain, place_of
from ..diagram.mermaid import mermaid
from ..diagram.model import Diagram, Label
from ..diagram.picture import NodeState, draw
from ..diagram.source import Source
from ..diagram.suggest import with_nearest
from ..errors import ExecutionFailedError, NoAnswerError
from ..protocol import commands as c
from ..protocol.events import OVER, Entry, Message, Usage, label_and_visit
from .background import BackgroundLoop
from .conversation import ConversationTable
from .costs import Costs, costs_of
from .following import Following
from .history import History
from .interrupts import stopped
from .records import ROW, NodeRecord, as_frame, row, shorten
from .steering import Steering
from .watched import Watched

if TYPE_CHECKING:
    from .run_diff import RunDiff

BETWEEN_LOOKS = 0.2
"""Seconds: ipykernel obeys its stop button only when something else wakes the kernel's loop up."""


class Run(Steering):
    """One execution of a diagram. Its methods are safe in any thread.

    `run["label"]` is what happened at a node; `run.outputs` holds the endpoints' values.
    `await run` (or `run.wait()`) waits for the end, and raises `ExecutionFailedError` when the run
    has no result, and `NoAnswerError` when it waits for an answer and nobody can be asked. It also
    returns when the run stands at a breakpoint, or was paused before: see `stopped_at`.
    """

    def __init__(
        self,
        conversation: Conversation,
        diagram: Diagram,
        source: Source,
        loop: BackgroundLoop,
        seq: int = 0,
    ) -> None:
        self.id = conversation.execution_id
        self._drawn = diagram
        self._source = source
        self._loop = loop
        self._history = History()
        self._conversation = conversation
        self._ask = conversation.ask
        self._following = Following(conversation, self._history)
        self.watched = Watched(loop, self._following, conversation.client)
        """For the cards that show it."""
        if conversation.ask is not None:
            conversation.ask = self.watched.before(conversation.ask)
        loop.run(self._following.begin())
        self._history.catch_up(seq)

    @property
    def diagram(self) -> Diagram:
        """What is run, with all changes so far."""
        return self._history.diagram or self._drawn

    @property
    def name(self) -> str | None:
        return self.diagram.name

    @property
    def inputs(self) -> dict[str, Any]:
        """What the start node hands on."""
        return dict(self._history.inputs)

    @property
    def status(self) -> str:
        return self._history.shown_status

    @property
    def over(self) -> bool:
        """Whether it has come to an end; one that has failed can be resumed all the same."""
        return self.status in OVER

    @property
    def final(self) -> bool:
        """Whether it is over for good: only an `edit` goes on with it."""
        return self.over and self.status != "failed"

    @property
    def standing(self) -> str:
        """In one line: the status, and where and why the run stands."""
        title = f"Run of {self.name}" if self.name else "Run"
        pause = self._history.pause if self.status == "paused" else None
        where = f" {pause.at}" if pause and pause.at else ""
        message = f" ({pause.message})" if pause and pause.message else ""
        return f"{title}: {self.status}{where}{message}"

    @property
    def stopped_at(self) -> str | None:
        """Where a paused run stands: `before argue[2]` at a breakpoint, else why it is paused.

        That is `asked`, `steps`, `edited`, `journal` (it cannot be written), `held` (a node is)
        or `closed` (its process has ended).
        """
        return self._history.stopped_at

    @property
    def stops(self) -> list[str]:
        """The breakpoints, as they are written."""
        return [place_of(each) for each in self._history.breakpoints]

    @property
    def outputs(self) -> dict[Label, Any]:
        """The value of each endpoint, by label."""
        return dict(self._history.outputs)

    @property
    def output(self) -> Any:
        """The value of the only endpoint; with several, all of them by label."""
        outputs = self.outputs
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    @property
    def error(self) -> str | None:
        """Why the run failed, naming the node and its line."""
        error = self._history.error
        # The lines are those of the text that we know, if that is what is run.
        source = self._source if self.diagram == self._drawn else None
        return explain(error, source) if error else None

    @property
    def details(self) -> str | None:
        """The traceback of the code that failed, if code did."""
        return self._history.error.details if self._history.error else None

    @property
    def events(self) -> list[Entry]:
        """Everything that has happened so far, in order."""
        return self._history.entries.copy()

    @property
    def messages(self) -> list[Message]:
        """The run's conversation so far, and what it began with; `conversation` tells more."""
        return list(self._history.messages.values())

    @property
    def conversation(self) -> ConversationTable:
        """Who has said what to whom so far, in the order of the flow, and who still sees it."""
        command = c.GetConversation(execution_id=self.id)
        return ConversationTable(self._loop.run(self._conversation.client.send(command)).result)

    @property
    def thread(self) -> str | None:
        """The name of the conversation that this run carries on."""
        return self._history.thread

    @property
    def usage(self) -> Usage:
        """What the run has taken so far; what was taken over from other runs is free."""
        return self._history.spending.total

    @property
    def cost(self) -> str:
        """The dollars so far: `$0.0123`, or `≥ $0.0123` when the price of a model is not known."""
        return self.usage.cost

    @property
    def costs(self) -> Costs:
        """The same by activation, node and person."""
        return costs_of(self._history)

    @property
    def waiting(self) -> dict[Label, str]:
        """The open questions, by node."""
        questions = dict(self._history.questions)
        return {each: questions[each].prompt for each in self._labels() if each in questions}

    def __getitem__(self, name: str) -> NodeRecord:
        """What has happened at a node (`argue`), or in one of its activations (`argue[2]`)."""
        history, labels = self._history, self._labels()
        label, visit = (name, None) if name in labels else label_and_visit(str(name))
        if label not in labels:
            raise KeyError(with_nearest(f"no node {label!r}.", label, labels))
        activations = tuple(each for each in history.of(label) if visit in (None, each.number))
        if visit is not None and not activations:
            raise KeyError(f"no activation {name!r}: {self[label]!r}")
        status = history.status_of(label) if visit is None else activations[-1].status
        return NodeRecord(label, status, activations, history.messages, history)

    def __iter__(self) -> Generator[NodeRecord, None, None]:
        for label in self._labels():
            yield self[label]

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the end, at most `timeout` seconds; see the class for what it raises.

        When time is up (`TimeoutError`) the run goes on; when the waiting is interrupted
        (`KeyboardInterrupt`), it is paused.
        """
        attending = self._loop.submit(self._attend())
        try:
            attending.result(timeout)
        except KeyboardInterrupt:
            raise stopped(self) from None
        except TimeoutError:
            if attending.done():  # it is the run's own
                raise
            message = (
                f"The run has not ended within {timeout:g} s. It goes on; run.pause() stops it."
            )
            raise TimeoutError(message) from None
        finally:
            attending.cancel()
        return self._settled()

    def __await__(self) -> Generator[Any, None, Run]:
        return self._wait().__await__()

    async def _wait(self) -> Run:
        attending = asyncio.wrap_future(self._loop.submit(self._attend()))
        try:
            while not attending.done():
                await asyncio.wait({attending}, timeout=BETWEEN_LOOKS)
            attending.result()
        except asyncio.CancelledError:
            attending.cancel()
            stopped(self)
            raise
        return self._settled()

    async def _attend(self) -> None:
        try:
            await self._following.wait()
        except NoAnswerError as error:
            error.run = self
            raise

    def diff(self, other: Run) -> RunDiff:
        """What is different in the other run, activation by activation."""
        from .run_diff import compare_runs  # noqa: PLC0415 - only who compares pays for it

        return compare_runs(
            self._history,
            other._history,
            before_diagram=self.diagram,
            after_diagram=other.diagram,
        )

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each firing, in the order in which they began."""
        return [row(each) for each in self._history.activations.copy()]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(ROW))

    def picture(self) -> str:
        """The diagram as it stands, as SVG."""
        return draw(self.diagram, self._states())

    def mermaid(self) -> str:
        """The diagram as it stands, as text that Mermaid draws."""
        return mermaid(self.diagram, self._states())

    def _states(self) -> dict[Label, NodeState]:
        return {each.label: each.state for each in self}

    def _labels(self) -> dict[Label, None]:
        return {spec.label: None for spec in self.diagram.nodes}

    def _settled(self) -> Run:
        status = self._history.status
        if status == "cancelled":
            raise ExecutionFailedError("The run was cancelled.", self)
        if status == "failed":
            raise ExecutionFailedError(self.error or "The run has failed.", self)
        return self

    def _diagram(self) -> Diagram:
        return self.diagram

    def _send(self, command: c.Command) -> c.Ack:
        ack = self._loop.run(self._following.send(command))
        if ack.execution_id == self.id:
            self._history.catch_up(ack.seq)
        return ack

    def _beside(self, execution_id: str, seq: int, diagram: Diagram | None, source: Source) -> Run:
        before = self._conversation
        conversation = Conversation(before.client, execution_id, before.answers, self._ask)
        return Run(conversation, diagram or self.diagram, source, self._loop, seq)

    def __repr__(self) -> str:
        """The same for every run with the same outcome, so that notebooks can be compared."""
        width = max(map(len, self._labels()), default=0)
        rows = [f"  {each.label:<{width}}  {each.outcome}" for each in self]
        results = [f"{label} = {shorten(value)}" for label, value in self.outputs.items()]
        problem = [f"Error: {self.error}"] if self.error else []
        questions = [f"{label} asks: {prompt}" for label, prompt in self.waiting.items()]
        return "\n".join([self.standing, *rows, *results, *questions, *problem])

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        from .card.static import bundle_of  # noqa: PLC0415 - only who looks pays for it

        return bundle_of(self)

    def _ipython_display_(self) -> None:
        """IPython's hook: a card, where somebody can use it, while there is something to do."""
        from .card.showing import show  # noqa: PLC0415 - as above

        if not show(self):
            raise NotImplementedError  # then IPython takes what is always there
