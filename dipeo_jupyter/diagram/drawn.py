"""A diagram with the places of everything in it, as JSON: for those who draw it themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .layout import Layout, layout
from .model import Diagram


def drawing_of(diagram: Diagram) -> dict[str, Any]:
    """`diagram`, in which all nodes have positions, and `places`: boxes and ways of the picture."""
    found = layout(diagram)
    drawn = diagram.model_dump(mode="json", by_alias=True)
    for node in drawn["nodes"]:
        box = found.boxes[node["label"]]
        node["position"] = {"x": box.x, "y": box.y}
    return {"diagram": drawn, "places": _told(found)}


def read_and_drawn(diagram: Diagram) -> dict[str, Any]:
    """The same, but the `diagram` is as it was read: it can be run, or drawn again."""
    return {
        "diagram": diagram.model_dump(mode="json", by_alias=True),
        "places": _told(layout(diagram)),
    }


def _told(found: Layout) -> dict[str, Any]:
    routes = {
        str(number): {
            "points": [point._asdict() for point in route.points],
            "tags": [asdict(tag) for tag in route.tags],
        }
        for number, route in found.routes.items()
    }
    boxes = {label: asdict(box) for label, box in found.boxes.items()}
    return {"width": found.width, "height": found.height, "boxes": boxes, "routes": routes}
