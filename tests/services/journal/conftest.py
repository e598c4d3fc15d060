"""Journals of both kinds, closed after the test."""

import pytest

from dipeo_jupyter.services.journal import MemoryJournal, SqliteJournal


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    made = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / ".dipeo")
    yield made
    made.close()


@pytest.fixture
def open_(tmp_path):
    """Opens the same file, as often as wanted: each is like another process."""
    made = []

    def open_journal(**options):
        made.append(SqliteJournal(tmp_path / ".dipeo", **options))
        return made[-1]

    yield open_journal
    for journal in made:
        journal.close()
