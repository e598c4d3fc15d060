"""The process sandbox: what code gets, what comes back, and that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from dipeo_jupyter.engine.ports import Job, JobResult
from dipeo_jupyter.errors import NodeError, NodeTimeoutError
from dipeo_jupyter.services.sandbox.child import Child
from dipeo_jupyter.services.sandbox.launch import python
from dipeo_jupyter.services.sandbox.limits import Limits
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.walls import Walls

pytestmark = pytest.mark.skipif(os.name != "posix", reason="jobs need POSIX for now")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="Linux waits by pidfd")

WALLS = Walls()
"""The strongest that hold here; `test_sandbox_tiers.py` has the others."""
HOSTILE = "Zoë \"'`id`' $(touch here) ${HOME}\n'''\"\"\"); import os #{{x}} \\"


def ignore(text: str) -> None:
    """A listener that does not care."""


def run(code: str, inputs: dict[str, Any] | None = None, language="python", **more) -> JobResult:
    sandbox = more.pop("sandbox", None) or ProcessSandbox(walls=WALLS)
    on_output = more.pop("on_output", ignore)
    job = Job(language, code, inputs or {}, **more)
    return asyncio.run(sandbox.run(job, on_output))


def without_walls() -> ProcessSandbox:
    """Its jobs see this machine's processes and folders as the test does."""
    return ProcessSandbox(walls=Walls("off"))


def failure(code: str, inputs: dict[str, Any] | None = None, **more) -> NodeError:
    with pytest.raises(NodeError) as caught:
        run(code, inputs, **more)
    return caught.value


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


# What a Python job's value is


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("return a + inputs['b']", 5),
        ("a += 1\nreturn a", 3),
        ("result = a * 10", 20),
        ("if a > 100:\n    return 1\nresult = 'fell through'", "fell through"),
        ("print('one')\nprint('two')", "one\ntwo"),
        ("print('seen')\nreturn 1", 1),
        ("return None", None),
        ("def main(a, b=0): return [a, b]", [2, 3]),
        ("def main(a): return a\nresult = main(7)", 7),
        ("import asyncio\nawait asyncio.sleep(0)\nreturn a", 2),
        ("from math import *\nreturn floor(2.5)", 2),
    ],
)
def test_value_is_returned_or_result_or_printed(code, value):
    assert run(code, {"a": 2, "b": 3}).value == value


def test_code_that_says_nothing_returns_nothing():
    assert run("x = 1") == JobResult(None, "", returned=False)


@pytest.mark.parametrize("ending", ["return text", "result = text"])
def test_return_inside_multi_line_text_survives(ending):
    text = "\n    return 1\n\n  indented"
    assert run(f'text = """{text}"""\n{ending}').value == text


def test_inner_functions_share_globals_despite_a_return():
    code = "count = 0\ndef bump():\n    global count\n    count += 1\nbump()\nreturn count"
    assert run(code).value == 1


def test_an_input_called_result_is_not_the_result():
    assert run("print(result)", {"result": 5}).value == "5"


def test_names_that_are_no_variables_stay_in_inputs():
    inputs = {"a b": 1, "class": 2, "__builtins__": 3, "__name__": 4, "ﬁ": 5, "fi": 6}
    assert run("return inputs", inputs).value == inputs


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("def f(a, b): return a - b", -1),
        ("def f(a): return a", 2),
        ("def f(**named): return named", {"a": 2, "b": 3}),
        ("def f(data): return data", {"a": 2, "b": 3}),
        ("def f(data, /): return data['b']", 3),
        ("def f(): return 'none wanted'", "none wanted"),
        ("async def f(b): return b", 3),
        ("offset = a\ndef f(b): return offset + b", 5),
        ("f = lambda a: a", 2),
    ],
)
def test_function_gets_the_inputs_it_names(code, value):
    assert run(code, {"a": 2, "b": 3}, function="f").value == value


def test_missing_function_is_named_with_those_there_are():
    error = failure("def main(): pass", function="mian")
    assert "no function `mian`" in str(error)
    assert "`main`" in str(error)
    assert error.field == "function_name"


