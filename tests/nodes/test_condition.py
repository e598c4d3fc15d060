"""`condition`: which of two ways a run takes."""

from __future__ import annotations

import pytest

from dipeo_jupyter.errors import DiagramError
from tests.running import run

ENDS = """
- {label: yes, type: endpoint}
- {label: no, type: endpoint}
"""
WAYS = """
- {from: "if[condtrue]", to: yes}
- {from: "if[condfalse]", to: no}
"""
ANSWERS = {"a": 1, "b": 2, "limit": 3, "load": [1, 2], "step": "x", "outer": "y", "before": 0}
"""What nodes whose value matters are given, instead of code to run."""


def given(*labels, more=""):
    """Nodes that have a value without running any code."""
    return "\n".join(f"- {{label: {x}, type: user_response, prompt: '?'{more}}}" for x in labels)


def decided(condition, inputs=None, *, nodes="", edges="- {from: start, to: if}\n"):
    return run(
        "nodes:\n- {label: start, type: start}\n"
        f"- {{label: if, type: condition, {condition}}}\n{nodes.strip()}{ENDS}"
        f"connections:\n{edges.strip()}{WAYS}",
        inputs,
        answers=ANSWERS,
    )


def way(*args, **kwargs):
    (label,) = decided(*args, **kwargs).outputs
    return label


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("n > 3 and 'a' in words", "yes"),
        ("n % 2 == 0 or not words", "yes"),
        ("len(words) > 2", "no"),
        ("default.n == 4", "yes"),
        ("start.n == 4", "yes"),
        ("words[0] == 'b'", "no"),
        ("0", "no"),
        ("words", "yes"),
    ],
)
@pytest.mark.parametrize("kind", ["expression", "custom"])
def test_an_expression_chooses_the_way(kind, expression, expected):
    condition = f'condition_type: {kind}, expression: "{expression}"'
    assert expected == way(condition, {"n": 4, "words": ["a", "b"]})


def test_both_ways_hand_on_the_value_that_came():
    assert {"yes": {"n": 1}} == decided("expression: n == 1", {"n": 1}).outputs
    assert {"no": {"n": 1}} == decided("expression: n == 2", {"n": 1}).outputs


def test_labelled_values_serve_the_expression_only():
    nodes = given("limit")
    edges = "- {from: start, to: if}\n- {from: limit, to: if, label: most}"
    outcome = decided("expression: n < most", {"n": 1}, nodes=nodes, edges=edges)
    assert {"yes": {"n": 1}} == outcome.outputs


def test_several_values_are_handed_on_by_name():
    nodes = given("a", "b")
    edges = "- {from: a, to: if}\n- {from: b, to: if}"
    outcome = decided("expression: a < b", nodes=nodes, edges=edges)
    assert {"yes": {"a": 1, "b": 2}} == outcome.outputs


def test_an_expression_sees_earlier_nodes_by_label():
    nodes = given("load", "a")
    edges = "- {from: load, to: a}\n- {from: a, to: if}"
    assert "yes" == way("expression: len(load) == 2", nodes=nodes, edges=edges)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("missing > 3", "`missing` is not known here"),
        ("score > 3", "Did you mean 'scores'?"),
        ("scores > 3", "`>` cannot compare a list with a number"),
        ("1 / 0 > 1", "divided by zero"),
        ("iterations('no' + 'body') > 1", "There is no node 'nobody'"),
        ("iterations(3) > 1", "write the label of one node, in quotes"),
        ("iterations() > 1", "write the label of one node, in quotes"),
    ],
)
def test_an_error_is_an_error_and_not_false(expression, said):
    error = decided(f'expression: "{expression}"', {"scores": [1]}).error
    assert ("if", "expression") == (error.node, error.field)
    assert said in error.message


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("expression: a >", "bad_expression"),
        ("expression: size(a) > 1", "bad_expression"),
        ("condition_type: expression", "bad_property"),
        ("condition_type: custom, expression: '  '", "bad_property"),
        ("condition_type: check_nodes_executed", "bad_property"),
        ("condition_type: check_nodes_executed, node_indices: [strat]", "unknown_node"),
        ("condition_type: maybe", "bad_property"),
    ],
)
def test_what_cannot_be_decided_is_found_before_running(condition, code):
    with pytest.raises(DiagramError) as caught:
        decided(condition)
    assert [code] == [problem.code for problem in caught.value.problems]


def test_an_unknown_node_is_answered_with_the_nearest():
    with pytest.raises(DiagramError, match="Did you mean 'start'"):
        decided("condition_type: check_nodes_executed, nodes: [strat]")


