"""Small random diagrams for the scheduler, and nodes that are a function of what they see."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.engine.node import Context, Inputs, Node, Result
from dipeo_jupyter.engine.program import Program


class Box(Node):
    """One way on."""

    type: ClassVar[str] = "box"
    inputs: ClassVar[tuple[str, ...]] = ("default", "first")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result(behave("", ctx.node, ctx.activation, inputs, self.handles))


class Fork(Box):
    """Two ways on, of which it takes one."""

    type: ClassVar[str] = "fork"
    handles: ClassVar[tuple[str, ...]] = ("condtrue", "condfalse")


TYPES: dict[str, type[Node]] = {"box": Box, "fork": Fork}


def behave(
    seed: str, label: str, activation: int, inputs: Mapping[str, Any], handles: tuple[str, ...]
) -> dict[str, str]:
    """What a node hands on: its value depends on all it was given; now and then it is nothing."""
    said = f"{seed}/{label}/{activation}/{sorted(inputs.items())}"
    digest = hashlib.sha256(said.encode()).digest()
    if len(handles) == 1 and digest[0] < 12:
        return {}
    return {handles[digest[1] % len(handles)]: f"{label}.{activation}.{digest.hex()[:6]}"}


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Any drawing of 2 to 9 nodes: branches, joins, loops in loops, `first` handles, limits."""
    size = draw(st.integers(2, 9))
    kinds = draw(st.lists(st.sampled_from(["box", "box", "fork"]), min_size=size, max_size=size))
    limits = draw(st.lists(st.sampled_from([None, None, 1, 2, 3]), min_size=size, max_size=size))
    nodes = tuple(
        NodeSpec(label=f"n{i}", type=kind, props={"max_iteration": limit} if limit else {})
        for i, (kind, limit) in enumerate(zip(kinds, limits, strict=True))
    )
    place = st.integers(0, size - 1)
    pairs = draw(st.lists(st.tuples(place, place), min_size=1, max_size=14))
    edges = []
    for number, (source, target) in enumerate(pairs):
        handle = draw(st.sampled_from(TYPES[kinds[source]].handles))
        first = draw(st.integers(0, 5)) == 0
        edges.append(
            Edge(
                source=f"n{source}",
                target=f"n{target}",
                source_handle=handle,
                target_handle="first" if first else "default",
                label=f"e{number}",
            )
        )
    return Diagram(nodes=nodes, edges=tuple(edges))


def program_of(diagram: Diagram) -> Program:
    """Compile, endless loops included: `max_rounds` ends them here."""
    program, _ = examine(diagram, TYPES)
    assert program is not None
    return program