# Turning values into JSON


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{1: (2, 3), None: {'b', 'a'}}", {"1": [2, 3], "null": ["a", "b"]}),
        ("[float('nan'), 1.5, True]", [None, 1.5, True]),
        ("__import__('datetime').date(2024, 2, 29)", "2024-02-29"),
        ("__import__('pathlib').Path('a/b')", "a/b"),
        ("__import__('decimal').Decimal('1.10')", "1.10"),
        ("__import__('collections').deque([1, 2])", [1, 2]),
        ("__import__('dataclasses').make_dataclass('P', ['x'])({1})", {"x": [1]}),
        ("__import__('pydantic').create_model('P', x=(int, 1))()", {"x": 1}),
        ("__import__('enum').Enum('Colour', 'RED').RED", 1),
    ],
)
def test_common_kinds_of_values_become_json(expression, value):
    assert run(f"return {expression}").value == value


def test_pandas_and_numpy_values_become_json():
    code = """import numpy as np, pandas as pd
frame = pd.DataFrame({'n': [1, 2], 't': [pd.Timestamp('2024-01-02'), None]})
return [frame, np.int64(3), np.eye(1), frame['n'], pd.NA, np.float32('nan'), np.bool_(True)]"""
    records = [{"n": 1, "t": "2024-01-02T00:00:00"}, {"n": 2, "t": None}]
    assert run(code).value == [records, 3, [[1.0]], [1, 2], None, None, True]


def test_tables_of_pandas_become_rows_whatever_their_columns_hold():
    code = """import numpy as np, pandas as pd
frame = pd.DataFrame({
    'int': [1, 2], 'gap': pd.array([1, None], dtype='Int64'), 'nan': [0.5, np.nan],
    'yes': [True, False], 'text': ['ä', None], 'mixed': [np.int64(3), {'a': [np.float64(1)]}],
    'kind': pd.Categorical(['x', 'y']), 'at': pd.to_datetime(['2024-01-02T03:04Z', None]),
    'span': pd.to_timedelta(['1s', None]), 7: [1, 2]})
return [frame, pd.DataFrame(), frame[[]], frame[:0]]"""

    rows, *empty = run(code).value

    assert rows[0] == {
        "int": 1,
        "gap": 1,
        "nan": 0.5,
        "yes": True,
        "text": "ä",
        "mixed": 3,
        "kind": "x",
        "at": "2024-01-02T03:04:00+00:00",
        "span": "P0DT0H0M1S",
        "7": 1,
    }
    assert rows[1] == {
        "int": 2,
        "gap": None,
        "nan": None,
        "yes": False,
        "text": None,
        "mixed": {"a": [1.0]},
        "kind": "y",
        "at": None,
        "span": None,
        "7": 2,
    }
    assert empty == [[], [], []]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return __import__('pandas').DataFrame({'x': [float('inf')]})", "the number inf"),
        ("return open('/dev/null')", "returned a TextIOWrapper, which is not JSON"),
        ("return {'a': [b'x']}", "returned a bytes, which is not JSON"),
        ("return {(1, 2): 3}", "a dict with a tuple as a key"),
        ("return [float('inf')]", "the number inf, which is not JSON"),
        ("x = []\nx.append(x)\nreturn x", "contains itself"),
        ("x = 1\nfor _ in range(200): x = [x]\nreturn x", "nested too deeply"),
        ("return 10**5000", "4300 digits"),
    ],
)
def test_values_that_are_not_json_are_refused(code, words):
    error = failure(code)
    assert words in str(error)
    assert error.field == "code"


@pytest.mark.parametrize("language", ["python", pytest.param("javascript", marks=needs_node)])
def test_half_a_surrogate_pair_is_replaced(language):
    code = r"return ['\ud800x', '\u00eb', '\ud83d' + '\ude00']"
    assert run(code, language=language).value == ["�x", "ë", "😀"]


# How code fails


def test_exception_tells_its_line_and_own_traceback():
    error = failure("def f(x):\n    return 1 / x\n\nf(0)\nreturn 2")
    assert str(error) == "ZeroDivisionError: division by zero (line 2 of the code)"
    assert error.details is not None
    assert error.details.count("File ") == error.details.count('File "<job>"') == 2
    assert "return 1 / x" in error.details