def test_check_nodes_executed_asks_whether_all_have_run():
    nodes = given("a", "b")
    check = "condition_type: check_nodes_executed, node_indices: [{}]"
    edges = "- {from: a, to: if}"
    assert "yes" == way(check.format("a"), nodes=nodes, edges=edges)
    assert "no" == way(check.format("a, b"), nodes=nodes, edges=edges)


COUNT = """
nodes:
- {label: start, type: start}
- {label: step, type: user_response, prompt: '?'}
- {label: enough, type: condition, expression: "iterations('step') >= 3"}
- {label: end, type: endpoint}
connections:
- {from: start, to: step}
- {from: step, to: enough}
- {from: "enough[condfalse]", to: step}
- {from: "enough[condtrue]", to: end}
"""


def test_iterations_counts_the_turns_of_a_node():
    assert 3 == len(run(COUNT, answers=ANSWERS).completed("step"))


def test_iterations_counts_anew_when_a_loop_is_entered_again():
    outer = """
- {label: outer, type: user_response, prompt: '?'}
- {label: twice, type: condition, expression: "iterations('outer') >= 2"}
connections:
- {from: start, to: outer}
- {from: outer, to: step}
- {from: "enough[condtrue]", to: twice}
- {from: "twice[condfalse]", to: outer}
- {from: "twice[condtrue]", to: end}
"""
    text = COUNT.replace("connections:\n- {from: start, to: step}", outer.strip())
    outcome = run(text.replace('- {from: "enough[condtrue]", to: end}\n', ""), answers=ANSWERS)
    assert (2, 6) == (len(outcome.completed("outer")), len(outcome.completed("step")))


def test_before_its_first_turn_in_a_loop_a_node_has_none():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: outer, type: user_response, prompt: '?'}
- {label: enough, type: condition, expression: "iterations('step') >= 2"}
- {label: step, type: user_response, prompt: '?'}
- {label: twice, type: condition, expression: "iterations('outer') >= 2"}
- {label: end, type: endpoint}
connections:
- {from: start, to: outer}
- {from: outer, to: enough}
- {from: "enough[condfalse]", to: step}
- {from: step, to: enough}
- {from: "enough[condtrue]", to: twice}
- {from: "twice[condfalse]", to: outer}
- {from: "twice[condtrue]", to: end}
""",
        answers=ANSWERS,
    )
    assert (6, 4) == (len(outcome.completed("enough")), len(outcome.completed("step")))


@pytest.mark.parametrize(("limits", "rounds"), [((1, 1), 1), ((2, 3), 3), ((4, 2), 4)])
def test_detect_waits_for_every_limit_in_its_loop(limits, rounds):
    outcome = run(
        f"""
nodes:
- {{label: start, type: start}}
- {{label: before, type: user_response, prompt: '?', max_iteration: 9}}
- {{label: a, type: user_response, prompt: '?', max_iteration: {limits[0]}}}
- {{label: b, type: user_response, prompt: '?', max_iteration: {limits[1]}}}
- {{label: done, type: condition, condition_type: detect_max_iterations}}
- {{label: end, type: endpoint}}
connections:
- {{from: start, to: before}}
- {{from: before, to: a}}
- {{from: a, to: b}}
- {{from: b, to: done}}
- {{from: "done[condfalse]", to: a}}
- {{from: "done[condtrue]", to: end}}
""",
        answers=ANSWERS,
    )
    assert (*limits, rounds) == tuple(len(outcome.completed(x)) for x in ("a", "b", "done"))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [("", "no"), (", max_iteration: 1", "yes"), (", max_iteration: 2", "no")],
)
def test_outside_a_loop_detect_looks_at_all_before_it(limits, expected):
    nodes = given("a", "b", more=limits)
    edges = "- {from: start, to: a}\n- {from: a, to: b}\n- {from: b, to: if}"
    assert expected == way("condition_type: detect_max_iterations", nodes=nodes, edges=edges)


def test_after_a_loop_detect_sees_its_limits_reached():
    nodes = """
- {label: a, type: user_response, prompt: '?', max_iteration: 2}
- {label: again, type: condition, condition_type: detect_max_iterations}
"""
    edges = """
- {from: start, to: a}
- {from: a, to: again}
- {from: "again[condfalse]", to: a}
- {from: "again[condtrue]", to: if}
"""
    assert "yes" == way("condition_type: detect_max_iterations", nodes=nodes, edges=edges)
