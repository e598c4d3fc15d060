"""The port `Journal`: the same rules for both that fulfil it."""

import asyncio

import pytest

from dipeo_jupyter.errors import JournalError
from dipeo_jupyter.protocol import events as e

from .facts import ANSWER, begun, effect, run, spoken

ASKED = e.InputRequired(node="ask", activation=1, question=e.Question(prompt="Well?"))
DONE = e.ExecutionCompleted()


def keep(journal, *entries):
    for entry in entries:
        journal.append(entry)
    asyncio.run(journal.written())


def status(journal, *events):
    keep(journal, *run(*events))
    return journal.runs()[0].status


def ids(runs):
    return [record.execution_id for record in runs]


def test_entries_come_back_as_they_went_in(journal):
    entries = run(begun(), e.NodeStarted(node="a", activation=1, inputs={"x": [1]}), spoken("ab"))
    keep(journal, *entries)
    assert [*journal.read("exec_1")] == entries


def test_only_later_entries_are_read(journal):
    entries = run(begun(), spoken("ab"), spoken("abc", 2), spoken("abcd", 3))
    keep(journal, *entries)
    assert [[*journal.read("exec_1", after)] for after in range(5)] == [
        entries[after:] for after in range(5)
    ]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("written", [0, 5, 26])
def test_pages_come_to_all_there_is(journal, most, written):
    talk = [spoken("abcdefgh"[: n % 9], n) for n in range(1, 14)]
    burst = [e.NodeStarted(node="a", activation=n) for n in range(1, 12)]
    entries = run(begun(), *talk, *burst, DONE)
    keep(journal, *entries[:written])
    for entry in entries[written:]:
        journal.append(entry)
    read = []
    while page := journal.read("exec_1", len(read), most):
        assert len(page) <= most
        read += page
    assert read == entries


def test_entries_not_yet_written_are_read_too(journal):
    entries = run(begun(), *[e.NodeStarted(node="a", activation=n) for n in range(300)])
    for count, entry in enumerate(entries, 1):
        journal.append(entry)
        assert len(journal.read("exec_1")) == count
    assert [*journal.read("exec_1")] == entries


def test_unknown_run_has_no_entries(journal):
    assert [*journal.read("exec_0")] == []


def test_runs_do_not_mix(journal):
    one, other = run(begun(), spoken("a")), run(begun(), spoken("b"), name="exec_2")
    keep(journal, one[0], other[0], other[1], one[1])
    assert ([*journal.read("exec_1")], [*journal.read("exec_2")]) == (one, other)


def test_everything_is_written_once_waited_for(journal):
    keep(journal, *run(begun(), DONE))
    assert journal.is_written()


def test_effects_of_a_key_are_found_newest_first(journal):
    keep(journal, *run(begun(), effect("k", 1), effect("other", 2)))
    keep(journal, *run(begun(), effect("k", ANSWER), name="exec_2", first=5))
    found = journal.effects("k")
    assert [(r.execution_id, r.value) for r in found] == [("exec_2", ANSWER), ("exec_1", 1)]


def test_effects_are_found_before_they_are_written(journal):
    for entry in run(begun(), effect("k")):
        journal.append(entry)
    assert [(r.node, r.activation, r.effect) for r in journal.effects("k")] == [("call", 1, "chat")]


def test_reused_effect_is_no_result_of_its_own(journal):
    keep(journal, *run(begun(), effect("k", reused=True)))
    assert [*journal.effects("k")] == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([e.NodeSkipped(node="a")], "running"),
        ([e.ExecutionPaused()], "paused"),
        ([e.ExecutionEdited(diagram=begun().diagram)], "paused"),
        ([e.ExecutionPaused(), e.ExecutionResumed()], "running"),
        ([e.ExecutionPaused(), e.ExecutionRecovered()], "running"),
        ([ASKED], "waiting"),
        ([ASKED, e.InputReceived(node="ask", activation=1, value=1)], "running"),
        ([ASKED, e.ExecutionPaused(), e.ExecutionResumed()], "waiting"),
        ([ASKED, e.ExecutionPaused(interrupted=("ask",)), e.ExecutionResumed()], "running"),
        ([ASKED, e.NodeSkipped(node="ask", reason="asked")], "running"),
        ([DONE], "completed"),
        ([e.ExecutionFailed(error=e.ErrorInfo(type="E", message="m"))], "failed"),
        ([ASKED, e.ExecutionCancelled()], "cancelled"),
    ],
)
def test_status_follows_from_what_happened(journal, events, expected):
    assert status(journal, begun(), *events) == expected


