"""What may go into a run: everything in Python that stands for JSON."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.notebook.values import as_inputs


class Guest(BaseModel):
    name: str


@dataclass
class Table:
    seats: int


class Tea(Enum):
    GREEN = "green"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, "x", None, True]}, {"a": [1, 2.5, "x", None, True]}),
        (Guest(name="Ada"), {"name": "Ada"}),
        ([Table(4)], [{"seats": 4}]),
        (Tea.GREEN, "green"),
        (Path("a/b"), "a/b"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        ((1, 2), [1, 2]),
        ({3}, [3]),
        (float("nan"), None),
    ],
)
def test_python_values_become_what_they_stand_for(value, expected):
    assert as_inputs({"x": value}) == {"x": expected}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.array([[1.0, np.nan]]), [[1.0, None]]),
        (pd.Series([1, None]), [1.0, None]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pd.DataFrame({"n": [1, 2], "s": ["a", "b"]}), [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}]),
        (pd.DataFrame(), []),
    ],
)
def test_tables_become_records_and_arrays_lists(value, expected):
    assert as_inputs({"x": value}) == {"x": expected}


def test_what_is_missing_in_a_table_is_none():
    table = pd.DataFrame(
        {
            "n": [1.5, np.nan],
            "day": pd.to_datetime(["2026-01-02", None]),
            "whole": pd.array([1, None], dtype="Int64"),
            "kind": pd.Categorical(["x", None]),
        }
    )

    first, second = as_inputs({"table": table})["table"]

    assert first == {"n": 1.5, "day": "2026-01-02T00:00:00", "whole": 1, "kind": "x"}
    assert set(second.values()) == {None}


def test_the_result_is_strict_json():
    values = {"x": [float("inf"), np.nan], "t": pd.DataFrame({"a": [np.nan]})}

    assert json.dumps(as_inputs(values), allow_nan=False)


def circle():
    values = []
    values.append(values)
    return values


@pytest.mark.parametrize("value", [len, object(), {"deep": [len]}, b"\xff", circle()])
def test_what_has_no_json_form_is_named(value):
    with pytest.raises(CommandError, match="input 'guests'") as caught:
        as_inputs({"ok": 1, "guests": value})

    assert caught.value.code == "bad_input"
