"""Check a diagram against the known node types and make a `Program` of it.

Everything that is wrong is found at once: a node whose settings are wrong is stood in for, so that
what is around it can still be looked at. The checks themselves are in `checks/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from ..diagram.model import Diagram, Edge, Label, NodeSpec
from ..errors import DiagramError, Problem
from .checks.edges import check_ends, check_fields, check_twice
from .checks.flow import check_endless_loops, check_flow, parts_of
from .checks.labels import check_same_labels
from .checks.names import check_names
from .checks.other_templates import check_other_templates
from .checks.outside import (
    Outside,
    advise_on_powers,
    check_functions,
    check_kernel,
    check_keys,
    check_services,
)
from .checks.persons import (
    check_entries,
    check_secrets,
    check_use,
    persons_in_use,
)
from .checks.settings import (
    Unsound,
    at_field,
    build,
    check_effect,
    check_named_nodes,
    check_named_persons,
    check_node,
    duplicates,
    without_faults,
)
from .checks.texts import Texts, check_asked, read_texts
from .loops import Arc, Graph, find_loops
from .node import Node, NodeTypes
from .program import Program

_MOST_STRANGERS = 200
"""More than anybody reads; for each, the name that was meant is looked for."""


def compile_diagram(diagram: Diagram, node_types: NodeTypes) -> Program:
    """Make a diagram ready to run; raises `DiagramError` with everything that is wrong."""
    draft = _draft(diagram, node_types)
    problems = [*draft.problems, *_errors_of_the_whole(draft)]
    errors = [each for each in problems if each.severity == "error"]
    if errors or draft.program is None:
        raise DiagramError(*errors)
    return draft.program


def examine(
    diagram: Diagram,
    node_types: NodeTypes,
    *,
    partial: bool = False,
    outside: Outside | None = None,
) -> tuple[Program | None, list[Problem]]:
    """Find all problems, warnings and hints included.

    The program is None when there cannot be one. A `partial` diagram has lost some of its parts;
    so nothing is said that could be wrong because of them. What can be asked `outside` is.
    """
    draft = _draft(diagram, node_types, partial=partial)
    problems = [*draft.problems, *_advice(draft, outside)]
    leaks = {problem.path for problem in draft.problems if problem.code == "secret_in_diagram"}
    # That a field is unknown is no news beside that there is a key in it.
    problems = [
        each for each in problems if each.code == "secret_in_diagram" or each.path not in leaks
    ]
    if not partial and not _is_misnamed(diagram, problems):
        problems += check_use(diagram, draft.nodes)
        problems += _errors_of_the_whole(draft)
        problems += _advice_on_the_whole(draft)
    return (draft.program if draft.sound else None), list(dict.fromkeys(problems))


def _is_misnamed(diagram: Diagram, problems: Iterable[Problem]) -> bool:
    """Whether nodes or edges seem to stand under a name that means nothing."""
    names = {str(each.path[0]) for each in problems if each.code == "unknown_entry"}
    return any(isinstance(diagram.extra[name], list | dict) for name in names)


@dataclass(frozen=True)
class _Draft:
    """A diagram as far as it is understood; `problems` are the errors in its parts."""

    diagram: Diagram
    specs: Sequence[NodeSpec]
    nodes: Mapping[Label, Node]
    alone: Mapping[Label, Node]
    """The nodes, each looked at by itself: without those of its settings that are wrong."""
    edges: Sequence[tuple[int, Edge]]
    texts: Mapping[Label, Texts]
    problems: Sequence[Problem]
    sound: bool
    """Whether it can be run as far as its nodes and edges go."""
    node_types: NodeTypes

    @cached_property
    def program(self) -> Program | None:
        """The whole graph, when it has all its nodes and every edge has both its ends."""
        index = {label: number for number, label in enumerate(self.nodes)}
        edges = self.diagram.edges
        if not index or len(index) < len(self.diagram.nodes):
            return None
        if any(edge.source not in index or edge.target not in index for edge in edges):
            return None
        arcs = [
            Arc(number, index[edge.source], index[edge.target], edge.source_handle)
            for number, edge in enumerate(edges)
        ]
        graph = Graph(len(index), arcs)
        return Program(self.diagram, tuple(self.nodes.values()), graph, find_loops(graph))


def _draft(diagram: Diagram, node_types: NodeTypes, *, partial: bool = False) -> _Draft:
    specs, edges = list(diagram.nodes), list(enumerate(diagram.edges))
    problems: list[Problem] = []
    nodes: dict[Label, Node] = {}
    alone: dict[Label, Node] = {}
    if partial:  # what is left of a broken node or edge has been said to be wrong
        specs = [spec for spec in specs if spec.label and spec.type != "?"]
        known = {spec.label for spec in specs}
        edges = [(number, edge) for number, edge in edges if {edge.source, edge.target} <= known]
    else:
        problems += [*_nothing(diagram), *duplicates(diagram)]
    for spec in specs:
        try:
            alone[spec.label] = nodes[spec.label] = build(spec, node_types)
        except DiagramError as error:
            nodes[spec.label] = Unsound()
            alone[spec.label] = without_faults(spec, node_types, error.problems)
            problems += error.problems
    for number, edge in edges:
        problems += check_ends(number, edge, nodes)
    sound = not (problems or partial)
    texts = {spec.label: read_texts(spec, alone[spec.label]) for spec in specs}
    for spec in specs:
        problems += texts[spec.label].problems
        problems += check_node(spec, alone[spec.label], diagram)
        problems += _errors_inside(spec, alone[spec.label], node_types)
    problems += check_secrets(diagram)
    return _Draft(diagram, specs, nodes, alone, edges, texts, problems, sound, node_types)


def _errors_inside(spec: NodeSpec, node: Node, node_types: NodeTypes) -> Iterator[Problem]:
    """What is wrong with the diagram in a node, at the place of the node."""
    if (inner := node.inner()) is None:
        return
    field, reading = inner
    problems: Sequence[Problem] = reading.errors
    if not problems:
        try:
            compile_diagram(reading.diagram, node_types)
        except DiagramError as error:
            problems = error.problems
    yield from (_inside(spec, node, field, each) for each in problems)


def _advice_inside(draft: _Draft, outside: Outside | None) -> Iterator[Problem]:
    for spec in draft.specs:
        node = draft.alone[spec.label]
        if (inner := node.inner()) is None or inner[1].errors:
            continue
        field, reading = inner
        problems = examine(reading.diagram, draft.node_types, outside=outside)[1]
        for each in (*reading.problems, *problems):
            if each.severity != "error":
                yield _inside(spec, node, field, each)


def _inside(spec: NodeSpec, node: Node, field: str, problem: Problem) -> Problem:
    message = f"In the diagram of {spec.label!r}: {problem.message}"
    moved = replace(problem, message=message, line=None, column=None, within=None)
    return at_field(spec, node, moved, field)


def _nothing(diagram: Diagram) -> Iterator[Problem]:
    if not diagram.nodes:
        hint = "Begin with one of `type: start`."
        yield Problem("empty_diagram", "The diagram has no nodes.", None, ("nodes",), hint)


def _errors_of_the_whole(draft: _Draft) -> Iterator[Problem]:
    yield from islice(_strangers(draft), _MOST_STRANGERS)
    if draft.program is not None:
        yield from check_endless_loops(draft.program)


def _strangers(draft: _Draft) -> Iterator[Problem]:
    """Whoever is named and does not exist."""
    for spec in draft.specs:
        node = draft.alone[spec.label]
        yield from check_named_persons(spec, node, draft.diagram)
        yield from check_named_nodes(spec, node, draft.nodes)
        yield from check_asked(spec, node, draft.texts[spec.label], draft.nodes)


def _advice(draft: _Draft, outside: Outside | None) -> Iterator[Problem]:
    """Warnings and hints about single parts."""
    diagram = draft.diagram
    for spec in draft.specs:
        yield from check_effect(spec, draft.alone[spec.label])
        texts = draft.texts[spec.label]
        yield from check_other_templates(spec, draft.alone[spec.label], texts)
        yield from advise_on_powers(spec, draft.alone[spec.label])
    for number, edge in draft.edges:
        yield from check_fields(number, edge)
    yield from check_twice(draft.edges)
    yield from check_entries(diagram)
    yield from _advice_inside(draft, outside)
    if outside is not None:
        used = persons_in_use(draft.alone)
        for label, person in diagram.persons.items():
            if label in used:
                yield from outside.person(label, person)
        for spec in draft.specs:
            node = draft.alone[spec.label]
            yield from check_functions(spec, node, outside.function)
            yield from check_kernel(spec, node, outside.kernel)
            yield from check_keys(spec, node, outside.key)
            yield from check_services(spec, node, outside)


def _advice_on_the_whole(draft: _Draft) -> Iterator[Problem]:
    """Warnings and hints that take the whole graph."""
    if draft.program is not None:
        parts = parts_of(draft.program)
        yield from check_flow(draft.program, parts)
        # Edges whose handles are wrong may be meant for different branches.
        if not any(problem.code == "unknown_handle" for problem in draft.problems):
            yield from check_same_labels(draft.program)
        yield from check_names(draft.program, draft.texts, parts)