@pytest.mark.parametrize(
    ("code", "network", "words"),
    [
        ("return open('data.csv').read()", False, "let a `db` read them"),
        ("import socket\nsocket.getaddrinfo('example.org', 80)", False, "has no network, unless"),
        ("raise OSError('a name resolution of my own')", True, "of my own (line 1 of the code)"),
    ],
)
def test_an_error_that_may_come_of_the_walls_says_how_to_go_on(code, network, words):
    assert words in str(failure(code, network=network))


def test_a_file_that_a_job_leaves_behind_is_told_of():
    told = []
    code = "for name in 'abcd': open(f'{name}.csv', 'w').close()\nopen('.hidden', 'w').close()"
    run(code, on_output=told.append)

    assert "".join(told).startswith("a.csv, b.csv, c.csv, … are not kept: return what is in there")


LEAVES_FILES = {
    "bash": "set -euf; cd /; touch ~/{a,b,c,d}.csv ~/.hidden; echo done",
    "javascript": """const { writeFileSync } = require("fs");
for (const name of ["d", "a", "b", "c"]) writeFileSync(`${name}.csv`, "");
writeFileSync(".hidden", "");
return "done";""",
}


@pytest.mark.parametrize("language", LEAVES_FILES)
def test_other_languages_tell_of_files_that_are_lost_too(language):
    told = []
    result = run(LEAVES_FILES[language], language=language, on_output=told.append)

    assert result.value == "done"
    assert "a.csv, b.csv, c.csv, … are not kept: " in "".join(told)


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("bash", "echo x; bash -c 'touch a; rm a'; mkdir b"),
        ("javascript", "require('fs').mkdirSync('b'); console.log('x')"),
    ],
)
def test_who_leaves_no_file_is_told_nothing(language, code):
    told = []
    run(code, language=language, on_output=told.append)

    assert "".join(told) == "x"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("bash", "set -e; head -c 3000 /dev/zero >x; echo done"),
        ("javascript", "require('fs').writeFileSync('x', 'a'.repeat(3000))"),
        ("python", "with open('x', 'w') as file: file.write('a' * 3000)"),
    ],
)
def test_a_file_that_is_too_large_is_told_of_with_what_to_do(language, code):
    sandbox = ProcessSandbox(Limits(folder=1024), walls=WALLS)

    error = failure(code, language=language, sandbox=sandbox)

    assert "have its value hold what is needed" in str(error)


def test_a_job_of_bash_that_fails_ends_with_its_own_words():
    error = failure("touch a.csv; echo 'no tea' >&2; exit 3", language="bash")

    assert str(error) == "The code ended with exit code 3: no tea"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1\ny = (", "SyntaxError: '(' was never closed (line 2 of the code)"),
        ("import sys\nsys.exit(0)", "called exit(0)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (line 1"),
        ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("import os\nos._exit(0)", "ended its own process (exit code 0) before"),
        ("import os\nos.kill(os.getpid(), 11)", "ended by SIGSEGV"),
        ("import os\nos.kill(os.getpid(), 9)", "ended by SIGKILL: most likely"),
        ("x = bytearray(3 * 1024**3)", "MemoryError: the memory that a job may use is full"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "E: (its message"),
        ("assert False", "AssertionError (line 1 of the code)"),
        ("return input()", "EOFError"),
    ],
)
def test_every_kind_of_end_is_a_clear_error(code, words):
    assert words in str(failure(code))


def test_long_tracebacks_are_shortened_in_the_middle():
    error = failure("def f(x): return g(x)\ndef g(x): return f(x)\nf(1)")
    assert error.details is not None
    assert len(error.details) < 31_000
    assert "maximum recursion depth" in error.details


# JavaScript and Bash


@needs_node
@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("let a = inputs.a; return a + b", 5),
        ("const result = await Promise.resolve([a])", [2]),
        ("console.log('printed'); setTimeout(() => console.log('late'), 5)", "printed\nlate"),
        ("function main({ a }) { return a }", 2),
        ("return new Map([['n', NaN], ['s', new Set([1])]])", {"n": None, "s": [1]}),
        ("setInterval(() => {}, 10); return new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("return `\n  return 1`", "\n  return 1"),
        ("return typeof (await import('node:os')).cpus", "function"),
        ("return Object.keys(process.env).length < 6", True),
    ],
)
def test_javascript_follows_the_same_contract(code, value):
    inputs = {"a": 2, "b": 3, "class": 1, "process": {}, "x){}": 1}
    if "process.env" in code:
        del inputs["process"]
    assert run(code, inputs, language="javascript").value == value


