"""The `Run` that people hold: what it shows, how it is steered, what waiting for it means."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from xml.dom.minidom import parseString

import pandas as pd
import pytest

from dipeo_jupyter.errors import CommandError, DiagramError, ExecutionFailedError, NoAnswerError
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of

BOTH_MODES = True

CHAIN = """
name: chain
nodes:
- {label: start, type: start}
- {label: double, type: condition, expression: n > 1}
- {label: few, type: endpoint}
- {label: many, type: endpoint}
connections:
- {from: start, to: double}
- {from: "double[condfalse]", to: few}
- {from: "double[condtrue]", to: many}
"""
DEBATE = """
persons:
  Ada: {service: demo, answers: [Tea., Still tea.]}
nodes:
- {label: start, type: start}
- {label: ada, type: person_job, person: Ada, prompt: "What about {{topic}}?", max_iteration: 2}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: end, type: endpoint}
connections:
- {from: start, to: ada}
- {from: ada, to: enough}
- {from: "enough[condfalse]", to: ada}
- {from: "enough[condtrue]", to: end}
"""
ASK = """
nodes:
- {label: start, type: start}
- {label: b, type: user_response, prompt: "B?"}
- {label: a, type: user_response, prompt: "A?"}
- {label: end, type: endpoint}
connections:
- {from: start, to: b}
- {from: start, to: a}
- {from: a, to: end, label: a}
- {from: b, to: end, label: b}
"""
FAIL = """
nodes:
- {label: start, type: start}
- label: boom
  type: job
  code: |
    tea = 0
    1 / tea
- {label: end, type: endpoint}
connections: [{from: start, to: boom}, {from: boom, to: end}]
"""


def gated(gate):
    return f"""
nodes:
- {{label: start, type: start}}
- {{label: wait, type: job, code: {gate.code!r}}}
- {{label: end, type: endpoint}}
connections: [{{from: start, to: wait}}, {{from: wait, to: end}}]
"""


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def elsewhere(work, *arguments, **options):
    """Do it in another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, *arguments, **options).result(60)


def test_outputs_are_plain_python_values_by_label(session):
    run = session.start(CHAIN, {"n": 2}).wait()

    assert run.status == "completed"
    assert run.outputs == {"many": {"n": 2}}
    assert run.output == {"n": 2}


def test_several_outputs_come_together_by_label(session):
    both = CHAIN.replace("condtrue", "condfalse")

    run = session.start(both, {"n": 1}).wait()

    assert run.output == run.outputs == {"few": {"n": 1}, "many": {"n": 1}}


def test_a_node_says_how_it_ended_and_what_it_gave(session):
    run = session.start(DEBATE, {"topic": "tea"}).wait()

    assert run["ada"].output == "Still tea."
    assert [each.number for each in run["ada"].activations] == [1, 2]
    assert run["ada"].usage.output_tokens == 3
    assert repr(run["ada"]) == "<ada: completed ×2 Still tea.>"


def test_seen_is_exactly_what_the_person_was_shown(session):
    run = session.start(DEBATE, {"topic": "tea"}).wait()

    prompt = "What about tea?"
    assert [each.content for each in run["ada"].seen] == [prompt, "Tea.", prompt]
    assert len(run.messages) == 4


def test_a_node_that_does_not_exist_suggests_the_nearest(session):
    run = session.start(DEBATE, {"topic": "tea"}).wait()

    with pytest.raises(KeyError, match=r"no node 'adda'. Did you mean 'ada'\?"):
        run["adda"]


def test_an_activation_is_looked_at_by_its_name(session):
    run = session.start(DEBATE, {"topic": "tea"}).wait()

    first, second = run["ada[1]"], run["ada[2]"]
    assert [first.output, second.output] == ["Tea.", "Still tea."]
    assert (len(first.seen), len(second.seen), first.outcome) == (1, 3, "completed")
    with pytest.raises(KeyError, match=r"no activation 'ada\[3\]': <ada: completed ×2"):
        run["ada[3]"]


