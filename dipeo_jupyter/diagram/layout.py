"""Where the boxes and lines of a diagram stand: as the file says, else computed in layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .drawing.alignment import align
from .drawing.bands import PAGE, Shape, reading_cost, shapes
from .drawing.dense import dense_drawing, is_crowded, is_dense
from .drawing.flow import handle_words, tag_text
from .drawing.geometry import Box, Layout, Point, Route, Tag
from .drawing.glyphs import kind_of
from .drawing.lanes import Layers
from .drawing.ordering import order
from .drawing.placed import placed_drawing
from .drawing.ports import Ports, Wire
from .drawing.ranks import rank
from .drawing.routing import Drawing, Router
from .drawing.text import clean
from .model import DEFAULT, Diagram, Edge, Label

__all__ = ["Box", "Layout", "Point", "Route", "Tag", "layout"]

PART_GAP = 40.0
"""Between parts of a diagram that no edge joins, in pixels."""
FARTHEST = 1e6
"""A position beyond this many pixels (or that is no number) is no position."""
PATIENCE, LEEWAY = 2.0, 400.0
"""How much harder to read a drawing may be that keeps the positions, the second in pixels."""
FEW_AROUND, MANY_AROUND = 4, 1 / 3
"""So many lines, and this share of all, must lead back to make a drawing confusing."""
MANY, MANY_EDGES = 100, 300
"""A part with more nodes or edges is drawn in one way only, a smaller one in the best of three."""
HUGE = 5000
"""With more edges than this in all, every part is drawn in one way only."""


def layout(diagram: Diagram) -> Layout:
    """Place every node and every edge; the same diagram always gets the same layout.

    When all nodes have positions these are kept, drawn apart so far that nothing overlaps, unless
    the picture would be much harder to read than without them. Otherwise the flow goes to the
    right, in several bands when it is long, or downwards. A part with so many
    edges that nobody could follow one is drawn in columns, with straight lines.
    """
    names = {node.label: number for number, node in enumerate(diagram.nodes)}
    wires = {
        number: _wire(edge, names)
        for number, edge in enumerate(diagram.edges)
        if edge.source in names and edge.target in names
    }
    labels = [node.label for node in diagram.nodes]
    drawings = [(part, _draw(diagram, part)) for part in _parts(len(labels), wires)]
    found = _pack(drawings, labels)
    places = _places(diagram)
    # Lines that nobody can follow one by one are not worth the long search for their ways.
    if places is None or is_crowded(len(places), len(wires)):
        return found
    drawing = placed_drawing(places, list(wires.values()))
    if drawing is None:
        return found
    kept = _pack([(_Part(list(range(len(places))), wires), drawing)], labels)
    return found if _is_hard_to_read(kept, found) else kept


@dataclass(frozen=True, slots=True)
class _Part:
    """Boxes that edges join, by their numbers in the diagram, and these edges by theirs."""

    boxes: list[int]
    wires: dict[int, Wire]


def _wire(edge: Edge, names: dict[Label, int]) -> Wire:
    """An edge with its words: the handle it leaves by, and the name under which it arrives."""
    handle = "" if edge.target_handle == DEFAULT else edge.target_handle
    leaving, label = clean(handle_words(edge.source_handle)), clean(edge.label or "")
    told = label == leaving
    entering = " · ".join(filter(None, (handle, "" if told else label)))
    return Wire(
        names[edge.source],
        names[edge.target],
        edge.source_handle,
        tag_text(leaving),
        tag_text(clean(entering)),
    )


def _places(diagram: Diagram) -> list[Point] | None:
    """The positions in the file, if they say where everything is."""
    places = [Point(node.position.x, node.position.y) for node in diagram.nodes if node.position]
    sound = all(abs(place.x) < FARTHEST and abs(place.y) < FARTHEST for place in places)
    apart = len(set(places)) >= min(2, len(places))
    return places if sound and apart and len(places) == len(diagram.nodes) > 0 else None


def _is_hard_to_read(kept: Layout, found: Layout) -> bool:
    """Whether positions are better not kept: very wide or long, or most lines lead back."""
    cost, least = (reading_cost(each.width, each.height) for each in (kept, found))
    if cost > PATIENCE * least + LEEWAY:
        return True
    around, fewest = (sum(map(_turns_around, each.routes.values())) for each in (kept, found))
    return around > fewest and around >= max(FEW_AROUND, MANY_AROUND * len(kept.routes))


def _turns_around(route: Route) -> bool:
    """Whether a line leads somewhere the other way than it sets out."""
    steps = [(end.x - start.x, end.y - start.y) for start, end in pairwise(route.points)]
    right, down = steps[0]
    return any(right * x + down * y < 0 for x, y in steps)


def _parts(count: int, wires: dict[int, Wire]) -> list[_Part]:
    """The connected parts of a diagram, in the order of their first nodes."""
    leader = list(range(count))

    def lead(box: int) -> int:
        while leader[box] != box:
            leader[box] = leader[leader[box]]
            box = leader[box]
        return box

    for wire in wires.values():
        first, second = sorted((lead(wire.source), lead(wire.target)))
        leader[second] = first
    parts: dict[int, _Part] = {}
    for box in range(count):
        parts.setdefault(lead(box), _Part([], {})).boxes.append(box)
    for number, wire in wires.items():
        parts[lead(wire.source)].wires[number] = wire
    return list(parts.values())


def _draw(diagram: Diagram, part: _Part) -> Drawing:
    local = {box: place for place, box in enumerate(part.boxes)}
    wires = [
        Wire(local[wire.source], local[wire.target], wire.handle, wire.leaving, wire.entering)
        for wire in part.wires.values()
    ]
    arcs = [wire.arc for wire in wires]
    fed = {target for source, target in arcs if source != target}
    kinds = [kind_of(diagram.nodes[box].type) for box in part.boxes]
    roots = sorted(local.values(), key=lambda box: (kinds[box] != "start", box in fed, box))
    choices = [number for number, wire in enumerate(wires) if wire.handle != DEFAULT]
    ranks = rank(len(local), arcs, roots, choices)
    if is_dense(len(local), arcs, ranks):
        return dense_drawing(len(local), wires, ranks)
    ordered = order(len(local), arcs, ranks)
    options = shapes(ordered, arcs)
    if len(local) > MANY or len(arcs) > MANY_EDGES or len(diagram.edges) > HUGE:
        return _shaped(ordered, wires, next(options))
    drawn = [(_shaped(ordered, wires, shape), shape) for shape in options]
    costs = [reading_cost(each.width, each.height) + shape.cost for each, shape in drawn]
    return drawn[costs.index(min(costs))][0]


def _shaped(ordered: Layers, wires: Sequence[Wire], shape: Shape) -> Drawing:
    layers = ordered.folded(shape.bands)
    layers.thread([wire.arc for wire in wires])
    ports = Ports.of(wires, shape.flow)
    middles = align(layers, ports.distance(layers))
    ports.settle(layers, middles)
    return Router(layers, ports, middles).draw()


def _pack(drawings: Iterable[tuple[_Part, Drawing]], labels: Sequence[Label]) -> Layout:
    """Put the parts side by side as far as the page is wide, then below."""
    boxes: dict[Label, Box] = {}
    routes: dict[int, Route] = {}
    left = top = bottom = width = 0.0
    for part, drawing in drawings:
        if left and left + drawing.width > PAGE:
            left, top = 0.0, bottom + PART_GAP
        for box, drawn in zip(part.boxes, drawing.boxes, strict=True):
            boxes[labels[box]] = Box(drawn.x + left, drawn.y + top, drawn.width, drawn.height)
        for number, route in zip(part.wires, drawing.routes, strict=True):
            routes[number] = _moved(route, left, top)
        width, bottom = max(width, left + drawing.width), max(bottom, top + drawing.height)
        left += drawing.width + PART_GAP
    in_order = {label: boxes[label] for label in labels}
    return Layout(in_order, dict(sorted(routes.items())), width, bottom)


def _moved(route: Route, left: float, top: float) -> Route:
    points = tuple(Point(point.x + left, point.y + top) for point in route.points)
    tags = tuple(Tag(tag.text, tag.x + left, tag.y + top, tag.width) for tag in route.tags)
    return Route(points, tags)
