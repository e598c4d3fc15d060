"""The four rules and their small additions, one named case each."""

from __future__ import annotations

import pytest

from dipeo_jupyter.errors import DiagramError
from tests.running import run

PERSONS = """
persons:
  P: {service: demo}
  Q: {service: demo}
"""
ITERATE = """
nodes:
- {label: start, type: start}
- {label: printer, type: person_job, person: P, prompt: say hi, max_iteration: 3}
- {label: check, type: condition, condition_type: detect_max_iterations}
- {label: ask, type: person_job, person: P, prompt: how many}
- {label: end, type: endpoint}
connections:
- {from: start, to: printer}
- {from: printer, to: check}
- {from: "check[condfalse]", to: printer}
- {from: "check[condtrue]", to: ask}
- {from: ask, to: end}
"""
BRANCH = """
nodes:
- {label: start, type: start}
- {label: big, type: condition, expression: n > 10}
- {label: large, type: job, code: return 'large'}
- {label: small, type: job, code: return 'small'}
- {label: after small, type: job, code: return default}
- {label: join, type: endpoint}
connections:
- {from: start, to: big}
- {from: "big[condtrue]", to: large}
- {from: "big[condfalse]", to: small}
- {from: small, to: after small}
- {from: after small, to: join}
- {from: large, to: join}
"""
DEBATE = """
nodes:
- {label: Start, type: start}
- {label: Topic, type: job, code: return 'tea'}
- {label: Optimist, type: person_job, person: P, first_only_prompt: "For {{topic}}",
   default_prompt: Argue against, max_iteration: 2, memorize_to: GOLDFISH}
- {label: Pessimist, type: person_job, person: Q, first_only_prompt: "Against {{topic}}",
   default_prompt: Argue against, max_iteration: 3, memorize_to: GOLDFISH}
- {label: Detect, type: condition, condition_type: detect_max_iterations}
- {label: Judge, type: person_job, person: J, prompt: Who won?, memorize_to: ALL_MESSAGES}
- {label: Save, type: endpoint}
connections:
- {from: Start, to: Topic}
- {from: Topic, to: "Optimist[first]", label: topic}
- {from: Topic, to: "Pessimist[first]", label: topic}
- {from: Optimist, to: Pessimist, content_type: conversation_state}
- {from: Pessimist, to: Detect, content_type: conversation_state}
- {from: "Detect[condfalse]", to: Optimist, content_type: conversation_state}
- {from: "Detect[condtrue]", to: Judge, content_type: conversation_state}
- {from: Judge, to: Save}
persons:
  P: {service: demo}
  Q: {service: demo}
  J: {service: demo}
"""


def test_a_loop_runs_until_its_limit_and_goes_on():
    outcome = run(ITERATE + PERSONS)

    rounds = [f"{label}[{n}]" for n in (1, 2, 3) for label in ("printer", "check")]
    assert ["start[1]", *rounds, "ask[1]", "end[1]"] == outcome.order
    assert not outcome.skipped


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_a_node_with_limit_m_runs_m_times(limit):
    outcome = run(ITERATE.replace("max_iteration: 3", f"max_iteration: {limit}") + PERSONS)

    assert limit == len(outcome.completed("printer")) == len(outcome.completed("check"))


def test_the_branch_not_taken_is_skipped_to_the_join():
    outcome = run(BRANCH, {"n": 11})

    assert ["start[1]", "big[1]", "large[1]", "join[1]"] == outcome.order
    assert ["small", "after small"] == outcome.skipped
    assert {"join": "large"} == outcome.outputs


def test_the_other_branch_reaches_the_same_join():
    outcome = run(BRANCH, {"n": 1})

    assert {"join": "small"} == outcome.outputs
    assert ["large"] == outcome.skipped


def test_a_debate_with_unequal_limits_comes_to_its_verdict():
    outcome = run(DEBATE)

    assert [
        "Start[1]", "Topic[1]",
        "Optimist[1]", "Pessimist[1]", "Detect[1]",
        "Optimist[2]", "Pessimist[2]", "Detect[2]",
        "Pessimist[3]", "Detect[3]",
        "Judge[1]", "Save[1]",
    ] == outcome.order  # fmt: skip
    assert ["Optimist"] == outcome.passed


def test_first_handle_and_first_prompt_count_once_only():
    outcome = run(DEBATE)

    assert ["For tea", "Argue against"] == outcome.prompts("Optimist")
    assert ["Against tea", "Argue against", "Argue against"] == outcome.prompts("Pessimist")
    assert {"topic": "tea"} == outcome.inputs("Pessimist")


REDUCED = """
nodes:
- {label: start, type: start}
- {label: opt, type: person_job, person: P, prompt: go, max_iteration: 2}
- {label: pess, type: person_job, person: Q, prompt: go, max_iteration: 3}
- {label: check, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: "opt[first]"}
- {from: start, to: "pess[first]"}
- {from: opt, to: check}
- {from: pess, to: check}
- {from: "check[condfalse]", to: opt}
- {from: "check[condfalse]", to: pess}
- {from: "check[condtrue]", to: end}
"""


def test_a_loop_with_two_entries_runs_both_every_round():
    outcome = run(REDUCED + PERSONS)

    counts = {label: len(outcome.completed(label)) for label in ("opt", "pess", "check")}
    assert {"opt": 2, "pess": 3, "check": 3} == counts