def test_a_node_that_never_ran_is_skipped_and_empty(session):
    few = session.start(CHAIN, {"n": 2}).wait()["few"]

    assert (few.status, few.output, few.seen, few.error) == ("skipped", None, [], None)


def test_the_text_is_the_same_for_the_same_outcome(session):
    first = session.start(DEBATE, {"topic": "tea"}, name="debate").wait()
    second = session.start(DEBATE, {"topic": "tea"}, name="debate").wait()

    assert repr(first) == repr(second)
    assert repr(first).splitlines() == [
        "Run of debate: completed",
        "  start   completed",
        "  ada     completed ×2",
        "  enough  completed ×2",
        "  end     completed",
        "end = Still tea.",
    ]


def test_the_picture_is_the_same_for_the_same_outcome(session):
    first, second = (session.start(CHAIN, {"n": 2}).wait() for _ in range(2))

    assert first.picture() == second.picture()
    assert first.picture() != session.start(CHAIN, {"n": 1}).wait().picture()


def test_a_notebook_gets_plain_text_and_a_valid_picture(session):
    odd = CHAIN.replace("many", "'<b> & \"many\"'")

    shown, _ = session.start(odd, {"n": 2}).wait()._repr_mimebundle_()

    assert '<b> & "many"' in shown["text/plain"]
    assert parseString(shown["image/svg+xml"]).documentElement.tagName == "svg"  # noqa: S318


def test_long_values_are_shortened_to_one_line(session):
    run = session.start(CHAIN, {"n": 2, "text": "tea\n" * 1000}).wait()

    last = repr(run).splitlines()[-1]
    assert last.startswith('many = {"n": 2, "text": "tea')
    assert last.endswith("…")
    assert len(last) < 100


def test_open_questions_are_shown_in_the_order_of_the_diagram(session):
    run = session.start(ASK, ask=None)

    with pytest.raises(NoAnswerError):
        run.wait()

    assert list(run.waiting.items()) == [("b", "B?"), ("a", "A?")]
    assert repr(run).splitlines()[-2:] == ["b asks: B?", "a asks: A?"]


def test_the_table_has_one_row_for_each_firing(session):
    rows = session.start(DEBATE, {"topic": "tea"}).wait().to_records()

    fired = [f"{row['node']}[{row['activation']}]" for row in rows]
    assert fired == ["start[1]", "ada[1]", "enough[1]", "ada[2]", "enough[2]", "end[1]"]
    assert {row["status"] for row in rows} == {"completed"}
    assert rows[1]["person"] == "Ada"
    assert rows[1]["output_tokens"] == 1


def test_the_frame_has_its_columns_before_anything_has_run(session):
    run = session.start(DEBATE, {"topic": "tea"}, paused=True)

    before = run.to_frame()
    run.resume()
    after = run.wait().to_frame()

    assert isinstance(after, pd.DataFrame)
    assert list(before.columns) == list(after.columns)
    assert (len(before), len(after)) == (0, 6)


def test_events_are_everything_that_happened_in_order(session):
    run = session.start(CHAIN, {"n": 2}).wait()

    assert [entry.seq for entry in run.events] == list(range(1, len(run.events) + 1))
    assert isinstance(run.events[-1].event, e.ExecutionCompleted)


def test_a_failed_run_raises_with_all_that_was_done(session):
    run = session.start(FAIL)

    with pytest.raises(ExecutionFailedError, match="ZeroDivisionError") as caught:
        run.wait()

    assert caught.value.run is run
    assert run["start"].status == "completed"
    assert (run["boom"].status, run["end"].status) == ("failed", "pending")


def test_the_details_are_the_traceback_of_the_code(session):
    run = session.start(FAIL)
    with pytest.raises(ExecutionFailedError):
        run.wait()

    assert run.details.startswith("Traceback")
    assert "1 / tea" in run.details
    assert "dipeo_jupyter" not in run.details


