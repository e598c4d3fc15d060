"""Metrics for Prometheus. Jupyter shows all that are in the default registry, at `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ...engine.execution import Execution
from ...engine.observing import Answered, Asked, Handler, Unanswered
from ...protocol import events as e
from .asked import ModelCall, work_of

MOST_VALUES = 100
"""Models, or sorts of errors, that are told apart; further ones are counted together."""
OTHER = "other"
BETWEEN_LOOKS = 0.25
"""Seconds between two looks at how late the event loop is."""
_DURATIONS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Instruments:
    """All that is measured, in one registry. No label says which run or which node it was."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.executions = Counter(
            "dipeo_executions_total", "Runs that have ended.", ["status"], registry=registry
        )
        for status in ("completed", "failed", "cancelled"):
            self.executions.labels(status)
        self.running = Gauge(
            "dipeo_executions_running", "Runs that go on, paused ones apart.", registry=registry
        )
        self.durations = Histogram(
            "dipeo_node_duration_seconds",
            "How long nodes took to fire, by their type; reused results apart.",
            ["type"],
            registry=registry,
            buckets=_DURATIONS,
        )
        self.tokens = Counter(
            "dipeo_llm_tokens_total",
            "Tokens of calls to models; reused and replayed answers apart.",
            ["model", "direction"],
            registry=registry,
        )
        self.cost = Counter(
            "dipeo_llm_cost_usd_total",
            "Dollars for calls to models, as far as their prices are known.",
            ["model"],
            registry=registry,
        )
        self.unpriced = Counter(
            "dipeo_llm_unpriced_calls_total",
            "Calls to models whose price is not known.",
            ["model"],
            registry=registry,
        )
        self.errors = Counter(
            "dipeo_errors_total",
            "Nodes that have failed, by the type of the error.",
            ["type"],
            registry=registry,
        )
        self.lag = Histogram(
            "dipeo_loop_lag_seconds",
            "How late the event loop was, looked at while runs go on.",
            registry=registry,
            buckets=_LAGS,
        )
        self._models: set[str] = set()
        self._errors: set[str] = set()

    def model(self, name: str) -> str:
        """The label of a model."""
        return _bounded(name, self._models)

    def error(self, name: str) -> str:
        """The label of a sort of error."""
        return _bounded(name, self._errors)


@cache
def instruments() -> Instruments:
    """Those of this process, however many engines there are in it."""
    return Instruments(REGISTRY)


class Metrics:
    """Counts what happens in the runs of an engine."""

    def __init__(self, counted: Instruments | None = None) -> None:
        self._all = counted or instruments()
        self._going: set[e.ExecutionId] = set()
        self._asked: dict[tuple[str, str, int, str], ModelCall] = {}
        self._lag = LoopLag(self._all.lag)

    def handlers(self) -> Mapping[type[Any], Handler]:
        return {
            e.ExecutionStarted: self._goes_on,
            e.ExecutionResumed: self._goes_on,
            e.ExecutionPaused: self._stands,
            e.ExecutionCompleted: self._over,
            e.ExecutionFailed: self._over,
            e.ExecutionCancelled: self._over,
            e.NodeCompleted: self._completed,
            e.NodeFailed: self._failed,
            Asked: self._remember,
            Answered: self._count,
            Unanswered: self._forget,
        }

    def close(self) -> None:
        self._all.running.dec(len(self._going))
        self._going.clear()
        self._asked.clear()
        self._lag.stop()

    def _goes_on(self, run: Execution, event: Any, _: float) -> None:
        if run.whole is None and run.execution_id not in self._going:
            self._going.add(run.execution_id)
            self._all.running.inc()
            self._lag.start()

    def _stands(self, run: Execution, event: Any, _: float) -> None:
        if run.execution_id in self._going:
            self._going.discard(run.execution_id)
            self._all.running.dec()
            if not self._going:
                self._lag.stop()

    def _over(self, run: Execution, event: Any, time: float) -> None:
        if run.whole is None:
            self._all.executions.labels(run.state.status).inc()
        self._stands(run, event, time)

    def _completed(self, run: Execution, event: e.NodeCompleted, _: float) -> None:
        if not event.cached:
            self._took(run, event.node, event.duration_ms)

    def _failed(self, run: Execution, event: e.NodeFailed, _: float) -> None:
        self._took(run, event.node, event.duration_ms)
        self._all.errors.labels(self._all.error(event.error.type)).inc()

    def _took(self, run: Execution, label: str, milliseconds: float) -> None:
        kind = run.program.nodes[run.program.index[label]].type
        self._all.durations.labels(kind).observe(milliseconds / 1000)

    def _remember(self, run: Execution, asked: Asked, _: float) -> None:
        work = work_of(asked.request)
        if isinstance(work, ModelCall):
            self._asked[_name(run, asked.event)] = work

    def _count(self, run: Execution, answered: Answered, _: float) -> None:
        work = self._asked.pop(_name(run, answered.event), None)
        usage = answered.event.usage
        if work is None or usage is None or answered.replayed:
            return
        model = self._all.model(work.name)
        self._all.tokens.labels(model, "input").inc(usage.input_tokens)
        self._all.tokens.labels(model, "output").inc(usage.output_tokens)
        self._all.cost.labels(model).inc(usage.usd)
        self._all.unpriced.labels(model).inc(usage.unpriced)

    def _forget(self, run: Execution, failed: Unanswered, _: float) -> None:
        self._asked.pop(_name(run, failed.event), None)


class LoopLag:
    """Looks every now and then how late the event loop is, between `start` and `stop`."""

    def __init__(self, lag: Histogram) -> None:
        self._lag = lag
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the running loop, unless it has begun."""
        if self._next is None:
            self._look_again(asyncio.get_running_loop())

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next = loop.call_later(BETWEEN_LOOKS, self._look, loop, loop.time() + BETWEEN_LOOKS)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._lag.observe(max(0.0, loop.time() - due))
        self._look_again(loop)


def _name(run: Execution, event: e.EffectStarted | e.EffectCompleted) -> tuple[str, str, int, str]:
    return run.execution_id, event.node, event.activation, event.effect


def _bounded(name: str, known: set[str]) -> str:
    if name not in known and len(known) >= MOST_VALUES:
        return OTHER
    known.add(name)
    return name
