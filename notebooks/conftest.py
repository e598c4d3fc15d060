"""Each notebook has a home of its own: it knows no run of another, and none of an earlier test."""

import os
import tempfile
from functools import cache


@cache
def _home(path):
    return tempfile.mkdtemp(prefix="dipeo-home-")


def pytest_runtest_setup(item):
    # The kernel that nbval starts for the first cell of a notebook takes it from here.
    os.environ["DIPEO_HOME"] = _home(item.path)
