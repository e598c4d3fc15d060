"""What has happened in a run so far, for people: the sum of its events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..diagram.model import DEFAULT, Label
from ..protocol import events as e


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
        self.outputs: Mapping[Label, Any] = {}
        self.error: e.ErrorInfo | None = None
        self.activations: list[ActivationRecord] = []
        self.messages: dict[str, e.Message] = {}
        self.questions: dict[Label, e.Question] = {}
        self.entries: list[e.Entry] = []
        self._by_node: dict[Label, list[ActivationRecord]] = {}
        self._skipped: set[Label] = set()
        self._grown = threading.Condition()

    @property
    def shown_status(self) -> e.ExecutionStatus:
        """`waiting` when nothing goes on before a human has answered, else the status."""
        running = {each.node for each in self.activations if each.status == "running"}
        waits = self.status == "running" and running and running <= self.questions.keys()
        return "waiting" if waits else self.status

    def of(self, label: Label) -> list[ActivationRecord]:
        """All firings of a node, in order."""
        return list(self._by_node.get(label, ()))

    def status_of(self, label: Label) -> str:
        records = self.of(label)
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
            self._apply(entry)
            self.entries.append(entry)
            self._grown.notify_all()

    def _apply(self, entry: e.Entry) -> None:
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
                self.questions.pop(event.node, None)
            case e.NodeSkipped() as event:
                self._skipped.add(event.node)
            case e.InputRequired() as event:
                self.questions[event.node] = event.question
            case e.InputReceived() as event:
                self.questions.pop(event.node, None)
            case _:
                self._apply_to_run(entry.event)

    def _apply_to_run(self, event: e.AnyEvent) -> None:
        match event:
            case e.ExecutionStarted() | e.ExecutionResumed():
                self.status = "running"
            case e.ExecutionPaused():
                self.status = "paused"
                for label in event.interrupted:
                    self._take_back(label)
            case e.ExecutionCompleted():
                self.status, self.outputs = "completed", event.outputs
            case e.ExecutionFailed():
                self.status, self.error = "failed", event.error
            case e.ExecutionCancelled():
                self.status = "cancelled"
                for record in self.activations:
                    if record.status == "running":
                        record.status = "cancelled"

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
