"""Runs as OpenTelemetry traces: run → activation → call to a model or use of a tool.

A part of a run hangs below the activation that it works for. A run that is gone on with, perhaps by
another process, hangs below the span that it began with, whose name stands in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    TracerProvider,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ...engine.child import Child
from ...engine.execution import Execution
from ...engine.observing import Answered, Asked, Handler, Unanswered
from ...protocol import events as e
from . import genai
from .asked import ModelCall, work_of
from .genai import Attributes

_FORMAT = TraceContextTextMapPropagator()
_HEADER = "traceparent"


@dataclass(slots=True)
class _Open:
    """The spans of a run that have not ended; those of effects by activation and name."""

    run: Span
    nodes: dict[str, Span] = field(default_factory=dict)
    effects: dict[tuple[str, int, str], Span] = field(default_factory=dict)


class Tracing:
    """Makes spans of what happens in the runs of an engine; with `content`, of what is said too."""

    def __init__(self, provider: TracerProvider, *, content: bool = False) -> None:
        self._tracer = provider.get_tracer("dipeo_jupyter", version("dipeo_jupyter"))
        self._content = content
        self._runs: dict[e.ExecutionId, _Open] = {}

    def handlers(self) -> Mapping[type[Any], Handler]:
        return {
            e.ExecutionStarted: self._started,
            e.ExecutionRecovered: self._recovered,
            e.ExecutionEdited: self._edited,
            e.ExecutionPaused: self._paused,
            e.ExecutionResumed: self._resumed,
            e.ExecutionCompleted: self._over,
            e.ExecutionFailed: self._over,
            e.ExecutionCancelled: self._over,
            e.NodeStarted: self._node_started,
            e.NodeCompleted: self._node_completed,
            e.NodeFailed: self._node_failed,
            e.NodeSkipped: self._node_skipped,
            e.InputRequired: self._waits,
            e.InputReceived: self._heard,
            Asked: self._asked,
            Answered: self._answered,
            Unanswered: self._unanswered,
        }

    def begins(
        self, execution_id: e.ExecutionId, event: e.ExecutionStarted, time: float
    ) -> str | None:
        """Open the span of a run, in the trace that it came with; see `observing.Tracer`."""
        around = _context_of(event.traceparent)
        name, attributes = genai.of_run(event.diagram.name, execution_id, event.thread)
        span = self._start(name, attributes, around, time)
        self._runs[execution_id] = _Open(span)
        return _traceparent(span)

    def close(self) -> None:
        """End what is open: whoever goes on with it, does so in spans of their own."""
        for execution_id in [*self._runs]:
            self._end_all(self._runs.pop(execution_id), None)

    # -- runs -------------------------------------------------------------------------------------

    def _started(self, run: Execution, event: e.ExecutionStarted, time: float) -> None:
        self._run(run, time)

    def _recovered(self, run: Execution, event: e.ExecutionRecovered, time: float) -> None:
        self._run(run, time).run.add_event("taken over", timestamp=_nanoseconds(time))
        for activation in run.state.running.values():
            self._node(run, run.program.labels[activation.node], activation.number, time)

    def _edited(self, run: Execution, event: e.ExecutionEdited, time: float) -> None:
        self._run(run, time).run.add_event("edited", timestamp=_nanoseconds(time))

    def _paused(self, run: Execution, event: e.ExecutionPaused, time: float) -> None:
        open_ = self._run(run, time)
        about = {"reason": event.reason, **({"at": event.at} if event.at else {})}
        open_.run.add_event("paused", about, _nanoseconds(time))
        for label in event.interrupted:
            self._interrupt(open_, label, time)

    def _resumed(self, run: Execution, event: e.ExecutionResumed, time: float) -> None:
        self._run(run, time).run.add_event("resumed", timestamp=_nanoseconds(time))

    def _over(self, run: Execution, event: Any, time: float) -> None:
        open_ = self._runs.pop(run.execution_id, None)
        if open_ is None:
            return
        open_.run.set_attribute(genai.STATUS, run.state.status)
        if isinstance(event, e.ExecutionFailed):
            _failed(open_.run, event.error.type, event.error.message)
        self._end_all(open_, time)

    # -- activations ------------------------------------------------------------------------------

    def _node_started(self, run: Execution, event: e.NodeStarted, time: float) -> None:
        self._node(run, event.node, event.activation, time)

    def _node_completed(self, run: Execution, event: e.NodeCompleted, time: float) -> None:
        span = self._run(run, time).nodes.pop(event.node, None)
        if span is None:
            return
        if event.cached:
            span.set_attribute(genai.CACHED, value=True)
        span.end(_nanoseconds(time))

    def _node_failed(self, run: Execution, event: e.NodeFailed, time: float) -> None:
        span = self._run(run, time).nodes.pop(event.node, None)
        if span is not None:
            _failed(span, event.error.type, event.error.message)
            span.end(_nanoseconds(time))

    def _node_skipped(self, run: Execution, event: e.NodeSkipped, time: float) -> None:
        self._interrupt(self._run(run, time), event.node, time)

    def _waits(self, run: Execution, event: e.InputRequired, time: float) -> None:
        if (span := self._run(run, time).nodes.get(event.node)) is not None:
            span.add_event("waits for an answer", timestamp=_nanoseconds(time))

    def _heard(self, run: Execution, event: e.InputReceived, time: float) -> None:
        if (span := self._run(run, time).nodes.get(event.node)) is not None:
            span.add_event("was answered", timestamp=_nanoseconds(time))

    # -- calls to models, uses of tools -----------------------------------------------------------

    def _asked(self, run: Execution, asked: Asked, time: float) -> None:
        work, event = work_of(asked.request), asked.event
        if work is None:
            return
        is_call = isinstance(work, ModelCall)
        name, attributes = (
            genai.of_call(work) if isinstance(work, ModelCall) else genai.of_tool(work)
        )
        attributes[genai.CONVERSATION] = _whole(run).thread or _whole(run).execution_id
        if self._content:
            attributes |= genai.asked(asked.request)
        open_ = self._run(run, time)
        around = set_span_in_context(open_.nodes.get(event.node, open_.run), Context())
        kind = SpanKind.CLIENT if is_call else SpanKind.INTERNAL
        span = self._start(name, attributes, around, time, kind)
        open_.effects[event.node, event.activation, event.effect] = span

    def _answered(self, run: Execution, answered: Answered, time: float) -> None:
        event = answered.event
        span = self._effect(run, event)
        if span is None:
            return
        if event.usage is not None and not answered.replayed:
            span.set_attributes(genai.of_usage(event.usage))
        if answered.replayed:
            span.set_attribute(genai.REPLAYED, value=True)
        if self._content:
            span.set_attributes(genai.answered(event.value, by_tool=event.usage is None))
        if isinstance(event.value, dict) and event.value.get("failed"):
            _failed(span, "tool_error", None)
        span.end(_nanoseconds(time))

    def _unanswered(self, run: Execution, failed: Unanswered, time: float) -> None:
        span = self._effect(run, failed.event)
        if span is None:
            return
        if isinstance(failed.error, asyncio.CancelledError):
            span.set_attribute(genai.INTERRUPTED, value=True)
        else:
            kind = getattr(failed.error, "kind", "other")
            name = type(failed.error).__name__ if kind == "other" else kind
            _failed(span, name, str(failed.error))
        span.end(_nanoseconds(time))

    # -- spans ------------------------------------------------------------------------------------

    def _run(self, run: Execution, time: float) -> _Open:
        """The open spans of a run; a run that is gone on with gets a new one for itself."""
        open_ = self._runs.get(run.execution_id)
        if open_ is None:
            name, attributes = genai.of_run(
                run.program.diagram.name, run.execution_id, _whole(run).thread
            )
            span = self._start(name, attributes, self._around(run, time), time)
            open_ = self._runs[run.execution_id] = _Open(span)
        return open_

    def _around(self, run: Execution, time: float) -> Context:
        if isinstance(run, Child):
            whole = self._run(run.whole, time)
            return set_span_in_context(whole.nodes.get(run.spot.label, whole.run), Context())
        return _context_of(run.traceparent)

    def _node(self, run: Execution, label: str, activation: int, time: float) -> None:
        open_ = self._run(run, time)
        node = run.program.nodes[run.program.index[label]]
        person = getattr(node, "person", None)
        name, attributes = genai.of_node(
            label, node.type, activation, person if isinstance(person, str) else None
        )
        around = set_span_in_context(open_.run, Context())
        open_.nodes[label] = self._start(name, attributes, around, time)

    def _effect(self, run: Execution, event: e.EffectStarted | e.EffectCompleted) -> Span | None:
        open_ = self._runs.get(run.execution_id)
        name = event.node, event.activation, event.effect
        return None if open_ is None else open_.effects.pop(name, None)

    def _interrupt(self, open_: _Open, label: str, time: float) -> None:
        if (span := open_.nodes.pop(label, None)) is not None:
            span.set_attribute(genai.INTERRUPTED, value=True)
            span.end(_nanoseconds(time))

    def _end_all(self, open_: _Open, time: float | None) -> None:
        at = None if time is None else _nanoseconds(time)
        for span in (*open_.effects.values(), *open_.nodes.values()):
            span.set_attribute(genai.INTERRUPTED, value=True)
            span.end(at)
        open_.run.end(at)

    def _start(
        self,
        name: str,
        attributes: Attributes,
        around: Context,
        time: float,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        return self._tracer.start_span(
            name, around, kind, attributes, start_time=_nanoseconds(time)
        )


def _context_of(traceparent: str | None) -> Context:
    """Where a run belongs; without a name for that, it begins a trace of its own."""
    return _FORMAT.extract({_HEADER: traceparent} if traceparent else {}, Context())


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    ids = f"{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}"
    return f"00-{ids}-{context.trace_flags:02x}"


def _failed(span: Span, kind: str, message: str | None) -> None:
    span.set_attribute(genai.ERROR, kind)
    span.set_status(Status(StatusCode.ERROR, message))


def _whole(run: Execution) -> Execution:
    while run.whole is not None:
        run = run.whole
    return run


def _nanoseconds(time: float) -> int:
    return int(time * 1e9)
