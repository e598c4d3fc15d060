"""Runs in the terminal, after their start: steered from other processes, and gone on with later."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tests.gate import Gate

DIPEO = [sys.executable, "-m", "dipeo_jupyter.cli"]
CHAIN = """
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- {label: a, type: job, code: "return topic + 'a'"}
- {label: b, type: job, code: "return default + 'b'"}
- {label: end, type: endpoint}
connections: [{from: start, to: a}, {from: a, to: b}, {from: b, to: end}]
"""
ASK = """
nodes:
- {label: start, type: start}
- {label: who, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: who}, {from: who, to: end}]
"""
PRICED = """
persons: {Ada: {service: demo}}
nodes:
- {label: start, type: start}
- {label: ada, type: person_job, person: Ada, prompt: "What of {{topic}}?"}
- {label: end, type: endpoint}
connections: [{from: start, to: ada}, {from: ada, to: end}]
"""


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


@pytest.fixture
def files(folder, gate):
    gated = CHAIN.replace("return default + 'b'", gate.code.replace('"', "'"))
    gated = gated.replace(
        "- {label: end", "- {label: c, type: job, code: return default}\n- {label: end"
    )
    gated = gated.replace("{from: b, to: end}", "{from: b, to: c}, {from: c, to: end}")
    texts = {"chain": CHAIN, "who": ASK, "priced": PRICED, "gated": gated}
    for name, text in texts.items():
        (folder / f"{name}.light.yaml").write_text(text)
    return folder


class Process:
    """The program in a process of its own; what it says on the way is read line by line."""

    def __init__(self, *arguments, **pipes):
        every = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.popen = subprocess.Popen([*DIPEO, *arguments], text=True, **(every | pipes))
        self.said: list[str] = []

    def says(self, text):
        """Wait until it says this."""
        while True:
            line = self.popen.stderr.readline()
            assert line, f"{text!r} was never said: {self.said}"
            self.said.append(line)
            if text in line:
                return line

    @property
    def run(self):
        return re.search(r"exec_\w+", "".join(self.said))[0]

    def ended(self):
        out, err = self.popen.communicate(timeout=60)
        return self.popen.returncode, out, "".join(self.said) + err


@pytest.fixture
def start(files):
    processes = []

    def start(*arguments, **pipes):
        processes.append(Process(*arguments, **pipes))
        return processes[-1]

    yield start
    for each in processes:
        with each.popen:
            each.popen.kill()


def call(*arguments):
    """The program in a process of its own, to its end."""
    done = subprocess.run(
        [*DIPEO, *arguments], capture_output=True, text=True, timeout=60, check=False, input=""
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run_of(dipeo, files):
    """Run a command in this process; the id of its run."""

    def run(command, *more):
        return re.search(r"exec_\w+", dipeo(command, *more).err)[0]

    return run


def test_another_process_pauses_steps_and_resumes_a_run(start, gate):
    process = start("run", "gated.light.yaml")
    process.says("▶ b[1]")
    assert call("pause", process.run)[0] == 0
    process.says("‖ paused")
    gate.reached()
    gate.let_through("tea")

    call("step", process.run)
    process.says("▶ c[1]")
    process.says("‖ paused (steps)")
    assert call("resume", process.run)[0] == 0

    assert process.ended()[:2] == (0, "tea\n")


def test_a_pause_now_stops_what_runs_and_resuming_runs_it_again(start, gate):
    process = start("run", "gated.light.yaml")
    process.says("▶ b[1]")
    gate.reached()

    assert ": paused" in call("pause", "--now", process.run)[2]
    call("resume", process.run)
    gate.reached()
    gate.let_through("again")

    assert process.ended()[:2] == (0, "again\n")


def test_another_process_cancels_a_run(start):
    process = start("run", "who.light.yaml")
    process.says("Who?")

    assert ": cancelled" in call("cancel", process.run)[2]
    assert call("cancel", process.run)[0] == 0

    code, _, said = process.ended()
    assert (code, "✗ cancelled" in said) == (1, True)


def test_of_two_answers_exactly_one_wins(start):
    process = start("run", "who.light.yaml")
    process.says("Who?")

    both = [start("answer", process.run, "who", name) for name in ("Ada", "Bob")]
    ended = {name: each.ended() for name, each in zip(("Ada", "Bob"), both, strict=True)}

    (winner,) = [name for name, (code, _, _) in ended.items() if code == 0]
    (loser,) = [each for each in ended.values() if each[0] == 1]
    assert "does not wait for an answer (any more)" in loser[2]
    assert process.ended()[:2] == (0, f"{winner}\n")


@pytest.mark.crash
def test_a_killed_run_is_gone_on_with(start, gate):
    process = start("run", "gated.light.yaml")
    process.says("▶ b[1]")
    job = gate.reached()
    process.popen.kill()
    process.popen.wait()
    os.kill(job, signal.SIGKILL)  # it would run on to its time limit
    assert ": paused" in call("status", process.run)[1]

    again = start("resume", process.run)
    again.says("taken over; again: b[1]")
    gate.reached()
    gate.let_through("tea")

    assert again.ended()[:2] == (0, "tea\n")


def test_an_interrupted_run_is_paused_and_says_how_to_go_on(start, gate):
    process = start("run", "gated.light.yaml")
    process.says("▶ b[1]")
    gate.reached()

    process.popen.send_signal(signal.SIGINT)

    code, _, said = process.ended()
    assert code == 130
    assert f"`dipeo resume {process.run}` goes on with it." in said
    assert ": paused" in call("status", process.run)[1]


def test_a_breakpoint_ends_the_program_and_resume_goes_on(dipeo, run_of):
    run = run_of("run chain.light.yaml --break b")

    assert "‖ paused before b[1]" not in dipeo(f"status {run}").out
    resumed = dipeo(f"resume {run}")

    assert (resumed.code, resumed.out) == (0, "teaab\n")
    assert "▶ a[1]" not in resumed.err


def test_a_run_that_stands_exits_with_3(dipeo, files):
    stood = dipeo("run chain.light.yaml --break", "after a if len(output) > 3")

    assert (stood.code, stood.out) == (3, "")
    assert "‖ paused after a[1]" in stood.err


def test_steps_are_followed_in_the_foreground(dipeo, run_of):
    run = run_of("run chain.light.yaml --break a")

    step = dipeo(f"step {run} -n 2")

    assert (step.code, step.err.count("▶")) == (3, 2)
    assert dipeo(f"step {run} -n 5").out == "teaab\n"


def test_an_answer_goes_on_with_a_run_that_nobody_holds(dipeo, run_of):
    run = run_of("run who.light.yaml --no-interactive")
    assert dipeo(f"status {run}").out.startswith(f"{run} (who): waiting for who")

    answered = dipeo(f"answer {run} who Ada")

    assert (answered.code, answered.out) == (0, "Ada\n")
    assert dipeo(f"answer {run} who Bob").code == 1


def test_resuming_what_is_completed_gives_its_result_again(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    assert dipeo(f"resume {run}").out == dipeo(f"step {run}").out == "teaab\n"
    assert dipeo(f"pause {run}").code == 1


def test_a_failed_run_tries_again(dipeo, run_of, files):
    (files / "flaky.light.yaml").write_text(
        CHAIN.replace("return default + 'b'", f"return open('{files}/b').read()")
    )
    run = run_of("run flaky.light.yaml")
    assert dipeo(f"resume {run}").code == 1
    (files / "b").write_text("there now")

    assert dipeo(f"resume {run}").out == "there now\n"


def test_an_edit_runs_only_what_depends_on_it(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    edited = dipeo(f"edit {run} --set", "b.code=return default + '!'")

    assert (edited.code, edited.out) == (0, "teaa!\n")
    shown = [json.loads(line) for line in dipeo(f"show {run} --json").out.splitlines()]
    done = [each["payload"] for each in shown if each["type"] == "effect_completed"]
    assert [(each["node"], each["reused"]) for each in done][-2:] == [("a", True), ("b", False)]


def test_an_output_given_by_hand_is_what_goes_on(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    assert dipeo(f"edit {run} --paused --set a[1]=my").code == 0
    assert dipeo(f"resume {run}").out == "myb\n"


def test_an_edit_by_file_is_checked_with_its_lines(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    wrong = dipeo(f"edit {run} wrong.light.yaml")

    assert wrong.code == 2
    assert "wrong.light.yaml: error: line" in wrong.err


def test_a_fork_is_a_run_of_its_own(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    forked = dipeo(f"fork {run} --at b --set", "b.code=return 'other'")

    assert (forked.code, forked.out) == (0, "other\n")
    assert dipeo(f"resume {run}").out == "teaab\n"


def test_breakpoints_and_skips_are_kept_until_the_run_goes_on(dipeo, run_of):
    run = run_of("run chain.light.yaml --break a")

    dipeo(f"break {run} b")
    dipeo(f"skip {run} a")
    resumed = dipeo(f"resume {run}")

    assert "- a skipped (asked)" in resumed.err
    assert "- b skipped" in resumed.err


def test_a_place_that_is_not_there_is_wrong_use(dipeo, run_of):
    run = run_of("run chain.light.yaml --break a")

    wrong = dipeo(f"break {run} bb[2]")

    assert wrong.code == 2
    assert "There is no node 'bb' to stop at." in wrong.err


def test_a_plan_says_what_is_reused_and_what_changed(dipeo, run_of, files):
    run = run_of("run priced.light.yaml -i topic=tea")

    same = dipeo(f"plan priced.light.yaml --since {run}")
    other = dipeo("plan priced.light.yaml -i topic=milk --json")

    assert "0 to run (0 calls), 1 reused" in same.out
    planned = json.loads(other.out)["activations"]
    assert [each["action"] for each in planned] == ["compute", "run", "compute"]


def test_a_fresh_run_asks_again(dipeo, files):
    dipeo("run priced.light.yaml -i topic=tea")

    reused = dipeo("run priced.light.yaml -i topic=tea").err
    fresh = dipeo("run priced.light.yaml -i topic=tea --fresh").err

    assert ("taken from before" in reused, "taken from before" in fresh) == (True, False)


def test_runs_are_listed_with_short_ids_that_work(dipeo, run_of):
    first, second = (run_of("run chain.light.yaml") for _ in range(2))

    _, *lines = dipeo("list").out.splitlines()

    ids = [line.split()[0] for line in lines]
    assert [second.startswith(ids[0]), first.startswith(ids[1])] == [True, True]
    assert {dipeo(f"status {each}").code for each in ids} == {0}
    assert len(json.loads(dipeo("list --all --json").out)) == 2


def test_what_has_happened_is_shown_event_by_event(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    lines = dipeo(f"show {run}").out.splitlines()

    assert lines[0].endswith("execution started")
    assert lines[-1].endswith("execution completed")


KEEP = """
nodes:
- {label: start, type: start}
- {label: keep, type: db, operation: upsert, collection: cities, keys: name, data: {name: Oslo}}
edges: [start -> keep]
"""


def test_show_collections_lists_tables_and_columns(folder, dipeo):
    (folder / "keep.light.yaml").write_text(KEEP)
    assert dipeo("show collections").out == "no collections\n"
    dipeo("run keep.light.yaml")

    (table,) = json.loads(dipeo("show collections --json").out)

    assert table == {"name": "cities", "columns": {"name": "text"}, "keys": ["name"]}
    assert "cities      name    text   ✓" in dipeo("show collections").out
    assert dipeo("show collections nowhere").code == 2
    assert dipeo("show exec_1 nowhere").code == 2


def test_less_than_none_is_not_kept(dipeo, run_of):
    run = run_of("run chain.light.yaml")

    with pytest.raises(SystemExit):
        dipeo("prune --keep-last=-1")
    assert dipeo(f"status {run}").code == 0


def test_runs_are_pruned_but_the_last(dipeo, run_of):
    first, second = (run_of("run chain.light.yaml") for _ in range(2))

    assert dipeo("prune --keep-last 1").out == "1 run forgotten\n"

    assert (dipeo(f"status {first}").code, dipeo(f"status {second}").code) == (2, 0)


@pytest.mark.parametrize(
    "command",
    ["status", "show", "pause", "resume", "step", "cancel", "break", "fork", "edit"],
)
def test_an_unknown_run_is_one_sentence_and_wrong_use(dipeo, command):
    called = dipeo(f"{command} exec_nope")

    assert (called.code, called.out) == (2, "")
    assert called.err == "dipeo: There is no run 'exec_nope'.\n"


def test_an_id_that_could_be_several_is_wrong_use(dipeo, run_of):
    run_of("run chain.light.yaml")
    run_of("run chain.light.yaml")

    called = dipeo("resume exec_")

    assert (called.code, called.err) == (
        2,
        "dipeo: 'exec_' could be any of 2 runs; write more of it.\n",
    )


def test_a_budget_ends_the_program_and_resume_goes_on_with_more(dipeo, files):
    (files / "talk.light.yaml").write_text(
        PRICED.replace(
            "- {label: end",
            "- {label: eve, type: person_job, person: Ada, prompt: E}\n- {label: end",
        ).replace("to: end}", "to: eve}, {from: eve, to: end}")
    )
    done = dipeo("run", "talk.light.yaml", "-i", "topic=tea", "--max-calls", "1")
    assert done.code == 3
    assert done.err.count("paused (The run may make 1 call to models, and has made them.)") == 1
    assert done.err.count("goes on with it") == 1
    run = re.search(r"exec_\w+", done.err)[0]
    assert dipeo("resume", run).code == 3
    assert dipeo("resume", run, "--max-calls", "2").code == 0
    assert dipeo("run", "talk.light.yaml", "--budget", "-1").code == 2


SPOKEN = """
persons: {P: {service: demo, answers: [Tea.]}}
nodes:
- {label: start, type: start}
- {label: p, type: person_job, person: P, prompt: What?}
- {label: end, type: endpoint}
connections: [{from: start, to: p}, {from: p, to: end}]
"""


def test_conversation_shows_who_said_what_to_whom(folder, dipeo):
    (folder / "spoken.light.yaml").write_text(SPOKEN)
    run = dipeo("run spoken.light.yaml").err.split("run ")[1].split()[0]
    head, asked, said = dipeo(f"conversation {run}").out.splitlines()
    assert ["activation", "sender", "recipient", "content"] == head.split()[:4]
    assert ["p[1]", "(diagram)", "P", "What?", "P"] == asked.split()
    assert ["p[1]", "P", "(diagram)", "Tea.", "P"] == said.split()
    told = json.loads(dipeo(f"conversation {run} --json").out)
    assert ["What?", "Tea."] == [each["message"]["content"] for each in told]
