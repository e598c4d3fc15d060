"""What a card knows of a run, as JSON: the diagram, where it stands, and what has happened."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from ...diagram.drawn import drawing_of
from ..run import Run
from .cutting import Wire, fitted

MOST_BYTES = 200_000
"""A saved notebook holds no more of a run than this."""


def content_of(run: Run) -> dict[str, Any] | None:
    """All that a saved notebook keeps of a run; None when not even its diagram is small enough."""
    drawn = drawing_of(run.diagram)
    room = MOST_BYTES - len(to_json(drawn))
    if room <= 0:
        return None
    entries, cut = fitted([each.to_wire() for each in run.events], room)
    return {"execution_id": run.id, "status": run.status, **drawn, "entries": entries, "cut": cut}


def snapshot_of(run: Run) -> list[Wire]:
    """What has happened so far, made small."""
    return fitted([each.to_wire() for each in run.events], MOST_BYTES)[0]
