"""Fixtures for all tests."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, settings

from .openai_server import OpenAIServer

# Property tests draw the same examples every time, and a busy machine is no reason to fail.
settings.register_profile(
    "steady",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("steady")


@pytest.fixture
def openai_server():
    """A model provider on loopback, to be scripted: see `openai_server.py`."""
    with closing(OpenAIServer()) as server:
        yield server
