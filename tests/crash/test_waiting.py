"""Death while nothing goes on: the question is still there, and the pause holds."""

from __future__ import annotations

import pytest

from .facts import kept

pytestmark = pytest.mark.crash


@pytest.mark.parametrize("scenario", ["human", "human_in_loop", "two_humans", "forked_human"])
def test_a_question_outlives_the_process_and_its_answer_goes_on(lab, scenario):
    with lab.trial(scenario) as trial:
        assert lab.live(trial, die_when="waiting")
        assert kept(trial.folder).waiting > 0
        assert [] == lab.finish(trial)


@pytest.mark.parametrize("scenario", ["human", "two_humans"])
def test_a_question_is_not_asked_again_however_often_the_process_dies(lab, scenario):
    with lab.trial(scenario) as trial:
        lab.live(trial, die_when="waiting")
        asked = kept(trial.folder).waiting
        for _ in range(3):
            assert lab.live(trial, die_when="waiting")
            assert kept(trial.folder).waiting == asked
        assert [] == lab.finish(trial)


@pytest.mark.parametrize("scenario", ["breakpoints", "edited", "edited_human"])
def test_a_paused_run_stays_paused_and_goes_on_when_resumed(lab, scenario):
    with lab.trial(scenario) as trial:
        assert lab.live(trial, die_when="paused")
        assert "paused" in kept(trial.folder).statuses.values()
        assert [] == lab.finish(trial)
