"""The terminal: what `dipeo` prints where, and how it exits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from dipeo_jupyter.protocol.events import Entry, ExecutionCompleted, ExecutionFailed

from .conftest import ASK, ECHO, WRONG

HANG = """
nodes:
- label: hang
  type: job
  code: |
    import os, time
    open('%s', 'w').write(str(os.getpid()))
    time.sleep(600)
"""
DIPEO = [sys.executable, "-m", "dipeo_jupyter.cli"]


@pytest.fixture
def started(folder):
    """Start the program in a process of its own."""
    processes = []

    def start(*arguments, **options):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        processes.append(subprocess.Popen([*DIPEO, *arguments], text=True, **(pipes | options)))
        return processes[-1]

    yield start
    for process in processes:
        with process:
            process.kill()


def test_the_result_goes_to_stdout_and_the_way_there_to_stderr(dipeo):
    called = dipeo("run echo.light.yaml -i topic=tea -i n=3")

    assert called.code == 0
    assert json.loads(called.out) == {"topic": "tea", "n": 3}
    started, *rest = called.err.splitlines()
    assert started.startswith("run exec_")
    assert rest == ["▶ start[1]", "▶ text[1]", "▶ end[1]"]


def test_a_text_is_printed_as_it_is(dipeo, folder):
    (folder / "text.light.yaml").write_text(ECHO.replace("return default", "return 'tea ☕'"))

    assert dipeo("run text.light.yaml").out == "tea ☕\n"


def test_inputs_from_a_file_give_way_to_those_on_the_line(dipeo, folder):
    (folder / "inputs.json").write_text('{"a": 1, "b": [2]}')

    called = dipeo("run echo.light.yaml --inputs-json inputs.json -i a=one")

    assert json.loads(called.out) == {"a": "one", "b": [2]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), ("[1]", "no JSON object"), ("{", "Expecting property name")],
)
def test_inputs_that_cannot_be_read_are_wrong_use(dipeo, folder, content, reason):
    if content is not None:
        (folder / "inputs.json").write_text(content)

    called = dipeo("run echo.light.yaml --inputs-json inputs.json")

    assert (called.code, called.out) == (2, "")
    assert "'inputs.json'" in called.err
    assert reason in called.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rnu echo.light.yaml", "there is no command 'rnu'. Did you mean 'run'?"),
        ("run echo.light.yaml --brek ada", "Did you mean '--break'?"),
    ],
)
def test_a_mistyped_word_is_told_with_the_right_one(dipeo, capsys, line, words):
    with pytest.raises(SystemExit):
        dipeo(line)
    assert words in capsys.readouterr().err


def test_an_input_that_is_no_pair_is_wrong_use(dipeo, capsys):
    with pytest.raises(SystemExit) as left:
        dipeo("run echo.light.yaml -i topic")

    assert left.value.code == 2
    assert "'topic' is not NAME=VALUE" in capsys.readouterr().err


def test_a_failed_run_tells_its_error_once_with_the_line(dipeo):
    called = dipeo("run fail.light.yaml")

    assert (called.code, called.out) == (1, "")
    assert called.err.count("no tea") == 1
    assert "✗ line 8, node 'boom': ValueError: no tea (line 2 of the code)" in called.err


def test_each_line_that_a_job_prints_bears_its_name(dipeo, folder):
    (folder / "lines.light.yaml").write_text(
        "nodes:\n- {label: tea, type: job, code: \"print('a'); print('  b')\"}\n"
    )
    assert "\n  tea: a\n  tea:   b\n" in dipeo("run lines.light.yaml").err


def test_an_endless_loop_fails_with_what_the_engine_says(dipeo, folder):
    endless = """
