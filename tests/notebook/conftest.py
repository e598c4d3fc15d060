"""Sessions of a test's own, and jobs that wait for the test."""

from contextlib import closing

import pytest

from dipeo_jupyter.notebook.session import Session, default_session
from dipeo_jupyter.settings import Settings
from tests.gate import Gate


@pytest.fixture
def session(tmp_path):
    with closing(Session(Settings(root=tmp_path))) as session:
        yield session


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The session that a kernel has one of, in its own folder."""
    monkeypatch.setenv("DIPEO_ROOT", str(tmp_path))
    default_session.cache_clear()
    yield
    default_session().close()
    default_session.cache_clear()


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)