@needs_node
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("let x = 1;\nfoo()", "ReferenceError: foo is not defined (line 2 of the code)"),
        ("let x = 1;\nlet y = ;", "SyntaxError: Unexpected token ';' (line 2 of the code)"),
        ("setTimeout(() => { throw new Error('late') }, 5)", "Error: late (line 1"),
        ("throw 'a text'", "The code threw a text"),
        ("return 10n", "returned a BigInt, which is not JSON"),
        ("return () => 1", "returned a function, which is not JSON"),
        ("const x = {}; x.x = x; return x", "contains itself"),
        ("process.exit(3)", "ended its own process (exit code 3)"),
        ("await new Promise(() => {})", "waits for a promise that nothing"),
    ],
)
def test_javascript_failures_are_clear_errors(code, words):
    error = failure(code, language="javascript")
    assert words in str(error)
    assert "driver.cjs" not in (error.details or "")


@needs_node
@pytest.mark.parametrize("code", ["const f = ({ a }) => a", "exports.f = async (i) => i.a"])
def test_javascript_function_gets_one_object(code):
    assert run(code, {"a": 2}, language="javascript", function="f").value == 2


def test_missing_node_is_named_with_the_remedy():
    error = failure(
        "1", language="javascript", sandbox=ProcessSandbox(search_path="/nowhere", walls=WALLS)
    )
    assert "`node` is not on the PATH" in str(error)
    assert "nodejs.org" in str(error)


def test_bash_has_inputs_as_variables_and_prints_its_value():
    code = 'echo "$INPUT_topic|$INPUT_TOPIC|$INPUT_Load_Data|$INPUT_none"'
    inputs = {"topic": "tea", "Load Data": {"a": [1]}, "none": None}
    assert run(code, inputs, language="bash").value == 'tea|tea|{"a": [1]}|'


def test_bash_failure_tells_its_last_words():
    error = failure("for i in 1 2 3 4; do echo w$i >&2; done\nno_such\nexit 3", language="bash")
    assert str(error).startswith("The code ended with exit code 3: w3; w4; line 2: no_such")
    assert error.details is not None
    assert error.details.startswith("w1\n")


@pytest.mark.parametrize(("value", "words"), [("x" * 200_000, "too long"), ("a\0b", "NUL")])
def test_bash_refuses_values_no_variable_can_hold(value, words):
    assert words in str(failure("true", {"a": value}, language="bash"))


def test_bash_calls_no_functions_by_name():
    assert failure("f() { :; }", language="bash", function="f").field == "function_name"


# Values are data


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "return [x, inputs['x']]"),
        pytest.param("javascript", "return [x, inputs.x]", marks=needs_node),
    ],
)
def test_values_full_of_code_arrive_as_data(language, code):
    value = HOSTILE + "\ud800\0"
    assert run(code, {"x": value}, language=language).value == [HOSTILE + "�\0"] * 2


def test_values_full_of_shell_arrive_as_data():
    code = 'printf "%s|" "$INPUT_x"; ls'
    assert run(code, {"x": HOSTILE}, language="bash").value == HOSTILE + "|"


@pytest.mark.parametrize("value", [float("nan"), {1, 2}])
def test_inputs_that_are_not_json_are_refused(value):
    assert "not JSON" in str(failure("return 1", {"x": value}))


# What code finds around it


