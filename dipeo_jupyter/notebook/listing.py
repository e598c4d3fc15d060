"""Tables in a notebook: all runs, and what a run would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from ..client.tables import (
    COLLECTION_COLUMNS,
    PLAN_COLUMNS,
    RUN_COLUMNS,
    clock_time,
    collection_rows,
    collections_text,
    plan_rows,
    plan_text,
    plan_total,
    run_rows,
    runs_text,
)
from ..protocol import commands as c
from ..protocol.commands import CollectionSummary, ExecutionSummary, PlannedActivation
from ..protocol.events import Usage
from .records import as_frame, table
from .run import Run


class Runs(tuple[ExecutionSummary, ...]):
    """All runs that are kept, the newest first."""

    __slots__ = ()

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each run; `started` is Unix time."""
        return run_rows(self)

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(RUN_COLUMNS))

    def __repr__(self) -> str:
        return runs_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [
            {
                **each,
                "started": clock_time(each["started"]),
                "waiting_for": ", ".join(each["waiting_for"]),
            }
            for each in self.to_records()
        ]
        return {"text/plain": repr(self), "text/html": table(RUN_COLUMNS, rows)}


class Tables(tuple[CollectionSummary, ...]):
    """The collections of a database."""

    __slots__ = ()

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each column of each collection."""
        return collection_rows(self)

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(COLLECTION_COLUMNS))

    def __repr__(self) -> str:
        return collections_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        html = table(COLLECTION_COLUMNS, self.to_records()) if self else "<p>no collections</p>"
        return {"text/plain": repr(self), "text/html": html}


@dataclass(frozen=True, repr=False)
class Plan:
    """What a run would do, reuse and cost. Nothing has been done yet: `run()` or `start()` does it.

    `activations` come in their order. What is `assumed` comes about if the run goes on the way it
    went before.
    """

    plan: c.Plan
    start: Callable[[], Run]
    """Start exactly this, and return its `Run` at once."""

    async def run(self) -> Run:
        """Do exactly this, to its end."""
        return await self.start()

    @property
    def activations(self) -> tuple[PlannedActivation, ...]:
        return self.plan.activations

    @property
    def calls(self) -> int:
        """What would be done that counts: calls to models, jobs, files."""
        return sum(each.calls for each in self.activations)

    @property
    def estimate(self) -> Usage:
        """What the calls to models would take: as much as the last time, as far as there was one.

        With `at_least`, what comes out of some is not known, and not in it.
        """
        return self.plan.estimate

    @property
    def at_least(self) -> bool:
        return self.plan.at_least

    @property
    def cost(self) -> str:
        """The estimated dollars: `$0.0123`, or `≥ $0.0123`."""
        return self.plan.cost

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each activation."""
        return plan_rows(self.activations)

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(PLAN_COLUMNS))

    def __repr__(self) -> str:
        return plan_text(self.plan)

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        rows = [{**each, "assumed": "?" if each["assumed"] else ""} for each in self.to_records()]
        total = f"<p>{escape(plan_total(self.plan))}</p>"
        return {"text/plain": repr(self), "text/html": table(PLAN_COLUMNS, rows) + total}
