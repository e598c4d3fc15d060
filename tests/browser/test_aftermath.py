"""What becomes of a card when its kernel is started anew, or its page is loaded again."""

from __future__ import annotations

import re

import pytest

from dipeo_jupyter.built import SCRIPT
from tests.browser.lab import lab_in
from tests.browser.test_panel import BUILT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (BUILT.is_dir() and SCRIPT.is_file()), reason="The front end is not built."
    ),
]
ASK = """%%dipeo ask --no-wait
nodes:
- {label: name, type: user_response, prompt: "Who are you?"}
- {label: age, type: user_response, prompt: "How old?"}
- {label: end, type: endpoint}
edges: [name -> age, age -> end]
"""
RESTART = """async () => {
  await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
}"""
EMBEDDED, SERVER = "embedded", "auto"
BOTH = pytest.mark.parametrize("where", [SERVER, EMBEDDED])


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("aftermath")
    extensions = folder / "extensions"
    extensions.mkdir()
    (extensions / "dipeo-jupyter").symlink_to(BUILT)
    with lab_in(folder, browser, f"--LabApp.extra_labextensions_path={extensions}") as lab:
        yield lab


@pytest.fixture
def asked(lab, tmp_path):
    """A notebook whose run has got one answer and waits for the other."""

    def begin(where):
        setup = f"%env DIPEO_CONNECT={where}\n%load_ext dipeo_jupyter"
        take_up = "import dipeo_jupyter as dipeo\ndipeo.attach(dipeo.runs()[0].execution_id)"
        notebook = lab.notebook(setup, ASK, take_up, name=tmp_path.name)
        notebook.run(0)
        notebook.wait_done(0)
        notebook.run(1)
        answer(notebook.cell(1), "Who are you?", "Ada")
        notebook.cell(1).locator("form").get_by_text("How old?").wait_for()
        notebook.wait_done(1)
        return notebook

    yield begin
    for context in lab.browser.contexts:
        context.close()


def answer(cell, question, text):
    cell.locator("form").get_by_text(question).wait_for()
    cell.locator("form :is(input, textarea)").fill(text)
    cell.get_by_role("button", name="Answer", exact=True).click()


def attach(notebook):
    """Take the run up in the new kernel."""
    notebook.run(0)
    notebook.wait_done(0)
    notebook.run(2)


def stands(cell, status):
    cell.get_by_role("status").get_by_text(re.compile(status)).wait_for()


def test_a_run_in_the_server_outlives_its_kernel_and_all_cards_follow_it(asked):
    notebook = asked(SERVER)
    notebook.page.evaluate(RESTART)
    attach(notebook)

    answer(notebook.cell(1), "How old?", "36")

    stands(notebook.cell(1), "completed")
    stands(notebook.cell(2), "completed")
    notebook.shot("aftermath-restarted-server")


def test_a_run_in_a_kernel_that_ends_says_so_and_a_new_kernel_goes_on_with_it(asked):
    notebook = asked(EMBEDDED)
    notebook.page.evaluate(RESTART)

    left = notebook.cell(1)
    left.get_by_role("note").get_by_text("The kernel of this run has ended").wait_for()
    assert "dipeo.resume(" in left.get_by_role("note").inner_text()
    assert left.get_by_role("button", name="Answer", exact=True).is_disabled()
    assert not left.get_by_role("button", name="Pause", exact=True).count()

    attach(notebook)
    answer(notebook.cell(2), "How old?", "36")

    stands(notebook.cell(2), "completed")
    notebook.shot("aftermath-restarted-embedded")


@BOTH
def test_a_page_loaded_after_a_restart_shows_the_last_state_and_goes_on(asked, where):
    notebook = asked(where)
    notebook.page.evaluate(RESTART)
    notebook.save()
    notebook.page.reload()
    notebook.ready()

    cell = notebook.cell(1)
    stands(cell, "waiting|paused")
    assert "not found" not in cell.inner_text()
    answer(cell, "How old?", "36")
    notebook.shot(f"aftermath-reloaded-{where}")
    stands(cell, "completed")


@BOTH
def test_a_notebook_that_is_opened_again_has_its_live_card(asked, lab, where):
    notebook = asked(where)
    notebook.save()
    notebook.page.context.close()

    again = lab.open(notebook.path)

    answer(again.cell(1), "How old?", "36")
    stands(again.cell(1), "completed")
    again.shot(f"aftermath-reopened-{where}")
