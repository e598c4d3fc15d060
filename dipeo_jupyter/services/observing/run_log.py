"""What happens in runs, as log lines. Each has the id of its run in its text and in its fields."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.execution import Execution
from ...engine.observing import Handler, Retried
from ...protocol import events as e

LOGGER = "dipeo_jupyter.runs"
"""`INFO` has the beginning, the end and the pauses of runs, `WARNING` what failed, `DEBUG` all
nodes. Known keys are taken out by `redaction.py`."""
_ALARMING = ("journal", "budget")
"""Pauses for which nobody has asked."""
_log = logging.getLogger(LOGGER)
# Without a handler of the application's, Python would print warnings below the cells of notebooks,
# which show what has failed by themselves.
_log.addHandler(logging.NullHandler())


class RunLog:
    """Writes down what happens in the runs of an engine."""

    def __init__(self) -> None:
        self._since: dict[e.ExecutionId, float] = {}

    def handlers(self) -> Mapping[type[Any], Handler]:
        return {
            e.ExecutionStarted: self._started,
            e.ExecutionRecovered: self._recovered,
            e.ExecutionPaused: self._paused,
            e.ExecutionResumed: self._resumed,
            e.ExecutionEdited: self._edited,
            e.ExecutionCompleted: self._over,
            e.ExecutionFailed: self._over,
            e.ExecutionCancelled: self._over,
            e.InputRequired: self._asks,
            e.InputReceived: self._answered,
            e.NodeStarted: self._node_started,
            e.NodeCompleted: self._node_completed,
            e.NodeSkipped: self._node_skipped,
            e.NodeFailed: self._node_failed,
            Retried: self._retried,
        }

    def close(self) -> None:
        self._since.clear()

    def _started(self, run: Execution, event: e.ExecutionStarted, time: float) -> None:
        self._since[run.execution_id] = time
        name = run.program.diagram.name or "a diagram without a name"
        _say(run, logging.INFO, _Line("started", name))

    def _recovered(self, run: Execution, event: e.ExecutionRecovered, time: float) -> None:
        self._since[run.execution_id] = time
        _say(run, logging.INFO, _Line("taken over, as another process has left it"))

    def _paused(self, run: Execution, event: e.ExecutionPaused, _: float) -> None:
        level = logging.WARNING if event.reason in _ALARMING else logging.INFO
        at = f", {event.at}" if event.at else ""
        _say(run, level, _Line(f"paused ({event.reason}{at})", event.message or ""))

    def _resumed(self, run: Execution, event: e.ExecutionResumed, time: float) -> None:
        self._since.setdefault(run.execution_id, time)
        _say(run, logging.INFO, _Line("goes on"))

    def _edited(self, run: Execution, event: e.ExecutionEdited, _: float) -> None:
        _say(run, logging.INFO, _Line("edited"))

    def _over(self, run: Execution, event: Any, time: float) -> None:
        since = self._since.pop(run.execution_id, None)
        took = (time - since) * 1000 if since is not None else None
        if isinstance(event, e.ExecutionFailed):
            node, activation = event.error.node, event.error.activation
            where = f"{_named(node, activation)}: " if node else ""
            line = _Line("failed", f"{where}{event.error.message}", took=took)
            _say(run, logging.WARNING, line)
        else:
            _say(run, logging.INFO, _Line(run.state.status, took=took))

    def _asks(self, run: Execution, event: e.InputRequired, _: float) -> None:
        _say(run, logging.INFO, _Line("waits for an answer", "", event.node, event.activation))

    def _answered(self, run: Execution, event: e.InputReceived, _: float) -> None:
        _say(run, logging.INFO, _Line("was answered", "", event.node, event.activation))

    def _node_started(self, run: Execution, event: e.NodeStarted, _: float) -> None:
        if _log.isEnabledFor(logging.DEBUG):
            _say(run, logging.DEBUG, _Line("started", "", event.node, event.activation))

    def _node_completed(self, run: Execution, event: e.NodeCompleted, _: float) -> None:
        if _log.isEnabledFor(logging.DEBUG):
            word, took = ("cached", None) if event.cached else ("completed", event.duration_ms)
            _say(run, logging.DEBUG, _Line(word, "", event.node, event.activation, took))

    def _node_skipped(self, run: Execution, event: e.NodeSkipped, _: float) -> None:
        _say(run, logging.DEBUG, _Line(f"skipped ({event.reason})", "", event.node))

    def _node_failed(self, run: Execution, event: e.NodeFailed, _: float) -> None:
        on = "" if event.outputs is None else "; the run goes on without it"
        said = f"{event.error.type}: {event.error.message}{on}"
        line = _Line("failed", said, event.node, event.activation, event.duration_ms)
        _say(run, logging.WARNING, line)

    def _retried(self, run: Execution, event: Retried, _: float) -> None:
        line = _Line("is tried again", event.message, event.node, event.activation)
        _say(run, logging.WARNING, line)


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line says: where, a word for what has happened, how long it took, and more."""

    word: str
    more: str = ""
    node: str | None = None
    activation: int | None = None
    took: float | None = None

    def __str__(self) -> str:
        where = f"{_named(self.node, self.activation)} " if self.node is not None else ""
        took = f" after {self.took:,.0f} ms" if self.took is not None else ""
        more = f": {self.more}" if self.more else ""
        return f"{where}{self.word}{took}{more}"


def _say(run: Execution, level: int, line: _Line) -> None:
    """Its parts are attributes of the record too, which a formatter may show apart."""
    parts = {
        "execution_id": run.execution_id,
        "node": line.node,
        "activation": line.activation,
        "duration_ms": line.took,
    }
    if _log.isEnabledFor(level):
        _log.log(level, "%s", " ".join(f"{run.execution_id} {line}".split()), extra=parts)


def _named(node: str, activation: int | None) -> str:
    return node if activation is None else f"{node}[{activation}]"
