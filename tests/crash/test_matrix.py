"""kill -9 at every write of the journal, and on from there in a new process."""

from __future__ import annotations

import pytest

from .child import Kill
from .scenarios import SCENARIOS

pytestmark = pytest.mark.crash
FEW = 7
"""One of so many points is killed in the normal run; which, differs from diagram to diagram. It is
odd, so that both sides of a commit have their turn in each."""


def points(writes, offset, *, every):
    found = [
        Kill(where, nth)
        for nth in range(1, writes + 1)
        for where in ("before_commit", "after_commit")
    ]
    return found if every else found[offset % FEW :: FEW]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_run_killed_at_any_write_ends_as_if_nothing_had_been(lab, scenario, every_point):
    offset = list(SCENARIOS).index(scenario)
    kills = points(lab.undisturbed(scenario).writes, offset, every=every_point)
    assert [] == lab.each(lambda kill: lab.kill(scenario, kill), kills)
