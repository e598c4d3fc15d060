"""A node with one wrong setting is looked at all the same."""

from textwrap import dedent

from dipeo_jupyter.diagram import light
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.nodes import load_node_types


def codes(text):
    reading = light.survey(dedent(text)).checked()
    return {problem.code for problem in examine(reading.diagram, load_node_types())[1]}


def test_other_settings_are_checked_beside_a_wrong_one():
    found = codes("""
        nodes:
        - {label: ask, type: person_job, person: Bob, prompt: "{{topic", max_iteration: many}
        """)

    assert {"bad_property", "bad_template", "unknown_person"} <= found


def test_a_wrong_limit_makes_no_endless_loop():
    found = codes("""
        nodes:
        - {label: start, type: start}
        - {label: ask, type: person_job, person: Ann, prompt: Hi, max_iteration: many}
        edges: [start -> ask, ask -> ask]
        persons: {Ann: {service: demo}}
        """)

    assert {"bad_property"} == found


def test_a_wrong_policy_keeps_its_error_edge():
    found = codes("""
        nodes:
        - {label: work, type: job, code: 1 / 0, on_error: egde}
        - {label: late, type: endpoint}
        edges: ["work[error] -> late"]
        """)

    assert "unknown_handle" not in found
