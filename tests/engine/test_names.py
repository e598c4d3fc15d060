"""What templates and expressions see: in which order, and nothing of what happens meanwhile."""

from __future__ import annotations

import sys
from itertools import permutations

import pytest

from dipeo_jupyter.protocol import events as e
from tests.running import run
from tests.steering import answering

PERSONS = """
persons:
  P: {service: demo}
"""


def shown(prompt, *edges, inputs=None, nodes=(), data="{}", **answers):
    """What `show` says, behind these edges; nodes other than `start` have an answer as value."""
    given = "".join(f"- {{label: {x}, type: user_response, prompt: '?'}}\n" for x in answers)
    outcome = run(
        f"nodes:\n- {{label: start, type: start, custom_data: {data}}}\n{given}"
        + "".join(f"- {{{node}}}\n" for node in nodes)
        + f"- {{label: show, type: person_job, person: P, prompt: '{prompt}'}}\n"
        + "connections:\n"
        + "".join(f"- {{{edge}}}\n" for edge in edges)
        + PERSONS,
        inputs,
        answers=answers,
    )
    return outcome.error if outcome.of(e.ExecutionFailed) else outcome.prompts("show")[-1]


FROM_A = "from: a, to: show"


def test_inputs_are_seen_by_the_labels_of_edges():
    assert "tea" == shown("{{topic}}", FROM_A + ", label: topic", a="tea")


def test_keys_of_an_unlabelled_object_are_names():
    assert "1 1" == shown("{{x}} {{default.x}}", FROM_A, a={"x": 1})


def test_keys_of_unlabelled_pairs_are_names_too():
    edges = FROM_A, "from: b, to: show"
    assert "1 2 1" == shown("{{x}} {{y}} {{a.x}}", *edges, a={"x": 1}, b={"y": 2})


@pytest.mark.parametrize("label", ["topic", "a", "b"])
def test_keys_of_a_labelled_object_are_no_names(label):
    error = shown("{{x}}", FROM_A + f", label: {label}", "from: b, to: show", a={"x": 1}, b=2)
    assert "`x` is not known here" in error.message


def test_what_stands_nearer_hides_what_is_farther():
    loop = "from: start, to: i", 'from: "i[condtrue]", to: show', "from: a, to: show, label: v"
    i = "label: i, type: condition, expression: 1 < 2, expose_index_as: COUNTER"

    def value(prompt, counter="n", inputs=None, data="{}"):
        nodes = [i.replace("COUNTER", counter)]
        return shown(prompt, *loop, nodes=nodes, inputs=inputs, data=data, a="answer")

    assert "answer" == value("{{v}}", counter="v", inputs={"v": "run"}, data="{v: start}")
    assert "run" == value("{{a}}", inputs={"a": "run"}, data="{a: start}")
    assert "start" == value("{{a}}", data="{a: start}")
    assert "answer" == value("{{a}}")


def test_a_counter_hides_the_inputs_of_the_run():
    nodes = ["label: i, type: condition, expression: 1 < 2, expose_index_as: v"]
    edges = "from: a, to: i", 'from: "i[condtrue]", to: show'
    assert "0" == shown("{{v}}", *edges, nodes=nodes, inputs={"v": "run"}, a="x")


def test_earlier_nodes_are_seen_by_label_however_far():
    edges = "from: a, to: b", "from: b, to: show"
    assert "first, second" == shown("{{a}}, {{b}}", *edges, a="first", b="second")


def test_a_label_with_spaces_is_a_name_too():
    edge = '"load rows"'
    text = shown("{{load rows}}", f"from: {edge}, to: show, label: x", **{"load rows": "here"})
    assert "here" == text


def test_the_earliest_of_several_starts_wins():
    nodes = ["label: later, type: start, custom_data: {v: 2, w: 2}"]
    edges = "from: later, to: show, label: b", "from: start, to: show, label: a"
    assert "1 2" == shown("{{v}} {{w}}", *edges, nodes=nodes, data="{v: 1}")


def test_data_of_a_start_is_seen_only_behind_it():
    nodes = ["label: far, type: start, custom_data: {v: 2}"]
    error = shown("{{v}}", "from: start, to: show", nodes=nodes)
    assert "`v` is not known here" in error.message


@pytest.mark.parametrize("prompt", ["{{nam}}", "hello\\n{{#if nam}}x{{/if}}"])
def test_an_unknown_name_fails_the_run_with_a_hint(prompt):
    error = shown(prompt, "from: start, to: show", inputs={"name": "Ann"})
    assert ("show", "prompt") == (error.node, error.field)
    assert "`nam` is not known here. Did you mean 'name'?" in error.message


def test_a_name_may_be_marked_as_optional():
    assert "[]" == shown("[{{nobody?}}]", "from: start, to: show")


def test_what_failed_or_was_skipped_has_no_value():
    nodes = [
        "label: bad, type: condition, expression: 1 / 0 > 1, on_error: continue",
        "label: skipped, type: job, code: return 1",
    ]
    edges = "from: start, to: bad", 'from: "bad[condtrue]", to: skipped', "from: skipped, to: show"
    edges = *edges, "from: start, to: show"
    assert "[] []" == shown("[{{bad?}}] [{{skipped?}}]", *edges, nodes=nodes)
    assert "`bad` is not known here" in shown("{{bad}}", *edges, nodes=nodes).message


