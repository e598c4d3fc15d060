"""`dipeo.diff` of diagrams that cannot be read: it says which of the two is meant."""

from __future__ import annotations

import pytest

import dipeo_jupyter as dipeo

GOOD = "version: light\nnodes:\n- {label: start, type: start}\n"
BROKEN = "version: light\nnodes: [\n"


@pytest.fixture
def broken(tmp_path):
    file = tmp_path / "b.light.yaml"
    file.write_text(BROKEN)
    return file


def refused(before, after):
    with pytest.raises(dipeo.DiagramError) as refusal:
        dipeo.diff(before, after)
    return str(refusal.value)


def test_the_file_that_cannot_be_read_is_named(broken):
    assert refused(GOOD, broken).startswith("line 3: In the second diagram, 'b.light.yaml': ")
    assert refused(str(broken), GOOD).startswith("line 3: In the first diagram, 'b.light.yaml': ")


def test_a_text_is_called_by_its_turn(broken):
    assert refused(BROKEN, GOOD).startswith("line 3: In the first diagram: ")


def test_what_is_wrong_with_both_is_said_at_once(broken):
    first, second = refused(broken, BROKEN).splitlines()

    assert "In the first diagram, 'b.light.yaml': " in first
    assert "In the second diagram: " in second


def test_a_file_that_is_not_there_is_named_once(tmp_path):
    missing = tmp_path / "missing.yaml"

    assert refused(GOOD, missing).count(missing.name) == 1
