"""How the flow goes through the whole graph: where it begins, which ways it has, how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...diagram.model import DEFAULT
from ...errors import Problem, Severity
from ..loops import OUTSIDE, Graph, strongly_connected
from ..program import ERROR, Program
from .settings import Unsound

Parts = Sequence[Sequence[int]]
"""The strongly connected parts of the graph, each before those that it leads to."""


def parts_of(program: Program) -> Parts:
    """Nodes that go round together are one part; so whatever is sought needs one walk."""
    arcs = program.graph.outgoing
    parts = strongly_connected(
        range(program.graph.size), lambda node: [arc.target for arc in arcs[node]]
    )
    return parts[::-1]


def check_endless_loops(program: Program) -> Iterator[Problem]:
    """A cycle that no branch can leave goes on for ever, unless every node on it has a limit."""
    if not program.loops:
        return
    forward_only = Graph(
        program.graph.size, [arc for arc in program.graph.arcs if arc.handle == DEFAULT]
    )
    everything = range(forward_only.size)
    for part in strongly_connected(
        everything, lambda node: forward_only.successors(node, everything)
    ):
        if any(isinstance(program.nodes[node], Unsound) for node in part):
            continue
        unlimited = [node for node in sorted(part) if program.nodes[node].max_iteration is None]
        if unlimited and forward_only.is_cyclic(part):
            names = _around(program, part)
            yield _problem(
                program,
                unlimited[0],
                "endless_loop",
                f"The loop {names} has no exit: nothing in it can stop it going round.",
                "Put a condition into it, or give every node in it a max_iteration.",
                "error",
            )


def check_flow(program: Program, parts: Parts) -> Iterator[Problem]:
    """All warnings and hints about the flow."""
    for number, node in enumerate(program.nodes):
        if not isinstance(node, Unsound):
            yield from _sources(program, number)
            yield from _branches(program, number)
            yield from _joins(program, number)
            yield from _first(program, number)
    yield from _loops_without_entry(program, parts)
    yield from _without_limits(program, parts)


def _sources(program: Program, number: int) -> Iterator[Problem]:
    if not program.incoming[number] and program.nodes[number].inputs:
        label = program.labels[number]
        message = f"Nothing leads to node {label!r}; it runs once, at the beginning."
        hint = "Lead an edge to it from the start, unless this is what you want."
        yield _problem(program, number, "no_incoming_edge", message, hint)


def _branches(program: Program, number: int) -> Iterator[Problem]:
    node, label = program.nodes[number], program.labels[number]
    connected = {wire.handle for wire in program.outgoing[number]}
    if connected - set(node.output_handles()):
        return  # an edge names a handle wrongly, and that has been said
    missing = [handle for handle in node.handles if handle not in connected]
    if len(node.handles) > 1 and missing:
        names = " and ".join(repr(handle) for handle in missing)
        message = (
            f"Nothing follows {names} of node {label!r}; when it goes that way, it ends there."
        )
        hint = f"Lead an edge from {label}[{missing[0]}], unless this is what you want."
        yield _problem(program, number, "unconnected_branch", message, hint)
    if node.on_error == "edge" and ERROR not in connected:
        message = f"Node {label!r} has `on_error: edge`, and no edge for errors leaves it."
        hint = f"Lead one from {label}[{ERROR}]; as it is, errors vanish."
        yield _problem(program, number, "no_error_edge", message, hint, field="on_error")


def _joins(program: Program, number: int) -> Iterator[Problem]:
    node, label = program.nodes[number], program.labels[number]
    if node.join != "any":
        return
    if len(program.incoming[number]) > 1:
        message = f"Node {label!r} takes the first value to arrive: which one is a matter of time."
        hint = "So two runs with the same inputs may differ."
        yield _problem(program, number, "join_any", message, hint, "hint", field="join")
    else:
        message = f"Node {label!r}: `join: any` has no effect with fewer than two edges into it."
        yield _problem(program, number, "unused_setting", message, field="join")


def _first(program: Program, number: int) -> Iterator[Problem]:
    wires = program.incoming[number]
    others = [wire for wire in wires if not wire.first]
    if program.loop_of[number] != OUTSIDE or len(others) in (0, len(wires)):
        return
    label, source = program.labels[number], program.labels[others[0].source]
    message = (
        f"Node {label!r} runs once, with what comes by `first`; "
        f"what {source!r} brings never counts."
    )
    hint = f"Lead all edges to {label!r} without `first`."
    yield _problem(program, number, "first_without_loop", message, hint, "hint")


def _loops_without_entry(program: Program, parts: Parts) -> Iterator[Problem]:
    for part in parts:
        inside = frozenset(part)
        arcs = [arc for node in part for arc in program.graph.incoming[node]]
        if arcs and all(arc.source in inside for arc in arcs):
            names = _around(program, part)
            message = f"No way leads from a start into {names}; it begins by itself."
            hint = "Lead an edge into it from the start."
            yield _problem(program, min(part), "unreachable", message, hint)


def _without_limits(program: Program, parts: Parts) -> Iterator[Problem]:
    """Nodes that wait for limits to be reached where there are none."""
    asking = [number for number, node in enumerate(program.nodes) if node.looks_at_limits]
    if not asking:
        return
    before = _behind_limits(program, parts)
    limited = {
        loop.index: any(_may_limit(program, node) for node in loop.nodes) for loop in program.loops
    }
    for number in asking:
        loop = program.loop_of[number]
        if not (limited[loop] if loop != OUTSIDE else before[number]):
            where = "in its loop" if loop != OUTSIDE else "before it"
            label = program.labels[number]
            message = f"Node {label!r} is never true: no node {where} has a `max_iteration`."
            hint = "Give one to the nodes that it waits for."
            yield _problem(program, number, "no_limit", message, hint)


def _behind_limits(program: Program, parts: Parts) -> list[bool]:
    """Whether a node with a limit comes before each node."""
    found = [False] * len(program.nodes)
    for part in parts:
        sources = [arc.source for node in part for arc in program.graph.incoming[node]]
        behind = any(found[source] or _may_limit(program, source) for source in sources)
        for node in part:
            found[node] = behind
    return found


def _may_limit(program: Program, number: int) -> bool:
    node = program.nodes[number]
    return node.max_iteration is not None or isinstance(node, Unsound)


def _around(program: Program, part: Sequence[int]) -> str:
    """How people know a cycle: by the nodes on it, or by their number when there are many."""
    few = 8
    labels = [repr(program.labels[node]) for node in sorted(part)]
    rest = f" → … ({len(labels)} nodes)" if len(labels) > few else ""
    return " → ".join(labels[:few]) + rest


def _problem(  # noqa: PLR0913 - what a problem is made of
    program: Program,
    number: int,
    code: str,
    message: str,
    hint: str | None = None,
    severity: Severity = "warning",
    *,
    field: str | None = None,
) -> Problem:
    spec = program.diagram.nodes[number]
    path: tuple[str, ...] = ("nodes", spec.label)
    if field:
        path = (*path, program.nodes[number].as_written(field, spec.props))
    return Problem(code, message, spec.label, path, hint, severity)