def test_nothing_of_the_environment_is_inherited(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", "secret")
    names = set(run("import os\nreturn list(os.environ)").value)
    assert names <= {"PATH", "LANG", "LC_CTYPE", "HOME", "TMPDIR", "PWD"}


def test_folder_is_private_empty_and_gone_afterwards(temporary):
    code = """import os, stat
mode = stat.S_IMODE(os.stat('.').st_mode)
return [os.getcwd(), os.environ['HOME'], os.environ['TMPDIR'], mode, os.listdir()]"""
    folder, home, temporary_folder, mode, content = run(code).value
    assert folder == home == temporary_folder
    assert mode in (0o700, 0o777)  # the second where only one user can be
    assert content == []
    assert list(temporary.iterdir()) == []


def test_current_folder_of_the_server_is_not_importable(tmp_path, monkeypatch):
    (tmp_path / "shadow.py").write_text("value = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "No module named 'shadow'" in str(failure("import shadow"))


def test_open_files_of_the_server_are_closed():
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        assert "Bad file descriptor" in str(failure(f"import os\nos.fstat({writing})"))
    finally:
        os.close(reading)
        os.close(writing)


def test_limits_hold_in_the_process_of_the_job():
    code = """import resource as r
return [r.getrlimit(each)[1] for each in (r.RLIMIT_CORE, r.RLIMIT_NOFILE, r.RLIMIT_FSIZE)]"""
    assert run(code).value == [0, 256, 256 * 1024**2]
    sandbox = ProcessSandbox(Limits(folder=1024))
    code = "with open('x', 'wb') as file: file.write(bytes(2000))"
    assert "File too large" in str(failure(code, sandbox=sandbox))


# Output


def test_first_megabyte_of_output_is_kept():
    result = run("for _ in range(100): print('x' * 999_999)")
    assert result.stdout.endswith("x\n\n… 99 MB more were cut")
    assert len(result.stdout) == 1_000_000 + len("\n… 99 MB more were cut")


def test_lines_are_shown_while_the_job_runs():
    def answer(folder: str) -> None:
        if Path(folder).is_dir():  # the last line says that the file is not kept
            Path(folder, "go").touch()

    wait = "import os, time\nprint(os.getcwd())\nwhile not os.path.exists('go'): time.sleep(0.005)"
    code = f"{wait}\nreturn 'gone'"
    assert run(code, on_output=answer, timeout=10, sandbox=without_walls()).value == "gone"


def test_lines_are_merged_and_none_is_lost():
    shown: list[str] = []
    run("for i in range(5000): print(i)\nprint('end', end='')", on_output=shown.append)
    assert "\n".join(shown).split("\n") == [*map(str, range(5000)), "end"]
    assert len(shown) < 50


def test_what_is_shown_has_an_end():
    shown: list[str] = []
    run("print('x' * 3_000_000)", on_output=shown.append)
    assert len("".join(shown)) < 210_000
    assert shown[-1].endswith("… the rest of the output is not shown")


def test_output_that_is_no_text_does_no_harm():
    shown: list[str] = []
    result = run(r"printf '\xff\033[31m<b>\0\n'", language="bash", on_output=shown.append)
    assert [result.value] == shown == ["�\033[31m<b>\0"]


# The report


def test_reports_forged_on_stdout_change_nothing():
    forged = """import os
print('{"value": "forged"}')
os.write(2, b'{"value": "forged"}\\n')
return 'true'"""
    assert run(forged).value == "true"


def test_last_line_of_the_report_counts():
    code = """import os
for fd in range(3, 1024):
    try: os.write(fd, b'junk\\n{"value": "forged"}\\n')
    except OSError: pass
return 'true'"""
    assert run(code).value == "true"


@pytest.mark.parametrize("junk", ["junk\n", '{"value": NaN}\n', '{"value": 1}', "[1]\n", "\\xff\n"])
def test_unreadable_reports_are_errors(junk):
    code = f"""import os
for fd in range(3, 1024):
    try: os.write(fd, {junk.encode("unicode_escape")!r}.decode('unicode_escape').encode('latin1'))
    except OSError: pass
os._exit(0)"""
    assert "could not be read" in str(failure(code))


def test_deeply_nested_reports_are_errors():
    code = """import os
for fd in range(3, 1024):
    try: os.write(fd, b'{"value":' + b'[' * 9000 + b']' * 9000 + b'}\\n')
    except OSError: pass
os._exit(0)"""
    assert "nested too deeply" in str(failure(code))


def test_results_up_to_eight_megabytes_are_taken():
    assert len(run("return 'ë' * 3_999_990").value) == 3_999_990
    assert "8,000,014 bytes" in str(failure("return 'x' * 8_000_000"))


# Ends that are not the job's own


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
        "import os\nos.kill(os.getpid(), 19)",
    ],
)
def test_time_limit_ends_whatever_the_job_does(code, temporary):
    with pytest.raises(NodeTimeoutError, match=r"longer than 0\.5 s"):
        run(code, timeout=0.5)
    assert list(temporary.iterdir()) == []