def test_a_loop_shows_the_latest_value_of_each_node():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: a, type: user_response, prompt: "a after {{b?}}", max_iteration: 3}
- {label: b, type: user_response, prompt: "b after {{a}} and {{b?}}"}
- {label: done, type: condition, condition_type: detect_max_iterations}
- {label: end, type: user_response, prompt: "end after {{a}} and {{b}}"}
connections:
- {from: start, to: a}
- {from: a, to: b}
- {from: b, to: done}
- {from: "done[condfalse]", to: a}
- {from: "done[condtrue]", to: end}
""",
        steer=answering("a", "b", "a", "b", "a", "b", "end"),
    )
    assert [
        "a after ",
        "b after a1 and ",
        "a after b1",
        "b after a2 and b1",
        "a after b2",
        "b after a3 and b2",
        "end after a3 and b3",
    ] == questions(outcome)


def questions(outcome):
    return [each.question.prompt for each in outcome.of(e.InputRequired)]


PARALLEL = """
nodes:
- {label: start, type: start}
- {label: left, type: user_response, prompt: "?"}
- {label: middle, type: user_response, prompt: "?"}
- {label: right, type: user_response, prompt: "?"}
- {label: seen left, type: person_job, person: P, prompt: "NAMES"}
- {label: seen middle, type: person_job, person: P, prompt: "NAMES"}
- {label: seen right, type: person_job, person: P, prompt: "NAMES"}
- {label: after, type: person_job, person: P, prompt: "NAMES"}
connections:
- {from: start, to: left}
- {from: start, to: middle}
- {from: start, to: right}
- {from: left, to: seen left}
- {from: middle, to: seen middle}
- {from: right, to: seen right}
- {from: seen left, to: after}
- {from: seen middle, to: after}
- {from: seen right, to: after}
""".replace("NAMES", "{{left?}} {{middle?}} {{right?}} {{seen middle?}}")


@pytest.mark.parametrize("order", [*permutations(["left", "middle", "right"])])
def test_no_branch_sees_what_happened_meanwhile_in_another(order):
    outcome = run(PARALLEL + PERSONS, steer=answering(*order))
    assert ["left1   "] == outcome.prompts("seen left")
    assert [" middle1  "] == outcome.prompts("seen middle")
    assert ["  right1 "] == outcome.prompts("seen right")
    answer = outcome.completed("seen middle")[0].outputs["default"]
    assert [f"left1 middle1 right1 {answer}"] == outcome.prompts("after")


ROUNDS = """
nodes:
- {label: start, type: start}
- {label: a, type: user_response, prompt: "a: {{b?}} {{i}}", max_iteration: 3}
- {label: b, type: user_response, prompt: "b: {{a?}} {{i}}", max_iteration: 3}
- {label: done, type: condition, condition_type: detect_max_iterations}
- {label: head, type: condition, expression: "iterations('a') == iterations('b')",
   expose_index_as: i}
- {label: end, type: endpoint}
connections:
- {from: start, to: head}
- {from: "head[condtrue]", to: a}
- {from: "head[condtrue]", to: b}
- {from: a, to: done}
- {from: b, to: done}
- {from: "done[condfalse]", to: head}
- {from: "done[condtrue]", to: end}
"""


@pytest.mark.parametrize("second", ["ab", "ba"])
@pytest.mark.parametrize("first", ["ab", "ba"])
def test_in_a_loop_the_other_branch_is_a_round_behind(first, second):
    outcome = run(ROUNDS, steer=answering(*first, *second, *first))
    assert isinstance(outcome.last, e.ExecutionCompleted)
    expected = ["a:  0", "b:  0", "a: b1 1", "b: a1 1", "a: b2 2", "b: a2 2"]
    assert expected == questions(outcome)


COUNTING = """
nodes:
- {label: start, type: start}
- {label: fast, type: user_response, prompt: "?"}
- {label: slow, type: user_response, prompt: "?"}
- {label: quick, type: condition, expression: 1 < 2, expose_index_as: i}
- {label: late, type: condition, expression: "iterations('quick') > 0"}
- {label: yes, type: endpoint}
- {label: no, type: person_job, person: P, prompt: "{{i?}}"}
connections:
- {from: start, to: fast}
- {from: start, to: slow}
- {from: fast, to: quick}
- {from: slow, to: late}
- {from: "late[condtrue]", to: yes}
- {from: "late[condfalse]", to: no}
"""


@pytest.mark.parametrize("order", [*permutations(["fast", "slow"])])
def test_counters_and_iterations_of_another_branch_are_unseen(order):
    outcome = run(COUNTING + PERSONS, steer=answering(*order))
    assert [""] == outcome.prompts("no")
    assert ["yes"] == outcome.skipped


LONG = """
nodes:
- {label: start, type: start}
- {label: a, type: condition, condition_type: check_nodes_executed, node_indices: [start]}
- {label: b, type: condition, expression: "i >= ROUNDS", expose_index_as: i}
- {label: end, type: endpoint}
connections:
- {from: start, to: a}
- {from: "a[condtrue]", to: b}
- {from: "b[condfalse]", to: a}
- {from: "b[condtrue]", to: end}
"""


def calls_for(rounds):
    """How many calls of Python functions a run takes that goes round so often."""
    calls = 0

    def count(frame, what, _):
        nonlocal calls
        calls += what == "call"

    sys.setprofile(count)
    try:
        outcome = run(LONG.replace("ROUNDS", str(rounds)), max_rounds=1000)
    finally:
        sys.setprofile(None)
    assert outcome.completed("b")[-1].activation == rounds + 1
    return calls


def test_what_is_known_is_found_as_fast_in_a_late_round():
    calls_for(1)
    few, many = calls_for(50), calls_for(250)
    assert many - few < 5 * few