nodes:
- {label: start, type: start}
- {label: a, type: condition, expression: "1 < 2"}
connections: [{from: start, to: a}, {from: "a[condtrue]", to: a}]
"""
    (folder / "endless.light.yaml").write_text(endless)

    called = dipeo("run endless.light.yaml")

    assert called.code == 1
    assert "went round 100 times" in called.err.splitlines()[-2]


def test_every_event_is_one_line_that_reads_back(dipeo):
    called = dipeo("run echo.light.yaml -i topic=tea --json")

    frames = [json.loads(line) for line in called.out.splitlines()]
    entries = [Entry.from_wire(frame) for frame in frames]
    assert [entry.to_wire() for entry in entries] == frames
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[-1].event == ExecutionCompleted(outputs={"end": {"topic": "tea"}})


def test_a_failure_is_an_event_among_the_others(dipeo):
    called = dipeo("run fail.light.yaml --json")

    assert called.code == 1
    last = Entry.from_wire(json.loads(called.out.splitlines()[-1])).event
    assert isinstance(last, ExecutionFailed)
    assert "no tea" in last.error.details


def test_answers_on_the_line_are_not_asked_for(dipeo):
    called = dipeo("run ask.light.yaml --answer name=Ada --answer age=37")

    assert (called.code, called.out) == (0, "37\n")
    assert "Who?" not in called.err


def test_answers_are_read_line_by_line_from_stdin(dipeo):
    called = dipeo("run ask.light.yaml", stdin="Ada\n37\n")

    assert (called.code, called.out) == (0, "37\n")
    assert "[name] Who?\n" in called.err


def test_an_invalid_answer_is_asked_for_again_with_the_reason(dipeo):
    called = dipeo("run ask.light.yaml --answer name=Ada", stdin="old\n37\n")

    assert (called.code, called.out) == (0, "37\n")
    assert called.err.count("[age] How old?") == 2
    assert "That is no valid answer" in called.err


def test_an_invalid_answer_on_the_line_is_wrong_use(dipeo):
    called = dipeo("run ask.light.yaml --answer name=Ada --answer age=old", stdin="37\n")

    assert called.code == 2
    assert "answer given for 'age' was refused" in called.err


def test_an_answer_for_no_node_is_wrong_use(dipeo):
    called = dipeo("run ask.light.yaml --answer nmae=Ada", stdin="Ada\n37\n")

    assert called.code == 2
    assert "Did you mean 'name'?" in called.err


@pytest.mark.parametrize("options", [[], ["--no-interactive"]])
def test_a_question_that_nobody_answers_exits_with_three(dipeo, options):
    called = dipeo("run ask.light.yaml --answer name=Ada", *options)

    assert (called.code, called.out) == (3, "")
    assert "'age' asks 'How old?'" in called.err
    assert "--answer NODE=VALUE" in called.err


def test_without_interaction_stdin_is_not_read(dipeo):
    assert dipeo("run ask.light.yaml --no-interactive", stdin="Ada\n37\n").code == 3


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_wrong_diagram_is_refused_with_all_its_lines(dipeo, command):
    called = dipeo(f"{command} wrong.light.yaml")

    assert (called.code, called.out) == (2, "")
    first, second = called.err.splitlines()
    assert first.startswith("wrong.light.yaml: error: line 4: ")
    assert second.startswith("wrong.light.yaml: error: line 5: ")
    assert "'edn'" in second


@pytest.mark.parametrize("command", ["run", "check"])
def test_what_only_the_engine_finds_has_its_line_too(dipeo, folder, command):
    (folder / "type.light.yaml").write_text(WRONG.replace("edn", "end"))

    called = dipeo(f"{command} type.light.yaml")

    assert called.code == 2
    assert "type.light.yaml: error: line 4: " in called.err
    assert "Did you mean 'endpoint'?" in called.err


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_file_that_is_not_there_is_wrong_use(dipeo, command):
    called = dipeo(f"{command} nowhere.light.yaml")

    assert called.code == 2
    assert "nowhere.light.yaml: error: " in called.err
    assert "No such file" in called.err


def test_a_file_that_is_no_utf8_says_so(dipeo, folder):
    (folder / "latin.light.yaml").write_bytes(b"nodes: [{label: caf\xe9, type: start}]\n")

    called = dipeo("check latin.light.yaml")

    assert called.code == 2
    assert "no UTF-8 text" in called.err


def test_a_check_without_problems_says_so(dipeo, folder):
    assert dipeo("check echo.light.yaml") == (0, "echo.light.yaml: no problems\n", "")


def test_a_check_names_the_files_that_are_written_and_writes_none(dipeo, folder):
    writes = ECHO.replace("type: endpoint", "type: endpoint, save_to_file: true, file_path: x.json")
    (folder / "writes.light.yaml").write_text(writes)

    called = dipeo("check writes.light.yaml")

    assert called.code == 0
    assert "hint: line 5: Node 'end' writes the file 'x.json'." in called.err + called.out
    assert not (folder / "x.json").exists()


def test_warnings_are_shown_but_do_not_fail(dipeo, folder):
    (folder / "lonely.light.yaml").write_text(
        ECHO.replace("{label: start, type: start}", "{label: start, type: job, code: return 1}")
    )

    called = dipeo("check lonely.light.yaml")

    assert called.code == 0
    assert "lonely.light.yaml: warning: line 3: " in called.err


def test_problems_as_json_say_where_they_are(dipeo, folder):
    (folder / "type.light.yaml").write_text(WRONG.replace("edn", "end"))

    (problem,) = json.loads(dipeo("check type.light.yaml --json").out)

    assert problem["code"] == "unknown_type"
    assert (problem["severity"], problem["node"], problem["line"]) == ("error", "end", 4)


def test_a_setting_that_is_none_is_wrong_use(dipeo, monkeypatch):
    monkeypatch.setenv("DIPEO_MAX_CONCURRENCY", "many")

    called = dipeo("run echo.light.yaml")

    assert called.code == 2
    assert "DIPEO_MAX_CONCURRENCY is 'many'" in called.err


def test_whoever_stops_reading_causes_no_traceback(started):
    process = started("run", "echo.light.yaml", "--json")

    process.stdout.readline()
    process.stdout.close()

    assert process.wait(60) in (0, 1)
    assert "Traceback" not in process.stderr.read()


def test_an_interrupt_leaves_no_process_of_a_job_behind(started, folder):
    os.mkfifo(folder / "pid")
    (folder / "hang.light.yaml").write_text(HANG % (folder / "pid"))
    process = started("run", "hang.light.yaml")
    job = int((folder / "pid").read_text())

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 130
    assert process.stderr.read().endswith("dipeo: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(job, 0)


def test_an_interrupt_does_not_wait_for_the_human(started, folder):
    (folder / "who.light.yaml").write_text(ASK.replace(", schema: {type: integer}", ""))
    process = started("run", "who.light.yaml")
    while "Who?" not in process.stderr.readline():
        assert process.poll() is None

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 130
    how, *rest = process.stderr.read().splitlines()
    assert how.startswith("`dipeo resume exec_")
    assert rest == ["dipeo: interrupted"]


def test_a_line_typed_after_a_question_is_for_the_next_one(started, folder):
    timed = ASK.replace('"Who?"', '"Who?", timeout: 0.2, on_error: {default: nobody}')
    (folder / "timed.light.yaml").write_text(timed.replace(", schema: {type: integer}", ""))
    process = started("run", "timed.light.yaml")
    while "How old?" not in process.stderr.readline():
        assert process.poll() is None

    assert process.communicate("37\n", 60)[0] == "37\n"
    assert process.returncode == 0


# Tools --------------------------------------------------------------------------------------------

TOOLS = """
import dipeo_jupyter as dipeo

