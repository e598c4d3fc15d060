"""`start`: where a run gets its data from."""

from __future__ import annotations

import pytest

from dipeo_jupyter.errors import DiagramError
from tests.running import run

SCHEMA = "{type: object, required: [n], properties: {n: {type: integer, minimum: 1}}}"


def started(settings, inputs=None):
    return run(f"nodes: [{{label: start, type: start, {settings}}}]", inputs)


@pytest.mark.parametrize("name", ["custom_data", "initialData", "data"])
def test_run_inputs_lie_on_top_of_own_data(name):
    outcome = started(f"{name}: {{a: 1, b: 1}}", {"b": 2, "c": 3})
    assert {"start": {"a": 1, "b": 2, "c": 3}} == outcome.outputs


def test_without_any_data_it_hands_on_an_empty_object():
    assert {"start": {}} == started("").outputs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("""'{"a": [1]}'""", {"a": [1]}),
        ("' [1, 2] '", [1, 2]),
        ("'{no json'", "{no json"),
        ("hello", "hello"),
        ("'12'", "12"),
        ("7", 7),
        ("false", False),
    ],
)
def test_json_text_is_read_and_other_data_kept(text, value):
    assert {"start": value} == started(f"data: {text}").outputs


def test_run_inputs_replace_data_that_is_no_object():
    assert {"start": {"a": 1}} == started("data: hello", {"a": 1}).outputs


def test_data_that_fits_its_schema_goes_on():
    assert {"start": {"n": 2}} == started(f"data_schema: {SCHEMA}", {"n": 2}).outputs


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [({}, "'n' is a required property"), ({"n": 0}, "n: 0 is less than the minimum of 1")],
)
def test_data_that_does_not_fit_fails_the_run(inputs, fault):
    error = started(f"data_schema: {SCHEMA}", inputs).error
    assert ("start", "data_schema") == (error.node, error.field)
    assert f"the run's data is not as wanted: {fault}" == error.message


@pytest.mark.parametrize("schema", ["{type: numbr}", "{$ref: 'http://127.0.0.1:9/schema'}"])
def test_a_schema_that_is_none_is_found_before_running(schema):
    with pytest.raises(DiagramError) as caught:
        started(f"data_schema: {schema}")
    (problem,) = caught.value.problems
    assert ("bad_schema", ("nodes", "start", "data_schema")) == (problem.code, problem.path)


def test_no_edge_can_lead_to_a_start():
    with pytest.raises(DiagramError, match="'b' has no inputs"):
        run(
            """
nodes: [{label: a, type: start}, {label: b, type: start}]
connections: [{from: a, to: b}]
"""
        )


@pytest.mark.parametrize("ignored", ["trigger_mode: manual", "hook_event: push"])
def test_properties_of_older_files_mean_nothing(ignored):
    assert {"start": {}} == started(ignored).outputs
