"""A diagram as one self-contained SVG, with the states of a run when there are some."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .drawing.flow import TAG_SIZE
from .drawing.geometry import Box, Layout, Point, Route, Tag
from .drawing.glyphs import MARKS, OTHER_KIND, Glyph, glyph_of
from .drawing.palette import dark_style, paint
from .drawing.pen import line, number, words
from .drawing.text import clean, fit, width_of, wrap
from .layout import layout
from .model import DEFAULT, Diagram, Edge, Label, NodeSpec, Person

MARGIN = 24.0
HEADING = 30.0
NOTEBOOK_WIDTH = 800.0
"""Pixels that a notebook leaves for an output; JupyterLab cuts off what is wider."""
LABEL_SIZE, DETAIL_SIZE, COUNT_SIZE = 13.0, 11.0, 10.5
TEXT_LEFT, TEXT_RIGHT = 43.0, 6.0
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
LISTED = 100
"""The text summary names at most so many nodes and connections."""
SPOKEN = 60
"""A label in the text summary is cut after so many letters."""
OUTLINES = {"failed": "fail", "running": "run", "waiting": "wait", "paused": "pause"}
"""States that the border of a box shows too, because somebody may have to act."""


@dataclass(frozen=True)
class NodeState:
    """How it stands with a node: a status word, how often it ran, and what there is to say."""

    status: str
    count: int = 1
    note: str | None = None

    def __str__(self) -> str:
        often = f", {self.count} times" if self.count > 1 else ""
        note = f": {clean(self.note)}" if self.note else ""
        return f"{self.status}{often}{note}"


def draw(
    diagram: Diagram, states: Mapping[str, NodeState] | None = None, *, title: str | None = None
) -> str:
    """An SVG that needs nothing else: no scripts, fonts, or style sheets of the page.

    `states` go by the labels of nodes. The same arguments always give the same text. Names inside
    come from the content, so several pictures can stand in one page.
    """
    picture = _Picture(diagram, states or {}, layout(diagram), title)
    return picture.svg()


class _Picture:
    def __init__(
        self, diagram: Diagram, states: Mapping[str, NodeState], places: Layout, title: str | None
    ) -> None:
        self.diagram, self.states, self.places, self.title = diagram, states, places, title
        self.top = MARGIN + (HEADING if title else 0.0)
        self.width = max(places.width, 200.0) + 2 * MARGIN
        self.height = max(places.height, 20.0) + MARGIN + self.top

    def svg(self) -> str:
        body = "\n".join([*self._ground(), *self._edges(), *self._nodes()])
        name = words(self.title or self.diagram.name or "Diagram")
        summary = words(" ".join(_summary(self.diagram, self.states)))
        scope = "d" + hashlib.sha256(f"{name}{summary}{body}".encode()).hexdigest()[:10]
        width, height = number(self.width), number(self.height)
        shown = min(1.0, NOTEBOOK_WIDTH / self.width)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" role="img" '
            f'aria-labelledby="{scope}-t {scope}-d" '
            f'width="{number(self.width * shown)}" height="{number(self.height * shown)}" '
            f'viewBox="0 0 {width} {height}" font-family="{FONT}" '
            f'style="max-width:100%;height:auto">\n'
            f'<title id="{scope}-t">{name}</title>\n<desc id="{scope}-d">{summary}</desc>\n'
            f"{dark_style(scope, body)}\n{body}\n</svg>\n"
        )

    def _ground(self) -> Iterator[str]:
        yield (
            f'<rect x="0.5" y="0.5" width="{number(self.width - 1)}" '
            f'height="{number(self.height - 1)}" rx="10" {paint(fill="panel", stroke="rim")}/>'
        )
        if self.title:
            shown = fit(clean(self.title), self.width - 2 * MARGIN, LABEL_SIZE, bold=True)
            yield _text(shown, Point(MARGIN, MARGIN + 10), LABEL_SIZE, "ink", bold=True)
        if not self.places.boxes:
            yield _text("No nodes yet", Point(MARGIN, self.top + 15), LABEL_SIZE, "soft")

    def _edges(self) -> Iterator[str]:
        """Dead edges first, so that none of them hides a living one; then all words."""
        yield f'<g transform="translate({number(MARGIN)} {number(self.top)})">'
        dead = {place for place in self.places.routes if self._is_dead(self.diagram.edges[place])}
        order = sorted(self.places.routes, key=lambda place: place not in dead)
        for place in order:
            route = self.places.routes[place]
            yield _edge(self.diagram.edges[place], route, dead=place in dead)
        tags = {tag: place in dead for place in order for tag in self.places.routes[place].tags}
        for tag, is_dead in tags.items():
            yield _tag(tag, dead=is_dead)

    def _is_dead(self, edge: Edge) -> bool:
        ends = (self.states.get(edge.source), self.states.get(edge.target))
        return any(state is not None and state.status == "skipped" for state in ends)

    def _nodes(self) -> Iterator[str]:
        for node in self.diagram.nodes:
            state = self.states.get(node.label)
            yield "".join(
                _node(node, detail(self.diagram, node), self.places.boxes[node.label], state)
            )
        yield "</g>"


def detail(diagram: Diagram, node: NodeSpec) -> str:
    """What stands below a label: the person who works here and their model, or the type."""
    name = node.props.get("person")
    if not isinstance(name, str):
        return clean(node.type)
    person = diagram.persons.get(name)
    return " · ".join(clean(part) for part in (name, person and _model(person)) if part)


def _edge(edge: Edge, route: Route, *, dead: bool) -> str:
    drawn = line(route.points, "faint" if dead else "line", dashed=dead)
    return f"<g><title>{words(_connection(edge))}</title>{drawn}</g>"


def _model(person: Person) -> str:
    """The model without its provider."""
    return (person.model or "").rsplit("/", 1)[-1]


def _node(node: NodeSpec, detail: str, box: Box, state: NodeState | None) -> Iterator[str]:
    status = state.status if state else None
    skipped = status == "skipped"
    told = f"{node.label} ({node.type})" + (f": {state}" if state else "")
    yield f"<g><title>{words(told)}</title>{_frame(box, status)}"
    glyph = glyph_of(node.type)
    yield _kind(OTHER_KIND.colour if skipped else glyph.colour, glyph.path, box)
    yield from _lines(node.label, detail, box, "soft" if skipped else "ink")
    if state:
        yield from _marks(state, box)
    yield "</g>"


def _frame(box: Box, status: str | None) -> str:
    outline = OUTLINES.get(status or "")
    dash = ' stroke-dasharray="5 4"' if status == "skipped" else ""
    return (
        f'<rect x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" '
        f'height="{number(box.height)}" rx="9" {paint(fill="box", stroke=outline or "border")} '
        f'stroke-width="{2.5 if outline else 1.2}"{dash}/>'
    )


def _kind(colour: str, path: str, box: Box) -> str:
    left, top = box.x + 8, box.y + box.height / 2 - 14
    return (
        f'<rect x="{number(left)}" y="{number(top)}" width="28" height="28" rx="7" '
        f"{paint(fill=f'{colour}-ground')}/>"
        f"{_sign(path, Point(left + 6, top + 6), colour, 1.5)}"
    )


def _sign(path: str, corner: Point, colour: str, thickness: float) -> str:
    return (
        f'<path d="{path}" transform="translate({number(corner.x)} {number(corner.y)})" '
        f'{paint(stroke=colour)} fill="none" stroke-width="{thickness}" '
        f'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _lines(label: Label, detail: str, box: Box, colour: str) -> Iterator[str]:
    room = box.width - TEXT_LEFT - TEXT_RIGHT
    lines = wrap(clean(label), room, LABEL_SIZE, bold=True)
    left, middle = box.x + TEXT_LEFT, box.y + box.height / 2
    first = middle - 3 - 8 * (len(lines) - 1)
    for place, text in enumerate(lines):
        yield _text(text, Point(left, first + 15 * place), LABEL_SIZE, colour, bold=True)
    below = first + 15 * (len(lines) - 1) + 16
    yield _text(fit(detail, room, DETAIL_SIZE), Point(left, below), DETAIL_SIZE, "soft")


def _marks(state: NodeState, box: Box) -> Iterator[str]:
    """The status on a disc at the top right corner, and how often the node ran beside it."""
    mark = MARKS.get(state.status, Glyph("", "idle"))
    disc = Point(box.right - 12, box.y)
    yield (
        f'<circle cx="{number(disc.x)}" cy="{number(disc.y)}" r="9" '
        f'{paint(fill=mark.colour, stroke="panel")} stroke-width="2"/>'
        f"{_sign(mark.path, Point(disc.x - 8, disc.y - 8), 'white', 1.8)}"
    )
    if state.count > 1:
        count = f"×{state.count}"
        width = width_of(count, COUNT_SIZE, bold=True) + 10
        yield (
            f'<rect x="{number(disc.x - 11 - width)}" y="{number(disc.y - 8)}" '
            f'width="{number(width)}" height="16" rx="8" '
            f"{paint(fill='panel', stroke='border')}/>"
        )
        place = Point(disc.x - 11 - width / 2, disc.y + 3.8)
        yield _text(count, place, COUNT_SIZE, "ink", bold=True, middle=True)


def _tag(tag: Tag, *, dead: bool) -> str:
    height = TAG_SIZE + 4
    return (
        f'<rect x="{number(tag.x - tag.width / 2)}" y="{number(tag.y - height / 2)}" '
        f'width="{number(tag.width)}" height="{number(height)}" rx="4" {paint(fill="panel")}/>'
        + _text(
            tag.text,
            Point(tag.x, tag.y + 3.8),
            TAG_SIZE,
            "soft" if dead else "ink",
            middle=True,
        )
    )


def _text(
    text: str, place: Point, size: float, colour: str, *, bold: bool = False, middle: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    anchor = ' text-anchor="middle"' if middle else ""
    return (
        f'<text x="{number(place.x)}" y="{number(place.y)}" font-size="{number(size)}"'
        f"{weight}{anchor} {paint(fill=colour)}>{words(text)}</text>"
    )


def _summary(diagram: Diagram, states: Mapping[str, NodeState]) -> Iterable[str]:
    """What the picture shows, in words."""
    counts = Counter(state.status for state in states.values())
    yield f"{_many(len(diagram.nodes), 'node')}, {_many(len(diagram.edges), 'connection')}."
    if counts:
        yield ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) + "."
    nodes = [_spoken(node, states.get(node.label)) for node in diagram.nodes]
    yield from _listed("Nodes", nodes)
    yield from _listed("Connections", [_connection(edge, SPOKEN) for edge in diagram.edges])


def _listed(name: str, items: list[str]) -> Iterable[str]:
    more = [f"and {len(items) - LISTED} more"] if len(items) > LISTED else []
    if items:
        yield f"{name}: {'; '.join(items[:LISTED] + more)}."


def _spoken(node: NodeSpec, state: NodeState | None) -> str:
    return f"{_short(node.label, SPOKEN)} ({node.type})" + (f" {state}" if state else "")


def _connection(edge: Edge, length: int | None = None) -> str:
    handle = "" if edge.source_handle == DEFAULT else f" [{edge.source_handle}]"
    target = "" if edge.target_handle == DEFAULT else f" [{edge.target_handle}]"
    name = f" as {_short(edge.label, length)}" if edge.label else ""
    return f"{_short(edge.source, length)}{handle} → {_short(edge.target, length)}{target}{name}"


def _short(text: str, length: int | None) -> str:
    text = clean(text)
    return text if length is None or len(text) <= length else text[:length] + "…"


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
