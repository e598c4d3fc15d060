"""Many events in one row: they come back as they went in, and forged rows are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal.encoding import SHORT
from dipeo_jupyter.services.journal.packing import burst, events_of

from .facts import run, spoken
from .test_both import keep

LABELS = st.sampled_from("ab")
COUNTS = st.integers(1, 2)
PLAIN = st.dictionaries(st.sampled_from("xy"), st.none() | st.integers(0, 9) | st.text(max_size=3))
STARTED = st.builds(e.NodeStarted, LABELS, COUNTS, inputs=PLAIN)
COMPLETED = st.builds(e.NodeCompleted, LABELS, COUNTS, PLAIN, duration_ms=st.floats(0, 9))
FIRED = (e.NodeStarted("a", 1, {"x": 1}), e.NodeCompleted("a", 1, {"default": 2}, duration_ms=0.5))


@given(st.lists(STARTED | COMPLETED, min_size=1))
def test_plain_events_come_back_from_one_row(events):
    entries = run(*events)
    places, count = burst(entries)
    assert count == len(events)
    assert [e.Entry("exec_1", *each) for each in events_of(1, places)] == entries


def test_start_and_end_of_a_node_share_a_place():
    places, count = burst(run(*FIRED))
    assert (len(places), count) == (1, 2)


@pytest.mark.parametrize(
    "other",
    [spoken(), e.NodePaused(node="a"), e.NodeStarted("b", 1, {"x": "long" * SHORT})],
    ids=["spoken", "rare", "long"],
)
def test_row_ends_before_what_is_not_plain(other):
    assert burst(run(*FIRED, other, *FIRED))[1] == len(FIRED)


def test_row_ends_where_another_run_goes_on():
    assert burst([*run(*FIRED), *run(*FIRED, name="exec_2")])[1] == len(FIRED)


def test_reading_may_begin_in_the_middle_of_a_place(open_):
    entries = run(*FIRED, *FIRED)
    journal = open_()
    keep(journal, *entries)
    assert [[*journal.read("exec_1", after)] for after in range(5)] == [
        entries[after:] for after in range(5)
    ]


def test_rows_of_version_2_are_read():
    row = [[1001.25, 0, "a", 1, {"x": 1}], [1002.25, 1, "a", 1, {"default": 2}, 0.5]]
    assert [event for *_, event in events_of(1, row)] == [*FIRED]


@pytest.mark.parametrize(
    "place",
    [
        [1.0, 0, "a", 1],
        [1.0, 0, "a", 1, {}, 2.0],
        [1.0, 0, 1, "a", {}],
        [1.0, 1, "a", 1, {}, "2"],
        [1.0, 1, "a", 1, {}],
        [1.0, 2, "a", 1, {}, [], 0.5, 2.0],
        [1.0, 2, "a", 1, {}, {}, 0.5],
        [1.0, 2, "a", 1, {}, {}, 0.5, None],
        [1.0, 3, "a", 1, {}],
        3,
    ],
)
def test_forged_places_are_refused(place):
    with pytest.raises((ValueError, TypeError)):
        [*events_of(1, [place])]
