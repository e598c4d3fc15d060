"""The same through litellm: what it does behind our back is killed as well."""

from __future__ import annotations

from contextlib import closing

import pytest

from .child import Kill
from .lab import Lab

pytestmark = [pytest.mark.crash, pytest.mark.slow]


@pytest.fixture(scope="module")
def real(provider, lab):
    with closing(Lab(provider, litellm=True)) as real:
        yield real
        lab.figures.add(real.figures)


@pytest.mark.parametrize("scenario", ["chain", "parallel_branches", "retry", "edited_human"])
def test_calls_through_litellm_are_not_repeated_either(real, scenario, every_point):
    writes = real.undisturbed(scenario).writes
    step = 1 if every_point else 4
    points = [Kill("after_commit", nth) for nth in range(1, writes + 1, step)]
    assert [] == real.each(lambda kill: real.kill(scenario, kill), points)
