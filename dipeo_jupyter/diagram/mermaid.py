"""A diagram as Mermaid text: a flowchart that GitHub and many editors draw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Literal, TypeAlias

from ..errors import CommandError
from .drawing.flow import handle_words
from .drawing.glyphs import glyph_of, kind_of
from .drawing.palette import PALETTE
from .drawing.text import clean
from .model import DEFAULT, Diagram, Edge, Label, NodeSpec
from .picture import NodeState, detail

LONGEST = 60
"""A label is cut after so many letters: Mermaid breaks lines, but not words."""
MANY = 8
"""With more nodes than this the flow goes down: a page scrolls, but is not wide."""
SHAPES = {
    "start": ("([", "])"),
    "endpoint": ("([", "])"),
    "condition": ("{", "}"),
    "db": ("[(", ")]"),
    "user_response": ("[/", "/]"),
    "sub_diagram": ("[[", "]]"),
    "person_job": ("(", ")"),
    "person_batch_job": ("(", ")"),
}
BOX = ("[", "]")
STATES = {
    "running": "run",
    "waiting": "wait",
    "paused": "pause",
    "completed": "done",
    "failed": "fail",
    "cancelled": "idle",
    "skipped": "idle",
    "cached": "reuse",
}
"""The colours of states; a pending node looks like one without a state."""
MARKS = {
    "running": "▶",
    "waiting": "?",
    "paused": "Ⅱ",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "■",
    "skipped": "–",
    "cached": "↻",
}

# What means something in Mermaid's grammar, in its Markdown, or in HTML; `#` begins its entities.
_SPECIAL = re.compile(r"""[^\w\s.,:!?'·…→()/+=×%$§°-]|(?<!\w)_|_(?!\w)|^[\s\d]*[-+.)]|://|www\.""")

# Formulas, line breaks and icons, which entities do not stop: they get an unseen letter inside.
_MAGIC = re.compile(r"(?<=\$)(?=\$)|(?<=\\)(?=n)|(?<=:)(?=fa-)")


PictureKind: TypeAlias = Literal["svg", "mermaid"]


def picture_kind(file: str | None, asked: PictureKind | None = None) -> PictureKind:
    """What is drawn: what was asked for, else what a file's name says.

    Raises `CommandError` for a name that says something else.
    """
    suffix = PurePath(file or "").suffix.lower()
    if asked is not None or suffix in {"", ".svg"}:
        return asked or "svg"
    if suffix in {".mmd", ".mermaid"}:
        return "mermaid"
    message = f"There are no pictures as {suffix}: call it .svg, or .mmd for Mermaid."
    raise CommandError(message, code="unknown_format")


def mermaid(diagram: Diagram, states: Mapping[str, NodeState] | None = None) -> str:
    """The flowchart; `states` go by the labels of nodes, as for a picture.

    Nodes are called n0, n1, … in the diagram's order, so that no label can be a keyword.
    """
    states = states or {}
    names = {node.label: f"n{number}" for number, node in enumerate(diagram.nodes)}
    known = names.keys()
    lines = [
        *(_node(diagram, node, names[node.label], states) for node in diagram.nodes),
        *(_edge(edge, names) for edge in diagram.edges if {edge.source, edge.target} <= known),
        *_classes(diagram, states, names),
    ]
    way = "LR" if len(diagram.nodes) <= MANY else "TD"
    return "\n    ".join([f"flowchart {way}", *lines]) + "\n"


def _node(diagram: Diagram, node: NodeSpec, name: str, states: Mapping[str, NodeState]) -> str:
    state = states.get(node.label)
    opening, closing = SHAPES.get(kind_of(node.type), BOX)
    label = _escaped(_cut(clean(node.label)) or " ")
    below = _escaped(_cut(detail(diagram, node)))
    mark = ""
    if state is not None and state.status in MARKS:
        often = f" ×{state.count}" if state.count > 1 else ""
        mark = f"{MARKS[state.status]}{often} "
    return f'{name}{opening}"{mark}<b>{label}</b><br/><small>{below}</small>"{closing}'


def _edge(edge: Edge, names: Mapping[Label, str]) -> str:
    target = "" if edge.target_handle == DEFAULT else edge.target_handle
    words = [clean(each) for each in (handle_words(edge.source_handle), target, edge.label or "")]
    text = _escaped(_cut(" · ".join(filter(None, words))))
    label = f'|"{text}"|' if text else ""
    return f"{names[edge.source]} -->{label} {names[edge.target]}"


def _classes(
    diagram: Diagram, states: Mapping[str, NodeState], names: Mapping[Label, str]
) -> Iterator[str]:
    """One class for each kind of node and each state that is there, then who belongs to it."""
    members: dict[str, list[str]] = {}
    rules: dict[str, str] = {}
    for node in diagram.nodes:
        colour = _colour(node)
        rules[colour] = f"fill:{PALETTE[f'{colour}-ground'].light},stroke:{PALETTE[colour].light}"
        members.setdefault(colour, []).append(names[node.label])
        state = states.get(node.label)
        if state is not None and (outline := STATES.get(state.status)):
            dashed = ",stroke-dasharray:5 4" if state.status == "skipped" else ""
            rules[state.status] = f"stroke:{PALETTE[outline].light},stroke-width:3px{dashed}"
            members.setdefault(state.status, []).append(names[node.label])
    # Mermaid lets the class that is defined last decide.
    order = sorted(rules, key=lambda name: (name in STATES, name))
    for name in order:
        ink = "" if name in STATES else f",color:{PALETTE['ink'].light}"
        yield f"classDef {name} {rules[name]}{ink}"
    for name in order:
        yield f"class {','.join(members[name])} {name}"


def _colour(node: NodeSpec) -> str:
    return glyph_of(node.type).colour


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _escaped(text: str) -> str:
    """The text with entities for all that Mermaid or a browser would take for something else."""
    apart = _MAGIC.sub("\u2060", text)
    return _SPECIAL.sub(lambda found: "".join(f"#{ord(each)};" for each in found[0]), apart)
