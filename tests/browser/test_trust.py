"""JupyterLab asks before a diagram file does more than a sandbox gives."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import OPEN, lab_in, shot, until
from tests.browser.test_panel import BUILT, pytestmark  # noqa: F401 - the marks are these, too

ASKS = """\
version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: tell, type: hook, command: echo done}
- {label: save, type: endpoint, save_to_file: true, file_path: made.py}
connections: [{from: start, to: tell}, {from: start, to: save}]
"""
RUN = "() => { void window.jupyterapp.commands.execute('dipeo:run-diagram'); }"


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust")
    extensions = folder / "extensions"
    extensions.mkdir()
    (extensions / "dipeo-jupyter").symlink_to(BUILT)
    option = f"--LabApp.extra_labextensions_path={extensions}"
    with lab_in(folder, browser, option, DIPEO_TRUST="ask", DIPEO_SANDBOX="auto") as lab:
        (lab.folder / "asks.light.yaml").write_text(ASKS)
        page = lab.page("lab")
        page.wait_for_selector(".jp-Launcher")
        page.evaluate(OPEN, "asks.light.yaml")
        page.wait_for_function("window.jupyterapp.commands.isEnabled('dipeo:run-diagram')")
        yield page, lab.folder / "made.py"


def test_whoever_runs_a_file_is_asked_once_or_for_good(page):
    page, made = page
    dialog = page.get_by_role("dialog")

    page.evaluate(RUN)
    expect(dialog).to_contain_text("tell runs a command of the shell, in the sandbox.")
    expect(dialog).to_contain_text("save writes the file 'made.py'.")
    expect(dialog).to_contain_text("line 5")
    shot(page, "trust")
    dialog.get_by_role("button", name="Don't run").click()
    expect(dialog).to_have_count(0)
    assert not made.exists()

    page.evaluate(RUN)
    dialog.get_by_role("button", name="Trust and run").click()
    until(made.exists)
    made.unlink()

    page.evaluate(
        "() => window.jupyterapp.shell.activateById(window.jupyterapp.shell.currentWidget.id)"
    )
    page.evaluate(OPEN, "asks.light.yaml")
    page.evaluate(RUN)
    until(made.exists)
    expect(dialog).to_have_count(0)
