"""Several kills in one trial: at random points, also of lives that go on after another kill."""

from __future__ import annotations

import random

import pytest

from .child import Kill
from .scenarios import SCENARIOS

pytestmark = pytest.mark.crash
TRIALS = 50


def kills(number, writes):
    chance = random.Random(number)
    places = ("before_commit", "after_commit")
    return [Kill(chance.choice(places), chance.randint(1, writes)) for _ in range(3)]


@pytest.mark.parametrize("tens", range(TRIALS // 10))
def test_three_kills_at_random_points_leave_no_trace(lab, tens):
    names = list(SCENARIOS)

    def trial(number):
        # Each scenario in turn, and then some of them once more.
        scenario = names[number * 7 % len(names)]
        return lab.kill(scenario, *kills(number, lab.undisturbed(scenario).writes))

    assert [] == lab.each(trial, range(tens * 10, tens * 10 + 10))


@pytest.mark.parametrize("scenario", ["debate", "human_in_loop", "db_append_in_loop", "edited"])
def test_a_process_that_always_dies_after_a_few_writes_still_comes_to_the_end(lab, scenario):
    with lab.trial(scenario) as trial:
        while lab.live(trial, Kill("after_commit", 9)):
            pass
        assert trial.kills > 2
        assert [] == lab.finish(trial)
