"""Diagrams in files, for the nodes that run them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from ..diagram.files import FORMATS, SUFFIXES, Format, survey_text
from ..diagram.source import Reading
from ..engine.ports import Files
from ..errors import DiagramError, NodeError, ServiceError

ENDINGS = (".yaml", ".yml", ".json")


async def read_diagram(name: str, kind: Format | None, files: Files, field: str) -> Reading:
    """What a file holds, whose suffix may be left out. Raises `NodeError` for this property."""
    try:
        path = name
        for path in _paths(name, kind):
            if await files.exists(path):
                break
        text = await files.read(path)
    except ServiceError as error:
        raise NodeError(f"cannot read the diagram: {error}", field=field) from error
    return await asyncio.to_thread(survey_text, text, path, named=True)


async def readable_diagrams(name: str, kind: Format | None, files: Files) -> AsyncIterator[Reading]:
    """The diagram in a file, if there is one that can be read."""
    with suppress(NodeError):
        yield await read_diagram(name, kind, files, "")


def _paths(name: str, kind: Format | None) -> list[str]:
    """The files that a name may mean; the last is the one to complain about."""
    suffixes = [*(SUFFIXES[each] for each in ((kind,) if kind else FORMATS)), *ENDINGS]
    more = [] if name.lower().endswith(ENDINGS) else [f"{name}{each}" for each in suffixes]
    return [*more, name]


def wrong_diagram(
    reading: Reading, error: DiagramError, field: str, *, inline: bool = False
) -> NodeError:
    """What is wrong with a diagram, as an error of the node that has it, or names its file."""
    first, *others = error.problems
    problem = first.at(None) if inline else reading.source.locate(first)
    more = f" ({len(others)} more)" if others else ""
    which = "in it" if inline else repr(reading.source.name)
    message = f"the diagram {which} is wrong: {problem}{more}"
    details = "\n".join(
        str(each.at(None) if inline else reading.source.locate(each)) for each in others
    )
    return NodeError(message, field=field, details=details or None)


def result_of(outputs: Mapping[str, Any]) -> Any:
    """What a diagram comes to: of one endpoint its value, of several an object by label."""
    return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs) or None
