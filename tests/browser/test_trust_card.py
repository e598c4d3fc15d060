"""A cell whose diagram is a file asks on a card before it does more than a sandbox gives."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dipeo_jupyter.built import TRUST_SCRIPT
from tests.browser.lab import lab_in, until
from tests.browser.test_panel import AXE, BUILT, FAULTS, THEME
from tests.notebook.page import WIDGET

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (TRUST_SCRIPT.is_file() and BUILT.is_dir()), reason="The front end is not built."
    ),
]
ASKS = """\
version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: tell, type: hook, command: echo done}
- {label: save, type: endpoint, save_to_file: true, file_path: made.py}
connections: [{from: start, to: tell}, {from: start, to: save}]
"""
INSIDE = "nodes:\n- {label: it, type: sub_diagram, diagram_name: asks}"
PATIENT = "import dipeo_jupyter.notebook.card.trusting as asking; asking.PATIENCE = 60"
"""A busy machine may take long to show a card."""
CELLS = {
    "magic": f"%%dipeo it\n{INSIDE}",
    "awaited": "run = await dipeo.run('asks.light.yaml')",
    "blocking": "run = dipeo.run_sync('asks.light.yaml')",
    "started": "run = dipeo.start('asks.light.yaml')\nrun.wait()",
}


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust")
    extensions = folder / "extensions"
    extensions.mkdir()
    (extensions / "dipeo-jupyter").symlink_to(BUILT)
    options = (
        f"--LabApp.extra_labextensions_path={extensions}",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    )
    with lab_in(folder, browser, *options, DIPEO_TRUST="ask", DIPEO_SANDBOX="auto") as lab:
        (lab.folder / "asks.light.yaml").write_text(ASKS)
        yield lab


@pytest.fixture
def opened(lab, tmp_path):
    """Open a notebook with a cell that asks; the notebook, the card, and the file that it makes."""

    def open_with(cell, where="embedded", app="JupyterLab"):
        load = "%load_ext dipeo_jupyter\nimport dipeo_jupyter as dipeo"
        setup = f"%env DIPEO_CONNECT={where}\n{load}\n{PATIENT}"
        notebook = lab.notebook(setup, cell, name=tmp_path.name, shell=app)
        notebook.run(0)
        notebook.wait_done(0)
        notebook.run(1)
        return notebook, notebook.cell(1).get_by_role("alertdialog"), lab.folder / "made.py"

    yield open_with
    (lab.folder / "made.py").unlink(missing_ok=True)
    trusted = lab.folder.parent / ".home" / "config" / "dipeo" / "trusted.json"
    trusted.unlink(missing_ok=True)
    for page in [page for context in lab.browser.contexts for page in context.pages]:
        page.context.close()


def press(card, name):
    card.get_by_role("button", name=name, exact=True).click()


def left(notebook):
    """What the question has left in the file."""
    return notebook.save()["cells"][1]["outputs"][0]["data"]


@pytest.mark.parametrize("where", ["embedded", "auto"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_waits_is_allowed_on_its_card(opened, cell, where):
    notebook, card, made = opened(CELLS[cell], where)
    expect(card).to_contain_text("tell runs a command of the shell, in the sandbox.")
    expect(card).to_contain_text("save writes the file 'made.py'.")
    notebook.shot(f"trust-{cell}-{where}")
    assert not made.exists()

    press(card, "Run once")
    until(made.exists)
    notebook.wait_done(1)
    expect(card).to_have_count(0)
    notebook.shot(f"trust-{cell}-{where}-done")
    assert WIDGET not in left(notebook)


def test_notebook_7_asks_on_the_card_too(opened):
    pytest.importorskip("notebook", minversion="7")
    notebook, card, made = opened(CELLS["blocking"], app="Notebook")
    expect(card).to_be_focused()
    press(card, "Run once")
    until(made.exists)
    notebook.wait_done(1)
    assert WIDGET not in left(notebook)


def test_whoever_trusts_it_is_not_asked_again(opened):
    notebook, card, made = opened(CELLS["awaited"])
    press(card, "Trust and run")
    until(made.exists)
    notebook.wait_done(1)
    made.unlink()

    notebook.run(1)
    until(made.exists)
    expect(card).to_have_count(0)


@pytest.mark.parametrize("cell", ["awaited", "blocking", "magic"])
def test_escape_is_no_and_the_stop_button_ends_the_cell_with_one_line(opened, cell):
    notebook, card, made = opened(CELLS[cell])
    expect(card).to_be_focused()
    notebook.page.keyboard.press("Escape")
    notebook.wait_done(1)
    expect(card).to_have_count(0)
    notebook.shot(f"trust-{cell}-no")
    assert "was not run" in "".join(left(notebook)["text/plain"])

    notebook.run(1)
    expect(card).to_be_visible()
    notebook.page.get_by_role("button", name="Interrupt the kernel").click()
    notebook.wait_done(1)
    expect(card).to_have_count(0)
    notebook.shot(f"trust-{cell}-stopped")
    error = notebook.save()["cells"][1]["outputs"][1]
    assert error["traceback"] == ["KeyboardInterrupt: nothing was run."]
    assert not made.exists()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_question_can_be_read_and_pressed_by_everyone(opened, theme):
    notebook, card, _ = opened(CELLS["blocking"])
    expect(card).to_have_accessible_name("This diagram asks for more than a sandbox gives")
    notebook.page.evaluate(THEME, theme)
    expect(notebook.page.locator("#jupyterlab-splash")).to_have_count(0)
    notebook.shot(f"trust-{theme}")
    if AXE.is_file():
        notebook.page.add_script_tag(path=str(AXE))
        assert notebook.page.evaluate(FAULTS, ".dipeo-trust") == []
    for name in ("Run once", "Trust and run", "Don't run"):
        notebook.page.keyboard.press("Tab")
        expect(card.get_by_role("button", name=name)).to_be_focused()
    notebook.page.keyboard.press("Enter")
    notebook.wait_done(1)


def test_whoever_types_goes_on_to_type(opened):
    notebook, card, _ = opened("import time; time.sleep(1)\n" + CELLS["blocking"])
    notebook.cell(0).locator(".cm-content").click()
    expect(card).to_be_visible()
    notebook.page.keyboard.type("# on ")
    assert "# on " in notebook.cell(0).locator(".cm-content").inner_text()
    press(card, "Don't run")
    notebook.wait_done(1)


@pytest.mark.parametrize("cell", ["awaited", "blocking"])
def test_a_page_that_is_loaded_again_ends_the_cell_and_says_so(opened, cell):
    notebook, card, made = opened(CELLS[cell])
    expect(card).to_be_visible()
    notebook.save()

    notebook.page.reload()

    notebook.cell(1).get_by_text("run it again").wait_for()
    notebook.shot(f"trust-reloaded-{cell}")
    notebook.ready()
    notebook.run(1)
    press(card, "Run once")
    until(made.exists)
