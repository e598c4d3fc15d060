"""What has happened in a run so far, for people: the sum of its events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..diagram.model import DEFAULT, Diagram, Label
from ..protocol import events as e
from ..protocol.spending import Spending


@dataclass
class ActivationRecord:
    """One firing of a node. `seen` holds the ids of the messages the person was shown."""

    node: Label
    number: int
    started: float
    status: str = "running"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    person: str | None = None
    seen: tuple[str, ...] = ()
    usage: e.Usage | None = None
    error: e.ErrorInfo | None = None
    duration_ms: float | None = None
    log: list[str] = field(default_factory=list)

    @property
    def output(self) -> Any:
        """The value handed on: by the default handle, else by the one that was taken."""
        if DEFAULT in self.outputs:
            return self.outputs[DEFAULT]
        return next(iter(self.outputs.values()), None)


class History:
    """Apply entries in order; read at any time, from any thread."""

    def __init__(self) -> None:
        self.status: e.ExecutionStatus = "pending"
        self.pause: e.ExecutionPaused | None = None
        """Why and where nothing new starts."""
        self.abandoned = False
        """Whether nobody holds the run: nothing of it goes on by itself."""
        self.diagram: Diagram | None = None
        self.inputs: Mapping[str, Any] = {}
        self.thread: str | None = None
        self.breakpoints: tuple[e.Breakpoint, ...] = ()
        self.outputs: Mapping[Label, Any] = {}
        self.error: e.ErrorInfo | None = None
        self.activations: list[ActivationRecord] = []
        self.messages: dict[str, e.Message] = {}
        self.questions: dict[Label, e.Question] = {}
        self.entries: list[e.Entry] = []
        self._by_node: dict[Label, list[ActivationRecord]] = {}
        self._skipped: set[Label] = set()
        self._held: set[Label] = set()
        self._gave_up: list[Label] = []
        """Nodes whose failure ends the run; they try again when it is resumed."""
        self.spending = Spending()
        self._grown = threading.Condition()

    @property
    def shown_status(self) -> e.ExecutionStatus:
        """`waiting` when nothing goes on before a human has answered, else the status."""
        if self.status != "running":
            return self.status
        running = {each.node for each in self.activations if each.status == "running"}
        if running and running <= self.questions.keys():
            return "waiting"
        return "paused" if self.abandoned or (self._held and not running) else "running"

    @property
    def stopped_at(self) -> str | None:
        """Where a paused run stands (`before argue[2]`), or else why; None when it goes on."""
        if self.shown_status != "paused":
            return None
        if self.pause is None:
            return "held" if self._held and not self.abandoned else "closed"
        return self.pause.at or self.pause.reason

    @property
    def still(self) -> bool:
        """Whether nothing new starts, and what was under way has ended or waits for somebody."""
        running = {each.node for each in self.activations if each.status == "running"}
        return self.status == "paused" and running <= self.questions.keys()

    def of(self, label: Label) -> list[ActivationRecord]:
        """All firings of a node, in order."""
        return list(self._by_node.get(label, ()))

    def status_of(self, label: Label) -> str:
        records = self.of(label)
        if label in self._held and not (records and records[-1].status == "running"):
            return "paused"
        if not records:
            return "skipped" if label in self._skipped else "pending"
        waits = records[-1].status == "running" and label in self.questions
        return "waiting" if waits else records[-1].status

    def catch_up(self, seq: int, timeout: float = 10.0) -> None:
        """Wait in another thread until entry number `seq` is applied, `timeout` seconds at most."""
        with self._grown:
            self._grown.wait_for(lambda: len(self.entries) >= seq, timeout)

    def apply(self, entry: e.Entry) -> None:
        with self._grown:
            self.abandoned = False
            self._apply(entry)
            self.spending.follow(entry.event)
            self.entries.append(entry)
            self._grown.notify_all()

    def _apply(self, entry: e.Entry) -> None:  # noqa: C901, PLR0912 - one flat match
        match entry.event:
            case e.NodeStarted() as event:
                self._start(entry.time, event)
            case e.NodeProgress() as event:
                self._latest(event.node).log.append(event.message)
            case e.NodeCompleted() as event:
                self._complete(event)
            case e.NodeFailed() as event:
                record = self._latest(event.node)
                record.status, record.error = "failed", event.error
                record.outputs, record.duration_ms = event.outputs or {}, event.duration_ms
                record.usage = event.usage
                self.questions.pop(event.node, None)
                if event.outputs is None:
                    self._gave_up.append(event.node)
            case e.NodeSkipped() as event:
                self._skipped.add(event.node)
            case e.InputRequired() as event:
                self.questions[event.node] = event.question
            case e.InputReceived() as event:
                self.questions.pop(event.node, None)
            case e.NodePaused() as event:
                self._held.add(event.node)
            case e.NodeResumed() as event:
                self._held.discard(event.node)
            case e.SkipRequested() as event:
                records = self.of(event.node)
                if records and records[-1].status == "running":
                    self._take_back(event.node)
            case _:
                self._apply_to_run(entry.event)

    def _apply_to_run(self, event: e.AnyEvent) -> None:  # noqa: C901, PLR0912 - one flat match
        match event:
            case e.ExecutionStarted():
                self.status = "running"
                self.diagram, self.inputs = event.diagram, event.inputs
                self.breakpoints = event.breakpoints
                self.thread, self.messages = event.thread, {x.id: x for x in event.before}
            case e.ExecutionResumed():
                self.status, self.pause, self.error = "running", None, None
                while self._gave_up:
                    self._take_back(self._gave_up.pop())
            case e.ExecutionRecovered():
                for record in self.activations:
                    if f"{record.node}[{record.number}]" in event.repeated:
                        record.log.clear()
            case e.ExecutionEdited():
                self._begin_again(event)
            case e.BreakpointsSet():
                self.breakpoints = event.breakpoints
            case e.ExecutionPaused():
                self.status, self.pause = "paused", event
                for label in event.interrupted:
                    self._take_back(label)
            case e.ExecutionCompleted():
                self.status, self.outputs = "completed", event.outputs
            case e.ExecutionFailed():
                self.status, self.error = "failed", event.error
            case e.ExecutionCancelled():
                self.status = "cancelled"
                self.questions.clear()
                for record in self.activations:
                    if record.status == "running":
                        record.status = "cancelled"

    def _begin_again(self, event: e.ExecutionEdited) -> None:
        """The run is gone through again from its beginning; nothing has happened in it yet."""
        self.status, self.pause = "paused", e.ExecutionPaused(reason="edited")
        self.diagram, self.inputs = event.diagram, event.inputs
        self.outputs, self.error = {}, None
        self.activations, self.questions = [], {}
        self.messages = {x.id: x for x in event.before}
        self._by_node, self._skipped, self._gave_up = {}, set(), []

    def _take_back(self, label: Label) -> None:
        """A firing was interrupted: it will start again, and has not happened."""
        self.activations.remove(self._by_node[label].pop())
        self.questions.pop(label, None)

    def _start(self, time: float, event: e.NodeStarted) -> None:
        record = ActivationRecord(event.node, event.activation, time, inputs=event.inputs)
        self.activations.append(record)
        self._by_node.setdefault(event.node, []).append(record)

    def _complete(self, event: e.NodeCompleted) -> None:
        record = self._latest(event.node)
        record.status = "cached" if event.cached else "completed"
        record.outputs, record.duration_ms = event.outputs, event.duration_ms
        record.person, record.seen, record.usage = event.person, event.seen, event.usage
        for message in event.messages:
            self.messages[message.id] = message
        self.questions.pop(event.node, None)

    def _latest(self, label: Label) -> ActivationRecord:
        return self._by_node[label][-1]
