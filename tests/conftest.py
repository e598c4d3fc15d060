"""Fixtures for all tests."""

import os
import warnings
from contextlib import closing

import pytest

from .openai_server import OpenAIServer


@pytest.fixture
def openai_server():
    """A model provider on loopback, to be scripted: see `openai_server.py`."""
    with closing(OpenAIServer()) as server:
        yield server


@pytest.fixture(scope="session")
def _litellm():
    """litellm, imported once: what its modules warn about at import is not ours to change."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm
    return litellm
