"""Whoever looks on while runs go on: what is told to metrics, traces and logs.

They are told of every event as it is recorded; and of what no journal keeps, which is here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..diagram.model import Label
from ..protocol import events as e

if TYPE_CHECKING:
    from .execution import Execution

_log = logging.getLogger(__name__)

Handler: TypeAlias = "Callable[[Execution, Any, float], None]"
"""Is told in which run something happened, what, and when (Unix seconds). It never takes long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An effect has begun; `request` says in full what is done."""

    event: e.EffectStarted
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """An effect is done, and was done now; a `replayed` answer was recorded, and is free."""

    event: e.EffectCompleted
    replayed: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An effect has failed, or was cut short."""

    event: e.EffectStarted
    error: BaseException


@dataclass(frozen=True, slots=True)
class Retried:
    """An attempt of a node has failed, and there will be another."""

    node: Label
    activation: int
    message: str


class Observer(Protocol):
    """Looks on at the runs of one engine, on its event loop."""

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Who is told of what, by its class."""
        ...

    def close(self) -> None:
        """The engine closes: nothing more will be told."""
        ...


class Tracer(Observer, Protocol):
    """An observer that has runs belong to traces."""

    def begins(
        self, execution_id: e.ExecutionId, event: e.ExecutionStarted, time: float
    ) -> str | None:
        """A run is about to begin; return the `traceparent` of what it is in its trace."""
        ...


class Observers:
    """All observers of an engine. One that fails is no reason for a run to."""

    def __init__(self, *observers: Observer, tracer: Tracer | None = None) -> None:
        self._all = (*observers, tracer) if tracer else observers
        self._tracer = tracer
        self._handlers: dict[type[Any], tuple[Handler, ...]] = {}
        for each in self._all:
            for kind, handler in each.handlers().items():
                self._handlers[kind] = (*self._handlers.get(kind, ()), handler)

    def tell(self, run: Execution, happened: object, time: float) -> None:
        """Tell whoever wants to know."""
        for handler in self._handlers.get(type(happened), ()):
            try:
                handler(run, happened, time)
            except Exception:  # noqa: BLE001 - the edge: a library of whoever looks on
                _log.exception("%s: nobody could be told of %s", run.execution_id, type(happened))

    def begins(
        self, execution_id: e.ExecutionId, event: e.ExecutionStarted, time: float
    ) -> str | None:
        """See `Tracer`; what the run came with, when nobody traces it."""
        if self._tracer is None:
            return event.traceparent
        return self._tracer.begins(execution_id, event, time)

    def close(self) -> None:
        for each in self._all:
            each.close()
