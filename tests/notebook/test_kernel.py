"""`%%dipeo` in a real kernel: its loop lives, its stop button works, its questions are asked."""

from __future__ import annotations

import time
from contextlib import closing
from textwrap import dedent

import nbclient
import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from tests.gate import Gate
from tests.openai_server import OpenAIServer

LONG = 60
"""Seconds until something that must come is missed."""
SOON = 3
"""Seconds in which the stop button must have worked; it takes a fraction of one."""
ASK = """
nodes:
- {label: name, type: user_response, prompt: "Who?"}
- {label: age, type: user_response, prompt: "How old, {{name}}?", schema: {type: integer}}
- {label: end, type: endpoint}
connections: [{from: name, to: age}, {from: age, to: end}]
"""
CHAT = """
persons: {Bot: {model: openai/loopback}}
nodes:
- {label: chat, type: person_job, person: Bot, prompt: Hello}
- {label: end, type: endpoint}
connections: [{from: chat, to: end}]
"""


def gated(gate):
    return f"""
nodes:
- {{label: wait, type: job, code: {gate.code!r}}}
- {{label: end, type: endpoint}}
connections: [{{from: wait, to: end}}]
"""


class Cell:
    """A cell that has been sent to the kernel."""

    def __init__(self, kernel, code):
        self.manager, self.client = kernel
        self.id = self.client.execute(dedent(code), allow_stdin=True)

    def asked(self):
        """What the kernel asks this cell; the answer is still to be given."""
        message = self.client.get_stdin_msg(timeout=LONG)
        assert message["parent_header"]["msg_id"] == self.id
        return message["content"]["prompt"]

    def answer(self, text):
        self.client.input(text)

    def interrupt(self):
        """Press the stop button; the error that the cell ends with, soon."""
        began = time.monotonic()
        self.manager.interrupt_kernel()
        error = self.end()
        assert time.monotonic() - began < SOON
        return error

    def end(self):
        """Wait for the end; the error's traceback as text, else what the cell shows last."""
        shown = None
        while (message := self.client.get_iopub_msg(timeout=LONG))["content"] != {
            "execution_state": "idle"
        } or message["parent_header"]["msg_id"] != self.id:
            content = message["content"]
            if message["msg_type"] == "error":
                shown = "\n".join(content["traceback"])
            elif message["msg_type"] == "execute_result":
                shown = content["data"]["text/plain"]
        self.client.get_shell_msg(timeout=LONG)
        return shown


@pytest.fixture(scope="module")
def server():
    with closing(OpenAIServer()) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(server, tmp_path_factory):
    """One kernel for all tests, as a notebook has one for all its cells."""
    folder = tmp_path_factory.mktemp("kernel")
    patch = pytest.MonkeyPatch()
    for name, value in {
        "DIPEO_ROOT": folder,
        "DIPEO_SANDBOX": "off",  # as in `no_walls`, which comes too late for this
        "DIPEO_OPENAI_API_BASE": server.url,
        "OPENAI_API_KEY": "sk-nobody",
        "IPYTHONDIR": folder / "ipython",
    }.items():
        patch.setenv(name, str(value))
    manager, client = start_new_kernel(kernel_name="python3")
    patch.undo()
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


@pytest.fixture
def cell(kernel):
    """Send a cell to the kernel."""
    Cell(kernel, "%reload_ext dipeo_jupyter").end()
    return lambda code: Cell(kernel, code)


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def test_other_tasks_of_the_kernel_go_on_during_a_cell(cell, gate):
    cell(f"""
    import asyncio, os

    async def let_through():
        while True:
            try:
                pipe = os.open({gate.go!r}, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # the job does not wait yet
                await asyncio.sleep(0.01)
            else:
                os.write(pipe, b"tea")
                os.close(pipe)
                return

    task = asyncio.create_task(let_through())
    """).end()

    running = cell(f"%%dipeo slow{gated(gate)}")
    gate.reached()

    assert running.end().endswith("end = tea")


