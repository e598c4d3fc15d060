"""A diagram with the places of everything in it, as JSON: for those who draw it themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .layout import layout
from .model import Diagram


def drawing_of(diagram: Diagram) -> dict[str, Any]:
    """`diagram`, in which all nodes have positions, and `places`: boxes and ways of the picture."""
    places = layout(diagram)
    drawn = diagram.model_dump(mode="json", by_alias=True)
    for node in drawn["nodes"]:
        box = places.boxes[node["label"]]
        node["position"] = {"x": box.x, "y": box.y}
    boxes = {label: asdict(box) for label, box in places.boxes.items()}
    routes = {
        str(number): {
            "points": [point._asdict() for point in route.points],
            "tags": [asdict(tag) for tag in route.tags],
        }
        for number, route in places.routes.items()
    }
    shape = {"width": places.width, "height": places.height, "boxes": boxes, "routes": routes}
    return {"diagram": drawn, "places": shape}
