"""Check a small diagram, and look at what is found."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.checks.outside import CheckPerson, Outside
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.errors import Problem
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.services.collections import SqlCollections
from dipeo_jupyter.services.kernel import NotebookKernel, no_notebook
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.notion import NotionService
from dipeo_jupyter.services.tools import Functions

TYPES = load_node_types()


def nothing_outside(person: CheckPerson) -> Outside:
    """An outside world that has nothing in it but whoever speaks with models."""
    return Outside(
        person,
        Functions().find,
        NotebookKernel(no_notebook).look,
        Keys({}).for_host,
        NotionService(lambda: None).look,
        SqlCollections(Path("nowhere"), {}).look,
    )


def check(text: str, **options) -> list[Problem]:
    """All that is found, with its line."""
    reading = light.survey(dedent(text))
    _, found = examine(reading.checked().diagram, TYPES, **options)
    return [reading.source.locate(problem) for problem in found]


def codes(text: str, **options) -> list[str]:
    return [problem.code for problem in check(text, **options)]


def flow(nodes: str, edges: str, *, persons: str = "") -> str:
    """A diagram of a start, these nodes (`a: {type: job}`), and these edges."""
    lines = [line.split(": ", 1) for line in dedent(nodes).strip().splitlines()]
    listed = [f"- {{label: {label}, {fields[1:]}" for label, fields in lines]
    arrows = [f"- {line}" for line in dedent(edges).strip().splitlines()]
    people = [f"  {line}" for line in dedent(persons).strip().splitlines()]
    return "\n".join(
        ["nodes:", "- {label: start, type: start}", *listed, "connections:", *arrows]
        + (["persons:", *people] if people else [])
    )
