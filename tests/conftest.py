"""Fixtures for all tests."""

import os
import sys
from collections import Counter
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

from dipeo_jupyter.services.llm import helper

from .crash.figures import Figures
from .openai_server import OpenAIServer
from .prefork import Prefork

# Property tests draw the same examples every time, and a busy machine is no reason to fail.
settings.register_profile(
    "steady",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("steady")

COMMAND = helper.command

# Nobody's own keys are looked at, here and in kernels.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture
def openai_server():
    """A model provider on loopback, to be scripted: see `openai_server.py`."""
    with closing(OpenAIServer()) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def forked_workers():
    """No test waits for the import of litellm but the first; see `prefork.py`."""
    if not hasattr(os, "fork"):
        yield
        return
    with closing(Prefork()) as prefork, pytest.MonkeyPatch.context() as patch:
        patch.setattr(helper, "command", prefork.command)
        yield


@pytest.fixture
def real_workers(monkeypatch):
    """Workers are started as they are outside of tests."""
    monkeypatch.setattr(helper, "command", COMMAND)


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """Names for homes. pytest would look through all folders that there are to find each."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def home(homes, monkeypatch):
    """A home of each test's own: no run of another is known, no answer reused, nothing trusted."""
    folder = next(homes)
    folder.mkdir()
    monkeypatch.setenv("DIPEO_HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    yield folder
    session = sys.modules.get("dipeo_jupyter.notebook.session")
    if session and session.default_session.cache_info().currsize:
        session.default_session().close()
        session.default_session.cache_clear()


def pytest_terminal_summary(terminalreporter):
    """Add up what the crash tests have found out, in all workers."""
    found = Counter()
    for report in terminalreporter.stats.get("", ()):  # the ends of tests are among these
        if report.when == "teardown":
            found.update(dict(report.user_properties).get("crash matrix", {}))
    if found:
        terminalreporter.write_line(f"crash matrix: {Figures(**found)}")
