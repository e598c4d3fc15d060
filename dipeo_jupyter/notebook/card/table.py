"""All activations of a run as a small table: the same for every run with the same outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..history import ActivationRecord
from ..records import shorten, table
from ..run import Run

MOST_ROWS = 100
COLUMNS = ("node", "activation", "status", "result")


def table_of(run: Run) -> str:
    """A table that unfolds; empty when nothing has begun. No times, ids or costs are in it."""
    firings = [firing for node in run for firing in node.activations]
    if not firings:
        return ""
    shown = table(COLUMNS, [*map(_row, firings[:MOST_ROWS]), *_rest(len(firings))])
    word = "activation" if len(firings) == 1 else "activations"
    return f"<details><summary>{len(firings)} {word}</summary>{shown}</details>"


def _row(firing: ActivationRecord) -> dict[str, Any]:
    result = firing.error.message if firing.error else firing.output
    return {
        "node": firing.node,
        "activation": firing.number,
        "status": firing.status,
        "result": None if result is None else shorten(result),
    }


def _rest(count: int) -> Iterator[dict[str, Any]]:
    if count > MOST_ROWS:
        more = f"and {count - MOST_ROWS} more: run.to_frame() has all"
        yield {"node": "…", "activation": None, "status": None, "result": more}
