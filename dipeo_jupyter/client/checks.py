"""What is looked at before a run begins."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagram.model import Diagram
from ..diagram.source import Reading
from ..diagram.suggest import with_nearest
from ..errors import CommandError, Problem
from ..protocol.commands import CheckDiagram
from .conversation import Client


async def check(client: Client, reading: Reading, folder: str = "") -> list[Problem]:
    """All problems of what was read, each once, in the order of the text; nothing is run.

    Whether there is what it needs, is seen from the `folder`.
    """
    # With errors in the text, parts of the diagram are missing.
    partial = bool(reading.errors)
    command = CheckDiagram(diagram=reading.diagram, folder=folder, partial=partial)
    ack = await client.send(command)
    located = (*reading.problems, *map(reading.source.locate, ack.result))
    # The edges of a chain stand in one place, and a node that is not there is missed by two.
    found: dict[object, Problem] = {}
    for each in located:
        found.setdefault((each.code, each.line, each.message), each)
    return sorted(found.values(), key=lambda problem: (problem.line or 0, problem.column or 0))


def check_answers(answers: Iterable[str], diagram: Diagram) -> None:
    """Raise `CommandError` when an answer is given for a node that does not exist."""
    labels = [spec.label for spec in diagram.nodes]
    for key in answers:
        if key not in labels and key.rpartition("[")[0] not in labels:
            message = f"There is no node {key!r} to answer for."
            raise CommandError(with_nearest(message, key, labels), code="unknown_node")
