"""Check a small diagram, and look at what is found."""

from __future__ import annotations

from textwrap import dedent

from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.errors import Problem
from dipeo_jupyter.nodes import load_node_types

TYPES = load_node_types()


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
