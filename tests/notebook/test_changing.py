"""A run that is stopped, changed, gone on with, forked and planned, from Python and in a cell."""

from __future__ import annotations

from contextlib import closing

import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter.errors import CommandError, DiagramError, ExecutionFailedError
from dipeo_jupyter.notebook.commands import obey
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings

BOTH_MODES = True

LOOP = """
name: loop
persons: {Ada: {service: demo, system_prompt: Be kind.}}
nodes:
- {label: start, type: start}
- {label: ada, type: person_job, person: Ada, prompt: "Of {{topic}}?", max_iteration: 2}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: sum, type: person_job, person: Ada, prompt: "Sum up."}
- {label: end, type: endpoint}
connections:
- {from: start, to: ada}
- {from: ada, to: enough}
- {from: "enough[condfalse]", to: ada}
- {from: "enough[condtrue]", to: sum}
- {from: sum, to: end}
"""
TEA = {"topic": "tea"}
ASK = """
nodes:
- {label: start, type: start}
- {label: who, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: who}, {from: who, to: end}]
"""


def statuses(run):
    return {f"{row['node']}[{row['activation']}]": row["status"] for row in run.to_records()}


def test_waiting_ends_at_a_breakpoint_and_goes_on_from_there(session):
    run = session.start(LOOP, TEA, breakpoints=["ada[2]"]).wait()

    assert (run.status, run.stopped_at) == ("paused", "before ada[2]")
    assert repr(run).startswith("Run of loop: paused before ada[2]\n")
    run.resume()
    assert (run.wait().status, run.stopped_at) == ("completed", None)


def test_waiting_ends_when_the_steps_are_done(session):
    run = session.start(LOOP, TEA, paused=True)

    run.step(2)

    assert run.wait().stopped_at == "steps"
    assert list(statuses(run)) == ["start[1]", "ada[1]"]


def test_a_condition_stops_the_run_where_it_holds(session):
    place = dipeo.when("ada", "len(output) > 3", after=True)
    run = session.start(LOOP, TEA, breakpoints=[place]).wait()

    assert run.stopped_at == "after ada[1]"
    assert run.stops == ["after ada if len(output) > 3"]
    run.breakpoints()
    run.resume()
    assert (run.wait().status, run.stops) == ("completed", [])


def test_an_edit_runs_only_what_depends_on_it(session):
    run = session.start(LOOP, TEA).wait()

    run.edit(set={"sum.prompt": "Sum it all up."})
    assert (run.status, run.stopped_at, run.outputs) == ("paused", "edited", {})
    run.resume()

    assert "Sum it all up." in run.wait().output
    assert statuses(run)["ada[2]"] == "cached"
    assert statuses(run)["sum[1]"] == "completed"


def test_an_output_given_by_hand_is_what_others_see(session):
    run = session.start(LOOP, TEA).wait()

    run.edit(set={"ada[2]": "My words."})
    run.resume()
    run.wait()

    assert run["ada"].output == "My words."
    assert "My words." in [message.content for message in run.messages]


def test_inputs_are_changed_too(session):
    run = session.start(LOOP, TEA).wait()

    run.edit(inputs={"topic": "milk"})
    run.resume()

    assert run.inputs == {"topic": "milk"}
    assert "Of milk?" in run.wait()["ada"].output


def test_a_wrong_edit_changes_nothing(session):
    run = session.start(LOOP, TEA).wait()

    with pytest.raises(DiagramError, match="prmpt"):
        run.edit(set={"sum.prmpt": "x"})

    assert run.status == "completed"


def test_a_failed_run_tries_again_and_shows_only_that(session, tmp_path):
    job = f"return open({str(tmp_path / 'tea')!r}).read()"
    text = ASK.replace('user_response, prompt: "Who?"', f'job, code: "{job}"')
    run = session.start(text)
    with pytest.raises(ExecutionFailedError):
        run.wait()

    (tmp_path / "tea").write_text("there")
    run.resume()

    assert (run.wait().output, run.error) == ("there", None)
    assert statuses(run) == {"start[1]": "completed", "who[1]": "completed", "end[1]": "completed"}


