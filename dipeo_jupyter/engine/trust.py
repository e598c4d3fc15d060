"""Which powers a diagram asks for, and whether it may have them.

What people write themselves is theirs. What may have come from elsewhere runs only with powers that
somebody has granted, for this run or for good: those of the diagram itself, and of all diagrams in
files that it runs. The powers of a run are in its journal, so that nobody is asked twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from ..diagram.model import Diagram, NodeSpec
from ..diagram.source import Reading, Source
from ..errors import DiagramError, NodeError, ServiceError, UntrustedError
from ..protocol.commands import AskedPower
from .checks.settings import build
from .node import Node, NodeTypes
from .pace import my_turn
from .ports import Services
from .powers import Power
from .program import Program

DEEPEST = 10
"""Levels of diagrams within diagrams that are looked into, as many as can be run."""
MOST = 500
"""Diagrams that are looked into."""
AT_ONCE = 500
"""Nodes that are looked at before others have a turn."""
HOW = (
    "Look at it first. Then run it with `trust=True` (in a terminal `--trust`), or trust it until "
    "it changes: `dipeo trust FILE`."
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a diagram stands: in which file, if not in the one that is run; and how deep."""

    source: Source | None = None
    around: str = ""
    depth: int = 0


async def powers_of(
    program: Program, node_types: NodeTypes, services: Services
) -> list[AskedPower]:
    """All powers for which people are asked, each with what it is known by; nothing is run.

    A diagram in a file that cannot be read is left out: it is looked at again when it is run.
    """
    pairs = zip(program.diagram.nodes, program.nodes, strict=True)
    finder = _Finder(node_types, services)
    return [each async for each in finder.of_nodes(list(pairs), _Place())]


async def powers_in(
    diagram: Diagram, node_types: NodeTypes, services: Services, source: Source
) -> list[AskedPower]:
    """The same for a diagram in a file, which is not compiled yet."""
    finder = _Finder(node_types, services)
    return [each async for each in finder.of_diagram(diagram, _Place(source))]


def refuse(powers: Iterable[AskedPower], run: str | None = None) -> UntrustedError:
    """What to say when powers are asked for that nobody has granted: by a diagram, or a `run`."""
    asked = tuple(powers)
    lines = "\n".join(f"- {each}" for each in asked)
    if run is not None:
        message = f"Another user may have begun {run}, and it asks for more than a sandbox gives:"
        how = f"Look at it first. If it is yours: `dipeo trust {run}`."
        return UntrustedError(f"{message}\n{lines}\n{how}", powers=asked)
    message = f"The diagram may have come from elsewhere, and asks for more than it has:\n{lines}"
    return UntrustedError(f"{message}\n{HOW}", powers=asked)


def missing(
    powers: Sequence[AskedPower], granted: Collection[str], *, foreign: bool
) -> list[AskedPower]:
    """Those that nobody has granted. What stands in the diagram itself is its owner's own."""
    return [
        each
        for each in powers
        if not each.trusted and each.digest not in granted and (foreign or each.file is not None)
    ]


def check_script(power: Power, text: str, services: Services, granted: Collection[str]) -> None:
    """Raise `NodeError` when a script is not, or not any more, the one that was trusted."""
    digest = power.digest(text)
    if digest not in granted and not services.trust.knows(digest):
        message = f"{power.says}, and {power.script!r} is not what was trusted. {HOW}"
        raise NodeError(message, field=power.field)


class _Finder:
    def __init__(self, node_types: NodeTypes, services: Services) -> None:
        self._node_types = node_types
        self._services = services
        self._seen = 0

    async def of_nodes(
        self, nodes: Sequence[tuple[NodeSpec, Node]], place: _Place
    ) -> AsyncIterator[AskedPower]:
        for number, (spec, node) in enumerate(nodes):
            if number % AT_ONCE == AT_ONCE - 1:
                await my_turn()  # or a large diagram would hold up the loop
            for power in node.powers():
                if self._services.trust.minds(power):
                    yield await self._asked(spec, node, power, place)
            if (inner := node.inner()) is not None:
                async for each in self._inside(spec, inner[1], place, place.source):
                    yield each
            for reading in await node.diagrams(self._services.files):
                async for each in self._inside(spec, reading, place, reading.source):
                    yield each

    async def of_diagram(self, diagram: Diagram, place: _Place) -> AsyncIterator[AskedPower]:
        nodes = []
        for spec in diagram.nodes:
            try:
                nodes.append((spec, build(spec, self._node_types)))
            except DiagramError:  # it cannot be run
                continue
        async for each in self.of_nodes(nodes, place):
            yield each

    async def _inside(
        self, spec: NodeSpec, reading: Reading, place: _Place, source: Source | None
    ) -> AsyncIterator[AskedPower]:
        self._seen += 1
        if reading.errors or place.depth >= DEEPEST or self._seen > MOST:
            return
        around = f"{place.around}{spec.label}/"
        inner = replace(place, source=source, around=around, depth=place.depth + 1)
        async for each in self.of_diagram(reading.diagram, inner):
            yield each

    async def _asked(self, spec: NodeSpec, node: Node, power: Power, place: _Place) -> AskedPower:
        digest = power.digest(await self._outside(power))
        written = node.as_written(power.field, spec.props) if power.field else None
        path = ("nodes", spec.label, *([written] if written else []))
        return AskedPower(
            code=power.code,
            node=f"{place.around}{spec.label}",
            says=power.says,
            hint=power.hint,
            path=path,
            file=place.source.name if place.source else None,
            line=place.source.line_of(*path) if place.source else None,
            digest=digest,
            trusted=self._services.trust.knows(digest),
        )

    async def _outside(self, power: Power) -> str | None:
        try:
            if power.script is not None:
                return await self._services.files.read(power.script)
            if power.server is not None:
                return await self._services.tools.described(power.server)
        except (NodeError, ServiceError):  # it is not there, and so cannot be used
            return None
        return None
