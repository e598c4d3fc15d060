"""Lists of runs and plans as text, in columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..protocol.commands import CollectionSummary, ExecutionSummary, Plan, PlannedActivation
from ..protocol.conversation import Said

RUN_COLUMNS = ("id", "name", "status", "started", "events", "waiting_for")
PLAN_COLUMNS = ("activation", "action", "why", "calls", "assumed", "tokens", "cost")
COLLECTION_COLUMNS = ("collection", "column", "holds", "key")
CONVERSATION_COLUMNS = ("activation", "sender", "recipient", "content", "seen_by", "forgotten")
DIAGRAM = "(diagram)"
"""Who asks and is answered, when it is no person."""
_SHORTEST = 9
"""`exec_` and four characters: shorter ids would be taken for something else."""
_WIDEST = 60


def run_rows(runs: Sequence[ExecutionSummary], among: Collection[str] = ()) -> list[dict[str, Any]]:
    """One row for each run, its id as short as it may be written beside those `among` it is."""
    short = shortened(among or [each.execution_id for each in runs])
    return [
        {
            "id": short[each.execution_id],
            "name": each.name,
            "status": each.status,
            "started": each.started,
            "events": each.events,
            "waiting_for": list(each.waiting_for),
        }
        for each in runs
    ]


def runs_text(runs: Sequence[ExecutionSummary], among: Collection[str] = ()) -> str:
    """The table that people read; times are local ones."""
    rows = [
        {**row, "started": clock_time(row["started"]), "waiting_for": ", ".join(row["waiting_for"])}
        for row in run_rows(runs, among)
    ]
    return as_columns(RUN_COLUMNS, rows) if rows else "no runs"


def collection_rows(collections: Iterable[CollectionSummary]) -> list[dict[str, Any]]:
    """One row for each column of each collection."""
    return [
        {
            "collection": each.name,
            "column": column,
            "holds": what,
            "key": "✓" if column in each.keys else "",
        }
        for each in collections
        for column, what in each.columns.items()
    ]


def collections_text(collections: Sequence[CollectionSummary]) -> str:
    """The same as text; the name of a collection stands at its first column alone."""
    rows = collection_rows(collections)
    for before, row in reversed(list(pairwise(rows))):
        if row["collection"] == before["collection"]:
            row["collection"] = ""
    return as_columns(COLLECTION_COLUMNS, rows) if rows else "no collections"


def plan_rows(activations: Iterable[PlannedActivation]) -> list[dict[str, Any]]:
    """One row for each activation that would come about."""
    return [
        {
            "activation": f"{each.node}[{each.activation}]",
            "action": each.action,
            "why": each.why,
            "calls": each.calls,
            "assumed": each.assumed,
            "tokens": each.estimate.tokens if each.estimate else None,
            "cost": each.cost,
        }
        for each in activations
    ]


def plan_text(plan: Plan) -> str:
    """The table that people read, and what it comes to."""
    rows = plan_rows(plan.activations)
    shown = [{**row, "assumed": "?" if row["assumed"] else ""} for row in rows]
    return f"{as_columns(PLAN_COLUMNS, shown)}\n{plan_total(plan)}"


def plan_total(plan: Plan) -> str:
    """What a plan comes to, in one sentence."""
    count = {
        action: sum(each.action == action for each in plan.activations)
        for action in ("run", "reuse", "compute", "fail")
    }
    calls = sum(each.calls for each in plan.activations)
    parts = [
        f"{count['run']} to run ({calls} {'call' if calls == 1 else 'calls'})",
        f"{count['reuse']} reused",
        f"{count['compute']} for free",
    ]
    if count["fail"]:
        parts.append(f"{count['fail']} cannot be done")
    if plan.estimate.calls:
        least = "at least" if plan.at_least else "about"
        parts.append(f"{least} {plan.estimate.tokens:,} tokens, {plan.cost}")
    return f"{', '.join(parts)}."


def shortened(ids: Collection[str]) -> dict[str, str]:
    """Each id as short as it can be without being that of another."""
    ordered = sorted(ids)
    short: dict[str, str] = {}
    for place, each in enumerate(ordered):
        neighbours = ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]
        length = max([_SHORTEST, *(_common(each, other) + 1 for other in neighbours)])
        short[each] = each[:length]
    return short


def clock_time(seconds: float) -> str:
    """A time as people here read it."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def conversation_text(conversation: Iterable[Said]) -> str:
    """The same for every run with the same outcome."""
    rows = [
        {
            name: _printable(text)
            for name, text in zip(CONVERSATION_COLUMNS, conversation_cells(each), strict=True)
        }
        for each in conversation
    ]
    return as_columns(CONVERSATION_COLUMNS, rows) if rows else "nothing was said"


def conversation_cells(said: Said) -> tuple[str, ...]:
    """The cells of a row. The id of an earlier run is left out: it would be another every time."""
    message, where = said.message, said.activation
    if said.earlier:
        where = f"earlier {where.partition('/')[2] if where.startswith('exec_') else where}"
    return (
        where,
        message.sender or DIAGRAM,
        message.recipient or DIAGRAM,
        message.words,
        ", ".join(said.seen_by),
        ", ".join(f"{person} at {at}" for person, at in said.forgotten.items()),
    )


def _printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(each if each.isprintable() else " " for each in text)


def as_columns(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    """Rows below their names; numbers stand to the right."""
    cells = [[_cell(row[name]) for name in names] for row in rows]
    right = [all(isinstance(row[name], int | None) for row in rows) for name in names]
    heads = [name.replace("_", " ") for name in names]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = [
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [heads, *cells]
    ]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _common(one: str, other: str) -> int:
    """How many characters two texts share at their beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
