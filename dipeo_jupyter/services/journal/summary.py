"""What the list of runs says of a run, followed entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...diagram.model import Label
from ...engine.ports import RunRecord
from ...protocol import events as e


@dataclass(slots=True)
class Summary:
    """The sum of a run's entries as far as lists show it. `questions` are open activations.

    `usage` is what its nodes have taken; None if that was not counted from the beginning.
    """

    execution_id: e.ExecutionId
    started: float
    name: str | None = None
    status: e.ExecutionStatus = "pending"
    events: int = 0
    questions: dict[tuple[Label, int], None] = field(default_factory=dict)
    origin: e.ExecutionId | None = None
    parent: e.ExecutionId | None = None
    thread: str | None = None
    usage: e.Usage | None = field(default_factory=e.Usage)

    def follow(self, entry: e.Entry) -> None:
        """Take the next entry into account."""
        self.events = entry.seq
        change = _CHANGES.get(type(entry.event))
        if change:
            change(self, entry.event)

    def follow_all(self, entries: Sequence[e.Entry]) -> None:
        """Take the next starts and ends of nodes into account."""
        if self.questions:
            for entry in entries:
                self.follow(entry)
        self.events = entries[-1].seq

    def record(self, owner: str | None) -> RunRecord:
        """As the journal lists it, `owner` being a living holder or None."""
        waiting_for = tuple(dict.fromkeys(label for label, _ in self.questions))
        return RunRecord(
            execution_id=self.execution_id,
            name=self.name,
            status=self._shown(owner),
            started=self.started,
            events=self.events,
            waiting_for=waiting_for,
            owner=owner,
            origin=self.origin,
            parent=self.parent,
            thread=self.thread,
            usage=self.usage,
        )

    def _shown(self, owner: str | None) -> e.ExecutionStatus:
        if self.status != "running":
            return self.status
        if self.questions:
            return "waiting"
        return "running" if owner else "paused"


def _started(summary: Summary, event: e.ExecutionStarted) -> None:
    summary.status = "running"
    summary.name = event.diagram.name
    summary.origin = event.origin.execution_id if event.origin else None
    summary.parent = event.parent
    summary.thread = event.thread


def _runs(summary: Summary, _: e.Event) -> None:
    summary.status = "running"


def _stops(summary: Summary, _: e.Event) -> None:
    summary.status = "paused"


def _paused(summary: Summary, event: e.ExecutionPaused) -> None:
    summary.status = "paused"
    for label in event.interrupted:
        _withdraw(summary, label)


def _ended(status: e.ExecutionStatus) -> Callable[[Summary, e.Event], None]:
    def end(summary: Summary, _: e.Event) -> None:
        summary.status = status
        summary.questions.clear()

    return end


def _asked(summary: Summary, event: e.InputRequired) -> None:
    summary.questions[(event.node, event.activation)] = None


def _answered(summary: Summary, event: e.NodeEvent) -> None:
    summary.questions.pop((event.node, event.activation), None)


def _ended_node(summary: Summary, event: e.NodeCompleted | e.NodeFailed) -> None:
    _answered(summary, event)
    if event.usage is not None and summary.usage is not None:
        summary.usage += event.usage


def _skipped(summary: Summary, event: e.NodeSkipped) -> None:
    _withdraw(summary, event.node)


def _withdraw(summary: Summary, label: Label) -> None:
    for question in [question for question in summary.questions if question[0] == label]:
        del summary.questions[question]


_CHANGES: Mapping[type[e.Event], Callable[[Summary, Any], None]] = {
    e.ExecutionStarted: _started,
    e.ExecutionResumed: _runs,
    e.ExecutionRecovered: _runs,
    e.ExecutionPaused: _paused,
    e.ExecutionEdited: _stops,
    e.ExecutionCompleted: _ended("completed"),
    e.ExecutionFailed: _ended("failed"),
    e.ExecutionCancelled: _ended("cancelled"),
    e.InputRequired: _asked,
    e.InputReceived: _answered,
    e.NodeCompleted: _ended_node,
    e.NodeFailed: _ended_node,
    e.NodeSkipped: _skipped,
}
