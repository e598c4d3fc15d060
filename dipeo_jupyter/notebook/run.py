"""The `Run` that people hold: look at it, steer it, wait for it, from ordinary code."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ..client import Conversation
from ..diagram.picture import NodeState, draw
from ..diagram.model import Diagram, Label
from ..diagram.source import Source
from ..diagram.suggest import did_you_mean
from ..errors import ExecutionFailedError, NoAnswerError
from ..protocol import commands as c
from ..protocol.events import Entry, Message, Usage
from .background import BackgroundLoop
from .history import ActivationRecord, History

SHORT = 72
"""Characters of a value that the text form of a run shows."""


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

    `run["label"]` is what happened at a node; `run.outputs` holds the endpoints' values; `await run`
    (or `run.wait()`) waits for the end and raises `ExecutionFailedError` when there is no result.
    """

    def __init__(
        self,
        conversation: Conversation,
        diagram: Diagram,
        source: Source | None,
        loop: BackgroundLoop,
        seq: int = 0,
    ) -> None:
        self.id = conversation.execution_id
        self.diagram = diagram
        self._source = source
        self._loop = loop
        self._history = History()
        self._conversation = conversation
        self._done = loop.submit(self._add_up())
        self._history.catch_up(seq)

    async def _add_up(self) -> None:
        entries = self._conversation.entries(len(self._history.entries))
        try:
            async with contextlib.aclosing(entries):
                async for entry in entries:
                    if not entry.event.ephemeral:
                        self._history.apply(entry)
        except NoAnswerError as error:
            error.run = self
            raise

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
        if error is None:
            return None
        if error.node is None:
            return error.message
        line = self._line_of(error.node, error.field)
        where = f"line {line}, node {error.node!r}" if line else f"node {error.node!r}"
        return f"{where}: {error.message}"

    @property
    def details(self) -> str | None:
        """The traceback of the code that failed, if code did."""
        return self._history.error.details if self._history.error else None

    @property
    def events(self) -> list[Entry]:
        """Everything that has happened so far, in order."""
        return list(self._history.entries)

    @property
    def messages(self) -> list[Message]:
        """The run's conversation so far."""
        return list(self._history.messages.values())

    @property
    def waiting(self) -> dict[Label, str]:
        """The open questions, by node."""
        return {label: each.prompt for label, each in self._history.questions.items()}

    def __getitem__(self, label: Label) -> NodeRecord:
        labels = [spec.label for spec in self.diagram.nodes]
        if label not in labels:
            raise KeyError(f"no node {label!r}. {did_you_mean(label, labels) or ''}".strip())
        history = self._history
        activations = tuple(history.of(label))
        return NodeRecord(label, history.status_of(label), activations, history.messages)

    def __iter__(self) -> Generator[NodeRecord, None, None]:
        for spec in self.diagram.nodes:
            yield self[spec.label]

    def pause(self, *, now: bool = False) -> None:
        """Start nothing new; with `now`, stop what runs, to run it again on `resume`."""
        self._send(c.PauseExecution(execution_id=self.id, now=now))

    def resume(self) -> None:
        self._send(c.ResumeExecution(execution_id=self.id))

    def step(self, steps: int = 1) -> None:
        """Let so many activations through, then pause again."""
        self._send(c.StepExecution(execution_id=self.id, steps=steps))

    def cancel(self) -> None:
        self._send(c.CancelExecution(execution_id=self.id))

    def answer(self, node: Label, value: Any) -> None:
        """Answer a question; raises `CommandError` when it is not (or no longer) asked."""
        self._send(c.UserResponse(execution_id=self.id, node=node, value=value))

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the end, at most `timeout` seconds; see the class for what it raises."""
        self._done.result(timeout)
        return self._settled()

    def __await__(self) -> Generator[Any, None, Run]:
        return self._wait().__await__()

    async def _wait(self) -> Run:
        try:
            await asyncio.wrap_future(_shielded(self._done))
        except asyncio.CancelledError:
            # The notebook's stop button: what runs is stopped, nothing done is lost.
            if not self._done.done():
                self.pause(now=True)
            raise
        return self._settled()

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each firing, in the order in which they began."""
        return [_row(each) for each in self._history.activations]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `ImportError` without pandas."""
        import pandas as pd  # noqa: PLC0415 - optional, and slow to import

        return pd.DataFrame(self.to_records(), columns=list(_ROW))

    def picture(self) -> str:
        """The diagram as it stands, as SVG."""
        return draw(self.diagram, {each.label: _state(each) for each in self})

    def _settled(self) -> Run:
        if self._history.status == "completed":
            return self
        if self._history.status == "cancelled":
            raise ExecutionFailedError("The run was cancelled.", self)
        raise ExecutionFailedError(self.error or f"The run is {self.status}.", self)

    def _send(self, command: c.Command) -> Any:
        ack = self._loop.run(self._conversation.client.send(command))
        if self._done.done() and self._history.status in ("running", "paused"):
            # It had stopped following when nobody could answer; now somebody has.
            self._done = self._loop.submit(self._add_up())
        self._history.catch_up(ack.seq)
        return ack.result

    def _line_of(self, node: Label, field: str | None) -> int | None:
        if self._source is None:
            return None
        return self._source.line_of("nodes", node, *([field] if field else []))

    def __repr__(self) -> str:
        """The same for every run with the same outcome, so that notebooks can be compared."""
        title = f"Run of {self.name}" if self.name else "Run"
        width = max((len(spec.label) for spec in self.diagram.nodes), default=0)
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


def _shielded(future: Future[None]) -> Future[None]:
    """A future that can be cancelled without cancelling the one it stands for."""
    shield: Future[None] = Future()

    def pass_on(done: Future[None]) -> None:
        if not shield.set_running_or_notify_cancel():
            return
        error = done.exception()
        if error is not None:
            shield.set_exception(error)
        else:
            shield.set_result(None)

    future.add_done_callback(pass_on)
    return shield


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
