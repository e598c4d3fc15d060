"""`run.conversation`: who said what to whom, who still sees it, and who forgot it when."""

from __future__ import annotations

from contextlib import closing
from itertools import permutations

import pytest

from dipeo_jupyter.errors import NoAnswerError
from dipeo_jupyter.notebook.commands import obey
from dipeo_jupyter.notebook.session import Session, default_session
from dipeo_jupyter.settings import Settings

BOTH_MODES = True

PERSONS = """
persons:
  P: {service: demo, answers: [I am P]}
  Q: {service: demo, answers: [I am Q]}
"""
CHAIN = """
nodes:
- {label: start, type: start}
- {label: a, type: person_job, person: P, prompt: one}
- {label: b, type: person_job, person: Q, prompt: two, memory: ALL_MESSAGES}
- {label: c, type: person_job, person: P, prompt: three, SETTINGS}
- {label: d, type: person_job, person: P, prompt: four}
connections: [{from: start, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: d}]
"""
GOLDFISH = CHAIN.replace("SETTINGS", "memory: GOLDFISH") + PERSONS
BRANCHES = """
nodes:
- {label: start, type: start}
- {label: first, type: person_job, person: P, prompt: first}
- {label: left, type: user_response, prompt: "?"}
- {label: right, type: user_response, prompt: "?"}
- {label: pl, type: person_job, person: P, prompt: left}
- {label: pr, type: person_job, person: P, prompt: right}
- {label: after, type: person_job, person: P, prompt: after, memory: VIEW}
connections:
- {from: start, to: first}
- {from: first, to: left}
- {from: first, to: right}
- {from: left, to: pl}
- {from: right, to: pr}
- {from: pl, to: after}
- {from: pr, to: after}
"""


def contents(rows):
    return [each["content"] for each in rows.to_records()]


def column(run, name):
    return [each[name] for each in run.conversation.to_records()]


def forgotten(run):
    return {each.message.content: each.forgotten for each in run.conversation if each.forgotten}


def answered(session, text, order):
    """Run it, answering in this order, each as soon as nothing else goes on."""
    run = session.start(text, ask=None)
    for label in order:
        with pytest.raises(NoAnswerError):
            run.wait()
        run.answer(label, label)
    return run.wait()


def test_every_message_says_who_spoke_to_whom_and_when(session):
    run = session.start(GOLDFISH).wait()

    rows = run.conversation.to_records()
    assert [(x["activation"], x["sender"], x["recipient"], x["content"]) for x in rows[:4]] == [
        ("a[1]", None, "P", "one"),
        ("a[1]", "P", None, "I am P"),
        ("b[1]", None, "Q", "two"),
        ("b[1]", "Q", None, "I am Q"),
    ]
    assert len(rows) == 8


def test_who_sees_it_now_is_who_knew_it_when_last_asked(session):
    run = session.start(GOLDFISH, breakpoints=["d"]).wait()

    assert column(run, "seen_by") == [["Q"]] * 2 + [["Q"]] * 2 + [["P"]] * 2
    assert contents(run.conversation.seen_by("P")) == ["three", "I am P"]


def test_a_goldfish_forgets_when_it_is_asked_next(session):
    run = session.start(GOLDFISH, breakpoints=["d"]).wait()

    assert column(run, "forgotten") == [{"P": "c[1]"}] * 2 + [{}] * 4


def test_what_is_remembered_again_was_forgotten_all_the_same(session):
    run = session.start(GOLDFISH).wait()

    (first, *_) = run.conversation
    assert (first.seen_by, first.forgotten) == (("P", "Q"), {"P": "c[1]"})


def test_at_most_forgets_the_oldest(session):
    run = session.start(CHAIN.replace("SETTINGS", "at_most: 1") + PERSONS).wait()

    assert forgotten(run) == {"one": {"P": "c[1]"}}


def test_ignoring_somebody_forgets_what_they_said(session):
    text = CHAIN.replace("person: P, prompt: four", "person: Q, prompt: four, ignore_person: P")
    run = session.start(text.replace("SETTINGS", "at_most: 9") + PERSONS).wait()

    assert forgotten(run) == {"one": {"Q": "d[1]"}, "I am P": {"Q": "d[1]"}}


def test_a_paused_run_shows_what_was_said_so_far(session):
    run = session.start(GOLDFISH, paused=True)

    assert repr(run.conversation) == "nothing was said"
    assert run.conversation._repr_mimebundle_()["text/html"] == "<p>nothing was said</p>"
    run.step(2)
    run.wait()
    assert contents(run.conversation) == ["one", "I am P"]


def test_the_text_is_a_table_that_is_the_same_for_the_same_outcome(session):
    texts = [repr(session.start(GOLDFISH, breakpoints=["c"]).wait().conversation) for _ in "12"]

    assert texts[0] == texts[1]
    assert texts[0].splitlines() == [
        "activation  sender     recipient  content  seen by  forgotten",
        "a[1]        (diagram)  P          one      P, Q",
        "a[1]        P          (diagram)  I am P   P, Q",
        "b[1]        (diagram)  Q          two      Q",
        "b[1]        Q          (diagram)  I am Q   Q",
    ]


