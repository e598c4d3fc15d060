"""Check a diagram against the known node types and make a `Program` of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..diagram.model import DEFAULT, Diagram, Edge, NodeSpec
from ..diagram.suggest import did_you_mean
from ..diagram.wrong_values import WrongValue, wrong_values
from ..errors import DiagramError, Problem
from .loops import Arc, Graph, find_loops, strongly_connected
from .node import Node
from .program import Program

NodeTypes = Mapping[str, type[Node]]
"""Node types by name; aliases have entries of their own."""

DRAWING_ONLY = frozenset({"flipped"})
"""Properties that only say how a node is drawn."""


def compile_diagram(diagram: Diagram, node_types: NodeTypes) -> Program:
    """Make a diagram ready to run; raises `DiagramError` with everything that is wrong."""
    program, problems = examine(diagram, node_types)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or program is None:
        raise DiagramError(*errors)
    return program


def examine(diagram: Diagram, node_types: NodeTypes) -> tuple[Program | None, list[Problem]]:
    """Find all problems, warnings included; the program is None when there cannot be one."""
    problems = list(_duplicates(diagram))
    nodes: dict[str, Node] = {}
    for spec in diagram.nodes:
        try:
            nodes[spec.label] = _build(spec, node_types)
        except DiagramError as error:
            problems += error.problems
    if not diagram.nodes:
        problems.append(Problem("empty_diagram", "The diagram has no nodes."))
    labels = {spec.label: None for spec in diagram.nodes}
    for number, edge in enumerate(diagram.edges):
        problems += _check_edge(number, edge, labels, nodes)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    graph = _graph(diagram)
    program = Program(diagram, tuple(nodes.values()), graph, find_loops(graph))
    for spec in diagram.nodes:
        problems += _checked(spec, nodes[spec.label], diagram)
    problems += _sources(program)
    problems += _endless_loops(program)
    return program, problems


def _duplicates(diagram: Diagram) -> Iterator[Problem]:
    seen: set[str] = set()
    for spec in diagram.nodes:
        if spec.label in seen:
            message = f"Two nodes are called {spec.label!r}."
            hint = f"Rename one, for instance to {spec.label + '~1'!r}."
            yield Problem("duplicate_label", message, spec.label, ("nodes", spec.label), hint)
        seen.add(spec.label)


def _build(spec: NodeSpec, node_types: NodeTypes) -> Node:
    path = ("nodes", spec.label)
    node_type = node_types.get(spec.type.lower())
    if node_type is None:
        message = f"Node {spec.label!r} has the unknown type {spec.type!r}."
        hint = did_you_mean(spec.type, node_types)
        raise DiagramError(Problem("unknown_type", message, spec.label, (*path, "type"), hint))
    unused = node_type.ignored | DRAWING_ONLY
    settings = {name: value for name, value in spec.props.items() if name not in unused}
    try:
        return node_type.model_validate(settings)
    except ValidationError as error:
        # A property that is an alias of two is wrong twice.
        problems = dict.fromkeys(
            _property_problem(spec, node_type, detail, wrong)
            for detail, wrong in zip(error.errors(), wrong_values(error), strict=True)
        )
        raise DiagramError(*problems) from None


def _property_problem(
    spec: NodeSpec, node_type: type[Node], error: ErrorDetails, wrong: WrongValue
) -> Problem:
    name = str(error["loc"][0]) if error["loc"] else None
    path = ("nodes", spec.label, *error["loc"]) if name in spec.props else ("nodes", spec.label)
    where = f"Node {spec.label!r}"
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        if name in node_type.property_names():
            message = f"{where} has {name!r} and another name for the same."
            return Problem("bad_property", message, spec.label, path, "Leave one of them out.")
        message = f"{where} ({node_type.type}) has no property {name!r}."
        hint = did_you_mean(str(name), node_type.property_names())
        return Problem("unknown_property", message, spec.label, path, hint)
    if error["type"] == "missing" and len(error["loc"]) == 1:
        message = f"{where} ({node_type.type}) needs the property {name!r}."
        return Problem("missing_property", message, spec.label, path)
    return Problem("bad_property", f"{where}: {wrong.message}", spec.label, path, wrong.hint)


def _checked(spec: NodeSpec, node: Node, diagram: Diagram) -> Iterator[Problem]:
    """What the node finds; a property that it names is looked for under the name it has there."""
    for problem in node.check(spec.label, diagram):
        match problem.path:
            case ("nodes", spec.label, str(field), *rest):
                path = ("nodes", spec.label, node.as_written(field, spec.props), *rest)
                yield replace(problem, path=path)
            case _:
                yield problem


def _check_edge(
    number: int, edge: Edge, labels: Mapping[str, None], nodes: Mapping[str, Node]
) -> Iterator[Problem]:
    path = ("edges", number)
    for end in (edge.source, edge.target):
        if end not in labels:
            hint = did_you_mean(end, labels)
            yield Problem(
                "unknown_node", f"The edge {edge} names no node {end!r}.", end, path, hint
            )
    source, target = nodes.get(edge.source), nodes.get(edge.target)
    if source is not None:
        known = source.output_handles()
        if edge.source_handle not in known:
            yield _bad_handle(edge.source, edge.source_handle, "output", known, path)
    if target is not None and edge.target_handle not in target.inputs:
        yield _bad_handle(edge.target, edge.target_handle, "input", target.inputs, path)


def _bad_handle(
    label: str, handle: str, kind: str, known: tuple[str, ...], path: tuple[str | int, ...]
) -> Problem:
    if not known:
        verb = "start" if kind == "output" else "end"
        message = f"Node {label!r} has no {kind}s, so no edge can {verb} there."
        return Problem("unknown_handle", message, label, path)
    if handle == DEFAULT:
        choice = " or ".join(f"{label}[{each}]" for each in known)
        message = f"An edge from {label!r} must say by which {kind}: {choice}."
        return Problem("unknown_handle", message, label, path)
    message = f"Node {label!r} has no {kind} {handle!r}."
    return Problem("unknown_handle", message, label, path, did_you_mean(handle, known))


def _graph(diagram: Diagram) -> Graph:
    index = {spec.label: number for number, spec in enumerate(diagram.nodes)}
    return Graph(
        len(diagram.nodes),
        [
            Arc(number, index[edge.source], index[edge.target], edge.source_handle)
            for number, edge in enumerate(diagram.edges)
        ],
    )


def _sources(program: Program) -> Iterator[Problem]:
    for label, node, incoming in zip(program.labels, program.nodes, program.incoming, strict=True):
        if not incoming and node.inputs:
            message = f"Nothing leads to node {label!r}; it runs once, at the beginning."
            path = ("nodes", label)
            yield Problem("no_incoming_edge", message, label, path, severity="warning")


def _endless_loops(program: Program) -> Iterator[Problem]:
    """A cycle that no branch can leave goes on for ever, unless every node on it has a limit."""
    forward_only = Graph(
        program.graph.size, [arc for arc in program.graph.arcs if arc.handle == DEFAULT]
    )
    everything = range(forward_only.size)
    for part in strongly_connected(
        everything, lambda node: forward_only.successors(node, everything)
    ):
        unlimited = [node for node in sorted(part) if program.nodes[node].max_iteration is None]
        if unlimited and forward_only.is_cyclic(part):
            label = program.labels[unlimited[0]]
            names = " → ".join(repr(program.labels[node]) for node in sorted(part))
            yield Problem(
                "endless_loop",
                f"The loop {names} has no exit: nothing in it can stop it going round.",
                label,
                ("nodes", label),
                "Put a condition into it, or give every node in it a max_iteration.",
            )
