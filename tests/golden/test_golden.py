"""Journals of earlier versions are read as they were meant then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dipeo_jupyter.engine.compile import compile_diagram
from dipeo_jupyter.engine.loading import fold
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol.events import Entry, ExecutionCompleted, ExecutionFailed
from dipeo_jupyter.services.journal import SqliteJournal

FILES = sorted(Path(__file__).parent.glob("*.jsonl"))


def entries_of(file: Path) -> list[Entry]:
    return [Entry.from_wire(json.loads(line)) for line in file.read_text().splitlines()]


def folded(entries):
    types = load_node_types()
    return fold(entries, lambda diagram: compile_diagram(diagram, types)).state


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_journal_of_an_earlier_version_adds_up_to_the_same_end(file):
    entries = entries_of(file)
    last, state = entries[-1].event, folded(entries)

    assert isinstance(last, ExecutionCompleted | ExecutionFailed)
    outputs = last.outputs if isinstance(last, ExecutionCompleted) else {}
    assert (last.type.removeprefix("execution_"), outputs) == (state.status, dict(state.outputs))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_writing_it_to_the_disk_and_reading_it_changes_nothing(file, tmp_path):
    entries = entries_of(file)
    journal = SqliteJournal(tmp_path)
    for entry in entries:
        journal.append(entry)
    journal.close()
    again = SqliteJournal(tmp_path)
    try:
        assert entries == list(again.read(entries[0].execution_id))
    finally:
        again.close()


def test_there_are_such_journals():
    assert {"debate", "failing"} <= {file.stem for file in FILES}
