"""The run card in JupyterLab: people run, pause, step, answer, stop and reload, as they do."""

from __future__ import annotations

import json
import time

import pytest

from dipeo_jupyter.built import SCRIPT
from tests.browser.lab import until
from tests.gate import Gate
from tests.notebook.page import RUN, WIDGET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not SCRIPT.is_file(), reason="The JavaScript of the card is not built."),
]
PROMPT = 1.0
"""Seconds in which a click must have an effect; it takes a few hundredths."""
ASK = """%%dipeo ask
nodes:
- {label: name, type: user_response, prompt: "Who are you?"}
- {label: age, type: user_response, prompt: "How old?", schema: {type: integer, minimum: 1}}
- {label: "old?", type: condition, expression: "age > 30"}
- {label: senior, type: endpoint}
- {label: junior, type: endpoint}
edges: [name -> age, "age -> old?", "old?.true -> senior", "old?.false -> junior"]
"""
SLOW = """%%dipeo slow
nodes:
- {{label: first, type: job, code: {0.code!r}}}
- {{label: second, type: job, code: {1.code!r}}}
- {{label: end, type: endpoint}}
edges: [first -> second, second -> end]
"""


@pytest.fixture
def gates(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    return [Gate(folder) for folder in folders]


@pytest.fixture(scope="module")
def desk(lab):
    return lab.desk()


@pytest.fixture
def opened(lab, desk, request, tmp_path):
    """Open a notebook with a cell, whose diagram runs in the kernel, or where the test says.

    It is on a page of its own when the test has to do with that.
    """
    notebooks = []

    def open_with(cell, own_page=False):
        setup = (
            f"%env DIPEO_CONNECT={getattr(request, 'param', 'embedded')}\n%load_ext dipeo_jupyter"
        )
        place = None if own_page else desk
        notebook = lab.notebook(setup, cell, name=tmp_path.name, desk=place)
        notebooks.append(notebook)
        notebook.run(0)
        notebook.wait_done(0)
        notebook.run(1)
        return notebook, Card(notebook.cell(1).locator(".dipeo-run").first)

    yield open_with
    for each in notebooks:
        if each.page is desk:
            each.leave()
        else:
            each.page.context.close()


BOTH = pytest.mark.parametrize("opened", ["auto", "embedded"], indirect=True)
"""In the server, to which the card speaks for itself, and in the kernel."""


class Card:
    """The card in a cell."""

    def __init__(self, place):
        self.place = place

    def button(self, name):
        return self.place.get_by_role("button", name=name, exact=True)

    def answer(self, text):
        self.place.locator("form :is(input, textarea)").fill(text)
        self.button("Answer").click()

    def stands(self, status):
        """Wait until the run stands so; the seconds that this took."""
        began = time.monotonic()
        self.place.get_by_role("status").get_by_text(status).wait_for()
        return time.monotonic() - began

    def node(self, label):
        return self.place.locator(f"[data-label={label!r}]")

    def asked(self, prompt):
        self.place.locator("form").get_by_text(prompt).wait_for()


@BOTH
def test_questions_are_answered_on_the_card_while_the_cell_waits(opened):
    notebook, card = opened(ASK)
    card.asked("Who are you?")
    notebook.shot("question")
    card.answer("Ada")
    card.asked("How old?")
    card.answer("0")
    card.place.locator("[role=alert], .dipeo-wrong").first.wait_for()
    notebook.shot("refused")
    card.answer("37")

    notebook.wait_done(1)
    (output,) = notebook.save()["cells"][1]["outputs"]
    notebook.shot("completed")
    assert "".join(output["data"]["text/plain"]).endswith("senior = 37")
    assert WIDGET not in output["data"]
    assert json.loads(output["metadata"][RUN]["run"])["status"] == "completed"


@BOTH
def test_pause_step_and_resume_have_an_effect_at_once(opened, gates):
    notebook, card = opened(SLOW.format(*gates))
    gates[0].reached()
    card.stands("running")
    notebook.shot("running")

    card.button("Pause").click()
    took = {"pause": card.stands("paused")}
    gates[0].let_through("tea")
    until(lambda: "completed" in card.node("first").get_attribute("aria-label"))
    card.button("Step").click()
    began = time.monotonic()
    gates[1].reached()
    took["step"] = time.monotonic() - began
    gates[1].let_through("cake")
    card.stands("paused")
    assert notebook.is_busy(1)
    card.button("Resume").click()
    began = time.monotonic()
    notebook.wait_done(1)
    took["resume"] = time.monotonic() - began

    assert "end = cake" in _text(notebook)
    print({name: f"{seconds * 1000:.0f} ms" for name, seconds in took.items()})
    assert max(took.values()) < PROMPT


def test_a_breakpoint_set_on_the_card_stops_the_run_which_goes_on_from_there(opened, gates):
    notebook, card = opened(SLOW.format(*gates))
    gates[0].reached()
    gutter = card.place.get_by_role("button", name="Breakpoint before second")
    gutter.click()
    until(lambda: gutter.get_attribute("aria-pressed") == "true")
    gates[0].let_through("tea")

    notebook.wait_done(1)
    card.stands("paused")
    notebook.shot("breakpoint")
    card.button("Resume").click()
    gates[1].reached()
    gates[1].let_through("cake")

    until(lambda: "end = cake" in _text(notebook))


@BOTH
def test_the_stop_button_pauses_the_run_and_the_card_goes_on_with_it(opened, gates):
    notebook, card = opened(SLOW.format(*gates))
    gates[0].reached()
    card.stands("running")

    notebook.page.get_by_role("button", name="Interrupt the kernel").click()

    notebook.wait_done(1)
    card.stands("paused")
    notebook.shot("interrupted")
    card.button("Resume").click()
    for gate in gates:
        gate.reached()
        gate.let_through("cake")
    until(lambda: "end = cake" in _text(notebook))


def test_a_page_that_is_loaded_again_shows_the_card_as_it_was(opened):
    notebook, card = opened(ASK, own_page=True)
    card.asked("Who are you?")
    card.answer("Ada")
    card.asked("How old?")
    notebook.save()

    notebook.page.reload()

    card.asked("How old?")
    notebook.shot("reloaded")
    card.answer("12")
    card.stands("completed")


def test_a_saved_notebook_shows_the_end_without_its_kernel(opened, lab):
    notebook, card = opened(ASK, own_page=True)
    card.asked("Who are you?")
    card.answer("Ada")
    card.asked("How old?")
    card.answer("12")
    notebook.wait_done(1)
    notebook.save()
    notebook.page.context.close()

    again = lab.open(notebook.path)

    output = again.cell(1).locator(".jp-OutputArea-output")
    output.locator("svg, .dipeo-run").first.wait_for()
    again.shot("reopened")
    assert "model not found" not in output.inner_text()
    again.page.context.close()


def _text(notebook):
    """What the cell has shown last, in words, as it is saved."""
    outputs = notebook.save()["cells"][1]["outputs"]
    return "".join("".join(each.get("data", {}).get("text/plain", "")) for each in outputs)
