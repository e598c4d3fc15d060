"""Fixtures for all tests."""

from contextlib import closing

import pytest

from .openai_server import OpenAIServer


@pytest.fixture
def openai_server():
    """A model provider on loopback, to be scripted: see `openai_server.py`."""
    with closing(OpenAIServer()) as server:
        yield server
