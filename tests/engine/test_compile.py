"""What is wrong with a diagram is found before anything runs, all at once, and says where."""

from __future__ import annotations

from textwrap import dedent

import pytest

from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.compile import compile_diagram, examine
from dipeo_jupyter.errors import DiagramError
from dipeo_jupyter.nodes import load_node_types

TYPES = load_node_types()
START = "- {label: start, type: start}\n"


def problems(text):
    """Code, line and message of each problem."""
    reading = light.survey(dedent(text)).checked()
    diagram, source = reading.diagram, reading.source
    _, found = examine(diagram, TYPES)
    return [source.locate(problem) for problem in found]


def only(text):
    (problem,) = problems(text)
    return problem


@pytest.mark.parametrize(
    ("node", "code", "words"),
    [
        ("{label: a, type: jbo, code: x}", "unknown_type", "Did you mean 'job'?"),
        ("{label: a, type: typescript_ast}", "unknown_type", "the unknown type 'typescript_ast'"),
        ("{label: a, type: job, cod: x}", "unknown_property", "Did you mean 'code'?"),
        ("{label: a, type: user_response}", "missing_property", "needs the property 'prompt'"),
        ("{label: a, type: endpoint, max_iteration: 0}", "bad_property", "greater than or equal"),
        ("{label: a, type: condition}", "bad_property", "needs an `expression`"),
        ("{label: a, type: job, code: x, retry: 3}", "bad_property", "`retry` must be a map"),
        ("{label: a, type: job, code: x, join: al}", "bad_property", "Did you mean 'all'?"),
        ("{label: a, type: condition, expression: 1 +}", "bad_expression", "'a'"),
        ("{label: a, type: person_job, person: P, prompt: hi}", "unknown_person", "none of the"),
    ],
)
def test_a_wrong_node_is_named_with_its_line(node, code, words):
    found = [
        problem
        for problem in problems(f"nodes:\n{START}- {node}\nconnections: [{{from: start, to: a}}]")
        if problem.severity == "error"
    ]

    assert [(code, 3, "a")] * len(found) == [(x.code, x.line, x.node) for x in found]
    assert words in str(found[0])


@pytest.mark.parametrize(
    ("edge", "words"),
    [
        ("{from: 'start[condtrue]', to: end}", "Node 'start' has no output 'condtrue'"),
        ("{from: start, to: 'end[first]'}", "Node 'end' has no input 'first'"),
        ("{from: check, to: end}", "must say by which output: check[condtrue] or"),
        ("{from: end, to: check}", "has no outputs, so no edge can start there"),
        ("{from: check.true, to: start}", "has no inputs, so no edge can end there"),
        ("{from: 'check[condtru]', to: end}", "Did you mean 'condtrue'?"),
    ],
)
def test_a_wrong_handle_is_named_with_its_line(edge, words):
    nodes = (
        START
        + "- {label: check, type: condition, expression: 1 < 2}\n- {label: end, type: endpoint}"
    )
    found = [x for x in problems(f"nodes:\n{nodes}\nconnections:\n- {edge}") if x.line == 6]

    assert ["unknown_handle"] == [problem.code for problem in found]
    assert words in str(found[0])


def test_all_problems_are_found_at_once():
    found = problems(
        """
        nodes:
        - {label: a, type: nothing}
        - {label: b, type: job, kode: 1}
        - {label: c, type: endpoint, file_format: doc}
        """
    )

    assert {"a", "b", "c"} == {problem.node for problem in found}
    assert [3, 4, 5] == sorted(problem.line for problem in found)


def test_a_node_that_nothing_leads_to_is_a_warning():
    problem = only("nodes: [{label: a, type: job, code: return 1}]")

    assert ("no_incoming_edge", "warning") == (problem.code, problem.severity)


def test_a_loop_that_nothing_can_stop_is_an_error():
    found = problems(
        """
        nodes:
        - {label: start, type: start}
        - {label: a, type: job, code: return 1, max_iteration: 2}
        - {label: b, type: job, code: return 1}
        connections: [{from: start, to: a}, {from: a, to: b}, {from: b, to: a}]
        """
    )

    assert [("endless_loop", 5)] == [(problem.code, problem.line) for problem in found]


def test_an_empty_diagram_is_refused_with_a_sentence():
    with pytest.raises(DiagramError, match="has no nodes"):
        compile_diagram(light.loads("nodes: []"), TYPES)


def test_properties_that_only_draw_or_are_history_are_ignored():
    text = """
    nodes:
    - {label: start, type: start, trigger_mode: none, flipped: true}
    - {label: go, type: condition, expression: 1 < 2, skippable: true}
    - {label: end, type: endpoint}
    connections: [start -> go, go.true -> end, go.false -> end]
    """

    assert problems(text) == []


def test_the_ancestors_type_names_are_understood():
    text = "nodes:\n- {label: a, type: CODE_JOB, code: return 1}\n- {label: b, type: start}"

    assert not [problem for problem in problems(text) if problem.severity == "error"]