def test_run_that_nobody_holds_does_not_run(journal):
    keep(journal, *run(begun()))
    journal.release("exec_1")
    assert (journal.runs()[0].status, journal.runs()[0].owner) == ("paused", None)


def test_run_is_listed_with_all_that_lists_show(journal):
    origin = e.Origin(execution_id="exec_0")
    keep(journal, *run(begun(origin=origin, parent="exec_p"), ASKED))
    record = journal.runs()[0]
    shown = (record.name, record.started, record.events, record.waiting_for)
    assert (*shown, record.origin, record.parent) == (
        *("debate", 1001.25, 2, ("ask",)),
        *("exec_0", "exec_p"),
    )


def test_run_is_listed_with_what_its_nodes_have_taken(journal):
    first, second = e.Usage(input_tokens=3, calls=1), e.Usage(output_tokens=4, calls=1)
    lost = e.ErrorInfo(type="E", message="m")
    failed = e.NodeFailed(node="argue", activation=3, error=lost, outputs={}, usage=second)
    keep(journal, *run(begun(), spoken(usage=first), spoken((), 2), failed))
    assert journal.runs()[0].usage == e.Usage(input_tokens=3, output_tokens=4, calls=2)


def test_runs_are_listed_newest_first_by_prefix(journal):
    for name in ("exec_a1", "exec_b", "exec_a2"):
        keep(journal, *run(begun(), name=name))
    assert ids(journal.runs("exec_a")) == ["exec_a2", "exec_a1"]


def test_new_run_is_held_by_its_journal(journal):
    keep(journal, *run(begun()))
    assert journal.runs()[0].owner == journal.owner


def test_unknown_run_cannot_be_held(journal):
    assert not journal.claim("exec_0")


def test_letter_is_taken_out_once(journal):
    keep(journal, *run(begun()))
    number = journal.post("exec_1", {"type": "pause"})
    taken = [(letter.number, letter.command) for letter in journal.letters()]
    assert (taken, [*journal.letters()]) == ([(number, {"type": "pause"})], [])


def test_letter_for_a_run_held_by_nobody_waits(journal):
    keep(journal, *run(begun()))
    journal.post("exec_1", {"type": "pause"})
    journal.release("exec_1")
    before = len(journal.letters())
    journal.claim("exec_1")
    assert (before, len(journal.letters())) == (0, 1)


def test_reply_is_there_when_it_was_given(journal):
    keep(journal, *run(begun()))
    number = journal.post("exec_1", {})
    before = journal.replied(number)
    journal.reply(number, {"ok": True})
    assert (before, journal.replied(number)) == (None, {"ok": True})


def test_empty_reply_is_a_reply(journal):
    keep(journal, *run(begun()))
    number = journal.post("exec_1", {})
    journal.reply(number, {})
    assert journal.replied(number) == {}


def test_letter_can_be_withdrawn_until_it_is_taken(journal):
    keep(journal, *run(begun()))
    first, second = journal.post("exec_1", {}), journal.post("exec_1", {})
    withdrawn = journal.withdraw(first)
    assert [letter.number for letter in journal.letters()] == [second]
    assert (withdrawn, journal.withdraw(second)) == (True, False)


def test_letter_to_an_unknown_run_is_refused(journal):
    with pytest.raises(JournalError, match="exec_0"):
        journal.post("exec_0", {})


def test_oldest_finished_runs_are_forgotten(journal):
    for name in ("exec_1", "exec_2", "exec_3"):
        keep(journal, *run(begun(), spoken("a", answer=name * 50), DONE, name=name))
    forgotten = journal.prune(1)
    assert ([*forgotten], ids(journal.runs())) == (["exec_1", "exec_2"], ["exec_3"])
    assert [*journal.read("exec_1")] == []
    assert journal.read("exec_3")[1].event.outputs == {"default": "exec_3" * 50}


def test_unfinished_run_and_its_past_are_kept(journal):
    keep(journal, *run(begun(), DONE))
    keep(journal, *run(begun(origin=e.Origin(execution_id="exec_1")), DONE, name="exec_2"))
    keep(journal, *run(begun(origin=e.Origin(execution_id="exec_2")), name="exec_3"))
    assert [*journal.prune(0)] == []


def test_parts_of_a_run_are_forgotten_with_it(journal):
    keep(journal, *run(begun()))
    keep(journal, *run(begun(parent="exec_1"), DONE, name="exec_part"))
    keep(journal, *run(DONE, first=2))
    assert [*journal.prune(0)] == ["exec_1", "exec_part"]


def test_forgotten_effects_are_not_found(journal):
    keep(journal, *run(begun(), effect("k"), DONE))
    journal.prune(0)
    assert [*journal.effects("k")] == []
