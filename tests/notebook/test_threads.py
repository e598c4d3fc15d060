"""Threads: a run begins with the conversation that the last one of its thread ended with."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter.errors import CommandError, ExecutionFailedError
from dipeo_jupyter.notebook.commands import obey
from dipeo_jupyter.notebook.session import Session, default_session
from dipeo_jupyter.settings import Settings

BOTH_MODES = True

CHAT = """
persons: {P: {service: demo}}
nodes:
- {label: start, type: start}
- {label: talk, type: person_job, person: P, prompt: "{{say}}"}
- {label: end, type: endpoint}
connections: [{from: start, to: talk}, {from: talk, to: end}]
"""
TALK_ONCE = """
from dipeo_jupyter.notebook.session import default_session
run = default_session().start({chat!r}, {{"say": "hello"}}, thread="ours").wait()
print(run.id)
"""


@pytest.fixture
def settings(tmp_path):
    return Settings(root=tmp_path, home=tmp_path / ".dipeo")


def say(session, words, thread="ours", **options):
    return session.start(CHAT, {"say": words}, thread=thread, **options).wait()


def shown(run, node="talk"):
    """The prompts among what the person was shown."""
    return [each.content for each in run[node].seen if each.sender is None]


def test_two_runs_of_a_thread_share_a_conversation(session):
    say(session, "one")
    second = say(session, "two")

    assert second.thread == "ours"
    assert shown(second) == ["one", "two"]
    assert len(second.messages) == len(second.conversation) == 4


def test_a_run_without_the_thread_knows_nothing_of_it(session):
    say(session, "one")

    assert shown(say(session, "two", thread=None)) == ["two"]
    assert shown(say(session, "three", thread="theirs")) == ["three"]


def test_a_thread_grows_with_every_run_and_its_ids_stay_unique(session):
    runs = [say(session, words) for words in ("one", "two", "three")]

    assert shown(runs[-1]) == ["one", "two", "three"]
    ids = [each.id for each in runs[-1].messages]
    assert len(set(ids)) == 6
    assert ids[:4] == [f"{x.id}/talk[1].{n}" for x in runs[:2] for n in (0, 1)]


def test_a_thread_is_found_by_the_next_process(settings):
    with closing(Session(settings)) as session:
        say(session, "one")
    with closing(Session(settings)) as session:
        assert shown(say(session, "two")) == ["one", "two"]


def test_a_thread_is_found_in_what_another_process_has_written(tmp_path, home, kernel, monkeypatch):
    monkeypatch.setenv("DIPEO_CONNECT", "embedded")
    program = [sys.executable, "-c", TALK_ONCE.format(chat=CHAT)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=tmp_path)

    run = say(default_session(), "and you?")
    assert shown(run) == ["hello", "and you?"]
    assert run.conversation[0].activation == f"{done.stdout.strip()}/talk[1]"


def test_a_run_keeps_its_conversation_over_an_edit_and_a_restart(settings):
    with closing(Session(settings)) as session:
        say(session, "one")
        run = session.start(CHAT, {"say": "two"}, thread="ours", paused=True)
        run.edit(inputs={"say": "TWO"})
        say(session, "meanwhile")
    with closing(Session(settings)) as session:
        run = session.get(run.id)
        run.resume()
        assert shown(run.wait()) == ["one", "TWO"]
        assert run.thread == "ours"


def test_a_fork_begins_as_its_origin_did(session):
    say(session, "one")
    run = say(session, "two")
    say(session, "three")

    fork = run.fork("talk", set={"talk.prompt": "TWO"}).wait()
    assert (shown(fork), fork.thread) == (["one", "TWO"], "ours")
    assert shown(say(session, "four")) == ["one", "TWO", "four"]


def test_a_run_since_another_begins_as_that_one_did(session):
    say(session, "one")
    run = say(session, "two")

    again = session.start(CHAT, since=run).wait()
    assert shown(again) == ["one", "two"]
    assert again["talk"].status == "cached"


def test_a_plan_knows_what_the_thread_has_said(session):
    run = say(session, "one")

    (anew,) = [x for x in session.plan(CHAT, {"say": "one"}).activations if x.node == "talk"]
    planned = session.plan(CHAT, {"say": "one"}, thread="ours")
    assert anew.action == "reuse"
    assert [x.action for x in planned.activations if x.node == "talk"] == ["run"]
    assert shown(planned.start().wait()) == ["one", "one"]
    since = session.plan(run.diagram, since=run)
    assert [x.action for x in since.activations if x.node == "talk"] == ["reuse"]


def test_only_runs_that_came_to_their_end_are_carried_on(session):
    say(session, "one")
    broken = CHAT.replace('"{{say}}"', '"{{nothing}}"')
    with pytest.raises(ExecutionFailedError):
        session.start(broken, thread="ours").wait()
    session.start(CHAT, {"say": "no"}, thread="ours", breakpoints=["end"]).wait().cancel()

    assert shown(say(session, "two")) == ["one", "two"]


def test_what_parts_said_is_carried_on_too(session):
    part = {
        "persons": {"P": {"service": "demo"}},
        "nodes": [{"label": "x", "type": "person_job", "person": "P", "prompt": "inner"}],
    }
    text = f"nodes: [{{label: part, type: sub_diagram, diagram_data: {part}}}]\n"
    session.start(text, thread="ours").wait()

    run = session.start(text, thread="ours").wait()
    inside = session.get(f"{run.id}/part[1]")
    assert shown(inside, "x") == ["inner", "inner"]
    assert len({each.id for each in run.messages}) == 4


def test_the_list_of_runs_knows_the_thread(session):
    say(session, "one")
    say(session, "two", thread=None)

    assert [each.thread for each in session.runs()] == [None, "ours"]


def test_an_empty_name_is_no_thread(session):
    with pytest.raises(CommandError, match="A thread has a name"):
        say(session, "one", thread="")
    with pytest.raises(CommandError, match="A thread has a name"):
        session.plan(CHAT, thread="")


def test_the_cell_the_command_and_the_api_have_it_too(kernel):
    dipeo.run_sync(CHAT, {"say": "one"}, thread="ours")

    plan = obey("plan chat --thread ours", {"chat": CHAT.replace("{{say}}", "one")})
    assert [x.action for x in plan.activations if x.node == "talk"] == ["run"]
    second = dipeo.start(CHAT, {"say": "two"}, thread="ours").wait()
    assert shown(second) == ["one", "two"]
    assert dipeo.plan(second).activations[1].action == "reuse"