NESTED = """
nodes:
- {label: start, type: start}
- {label: outer, type: job, max_iteration: 2, code: return 'o'}
- {label: inner, type: job, max_iteration: 3, code: return 'i'}
- {label: inner done, type: condition, condition_type: detect_max_iterations}
- {label: outer done, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: outer}
- {from: outer, to: inner}
- {from: inner, to: inner done}
- {from: "inner done[condfalse]", to: inner}
- {from: "inner done[condtrue]", to: outer done}
- {from: "outer done[condfalse]", to: outer}
- {from: "outer done[condtrue]", to: end}
"""


def test_an_inner_loop_begins_anew_in_every_outer_round():
    outcome = run(NESTED)

    assert 2 == len(outcome.completed("outer"))
    assert 6 == len(outcome.completed("inner"))
    assert {"end": "i"} == outcome.outputs


def test_what_hangs_off_a_loop_runs_in_every_round():
    tail = """
- {label: log, type: job, code: return 'logged'}
- {label: report, type: job, code: return 'reported'}
connections:
- {from: printer, to: log}
- {from: log, to: report}
"""
    outcome = run(ITERATE.replace("\nconnections:\n", tail) + PERSONS)

    assert 3 == len(outcome.completed("log")) == len(outcome.completed("report"))


def test_an_edge_out_of_a_loop_carries_its_last_value():
    outcome = run(ITERATE + PERSONS)

    last = outcome.completed("printer")[-1].outputs["default"]
    assert {"default": last} == outcome.inputs("ask")


def test_nodes_with_limits_alone_end_their_loop():
    outcome = run(
        """
nodes:
- {label: a, type: job, max_iteration: 2, code: return 1}
- {label: b, type: job, max_iteration: 3, code: return 2}
- {label: end, type: endpoint}
connections: [{from: a, to: b}, {from: b, to: a}, {from: b, to: end}]
"""
    )

    assert (2, 3) == (len(outcome.completed("a")), len(outcome.completed("b")))


def test_what_hangs_off_does_not_keep_a_loop_going():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: a, type: job, max_iteration: 3, code: return 1}
- {label: log, type: job, code: return 2}
- {label: end, type: endpoint}
connections: [{from: start, to: a}, {from: a, to: a}, {from: a, to: log}, {from: log, to: end}]
"""
    )

    assert (3, 3, 3) == tuple(len(outcome.completed(label)) for label in ("a", "log", "end"))


def test_a_loop_that_never_ends_fails_and_is_named():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: again, type: condition, expression: 1 > 2}
- {label: end, type: endpoint}
connections:
- {from: start, to: again}
- {from: "again[condfalse]", to: again}
- {from: "again[condtrue]", to: end}
""",
        max_rounds=7,
    )

    assert "The loop 'again' went round 7 times" in outcome.error.message
    assert 7 == len(outcome.completed("again"))


def test_a_cycle_without_exit_is_refused_before_running():
    with pytest.raises(DiagramError, match="The loop 'a' → 'b' has no exit"):
        run(
            """
nodes:
- {label: a, type: job, code: return 1}
- {label: b, type: job, code: return 1}
connections: [{from: a, to: b}, {from: b, to: a}]
"""
        )


def test_join_any_runs_once_at_the_first_value():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: human, type: user_response, prompt: "?"}
- {label: quick, type: job, code: return 'quick'}
- {label: first, type: job, join: any, code: "return list(inputs)"}
connections:
- {from: start, to: human}
- {from: start, to: quick}
- {from: human, to: first, label: human}
- {from: quick, to: first, label: quick}
""",
        answers={"human": "late"},
        steer=None,
    )

    assert 1 == len(outcome.completed("first"))


def test_start_data_and_run_inputs_are_one_object():
    outcome = run(
        """
nodes:
- {label: start, type: start, custom_data: {a: 1, b: 1}}
- {label: end, type: endpoint}
connections: [{from: start, to: end}]
""",
        {"b": 2, "c": 3},
    )

    assert {"end": {"a": 1, "b": 2, "c": 3}} == outcome.outputs


def test_unlabelled_edges_arrive_under_their_sources_labels():
    outcome = run(
        """
nodes:
- {label: one, type: job, code: return 1}
- {label: two, type: job, code: return 2}
- {label: both, type: endpoint}
connections: [{from: one, to: both}, {from: two, to: both}]
"""
    )

    assert {"both": {"one": 1, "two": 2}} == outcome.outputs


def test_nodes_ready_together_start_in_file_order():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: z, type: job, code: return 1}
- {label: a, type: job, code: return 1}
- {label: m, type: job, code: return 1}
connections: [{from: start, to: m}, {from: start, to: a}, {from: start, to: z}]
"""
    )

    assert ["start[1]", "z[1]", "a[1]", "m[1]"] == outcome.order


def test_a_counting_condition_shows_its_index():
    outcome = run(
        """
nodes:
- {label: s, type: start}
- {label: c, type: condition, expression: i >= 3, expose_index_as: i}
- {label: w, type: person_job, person: P, prompt: "number {{i}}"}
- {label: e, type: endpoint}
connections:
- {from: s, to: c}
- {from: "c[condfalse]", to: w}
- {from: w, to: c}
- {from: "c[condtrue]", to: e}
"""
        + PERSONS
    )

    assert ["number 0", "number 1", "number 2"] == outcome.prompts("w")
    assert (4, 3) == (len(outcome.completed("c")), len(outcome.completed("w")))
