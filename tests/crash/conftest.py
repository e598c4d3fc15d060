"""The laboratory of the crash tests, and what it has found out."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import asdict

import pytest

from .lab import Lab
from .provider import Provider


@pytest.fixture(scope="package")
def provider():
    with closing(Provider()) as server:
        yield server


@pytest.fixture(scope="package")
def lab(provider):
    with closing(Lab(provider)) as lab:
        yield lab


@pytest.fixture(autouse=True)
def found_out(request):
    """Tell what a test has found out with its report: workers have no other way to be heard."""
    if "lab" not in request.fixturenames:
        yield
        return
    figures = request.getfixturevalue("lab").figures
    before = asdict(figures)
    yield
    found = {name: count - before[name] for name, count in asdict(figures).items()}
    request.node.user_properties.append(("crash matrix", found))


@pytest.fixture(scope="session")
def every_point():
    """Whether to kill at all points, and not only at some: `DIPEO_CRASH=all`."""
    return os.environ.get("DIPEO_CRASH") == "all"
