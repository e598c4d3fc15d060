"""The server ends under an open page, and comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.lab import lab_in
from tests.browser.test_panel import BUILT, TALK, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not BUILT.is_dir(), reason="The JupyterLab extension is not built."),
]


@pytest.fixture
def lab(browser, tmp_path):
    extensions = tmp_path / "extensions"
    extensions.mkdir()
    (extensions / "dipeo-jupyter").symlink_to(BUILT)
    option = f"--LabApp.extra_labextensions_path={extensions}"
    with lab_in(tmp_path / "lab", browser, option) as lab:
        yield lab


@pytest.mark.timeout(240)
def test_an_open_page_goes_on_with_a_server_that_has_come_back(lab):
    page = Page(lab)
    page.file(TALK)
    view = page.begin()
    page.line("Talk", "waiting")
    lab.end()
    expect(page.list.get_by_role("alert")).to_contain_text("cannot be reached")
    lab.begin()

    expect(page.list.get_by_role("alert")).to_have_count(0, timeout=40_000)
    page.line("Talk", "waiting: good")
    expect(view.get_by_role("status")).to_have_text("waiting · its process has ended")
    dismiss(page)
    view.get_by_role("textbox").fill("very")
    view.get_by_role("button", name="Answer").click()
    expect(view.get_by_role("status")).to_have_text("completed")
    page.line("Talk", "completed")


def dismiss(page):
    """What JupyterLab itself has to say about it."""
    for button in page.page.locator(".jp-Dialog button.jp-mod-reject").all():
        button.click()