def test_a_fork_leaves_the_run_as_it_is(session):
    run = session.start(LOOP, TEA).wait()

    fork = run.fork("ada[2]", set={"Ada.system_prompt": "Be stern."}).wait()

    assert fork.id != run.id
    assert (statuses(fork)["ada[1]"], statuses(fork)["ada[2]"]) == ("cached", "completed")
    assert "Be stern" in fork.output
    assert "Be kind" in run.output
    assert run.diff(fork).first_divergence is not None


def test_a_held_node_waits_and_a_skipped_one_is_left_out(session):
    run = session.start(ASK, paused=True)

    run.pause_node("who")
    assert run["who"].status == "paused"
    run.skip_node("who")
    run.resume_node("who")
    run.resume()

    assert run.wait()["who"].status == "skipped"


def test_the_text_of_a_reused_run_is_the_same(session):
    first, again = (session.start(LOOP, TEA).wait() for _ in range(2))

    assert repr(again) == repr(first)
    assert statuses(again)["ada[1]"] == "cached"
    assert statuses(session.start(LOOP, TEA, fresh=True).wait())["ada[1]"] == "completed"


def test_a_plan_says_what_it_would_do_and_does_it(session):
    run = session.start(LOOP, TEA).wait()

    plan = session.plan(run.diagram, changes={"sum.prompt": "Well?"}, since=run)

    assert plan.calls == 1
    assert [each["activation"] for each in plan.to_records() if each["action"] == "run"] == [
        "sum[1]"
    ]
    assert repr(plan).splitlines()[-1].startswith("1 to run (1 call), 2 reused")
    assert "Well?" in plan.start().wait().output


def test_a_run_goes_on_in_another_process(tmp_path):
    settings = Settings(root=tmp_path, home=tmp_path / "home", sandbox="off")
    with closing(Session(settings)) as session:
        left = session.start(ASK).id
    with closing(Session(settings)) as session:
        run = session.get(left[:12], ask=None)
        assert (run.status, run.waiting) == ("waiting", {"who": "Who?"})
        run.answer("who", "Ada")

        assert run.wait().output == "Ada"
        assert session.get(left) is run


def test_an_unknown_run_is_one_sentence(session):
    with pytest.raises(CommandError, match=r"There is no run 'exec_nope'\."):
        session.get("exec_nope")


def test_runs_are_a_table_with_short_ids(kernel):
    dipeo.run_sync(LOOP, TEA)
    dipeo.run_sync(LOOP, TEA)

    frame = dipeo.runs().to_frame()

    assert list(frame["status"]) == ["completed", "completed"]
    assert dipeo.get(frame["id"][0]).name == "loop"
    assert "loop" in repr(dipeo.runs())
    with pytest.raises(CommandError, match="-1 is no number of runs"):
        dipeo.prune(-1)
    assert dipeo.prune(1) == 1
    assert len(dipeo.runs()) == 1


def test_a_run_since_another_has_its_inputs(kernel):
    first = dipeo.run_sync(LOOP, TEA)

    again = dipeo.run_sync(LOOP, since=first.id)

    assert again.inputs == TEA
    assert statuses(again)["sum[1]"] == "cached"


def test_all_that_can_be_done_in_one_line(kernel, capsys):
    run = dipeo.start(LOOP, TEA, paused=True)
    variables = {"loop": run}

    obey("break loop 'after ada'", variables)
    obey("step loop 1", variables)
    obey(f"resume {run.id}", variables)
    assert run.wait().stopped_at == "after ada[1]"
    obey("break loop", variables)
    obey("status loop", variables)
    obey("resume loop", variables)
    run.wait()
    assert obey("show loop", variables) is run
    assert obey("fork loop --at ada[2]", variables).wait().status == "completed"
    assert obey("plan loop --since loop", variables).calls == 0
    assert len(obey("list", variables)) == 2
    said = capsys.readouterr().out
    assert "stops at: after ada\n" in said
    assert "Run of loop: paused after ada[1]\n" in said


def test_a_variable_that_holds_no_run_names_the_nearest(kernel):
    run = dipeo.start(LOOP, TEA)

    with pytest.raises(CommandError, match="Did you mean 'debate'"):
        obey("pause debtae", {"debate": run})
    run.cancel()
