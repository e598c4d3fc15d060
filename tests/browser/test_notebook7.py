"""Notebook 7 has the same card and the same pages, as far as its shell has room for them."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from dipeo_jupyter.built import SCRIPT
from tests.browser.lab import Notebook, lab_in, shot
from tests.browser.test_panel import BUILT, TALK

pytest.importorskip("notebook", minversion="7")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (BUILT.is_dir() and SCRIPT.is_file()), reason="The front end is not built."
    ),
]
CELL = """%%dipeo ask
nodes:
- {label: name, type: user_response, prompt: "Who are you?"}
- {label: end, type: endpoint}
edges: [name -> end]"""


@pytest.fixture(scope="module")
def notebook7(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook7")
    extensions = folder / "extensions"
    extensions.mkdir()
    (extensions / "dipeo-jupyter").symlink_to(BUILT)
    options = (
        f"--JupyterNotebookApp.extra_labextensions_path={extensions}",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    )
    with lab_in(folder, browser, *options, app="notebook") as lab:
        yield lab


def test_the_card_is_there_and_its_buttons_have_an_effect(notebook7):
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(each) for each in ("%load_ext dipeo_jupyter", CELL)]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = notebook7.folder / "card.ipynb"
    nbformat.write(book, path)
    notebook = Notebook(notebook7.page(f"notebooks/{path.name}"), path)
    notebook.ready()
    notebook.run(0)
    notebook.run(1)
    card = notebook.cell(1).get_by_role("region", name=re.compile("^Run of"))
    expect(card.get_by_role("status")).to_contain_text("waiting")
    card.get_by_role("button", name="Pause").click()

    expect(card.get_by_role("status")).to_contain_text("paused")
    shot(notebook.page, "notebook7-card")
    notebook.page.context.close()


def test_a_diagram_file_is_a_picture_and_its_run_stands_beside_it(notebook7):
    (notebook7.folder / "talk.light.yaml").write_text(TALK)
    page = notebook7.page("edit/talk.light.yaml")
    expect(page.get_by_role("button", name=re.compile("^good, "))).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    view = page.get_by_role("region", name="Run of Talk")
    view.get_by_role("textbox").fill("very")
    view.get_by_role("button", name="Answer").click()

    expect(view.get_by_role("status")).to_have_text("completed")
    shot(page, "notebook7-file")
    page.context.close()