@dipeo.tool
def rate(of: str) -> float:
    return 0.9
"""
WITH_TOOLS = """
persons:
  P: {service: demo, answers: [{use: rate, with: {of: USD}}, done]}
nodes:
- {label: start, type: start}
- {label: p, type: person_job, person: P, prompt: How much?, tools: [rate]}
- {label: end, type: endpoint}
connections: [{from: start, to: p}, {from: p, to: end}]
"""


def test_functions_of_a_file_are_tools(folder, dipeo):
    (folder / "given.py").write_text(TOOLS)
    (folder / "rates.light.yaml").write_text(WITH_TOOLS)
    called = dipeo("run rates.light.yaml --tools given.py")
    assert (0, "done") == (called.code, called.out.strip()), called.err


def test_a_run_without_its_functions_does_not_begin(folder, dipeo):
    (folder / "rates.light.yaml").write_text(WITH_TOOLS.replace("[rate]", "[nobody_gave]"))
    called = dipeo("run rates.light.yaml")
    assert 2 == called.code
    assert "no function 'nobody_gave' among the tools" in called.err


def test_tools_that_fail_say_where(folder, dipeo):
    (folder / "bad.py").write_text("x = 1\nraise RuntimeError('no')\n")
    called = dipeo("run echo.light.yaml --tools bad.py")
    assert 2 == called.code
    assert "the tools in 'bad.py', line 2: RuntimeError: no" in called.err


@pytest.mark.parametrize("how", ["raise SystemExit(0)", "raise StopIteration"])
def test_tools_that_end_python_end_nothing(folder, dipeo, how):
    (folder / "bad.py").write_text(f"{how}\n")
    called = dipeo("run echo.light.yaml --tools bad.py")
    assert (2, "") == (called.code, called.out)
    assert "the tools in 'bad.py', line 1: " in called.err


def test_what_tools_print_is_no_result(folder, dipeo):
    (folder / "given.py").write_text(TOOLS.replace("return", "print('NOISE'); return"))
    (folder / "rates.light.yaml").write_text(WITH_TOOLS)
    called = dipeo("run rates.light.yaml --tools given.py")
    assert "done\n" == called.out
    assert "NOISE" in called.err


def test_tools_may_import_what_lies_beside_them(folder, dipeo):
    (folder / "lib").mkdir()
    (folder / "lib/given.py").write_text("import beside_given\n" + TOOLS)
    (folder / "lib/beside_given.py").write_text("")
    (folder / "rates.light.yaml").write_text(WITH_TOOLS)
    called = dipeo("run rates.light.yaml --tools lib/given.py")
    assert (0, "done\n") == (called.code, called.out), called.err


def test_a_function_that_never_comes_back_does_not_hold_the_program(folder, started):
    stuck = "print('stuck'); import threading; threading.Event().wait(); return"
    (folder / "given.py").write_text(TOOLS.replace("return", stuck))
    (folder / "rates.light.yaml").write_text(WITH_TOOLS)
    process = started("run", "rates.light.yaml", "--tools", "given.py")
    while "stuck" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert "goes on with it" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
