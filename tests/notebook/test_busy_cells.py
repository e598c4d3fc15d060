"""A card is there, and heard, while the cell keeps the kernel busy: also one that cannot await."""

from __future__ import annotations

import pytest

from dipeo_jupyter.built import SCRIPT
from dipeo_jupyter.notebook.card.control import KIND
from tests.gate import Gate
from tests.notebook.page import RUN, WIDGET, kernel_in

pytestmark = pytest.mark.skipif(
    not SCRIPT.is_file(), reason="The JavaScript of the card is not built."
)
ASK = """
nodes:
- {label: name, type: user_response, prompt: "Who?"}
- {label: end, type: endpoint}
edges: [name -> end]
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with kernel_in(tmp_path_factory.mktemp("kernel")) as page:
        page.run("import dipeo_jupyter as dipeo")
        yield page


@pytest.fixture
def page(kernel):
    kernel.clear()
    return kernel


def job(gate):
    return f"nodes:\n- {{label: end, type: job, code: {gate.code!r}}}"


def test_a_card_is_obeyed_while_its_cell_blocks_the_kernel(page):
    cell = page.cell(f"run = dipeo.run_sync('''{ASK}''')\nprint(run.output)")
    card = page.card()
    card.ask_by_control("pause_execution")
    card.wait_for("execution_paused")
    card.ask_by_control("resume_execution")
    assert card.ask_by_control("user_response", node="name", value="Ada")["type"] == "ack"

    page.end(cell)
    assert not page.errors
    card.wait_for("execution_completed")


def test_whoever_speaks_on_the_control_channel_is_known_to_look(page):
    page.looks = False
    cell = page.cell(f"dipeo.run_sync('''{ASK}''')")
    card = page.card()
    card.ask_by_control("subscribe", after_seq=0)
    card.ask_by_control("user_response", node="name", value="Ada")

    assert RUN in page.end(cell)


@pytest.mark.parametrize("content", [{}, {"card": "nobody", "said": {}}, {"card": None}])
def test_what_is_meant_for_no_card_does_no_harm(page, content):
    cell = page.cell(f"dipeo.run_sync('''{ASK}''')")
    card = page.card()
    page.control(KIND, content)
    card.ask_by_control("user_response", node="name", value="Ada")

    assert RUN in page.end(cell)


@pytest.mark.parametrize("said", ["pause", None, {"type": 3}, {"type": "explode"}])
def test_nonsense_on_the_control_channel_is_refused_in_words(page, said):
    cell = page.cell(f"dipeo.run_sync('''{ASK}''')")
    card = page.card()
    page.control(KIND, {"card": card.state["control"], "said": said})
    page.until(lambda: None in card.replies)
    card.ask_by_control("user_response", node="name", value="Ada")

    page.end(cell)
    assert card.replies[None]["type"] == "error"


@pytest.mark.parametrize("call", ["await dipeo.run", "dipeo.run_sync"])
def test_a_cell_that_runs_a_diagram_from_python_shows_it_meanwhile(page, call, tmp_path):
    gate = Gate(tmp_path)
    cell = page.cell(f"run = {call}({job(gate)!r})")
    card = page.card()
    card.ask_by_control("subscribe", after_seq=0)
    gate.reached()
    gate.let_through("tea")

    page.end(cell)
    assert card.types[-1] == "execution_completed"
    (output,) = page.outputs.values()
    assert WIDGET not in output["data"]
    assert output["data"]["text/plain"].endswith("end = tea")


@pytest.mark.parametrize("call", ["await dipeo.run", "dipeo.run_sync"])
def test_with_show_off_or_without_people_a_cell_shows_nothing_while_it_waits(page, call, tmp_path):
    for number, (stdin, more) in enumerate([(True, ", show=False"), (False, "")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        gate = Gate(folder)
        cell = page.cell(f"run = {call}({job(gate)!r}{more})", stdin=stdin)
        gate.reached()
        gate.let_through("tea")
        page.end(cell)
    assert page.outputs == {}
    assert page.shown == []


def test_an_attached_run_that_goes_on_has_a_live_card(page):
    page.run(f"old = dipeo.start('''{ASK}''')")
    page.run("dipeo.attach(old.id)")
    card = page.card()
    card.ask_by_control("user_response", node="name", value="Ada")

    card.wait_for("execution_completed")
