"""What people are shown of a run is the same in Python and in TypeScript."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .states import entries_of, halves, path_of

FILES = sorted(Path(__file__).parent.glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_journal_adds_up_to_what_the_front_end_shows(file):
    expected = json.loads(path_of(file).read_text())

    assert expected == json.loads(json.dumps(halves(entries_of(file))))
