"""Compiling with the node types of an engine, so that the event loop lives meanwhile."""

from __future__ import annotations

from ..diagram.model import Diagram
from .compile import compile_diagram
from .node import NodeTypes
from .pace import at_length, my_turn, without_collecting
from .program import Program
from .state import ExecutionState

LARGE = 300
"""Compiling a diagram of more nodes than this would hold up the loop for too long."""


class Compiler:
    def __init__(self, node_types: NodeTypes) -> None:
        self.node_types = node_types

    def at_once(self, diagram: Diagram) -> Program:
        """Compile in this thread; raises `DiagramError` with everything that is wrong."""
        return compile_diagram(diagram, self.node_types)

    async def compile(self, diagram: Diagram) -> Program:
        """The same; what takes long is done beside the loop."""
        if not _is_slow(diagram):
            return self.at_once(diagram)
        program = await at_length(self._whole, diagram)
        await my_turn()
        return program

    def _whole(self, diagram: Diagram) -> Program:
        with without_collecting():
            program = self.at_once(diagram)
            # Finds out what the program remembers, which takes long, too.
            _ = ExecutionState(program), program.text
        return program


def _is_slow(diagram: Diagram) -> bool:
    """Large diagrams, and those with a JSON Schema: importing its library takes seconds."""
    return len(diagram.nodes) > LARGE or any(
        name.endswith("schema") for spec in diagram.nodes for name in spec.props
    )
