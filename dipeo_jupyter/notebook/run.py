"""The `Run` that people hold: look at it, steer it, wait for it, from ordinary code."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..client import Conversation, explain
from ..diagram.mermaid import mermaid
from ..diagram.model import Diagram, Label
from ..diagram.picture import NodeState, draw
from ..diagram.source import Source
from ..diagram.suggest import did_you_mean
from ..errors import CommandError, ExecutionFailedError, NoAnswerError
from ..protocol import commands as c
from ..protocol.events import Entry, Message, Usage
from .background import BackgroundLoop
from .history import ActivationRecord, History

SHORT = 72
"""Characters of a value that the text form of a run shows."""
BETWEEN_LOOKS = 0.2
"""Seconds: ipykernel obeys its stop button only when something else wakes the kernel's loop up."""


@dataclass(frozen=True)
class NodeRecord:
    """What has happened at one node of a run; `activations` are its firings, in order."""

    label: Label
    status: str
    activations: tuple[ActivationRecord, ...]
    conversation: Mapping[str, Message]

    @property
    def output(self) -> Any:
        """The value of the last firing; None when there was none."""
        return self.activations[-1].output if self.activations else None

    @property
    def seen(self) -> list[Message]:
        """What the person was shown in the last firing, in order, the prompt included."""
        ids = self.activations[-1].seen if self.activations else ()
        return [self.conversation[each] for each in ids if each in self.conversation]

    @property
    def usage(self) -> Usage:
        """The tokens of all firings."""
        used = (each.usage for each in self.activations if each.usage is not None)
        return sum(used, Usage())

    @property
    def error(self) -> str | None:
        error = self.activations[-1].error if self.activations else None
        return error.message if error else None

    def __repr__(self) -> str:
        times = f" ×{len(self.activations)}" if len(self.activations) > 1 else ""
        value = f" {shorten(self.output)}" if self.output is not None else ""
        return f"<{self.label}: {self.status}{times}{value}>"


