"""Jobs in the notebook's own process: whose names they see and set, and how they end."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from dipeo_jupyter.engine.ports import Job
from dipeo_jupyter.errors import NodeError, NodeTimeoutError, ServiceError
from dipeo_jupyter.services.kernel import NotebookKernel, no_notebook


class Notebook:
    """The names of a notebook, and jobs among them."""

    def __init__(self):
        self.names = {"__name__": "__main__", "rows": [1, 2, 3], "topic": "cats"}
        self.shown = []
        self.kernel = NotebookKernel(lambda: self.names)

    async def job(self, code, function=None, seconds=30, **inputs):
        return await self.kernel.run(Job("python", code, inputs, function, seconds), self.show)

    def show(self, text):
        self.shown += text.splitlines()

    def value(self, code, **options):
        return asyncio.run(self.job(code, **options)).value


@pytest.fixture
def notebook():
    return Notebook()


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("return len(rows)", 3),
        ("result = [each * 2 for each in rows]", [2, 4, 6]),
        ("print(topic)", "cats"),
        ("x = 1", None),
        ("def main(): return 5", 5),
        ("import asyncio\nawait asyncio.sleep(0)\nreturn 7", 7),
        ("from math import *\nreturn floor(pi)", 3),
        ("from __future__ import annotations\nreturn 1", 1),
        ("global rows\nrows = rows + [4]\nreturn rows[-1]", 4),
        ("class Cat:\n    pass\nreturn Cat.__qualname__", "Cat"),
        ("if rows:\n    return 'some'\nreturn 'none'", "some"),
        ("return float('nan')", None),
    ],
)
def test_its_value_is_that_of_any_other_job(notebook, code, value):
    assert notebook.value(code) == value


@pytest.mark.parametrize(
    "code",
    [
        "seen = 4",
        "seen: int = 4",
        "for seen in (1, 4):\n    pass",
        "if (seen := 4):\n    return 'early'",
        "import math\nseen = math.floor(4.2)",
        "def count():\n    global seen\n    seen = 4\ncount()",
    ],
)
def test_what_it_assigns_is_the_notebooks(notebook, code):
    notebook.value(code)

    assert notebook.names["seen"] == 4


def test_a_function_that_it_defines_can_be_called_in_a_cell(notebook):
    notebook.value("base = 2\ndef double(n):\n    return n * base")

    assert notebook.names["double"](4) == 8


def test_its_inputs_hide_names_of_the_notebook_and_leave_them_alone(notebook):
    assert notebook.value("topic = topic.upper()\nreturn topic", topic="dogs") == "DOGS"
    assert notebook.names["topic"] == "cats"


def test_what_it_changes_in_its_inputs_is_not_changed_for_others(notebook):
    rows = [1, 2]
    assert notebook.value("rows.append(3)\nreturn inputs['rows']", rows=rows) == [1, 2, 3]
    assert rows == [1, 2]


def test_a_result_of_the_notebook_is_not_the_jobs(notebook):
    notebook.names["result"] = "old"

    assert notebook.value("x = 1") is None
    assert notebook.value("result = x + 1") == 2
    assert notebook.names["result"] == "old"


def test_later_changes_in_the_notebook_do_not_change_a_value(notebook):
    value = notebook.value("return rows")
    notebook.names["rows"].append(4)

    assert value == [1, 2, 3]


def test_a_function_is_called_with_the_inputs_that_it_names(notebook):
    code = "def times(n, by=3):\n    return n * by"

    assert notebook.value(code, function="times", n=2, other=1) == 6


def test_an_error_shows_the_jobs_own_lines(notebook):
    with pytest.raises(NodeError) as caught:
        notebook.value("def half(n):\n    return n / 0\n\nhalf(rows[0])")

    assert str(caught.value) == "ZeroDivisionError: division by zero (line 2 of the code)"
    assert "half(rows[0])" in caught.value.details
    assert "services/kernel" not in caught.value.details


def test_code_that_is_no_python_says_where(notebook):
    with pytest.raises(NodeError, match=r"SyntaxError.*line 2"):
        notebook.value("x = 1\nreturn (")


def test_leaving_python_ends_the_job_alone(notebook):
    with pytest.raises(NodeError, match=r"called exit\(3\)"):
        notebook.value("import sys\nsys.exit(3)")


def test_what_it_prints_is_its_own_and_what_others_print_is_theirs(notebook, capsys):
    async def main():
        begun = notebook.names["begun"] = asyncio.Event()
        notebook.names["loop"] = asyncio.get_running_loop()
        code = "import time\nloop.call_soon_threadsafe(begun.set)\n"
        waits = "while not go:\n    time.sleep(0.001)\nprint('job')"
        notebook.names["go"] = []
        job = asyncio.create_task(notebook.job(code + waits))
        await begun.wait()
        print("cell")
        notebook.names["go"].append(1)
        return await job

    usual = sys.stdout
    done = asyncio.run(main())

    assert done.value == "job"
    assert notebook.shown == ["job"]
    assert capsys.readouterr().out == "cell\n"
    assert sys.stdout is usual


def test_errors_that_it_prints_are_shown_and_no_value(notebook):
    assert notebook.value("import sys\nprint('careful', file=sys.stderr)") is None
    assert notebook.shown == ["careful"]


def test_one_that_takes_too_long_is_stopped_as_by_the_stop_button(notebook):
    code = """
try:
    while True:
        pass
except KeyboardInterrupt:
    stopped = True
    raise
"""
    with pytest.raises(NodeTimeoutError, match="was stopped"):
        notebook.value(code, seconds=0.1)

    assert notebook.names["stopped"]


def test_cancelling_stops_it_before_anything_else_goes_on(notebook):
    async def main():
        begun = asyncio.Event()
        tell = asyncio.get_running_loop().call_soon_threadsafe
        notebook.names["begin"] = lambda: tell(begun.set)
        code = "import time\nbegin()\nwhile True:\n    time.sleep(0.001)\n    now = time.time()"
        job = asyncio.create_task(notebook.job(code))
        await begun.wait()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    asyncio.run(main())
    last = notebook.names.get("now", 0)

    assert last < time.time()
    assert notebook.names.get("now", 0) == last


def test_without_a_notebook_nothing_runs():
    kernel = NotebookKernel(no_notebook)

    with pytest.raises(ServiceError, match="needs a notebook"):
        kernel.look()
    with pytest.raises(ServiceError, match="needs a notebook"):
        asyncio.run(kernel.run(Job("python", "return 1"), print))
