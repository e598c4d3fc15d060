"""`%%dipeo` in a real shell: what its line says, what the cell shows and leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest
from IPython.core.error import UsageError

from dipeo_jupyter.errors import CommandError, DiagramError, ExecutionFailedError, NoAnswerError
from dipeo_jupyter.notebook.interrupts import Interrupted
from dipeo_jupyter.notebook.run import Run
from tests.shells import new_shell

BOTH_MODES = True

ECHO = """
nodes:
- {label: start, type: start}
- {label: text, type: job, code: return default}
- {label: end, type: endpoint}
connections: [{from: start, to: text}, {from: text, to: end}]
"""
ASK = """
nodes:
- {label: start, type: start}
- {label: name, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
connections: [{from: start, to: name}, {from: name, to: end}]
"""
FAIL = """
nodes:
- {label: start, type: start}
- {label: boom, type: job, code: 1 / 0}
connections: [{from: start, to: boom}]
"""


def gated(gate):
    return f"\nnodes:\n- {{label: wait, type: job, code: {gate.code!r}}}\n"


class Cells:
    """A shell with `%%dipeo`; whatever goes wrong in a cell is in the result."""

    def __init__(self, shell):
        self.shell = shell
        self.run("%load_ext dipeo_jupyter")

    def run(self, code):
        """Run a cell as a kernel does: on a loop that goes on."""
        return asyncio.run(self.task(code))

    async def task(self, code):
        cell = self.shell.transform_cell(code)
        return await self.shell.run_cell_async(code, transformed_cell=cell)

    def dipeo(self, line, diagram):
        result = self.run(f"%%dipeo {line}{diagram}")
        return result.result if result.success else result.error_in_exec

    def __getitem__(self, name):
        return self.shell.user_ns[name]


@pytest.fixture
def cells(kernel, tmp_path):
    with new_shell(tmp_path) as shell:
        yield Cells(shell)


def test_the_cell_gives_its_run_and_a_name_holds_it(cells):
    run = cells.dipeo("hello --inputs n=1", ECHO)

    assert isinstance(run, Run)
    assert cells["hello"] is run
    assert (run.name, run.status) == ("hello", "completed")


def test_a_run_without_a_name_is_kept_all_the_same(cells):
    run = cells.dipeo("", ECHO)

    assert cells["_run"] is run
    assert run.name is None


def test_inputs_are_variables_or_values(cells):
    cells.run("guests, tea = ['Ada'], 'green'")

    run = cells.dipeo("--inputs guests n=3 who='Grace H.' tea deep='{\"a\": [1]}'", ECHO)

    expected = {"guests": ["Ada"], "n": 3, "who": "Grace H.", "tea": "green", "deep": {"a": [1]}}
    assert run.output == expected


def test_a_table_goes_in_as_records(cells):
    cells.run("import pandas as pd; df = pd.DataFrame({'n': [1, 2]})")

    assert cells.dipeo("--inputs df", ECHO).output == {"df": [{"n": 1}, {"n": 2}]}


def test_out_takes_the_output_of_the_node_of_its_name(cells):
    cells.dipeo("--inputs n=1 --out text", ECHO.replace("return default", "return 'tea'"))
    cells.dipeo("--inputs n=1 --out other", ECHO)

    assert cells["text"] == "tea"
    assert cells["other"] == {"n": 1}


def test_answers_come_from_a_variable(cells):
    cells.run("mine = {'name': 'Ada'}")

    assert cells.dipeo("--answers mine", ASK).output == "Ada"


def test_without_waiting_the_cell_returns_at_once(cells, gate):
    run = cells.dipeo("later --no-wait", gated(gate))

    assert run.status == "running"
    gate.reached()
    gate.let_through("tea")
    assert cells.run("(await later).output").result == "tea"


def test_help_lists_the_options_and_runs_nothing(cells, capsys):
    assert cells.dipeo("--help", ECHO) is None

    out = capsys.readouterr().out
    assert out.count("usage: %%dipeo") == 1
    assert "--no-wait" in out
    assert "_run" not in cells.shell.user_ns


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--imputs a", "Did you mean '--inputs'?"),
        ("--inputs nothing", "no variable 'nothing'. Write nothing=…"),
        ("--inputs gests", "Did you mean 'guests'?"),
        ("my-run", "'my-run' cannot be the name of a variable"),
        ("--out class", "'class' cannot be the name of a variable"),
        ("--answers guests", "'guests' is no dict"),
        ("--out x --no-wait", "--no-wait: not allowed with argument --out"),
        ("'half", "No closing quotation"),
    ],
)
def test_a_wrong_line_is_one_sentence_and_runs_nothing(cells, line, message, capsys):
    cells.run("guests = ['Ada']")

    assert isinstance(cells.dipeo(line, ECHO), UsageError)

    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("UsageError: %%dipeo: ")
    assert "_run" not in cells.shell.user_ns


def shown(capsys):
    """What a cell has printed, and whether there is anything of ours or of IPython's in it."""
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "dipeo_jupyter" not in out + err
    return out + err


def test_a_wrong_diagram_shows_one_message_with_its_line_in_the_cell(cells, capsys):
    error = cells.dipeo("", ECHO.replace("to: end", "to: edn"))

    assert isinstance(error, DiagramError)
    message = "DiagramError: line 6: The connection names 'edn', but no node has this label."
    assert shown(capsys).strip().startswith(message)


def test_a_failed_run_shows_itself_and_then_one_error(cells, capsys):
    error = cells.dipeo("broken", FAIL)

    assert isinstance(error, ExecutionFailedError)
    assert error.run is cells["broken"]
    text, _, end = shown(capsys).rpartition("ExecutionFailedError: ")
    assert text.startswith("Run of broken: failed\n  start  completed\n  boom   failed\n")
    assert end == "line 4, node 'boom': ZeroDivisionError: division by zero (line 1 of the code)\n"


def test_a_question_without_anybody_leaves_an_answerable_run(cells, capsys):
    error = cells.dipeo("ask", ASK)

    assert isinstance(error, NoAnswerError)
    assert "Run of ask: waiting" in shown(capsys)
    assert cells.run("ask.answer('name', 'Ada'); (await ask).output").result == "Ada"


def test_an_invalid_answer_given_beforehand_is_a_clear_error(cells):
    cells.run("mine = {'name': 3}")

    error = cells.dipeo("--answers mine", ASK.replace('"Who?"', '"Who?", choices: [Ada, Bea]'))

    assert isinstance(error, CommandError)
    assert "answer given for 'name' was refused" in str(error)


def test_the_loop_of_the_shell_lives_while_the_cell_waits(cells, gate):
    async def main():
        running = asyncio.create_task(cells.task(f"%%dipeo{gated(gate)}"))
        await asyncio.to_thread(gate.reached)
        await asyncio.to_thread(gate.let_through, "tea")
        return (await running).result.output

    assert asyncio.run(main()) == "tea"


def test_an_interrupt_pauses_the_run_and_says_how_to_go_on(cells, gate, capsys):
    async def main():
        running = asyncio.create_task(cells.task(f"%%dipeo slow{gated(gate)}"))
        await asyncio.to_thread(gate.reached)
        running.cancel()
        return (await running).error_in_exec

    assert isinstance(asyncio.run(main()), Interrupted)
    assert shown(capsys) == (
        "KeyboardInterrupt: the run is paused. "
        "`slow.resume()` goes on with it, `await slow` waits for it.\n"
    )
    assert cells["slow"].status == "paused"


def test_without_autoawait_the_cell_blocks_until_the_end(cells):
    cells.run("%autoawait off")

    assert cells.dipeo("hello --inputs n=1", ECHO).output == {"n": 1}
    assert cells.dipeo("--no-wait", ECHO) is cells["_run"]
    assert cells.dipeo("--help", ECHO) is None


def test_in_a_terminal_the_cell_blocks_until_the_end(cells):
    result = cells.shell.run_cell(f"%%dipeo --inputs n=1{ECHO}")

    assert result.result.output == {"n": 1}
    assert cells.shell.run_cell(f"%%dipeo{FAIL}").error_in_exec.run is cells["_run"]


def test_an_interrupt_in_a_terminal_pauses_the_run_too(cells, gate, capsys):
    def press():
        gate.reached()
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    result = cells.shell.run_cell(f"%%dipeo slow{gated(gate)}")
    presser.join()

    assert isinstance(result.error_in_exec, Interrupted)
    assert shown(capsys).startswith("KeyboardInterrupt: the run is paused")


def test_autoawait_may_be_switched_on_later(kernel, tmp_path):
    with new_shell(tmp_path) as shell:
        cells = Cells(shell)
        cells.run("%unload_ext dipeo_jupyter")
        cells.run("%autoawait off")
        cells.run("%load_ext dipeo_jupyter")
        cells.run("%autoawait asyncio")

        assert cells.dipeo("--inputs n=1", ECHO).output == {"n": 1}


def test_other_cells_are_left_alone(cells):
    code = "text = '''\nget_ipython().run_cell_magic('dipeo',\n'''\ntext"

    assert cells.run(code).result == "\nget_ipython().run_cell_magic('dipeo',\n"


def test_unloading_takes_everything_away_again(cells):
    before = len(cells.shell.input_transformers_post)

    cells.run("%unload_ext dipeo_jupyter")

    assert len(cells.shell.input_transformers_post) == before - 1
    assert not cells.run(f"%%dipeo{ECHO}").success
    cells.run("%load_ext dipeo_jupyter")
    assert cells.dipeo("--inputs n=1", ECHO).output == {"n": 1}
