"""What a card knows of a run, as JSON: the diagram, where it stands, and what has happened."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic_core import to_json

from ...diagram.layout import layout
from ...diagram.model import Diagram
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


def drawing_of(diagram: Diagram) -> dict[str, Any]:
    """A diagram whose nodes all have positions, and the boxes and ways that the picture has."""
    places = layout(diagram)
    drawn = diagram.model_dump(mode="json", by_alias=True)
    for node in drawn["nodes"]:
        box = places.boxes[node["label"]]
        node["position"] = {"x": box.x, "y": box.y}
    boxes = {label: asdict(box) for label, box in places.boxes.items()}
    routes = {
        str(number): {
            "points": [[point.x, point.y] for point in route.points],
            "tags": [asdict(tag) for tag in route.tags],
        }
        for number, route in places.routes.items()
    }
    shape = {"width": places.width, "height": places.height, "boxes": boxes, "routes": routes}
    return {"diagram": drawn, "places": shape}