@pytest.mark.parametrize(
    ("node", "line"),
    [
        ("type: job\n  timeout: 9\n  code: |\n    x = 1\n    1 / 0", 8),
        ("type: job\n  props:\n    timeout: 9\n    code: 1 / 0", 7),
        ("type: job\n  code: x = 1\n  functionName: brew", 6),
        ("type: start\n  custom_data: {}\n  data_schema.required: [tea]", 6),
        ("type: condition\n  expression: 'tea > 1'", 5),
    ],
    ids=["block", "props", "alias", "flattened", "expression"],
)
def test_an_error_names_the_line_of_the_property(session, node, line):
    run = session.start(f"nodes:\n-\n  label: here\n  {node}\n")

    with pytest.raises(ExecutionFailedError):
        run.wait()

    assert run.error.startswith(f"line {line}, node 'here': ")


def test_an_error_in_a_block_of_code_names_the_line_in_the_file_and_in_the_code(session):
    run = session.start(FAIL)
    with pytest.raises(ExecutionFailedError):
        run.wait()

    message = "line 8, node 'boom': ZeroDivisionError: division by zero (line 2 of the code)"
    assert run.error == message


def test_without_a_text_an_error_names_the_node_alone(session):
    run = session.start(diagram_of(FAIL))

    with pytest.raises(ExecutionFailedError, match=r"^node 'boom': ZeroDivisionError"):
        run.wait()


def test_a_wrong_diagram_is_refused_with_its_line(session):
    with pytest.raises(DiagramError, match=r"line 5: .*Did you mean 'expression'\?"):
        session.start(CHAIN.replace("expression", "expresion"), {"n": 1})


def test_answers_for_no_node_are_refused_before_anything_runs(session):
    with pytest.raises(CommandError, match=r"Did you mean 'a'|There is"):
        session.start(ASK, answers={"c": "yes"})


def test_steps_from_another_thread_go_one_by_one(session):
    run = session.start(CHAIN, {"n": 2}, paused=True)
    assert run.status == "paused"

    elsewhere(run.step)
    elsewhere(run.step)
    elsewhere(run.resume)

    assert elsewhere(run.wait) is run
    pauses = [entry for entry in run.events if isinstance(entry.event, e.ExecutionPaused)]
    assert len(pauses) in (2, 3)  # resume may come before the pause after the last step


def test_a_pause_lets_what_runs_come_to_its_end(session, gate):
    run = session.start(gated(gate))
    gate.reached()

    elsewhere(run.pause)
    assert run.status == "paused"
    gate.let_through("tea")
    run.resume()

    assert run.wait().output == "tea"
    assert len(run["wait"].activations) == 1


def test_a_pause_now_stops_what_runs_and_starts_it_again(session, gate):
    run = session.start(gated(gate))
    first = gate.reached()

    elsewhere(run.pause, now=True)
    assert not alive(first)
    assert run["wait"].status == "pending"
    run.resume()
    gate.reached()
    gate.let_through("tea")

    assert run.wait().output == "tea"
    assert len(run["wait"].activations) == 1


def test_a_cancelled_run_is_over_at_once(session, gate):
    run = session.start(gated(gate))
    job = gate.reached()

    elsewhere(run.cancel)

    assert (run.status, run["wait"].status) == ("cancelled", "cancelled")
    assert not alive(job)
    with pytest.raises(ExecutionFailedError, match="was cancelled"):
        run.wait()


def test_what_is_over_cannot_be_paused(session):
    run = session.start(CHAIN, {"n": 2}).wait()

    with pytest.raises(CommandError, match="completed"):
        run.pause()


