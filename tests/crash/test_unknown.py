"""What must not be done twice and cannot tell whether it is done: after a death people decide."""

from __future__ import annotations

import pytest

from dipeo_jupyter.protocol import events as e

from .child import Kill
from .facts import kept

pytestmark = pytest.mark.crash


def events(trial, kind):
    return [x.event for x in kept(trial.folder).runs["0"] if isinstance(x.event, kind)]


def die_when_it_has_begun(lab, trial, times):
    """Die as soon as this effect has begun for the n-th time; each life gets one step further."""
    for _ in range(20):
        # The first thing that a process writes is that it has taken the run over.
        if not lab.live(trial, Kill("after_commit", 2)):
            return False
        if len(events(trial, e.EffectStarted)) >= times:
            return True
    return False


@pytest.fixture(params=[("creates", "create_page"), ("posts", "POST")], ids=["notion", "request"])
def unrepeatable(request):
    """A scenario with what must not be done twice, and what the side log calls it."""
    return request.param


def test_nobody_is_asked_when_it_was_done(lab, unrepeatable):
    name, act = unrepeatable
    with lab.trial(name) as trial:
        assert not lab.live(trial)
        assert not events(trial, e.InputRequired)
        assert trial.log == {act: 1}


def test_what_had_begun_is_done_again_only_by_order(lab, unrepeatable):
    with lab.trial(unrepeatable[0]) as trial:
        assert die_when_it_has_begun(lab, trial, 1)
        assert not lab.live(trial)
        (asked,) = events(trial, e.InputRequired)
        assert "nobody knows whether it was done" in asked.question.prompt


def test_an_order_to_do_it_again_is_for_once(lab, unrepeatable):
    with lab.trial(unrepeatable[0]) as trial:
        assert die_when_it_has_begun(lab, trial, 1)
        assert die_when_it_has_begun(lab, trial, 2)
        assert not lab.live(trial)
        assert len(events(trial, e.InputRequired)) == 2


def test_a_request_that_may_be_sent_twice_is_sent_again_without_a_word(lab):
    with lab.trial("puts") as trial:
        assert die_when_it_has_begun(lab, trial, 1)
        assert not lab.live(trial)
        assert not events(trial, e.InputRequired)


def killed_once(lab, kill):
    """What people were asked, and how often the tool was used in the end."""
    with lab.trial("notes") as trial:
        lab.live(trial, kill)
        assert not lab.live(trial)
        asked = [each.question.prompt for each in events(trial, e.InputRequired)]
        done = [each.effect for each in events(trial, e.EffectCompleted)]
        assert [".tool0.0", ".tool0.1", ".tool1.0"] == [each for each in done if ".tool" in each]
        assert all("The tool 'note' was under way" in each for each in asked)
        return len(asked), trial.log["note"]


def test_a_tool_that_was_under_way_is_used_again_only_by_order(lab, every_point):
    writes = range(2, lab.undisturbed("notes").writes + 1)
    kills = [Kill(where, nth) for nth in writes for where in ("before_commit", "after_commit")]
    found = {killed_once(lab, kill) for kill in kills[:: 1 if every_point else 3]}
    # Nothing was under way; or it was, and was not done, or done: people have it done (again).
    possible = {(0, 3), (1, 3), (1, 4)}
    assert found <= possible
    assert found == possible or not every_point
    assert (1, 4) in found


def begun(trial):
    """The effect that has begun and not ended."""
    done = {each.effect for each in events(trial, e.EffectCompleted)}
    return {each.effect for each in events(trial, e.EffectStarted)} - done


def kill_in(lab, trial, effect, *before):
    """The point at which to kill, behind others, so that this effect is under way then."""
    for nth in range(2, 40):
        with lab.trial(trial.scenario) as other:
            kills = (*before, Kill("before_commit", nth))
            if all(lab.live(other, each) for each in kills) and begun(other) == {effect}:
                return kills[-1]
    raise AssertionError(f"{effect} is never under way")


def test_an_answer_about_one_tool_is_none_about_the_next(lab):
    with lab.trial("notes_left") as trial:
        first = kill_in(lab, trial, ".tool0.0")
        second = kill_in(lab, trial, ".tool0.1", first)
        assert lab.live(trial, first)
        assert lab.live(trial, second)
        assert not lab.live(trial)
        assert len(events(trial, e.InputRequired)) == 2
        assert trial.log["note"] == 3  # both had been done, and none is done again