HOSTILE = """
nodes: [{label: '<i>&"x', type: person_job, person: '<b>P</b>', prompt: "<script>\\e[31m\\n\\"'"}]
persons: {'<b>P</b>': {service: demo, answers: ['<img src=x onerror=alert(1)>']}}
"""


def test_html_shows_what_was_said_as_text(session):
    html = session.start(HOSTILE).wait().conversation._repr_mimebundle_()["text/html"]

    assert not [each for each in ("<script", "<img", "<b>", "<i>") if each in html]
    assert "&lt;script&gt;" in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_text_holds_nothing_that_a_terminal_obeys(session):
    text = repr(session.start(HOSTILE).wait().conversation)

    assert "\x1b" not in text
    assert all(line.isprintable() for line in text.splitlines())


def test_a_frame_has_one_row_for_each_message(session):
    frame = session.start(GOLDFISH).wait().conversation.to_frame()

    assert list(frame.columns[:4]) == ["activation", "sender", "recipient", "content"]
    assert list(frame["content"])[:2] == ["one", "I am P"]
    assert frame.shape == (8, 6)


def test_one_persons_part_of_it_can_be_looked_at(session):
    talk = session.start(GOLDFISH).wait().conversation

    assert contents(talk.of("Q")) == ["two", "I am Q"]


@pytest.mark.parametrize("order", [*permutations(["left", "right"])])
@pytest.mark.parametrize("view", ["ALL_INVOLVED", "SENT_BY_ME"])
def test_the_order_is_that_of_the_flow_whoever_was_first(session, order, view):
    run = answered(session, BRANCHES.replace("VIEW", view) + PERSONS, order)

    said = [each for each in contents(run.conversation) if each != "I am P"]
    assert said == ["first", "left", "right", "after"]


@pytest.mark.parametrize("order", [*permutations(["left", "right"])])
def test_parallel_turns_forget_nothing_of_each_other(session, order):
    run = answered(session, BRANCHES.replace("VIEW", "ALL_INVOLVED") + PERSONS, order)

    assert forgotten(run) == {}
    assert column(run, "seen_by") == [["P"]] * 8


@pytest.mark.parametrize("order", [*permutations(["left", "right"])])
def test_after_a_join_both_branches_can_be_forgotten(session, order):
    run = answered(session, BRANCHES.replace("VIEW", "GOLDFISH") + PERSONS, order)

    assert column(run, "forgotten") == [{"P": "after[1]"}] * 6 + [{}] * 2


PART = """
nodes:
- {label: start, type: start}
- {label: a, type: person_job, person: P, prompt: one}
- label: part
  type: sub_diagram
  SETTINGS: true
  diagram_data:
    nodes:
    - {label: start, type: start}
    - {label: x, type: person_job, person: P, prompt: inner, memory: GOLDFISH}
    - {label: end, type: endpoint}
    connections: [{from: start, to: x}, {from: x, to: end}]
    persons: {P: {service: demo, answers: [I am P]}}
- {label: b, type: person_job, person: P, prompt: two}
connections: [{from: start, to: a}, {from: a, to: part}, {from: part, to: b}]
"""


def test_what_was_said_in_a_part_stands_where_the_part_does(session):
    run = session.start(PART.replace("SETTINGS", "parallel") + PERSONS, breakpoints=["b"]).wait()

    assert column(run, "activation") == ["a[1]", "a[1]", "part[1]/x[1]", "part[1]/x[1]"]
    assert column(run, "forgotten") == [{"P": "part[1]/x[1]"}] * 2 + [{}] * 2
    assert column(run, "seen_by") == [[], [], ["P"], ["P"]]


def test_an_isolated_part_keeps_its_words_for_itself(session):
    run = session.start(PART.replace("SETTINGS", "isolate_conversation") + PERSONS).wait()

    assert column(run, "activation") == ["a[1]", "a[1]", "b[1]", "b[1]"]


def test_a_part_shows_what_it_began_with_and_sees_it(session):
    text = PART.replace("SETTINGS", "parallel").replace("memory: GOLDFISH", "at_most: 1")
    run = session.start(text + PERSONS).wait()

    part = session.get(f"{run.id}/part[1]")
    assert [each.earlier for each in part.conversation] == [True, True, False, False]
    assert [each.content for each in part["x"].seen] == ["I am P", "inner"]
    assert repr(part.conversation).splitlines()[1].startswith("earlier a[1] ")


def test_after_an_edit_only_what_holds_now_is_shown(session):
    run = session.start(GOLDFISH).wait()

    run.edit(set={"a.prompt": "ONE"})
    assert len(run.conversation) == 0
    run.resume()
    assert contents(run.wait().conversation)[0] == "ONE"


def test_a_run_of_an_earlier_process_can_be_looked_at(tmp_path):
    settings = Settings(root=tmp_path, home=tmp_path / ".dipeo")
    with closing(Session(settings)) as session:
        before = session.start(GOLDFISH).wait()
        text = repr(before.conversation)
    with closing(Session(settings)) as session:
        assert repr(session.get(before.id).conversation) == text


def test_the_magic_shows_the_same_table(kernel):
    run = default_session().start(GOLDFISH).wait()

    assert repr(obey("conversation run", {"run": run})) == repr(run.conversation)
