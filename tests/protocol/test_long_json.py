"""JSON made piece by piece is the JSON that is made at once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from dipeo_jupyter.protocol import long_json as module
from dipeo_jupyter.protocol.long_json import LONG_TEXT, is_long, long_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=12), inner, max_size=8)
        | st.dictionaries(st.integers() | st.booleans() | st.none(), inner, max_size=4)
    ),
    max_leaves=40,
)


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(module, "LONG_TEXT", 7)
    monkeypatch.setattr(module, "MANY_VALUES", 3)


@pytest.mark.usefixtures("small_steps")
def test_pieces_are_together_what_one_call_makes():
    @given(VALUES)
    def check(value):
        assert long_json(value) == to_json(value)

    check()


def test_a_long_text_keeps_its_characters_where_it_is_cut():
    text = ('é"\\\n𝄞' * LONG_TEXT)[: 2 * LONG_TEXT + 1]

    assert json.loads(long_json({"a": [text]})) == {"a": [text]}


@pytest.mark.parametrize(
    "values",
    [["x" * LONG_TEXT], ["x" * (LONG_TEXT // 2)] * 2, [list(range(3000))], [{"a": [[0] * 3000]}]],
)
def test_long_is_what_has_many_characters_or_values(values):
    assert is_long(*values)


@pytest.mark.parametrize("values", [[], [None], ["x" * 1000, {"a": [1, 2, 3]}]])
def test_little_is_not_long(values):
    assert not is_long(*values)


def test_half_a_character_is_refused_as_ever():
    with pytest.raises(ValueError, match="surrogates"):
        long_json(["\ud800"])
    with pytest.raises(ValueError, match="surrogates"):
        long_json("x" * LONG_TEXT + "\ud800")