class Run:
    """One execution of a diagram. Its methods are safe in any thread.

    `run["label"]` is what happened at a node; `run.outputs` holds the endpoints' values.
    `await run` (or `run.wait()`) waits for the end, and raises `ExecutionFailedError` when the run
    has no result, and `NoAnswerError` when it waits for an answer and nobody can be asked.
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
        self.diagram = diagram
        self._labels = {spec.label: None for spec in diagram.nodes}
        self._source = source
        self._loop = loop
        self._history = History()
        self._conversation = conversation
        self._done = loop.submit(self._add_up())
        self._history.catch_up(seq)

    async def _add_up(self) -> None:
        async for entry in self._conversation.follow():
            if not entry.event.ephemeral:
                self._history.apply(entry)

    @property
    def name(self) -> str | None:
        return self.diagram.name

    @property
    def status(self) -> str:
        return self._history.shown_status

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
        return explain(error, self._source) if error else None

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
        """The run's conversation so far."""
        return list(self._history.messages.values())

    @property
    def waiting(self) -> dict[Label, str]:
        """The open questions, by node."""
        questions = dict(self._history.questions)
        return {each: questions[each].prompt for each in self._labels if each in questions}

    def __getitem__(self, label: Label) -> NodeRecord:
        if label not in self._labels:
            raise KeyError(f"no node {label!r}. {did_you_mean(label, self._labels) or ''}".strip())
        history = self._history
        activations = tuple(history.of(label))
        return NodeRecord(label, history.status_of(label), activations, history.messages)

    def __iter__(self) -> Generator[NodeRecord, None, None]:
        for label in self._labels:
            yield self[label]

    def pause(self, *, now: bool = False) -> None:
        """Start nothing new; with `now`, stop what runs, to run it again on `resume`."""
        self._send(c.PauseExecution(execution_id=self.id, now=now))

    def resume(self) -> None:
        self._send(c.ResumeExecution(execution_id=self.id))

    def step(self, steps: int = 1) -> None:
        """Let so many activations through, then pause again."""
        if steps < 1:
            raise CommandError(f"A run makes 1 step or more, not {steps}.", code="bad_command")
        self._send(c.StepExecution(execution_id=self.id, steps=steps))

    def cancel(self) -> None:
        self._send(c.CancelExecution(execution_id=self.id))

    def answer(self, node: Label, value: Any) -> None:
        """Answer a question; raises `CommandError` when it is not (or no longer) asked."""
        self._send(c.UserResponse(execution_id=self.id, node=node, value=value))

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the end, at most `timeout` seconds; see the class for what it raises.

        When time is up (`TimeoutError`) the run goes on; when the waiting is interrupted, it is
        paused.
        """
        attending = self._loop.submit(self._attend())
        try:
            attending.result(timeout)
        except KeyboardInterrupt:
            self._interrupt()
            raise
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
            self._interrupt()
            raise
        return self._settled()

    async def _attend(self) -> None:
        """Wait for the end, over there; questions are put to the cell that waits."""
        done = asyncio.wrap_future(self._done)
        attending = asyncio.create_task(self._conversation.attend())
        try:
            await asyncio.wait({done, attending}, return_when=asyncio.FIRST_COMPLETED)
            (done if done.done() else attending).result()
        except NoAnswerError as error:
            error.run = self
            raise
        finally:
            attending.cancel()
            await asyncio.wait({attending})

    def _interrupt(self) -> None:
        """The notebook's stop button: what runs is stopped, nothing that is done is lost."""
        with contextlib.suppress(CommandError):  # the run is over
            self.pause(now=True)

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each firing, in the order in which they began."""
        return [_row(each) for each in self._history.activations.copy()]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        try:
            import pandas as pd  # noqa: PLC0415 - optional, and slow to import
        except ImportError:
            message = "A table needs pandas: pip install pandas. `to_records()` does without."
            raise CommandError(message, code="no_pandas") from None

        return pd.DataFrame(self.to_records(), columns=list(_ROW))

    def picture(self) -> str:
        """The diagram as it stands, as SVG."""
        return draw(self.diagram, self._states())

    def mermaid(self) -> str:
        """The diagram as it stands, as text that Mermaid draws."""
        return mermaid(self.diagram, self._states())

    def _states(self) -> dict[Label, NodeState]:
        return {each.label: _state(each) for each in self}

    def _settled(self) -> Run:
        if self._history.status == "completed":
            return self
        if self._history.status == "cancelled":
            raise ExecutionFailedError("The run was cancelled.", self)
        raise ExecutionFailedError(self.error or f"The run is {self.status}.", self)

    def _send(self, command: c.Command) -> Any:
        ack = self._loop.run(self._conversation.client.send(command))
        self._history.catch_up(ack.seq)
        return ack.result

    def __repr__(self) -> str:
        """The same for every run with the same outcome, so that notebooks can be compared."""
        title = f"Run of {self.name}" if self.name else "Run"
        width = max(map(len, self._labels), default=0)
        rows = [f"  {each.label:<{width}}  {_status_text(each)}" for each in self]
        results = [f"{label} = {shorten(value)}" for label, value in self.outputs.items()]
        problem = [f"Error: {self.error}"] if self.error else []
        questions = [f"{label} asks: {prompt}" for label, prompt in self.waiting.items()]
        return "\n".join([f"{title}: {self.status}", *rows, *results, *questions, *problem])

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.picture()}


def shorten(value: Any, limit: int = SHORT) -> str:
    """A value in one line of at most `limit` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


_ROW: dict[str, Callable[[ActivationRecord], Any]] = {
    "node": lambda each: each.node,
    "activation": lambda each: each.number,
    "status": lambda each: each.status,
    "person": lambda each: each.person,
    "output": lambda each: each.output,
    "input_tokens": lambda each: each.usage.input_tokens if each.usage else None,
    "output_tokens": lambda each: each.usage.output_tokens if each.usage else None,
    "duration_ms": lambda each: each.duration_ms,
    "error": lambda each: each.error.message if each.error else None,
}


def _row(record: ActivationRecord) -> dict[str, Any]:
    return {name: read(record) for name, read in _ROW.items()}


def _status_text(node: NodeRecord) -> str:
    count = len(node.activations)
    return f"{node.status} ×{count}" if count > 1 else node.status


def _state(node: NodeRecord) -> NodeState:
    return NodeState(node.status, max(1, len(node.activations)), node.error)
