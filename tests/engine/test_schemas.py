"""JSON Schemas of diagrams: what fits, and that no pattern holds everything up."""

import pytest

from dipeo_jupyter.engine.schemas import fault_in, misfit

SLOW = "^(a|aa)+$"
EVIL = "a" * 60 + "b"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": SLOW}, EVIL),
        ({"patternProperties": {SLOW: {}}}, {EVIL: 1}),
        ({"patternProperties": {SLOW: {}}, "additionalProperties": False}, {EVIL: 1}),
        ({"properties": {"x": {"items": {"pattern": SLOW}}}}, {"x": [EVIL]}),
    ],
)
def test_a_pattern_that_would_take_for_ever_is_given_up(schema, value):
    assert "takes too long" in misfit(schema, value)


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"pattern": "^[a-z]+$"}, "abc", True),
        ({"pattern": "^[a-z]+$"}, "aBc", False),
        ({"pattern": "b"}, "abc", True),
        ({"pattern": "b"}, 7, True),
        ({"pattern": "^(a+)+$"}, EVIL, False),
        ({"patternProperties": {"^n_": {"type": "number"}}}, {"n_a": 1, "b": "x"}, True),
        ({"patternProperties": {"^n_": {"type": "number"}}}, {"n_a": "x"}, False),
        ({"patternProperties": {"^n_": {}}, "additionalProperties": False}, {"n_a": 1}, True),
        ({"patternProperties": {"^n_": {}}, "additionalProperties": False}, {"a": 1}, False),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, True),
        ({"additionalProperties": {"type": "string"}}, {"a": "x"}, True),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, False),
        ({"additionalProperties": False}, "text", True),
    ],
)
def test_patterns_mean_what_the_standard_says(schema, value, fits):
    assert (misfit(schema, value) is None) is fits


def test_what_cannot_be_bounded_is_refused_beforehand():
    schema = {"allOf": [{"patternProperties": {"^a": {}}}], "unevaluatedProperties": False}

    assert "unevaluatedProperties" in fault_in(schema)
