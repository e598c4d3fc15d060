"""The question of trust on a card in a real kernel; a page speaks to it as a browser does."""

from __future__ import annotations

import os
import signal

import pytest

from dipeo_jupyter.built import TRUST_SCRIPT
from dipeo_jupyter.notebook.card.control import KIND
from tests.notebook.page import WIDGET, kernel_in

pytestmark = pytest.mark.skipif(
    not TRUST_SCRIPT.is_file(), reason="The JavaScript of cards is not built."
)
ASKS = """
version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: end, type: endpoint, save_to_file: true, file_path: made.py}
connections: [{from: start, to: end}]
"""
CALLS = {
    "awaited": "await dipeo.run('asks.light.yaml', show=False)",
    "blocking": "dipeo.run_sync('asks.light.yaml', show=False)",
    "edited": "dipeo.start('nodes: [{label: a, type: start}]\\n', paused=True)"
    ".edit('asks.light.yaml')",
}
both = pytest.mark.parametrize("call", ["awaited", "blocking"])


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust")
    (folder / "asks.light.yaml").write_text(ASKS)
    with kernel_in(folder, DIPEO_SANDBOX="auto", DIPEO_TRUST="ask") as page:
        page.run(f"import os, dipeo_jupyter as dipeo\nos.chdir({str(folder)!r})")
        page.made = folder / "made.py"
        page.process = int(page.run("os.getpid()")["text/plain"])
        yield page


@pytest.fixture
def page(kernel):
    kernel.clear()
    yield kernel
    kernel.made.unlink(missing_ok=True)


def asks(page, call):
    """Run a cell that asks; its number, and its card."""
    cards = len(page.cards)
    cell = page.cell(CALLS.get(call, call))
    return cell, page.card(cards)


def say(page, card, *words):
    for word in words:
        page.control(KIND, {"card": card.state["control"], "said": {"trust": word}})


def left(page):
    """What the question leaves in the notebook."""
    (output,) = (each for name, each in page.outputs.items() if name.startswith("dipeo-trust-"))
    assert WIDGET not in output["data"]
    return output["data"]["text/plain"]


@pytest.mark.parametrize("call", CALLS)
def test_a_card_says_what_is_asked_for_and_is_gone_when_it_is_answered(page, call):
    cell, card = asks(page, call)
    (power,) = card.state["powers"]
    say(page, card, "loading", "seen", "once")
    page.end(cell)

    assert card.state["name"] == "asks.light.yaml"
    assert (power["node"], power["line"]) == ("end", 5)
    assert page.errors == []
    assert left(page) == "asks.light.yaml was allowed to run once."
    assert card.model in page.closed


@both
def test_who_says_no_runs_nothing(page, call):
    cell, card = asks(page, call)
    say(page, card, "seen", "no")
    page.end(cell)

    assert "UntrustedError" in page.errors[0]
    assert left(page) == "asks.light.yaml was not run."
    assert not page.made.exists()


@both
def test_the_stop_button_ends_the_question_and_runs_nothing(page, call):
    cell, card = asks(page, call)
    say(page, card, "seen")
    os.kill(page.process, signal.SIGINT)
    page.end(cell)

    assert page.errors == ["KeyboardInterrupt: nothing was run."]
    assert left(page) == "asks.light.yaml was not run, for nobody has decided."
    assert not page.made.exists()
    assert page.run("1 + 1")["text/plain"] == "2"


@both
def test_the_stop_button_ends_the_question_where_it_is_typed_too(page, call):
    cell, _ = asks(page, call)
    page.asked()
    os.kill(page.process, signal.SIGINT)
    page.end(cell)

    assert page.errors == ["KeyboardInterrupt: nothing was run."]
    assert page.run("1 + 1")["text/plain"] == "2"


def test_where_nobody_shows_the_card_it_is_asked_below(page):
    cell, _ = asks(page, "blocking")
    asked = page.asked()
    page.client.input("o")
    page.end(cell)

    assert "asks.light.yaml" in asked
    assert page.made.exists()
    assert left(page) == "asks.light.yaml was allowed to run once."


def test_a_card_that_is_taken_away_is_asked_below(page):
    cell, card = asks(page, "blocking")
    say(page, card, "seen", "left")
    page.asked()
    page.client.input("no")
    page.end(cell)

    assert left(page) == "asks.light.yaml was not run."


def test_when_the_last_page_has_gone_the_cell_ends(page):
    cell, card = asks(page, "blocking")
    say(page, card, "seen", "seen", "gone", "gone")
    page.end(cell)

    assert "UntrustedError" in page.errors[0]
    assert left(page) == "asks.light.yaml was not run, for nobody has decided."


@pytest.mark.parametrize("said", [None, [], "once", {}, {"trust": "ever"}, {"trust": ["once"]}])
def test_nonsense_grants_nothing(page, said):
    cell, card = asks(page, "blocking")
    say(page, card, "seen")
    page.control(KIND, {"card": card.state["control"], "said": said})
    say(page, card, "no")
    page.end(cell)

    assert not page.made.exists()


def test_a_card_that_was_answered_is_heard_no_more(page):
    cell, card = asks(page, "blocking")
    say(page, card, "seen", "no", "once", "always")
    page.end(cell)
    again, other = asks(page, "blocking")
    say(page, other, "seen")
    say(page, card, "once")
    say(page, other, "no")
    page.end(again)

    assert not page.made.exists()


def test_a_cell_of_ones_own_is_asked_for_the_files_that_it_runs(page):
    page.run("%load_ext dipeo_jupyter")
    cell, card = asks(
        page, "%%dipeo\nnodes:\n- {label: it, type: sub_diagram, diagram_name: asks}\n"
    )
    say(page, card, "seen", "no")
    page.end(cell)

    assert (card.state["name"], card.state["foreign"]) == (None, False)
    assert card.state["powers"][0]["file"] == "asks.light.yaml"


def test_a_task_beside_the_cell_can_be_stopped_while_it_asks(page):
    cell, card = asks(page, f"import asyncio\nawait asyncio.gather({CALLS['awaited'][6:]})")
    say(page, card, "seen")
    os.kill(page.process, signal.SIGINT)
    page.end(cell)

    assert not page.made.exists()
    assert page.run("1 + 1")["text/plain"] == "2"
