"""A browser and a JupyterLab for the tests of a module; where there is no Chromium, none is run."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.lab import CHROMIUM, FLAGS, lab_in

MISSING = "There is no Chromium (Debian: apt-get install chromium); the tests of pages are skipped."


@pytest.fixture(scope="module")
def browser():
    """For no longer than a module: playwright keeps the thread's event loop as long as it lives."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    with lab_in(tmp_path_factory.mktemp("lab"), browser) as lab:
        yield lab