def test_waiting_ends_in_time_and_the_run_goes_on(session, gate):
    run = session.start(gated(gate))
    gate.reached()

    with pytest.raises(TimeoutError, match=r"not ended within 0\.01 s\. It goes on"):
        run.wait(timeout=0.01)
    assert run.status == "running"
    gate.let_through("tea")

    assert run.wait(60).output == "tea"


def test_waiting_twice_and_afterwards_gives_the_same(session):
    run = session.start(CHAIN, {"n": 2})

    async def main():
        return await asyncio.gather(run, run)

    assert asyncio.run(main()) == [run, run]
    assert run.wait() is run


def test_a_wait_that_is_cancelled_pauses_the_run(session, gate):
    run = session.start(gated(gate))

    async def main():
        waiting = asyncio.ensure_future(run)
        job = await asyncio.to_thread(gate.reached)
        waiting.cancel()
        await asyncio.wait({waiting})
        return waiting.cancelled(), alive(job)

    assert asyncio.run(main()) == (True, False)
    assert run.status == "paused"
    run.resume()
    gate.reached()
    gate.let_through("tea")
    assert run.wait().output == "tea"


def test_cancelling_a_wait_at_the_end_changes_nothing(session):
    run = session.start(CHAIN, {"n": 2}).wait()

    async def main():
        waiting = asyncio.ensure_future(run)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})

    asyncio.run(main())
    assert run.status == "completed"


class Human:
    """Answers with its name; knows in which cell it was asked."""

    cell = contextvars.ContextVar("cell", default="")

    def __init__(self):
        self.asked = []

    async def __call__(self, node, question, problem):
        self.asked.append((node, self.cell.get()))
        await asyncio.sleep(0)
        return f"{node}!"


def test_only_whoever_waits_is_asked_in_that_cell(session):
    human = Human()
    Human.cell.set("In [1]")
    run = session.start(ASK, ask=human)
    with pytest.raises(CommandError):  # nothing else has happened when it comes back
        run.answer("start", "nothing is asked")
    assert human.asked == []

    Human.cell.set("In [2]")

    assert run.wait().output == {"a": "a!", "b": "b!"}
    assert sorted(human.asked) == [("a", "In [2]"), ("b", "In [2]")]


def test_two_who_wait_are_asked_once(session):
    human = Human()
    run = session.start(ASK, ask=human)

    async def main():
        await asyncio.gather(run, run, run)

    asyncio.run(main())
    assert sorted(node for node, _ in human.asked) == ["a", "b"]


def test_a_run_that_nobody_can_answer_can_be_answered_later(session):
    run = session.start(ASK, answers={"a": "yes"}, ask=None)
    with pytest.raises(NoAnswerError, match=r"'b' asks 'B\?'") as caught:
        run.wait()

    assert caught.value.run is run
    assert (run.status, run["b"].status) == ("waiting", "waiting")
    run.answer("b", "later")
    assert run.wait().output == {"a": "yes", "b": "later"}


def test_answers_given_beforehand_need_nobody_who_waits(session):
    run = session.start(ASK, answers={"a": 1, "b": 2}, ask=None)

    async def over():
        return [entry.event async for entry in session.engine.events(run.id)][-1]

    assert session.loop.run(over()) == e.ExecutionCompleted(outputs={"end": {"a": 1, "b": 2}})


def test_an_answer_that_is_not_asked_for_is_refused(session):
    run = session.start(CHAIN, {"n": 1}).wait()

    with pytest.raises(CommandError, match="does not wait"):
        run.answer("double", "yes")


SCRIPT = """
import sys
import dipeo_jupyter
dipeo_jupyter.start(sys.argv[1])
print(open(sys.argv[2]).read())
"""


def test_a_program_that_ends_leaves_no_job_behind(gate, tmp_path):
    diagram = tmp_path / "hang.light.yaml"
    diagram.write_text(gated(gate))
    command = [sys.executable, "-c", SCRIPT, diagram, tmp_path / "here"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert done.stderr == ""
    assert not alive(int(done.stdout))