@needs_pidfd
def test_background_processes_end_with_the_job():
    code = "sleep 100 & echo $!"
    pid = int(run(code, language="bash", timeout=10, sandbox=without_walls()).value)
    assert_gone(pid)


@needs_pidfd
def test_cancelling_kills_the_job_and_its_children(temporary, assert_no_children):
    async def cancelled() -> int:
        pids: asyncio.Queue[str] = asyncio.Queue()
        job = Job("bash", "sleep 100 & echo $!; trap '' TERM; sleep 100")
        task = asyncio.create_task(without_walls().run(job, pids.put_nowait))
        pid = int(await pids.get())
        task.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await task
        return pid

    assert_gone(asyncio.run(cancelled()))
    assert_no_children()
    assert list(temporary.iterdir()) == []


def assert_gone(pid: int) -> None:
    """Wait for the end of a process that is not our child, or find it gone."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], 2)[0]
    finally:
        os.close(process)


def children() -> set[str]:
    """The processes of this one, those that nobody has buried included."""
    lists = Path("/proc/self/task").glob("*/children")
    return {child for each in lists for child in each.read_text().split()}


@pytest.fixture
def assert_no_children():
    """Nothing is left behind; other tests' processes are none of a sandbox's."""
    before = children()

    def check() -> None:
        assert not children() - before

    return check


@pytest.mark.parametrize("steps", range(6))
def test_cancelling_while_starting_leaves_nothing_behind(steps, temporary, assert_no_children):
    async def cancelled() -> None:
        task = asyncio.create_task(
            ProcessSandbox(walls=WALLS).run(Job("bash", "sleep 100"), ignore)
        )
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert list(temporary.iterdir()) == []
    assert_no_children()


def test_impassable_folders_are_removed_all_the_same(temporary):
    code = """import os
home = os.getcwd()
for _ in range(3000):
    os.mkdir('d')
    os.chdir('d')
os.chdir(home)
os.makedirs('locked/inner')
os.symlink('/', 'locked/link')
os.mkfifo('locked/inner/pipe')
os.chmod('locked/inner', 0)
os.chmod('locked', 0)"""
    run(code)
    assert list(temporary.iterdir()) == []


def test_twenty_jobs_at_once_leave_no_trace(temporary, assert_no_children):
    async def many() -> list[Any]:
        sandbox = ProcessSandbox(walls=WALLS)
        await sandbox.run(Job("bash", "true"), ignore)
        before = open_files()
        jobs = [sandbox.run(Job("python", "return n", {"n": n}), ignore) for n in range(20)]
        values = [result.value for result in await asyncio.gather(*jobs)]
        assert open_files() == before
        return values

    assert asyncio.run(many()) == list(range(20))
    assert_no_children()
    assert list(temporary.iterdir()) == []


def test_one_is_started_after_the_other():
    """The loop stands still while a process is made: between two of them it goes on."""

    async def started() -> list[bool]:
        turn, alive = asyncio.Lock(), []
        child = Child(python(Limits()), await WALLS.find(), Limits(), turn)
        async with turn:
            starting = asyncio.create_task(child.start())
            await asyncio.wait([starting], timeout=0.1)
            alive.append(child.alive)
        await starting
        alive.append(child.alive)
        await child.end()
        return alive

    assert asyncio.run(started()) == [False, True]


def test_a_sandbox_serves_one_loop_after_the_other():
    sandbox = ProcessSandbox(walls=WALLS)

    async def two() -> list[Any]:
        jobs = [sandbox.run(Job("bash", "echo hi"), ignore) for _ in range(2)]
        return [each.value for each in await asyncio.gather(*jobs)]

    assert [asyncio.run(two()) for _ in range(2)] == [["hi", "hi"]] * 2


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_jobs_run_on_the_loop_of_any_thread():
    results: list[JobResult] = []
    thread = threading.Thread(target=lambda: results.append(run("return 1")))
    thread.start()
    thread.join(20)
    assert [result.value for result in results] == [1]


def test_packages_of_the_environment_are_importable():
    assert run("import pydantic, sys\nreturn sys.prefix").value == sys.prefix
