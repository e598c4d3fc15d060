"""Many events in one row: they come back as they went in, and forged rows are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal.encoding import SHORT
from dipeo_jupyter.services.journal.packing import MOST, Bursts, burst_of, events_of

from .facts import run, spoken
from .test_both import keep

LABELS = st.sampled_from("ab")
COUNTS = st.integers(1, 2)
PLAIN = st.dictionaries(
    st.sampled_from("xy"), st.none() | st.integers(0, 9) | st.text('aß"', max_size=3)
)
STARTED = st.builds(e.NodeStarted, LABELS, COUNTS, inputs=PLAIN)
COMPLETED = st.builds(e.NodeCompleted, LABELS, COUNTS, PLAIN, duration_ms=st.floats(0, 9))
FIRED = (e.NodeStarted("a", 1, {"x": 1}), e.NodeCompleted("a", 1, {"default": 2}, duration_ms=0.5))


def places_of(entries):
    return json.loads(burst_of(entries).body)


def read(first, body):
    return [e.Entry("exec_1", *each) for each in events_of(first, json.loads(body))]


@given(st.lists(STARTED | COMPLETED, min_size=2, max_size=MOST))
def test_plain_events_come_back_from_one_row(events):
    entries = run(*events)
    burst = burst_of(entries)
    assert burst.events == len(events)
    assert read(1, burst.body) == entries


def test_start_and_end_of_a_node_share_a_place():
    assert len(places_of(run(*FIRED))) == 1


@pytest.mark.parametrize(
    "other",
    [
        spoken(),
        e.NodePaused(node="a"),
        e.NodeStarted("b", 1, {"x": "long" * SHORT}),
        e.NodeCompleted("b", 1, {"x": 10**5000}),
    ],
    ids=["spoken", "rare", "long", "many digits"],
)
def test_row_ends_before_what_is_not_plain(other):
    assert burst_of(run(*FIRED, other, *FIRED)).events == len(FIRED)


def test_row_ends_where_another_run_goes_on():
    assert burst_of([*run(*FIRED), *run(*FIRED, name="exec_2")]).events == len(FIRED)


def test_what_bears_the_mark_has_rows_of_its_own():
    marked = e.NodeStarted("a", 1, {"x": {}, "$": 1})
    assert burst_of(run(marked, *FIRED)).body is None


CROWD = st.lists(
    st.one_of(
        st.integers(2, MOST * 2).map(lambda n: [*FIRED] * (n // 2)),
        st.just([e.NodePaused(node="a")]),
        st.integers(1, 3).map(lambda n: [e.NodePaused(node="a")] * n),
    ),
    max_size=6,
).map(lambda several: run(*(event for each in several for event in each)))


@given(CROWD, st.lists(st.integers(1, MOST * 3), min_size=1), st.data())
def test_rows_hold_everything_once_whatever_was_made_beforehand(entries, batches, data):
    bursts, written, taken, pending = Bursts(), 0, 0, 0
    found = []
    while written < len(entries):
        pending = min(len(entries), pending + data.draw(st.integers(1, MOST * 2)))
        if pending >= bursts.due:
            first = bursts.next(taken)
            bursts.gather(entries[first : min(first + MOST, pending)], first)
        if data.draw(st.booleans()):
            continue
        taken = min(pending, written + data.draw(st.sampled_from(batches)))
        for some, body in bursts.rows(entries[written:taken], written):
            assert body is None or read(some[0].seq, body) == some
            found += some
        written = taken
        bursts.forget(written)
    assert found == entries


def test_what_was_made_beforehand_is_not_made_again():
    entries = run(*[*FIRED] * MOST)
    bursts = Bursts()
    bursts.gather(entries[:MOST], 0)
    (row, body), *_ = bursts.rows(entries, 0)
    assert (len(row), body) == (MOST, burst_of(entries[:MOST]).body)
    assert bursts.due == MOST * 2


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