def test_an_interrupt_stops_a_hanging_job_which_can_go_on(cell, gate):
    running = cell(f"%%dipeo slow{gated(gate)}")
    gate.reached()

    error = running.interrupt()

    assert error == (
        "KeyboardInterrupt: the run is paused. "
        "`slow.resume()` goes on with it, `await slow` waits for it."
    )
    assert cell("slow.status").end() == "'paused'"
    going_on = cell("slow.resume(); (await slow).output")
    gate.reached()
    gate.let_through("tea")
    assert going_on.end() == "'tea'"


def test_an_interrupt_takes_a_question_back_which_comes_again(cell):
    running = cell(f"%%dipeo ask{ASK}")
    assert running.asked() == "[name] Who? "

    said = running.interrupt()
    assert said.startswith("KeyboardInterrupt: the run is paused"), said

    typing = cell("input('Tea?')")
    assert typing.asked() == "Tea?"
    typing.answer("yes")
    assert typing.end() == "'yes'"
    going_on = cell("ask.resume(); (await ask).output")
    for question, answer in [("[name] Who? ", "Ada"), ("[age] How old, Ada? ", "37")]:
        assert going_on.asked() == question
        going_on.answer(answer)
    assert going_on.end() == "37"


def test_an_interrupt_hangs_up_on_a_model(cell, server):
    server.hang()
    running = cell(f"%%dipeo chat{CHAT}")
    assert server.wait(lambda: server.requests, LONG)

    said = running.interrupt()
    assert said.startswith("KeyboardInterrupt: the run is paused"), said

    assert server.wait(lambda: not server.open_connections)
    server.reply("Good morning.")
    assert cell("chat.resume(); (await chat).output").end() == "'Good morning.'"


@pytest.fixture
def blocking(cell):
    """Cells that do not await."""
    cell("%autoawait off").end()
    yield
    cell("%autoawait asyncio").end()


@pytest.mark.usefixtures("blocking")
def test_an_interrupt_works_where_the_cell_blocks_too(cell, gate):
    running = cell(f"%%dipeo slow{gated(gate)}")
    gate.reached()

    said = running.interrupt()
    assert said.startswith("KeyboardInterrupt: the run is paused"), said

    going_on = cell("slow.resume(); slow.wait().output")
    gate.reached()
    gate.let_through("tea")
    assert going_on.end() == "'tea'"


def test_an_invalid_answer_is_asked_for_again_with_the_reason(cell):
    running = cell(f"%%dipeo ask{ASK}")
    assert running.asked() == "[name] Who? "
    running.answer("Ada")
    assert running.asked() == "[age] How old, Ada? "
    running.answer("old")

    reason, again = running.asked().split("\n")

    assert reason.startswith("That is no valid answer")
    assert again == "[age] How old, Ada? "
    running.answer("37")
    assert running.end().endswith("end = 37")


def test_a_question_reaches_whoever_waits_for_a_started_run(cell):
    cell(
        f"import dipeo_jupyter as dipeo\nrun = dipeo.start('''{ASK}''', answers={{'age': 3}})"
    ).end()

    waiting = cell("(await run).output")

    assert waiting.asked() == "[name] Who? "
    waiting.answer("Ada")
    assert waiting.end() == "3"


def test_without_stdin_the_run_is_left_waiting_and_answerable(tmp_path):
    diagram = "\nnodes:\n- {label: name, type: user_response, prompt: Who?}"
    notebook = nbformat.v4.new_notebook()
    answer = "ask.answer('name', 'Ada'); (await ask).output"
    for source in ("%load_ext dipeo_jupyter", f"%%dipeo ask{diagram}", "ask.status", answer):
        notebook.cells.append(nbformat.v4.new_code_cell(source))

    nbclient.execute(notebook, timeout=LONG, allow_errors=True, cwd=str(tmp_path))

    (shown, error), (status,), (output,) = (each.outputs for each in notebook.cells[1:])
    assert shown["data"]["text/plain"].startswith("Run of ask: waiting\n  name  waiting\n")
    assert "image/svg+xml" in shown["data"]
    assert error["traceback"] == [f"NoAnswerError: {error['evalue']}"]
    assert status["data"]["text/plain"] == "'waiting'"
    assert output["data"]["text/plain"] == "'Ada'"
