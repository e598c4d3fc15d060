"""A session of a test's own: its engine and loop end with the test."""

from contextlib import closing

import pytest

from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings


@pytest.fixture
def session(tmp_path):
    with closing(Session(Settings(root=tmp_path))) as session:
        yield session
