"""The laboratory of the crash tests, and what it has found out."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from .lab import Figures, Lab
from .provider import Provider

FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="package")
def provider():
    with closing(Provider()) as server:
        yield server


@pytest.fixture(scope="package")
def lab(provider, pytestconfig):
    with closing(Lab(provider)) as lab:
        pytestconfig.stash[FIGURES] = lab.figures
        yield lab


@pytest.fixture(scope="session")
def every_point():
    """Whether to kill at all points, and not only at some: `DIPEO_CRASH=all`."""
    return os.environ.get("DIPEO_CRASH") == "all"


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash.get(FIGURES, None)
    if figures is not None and figures.killed:
        terminalreporter.write_line(str(figures))
