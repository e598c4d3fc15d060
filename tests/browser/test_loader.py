"""Where the card's JavaScript comes from: the server, once for a page, or else the kernel."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dipeo_jupyter.built import LOADER, SCRIPT, script_version

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not LOADER.is_file(), reason="The JavaScript of the card is not built."),
]
SETUP = "%env DIPEO_CONNECT=auto\n%load_ext dipeo_jupyter"
ASK = """%%dipeo ask --no-wait
nodes:
- {label: name, type: user_response, prompt: "Who are you?"}
- {label: end, type: endpoint}
edges: [name -> end]"""


@pytest.fixture
def notebook(lab):
    """Two cards, of which none has been shown yet."""
    notebook = lab.notebook(SETUP, ASK, ASK, name="loader")
    notebook.run(0)
    notebook.wait_done(0)
    yield notebook
    notebook.page.context.close()


def show(notebook, number):
    notebook.run(number)
    card = notebook.cell(number)
    expect(card.get_by_role("status")).to_contain_text("waiting", timeout=20_000)
    return card


def test_a_page_fetches_the_script_once_for_all_its_cards(notebook):
    fetched, heard = [], []
    notebook.page.on("request", lambda request: fetched.append(request.url))
    notebook.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda data: heard.append(len(data)))
    )
    for number in (1, 2):
        show(notebook, number)

    assert sum(f"dipeo/card/{script_version()}.js" in url for url in fetched) == 1
    assert max(heard, default=0) < SCRIPT.stat().st_size


def test_a_page_that_does_not_get_the_script_from_the_server_has_it_from_the_kernel(notebook):
    notebook.page.route("**/dipeo/card/*", lambda route: route.abort())
    card = show(notebook, 1)
    card.locator("form textarea").fill("Ada")
    card.get_by_role("button", name="Answer", exact=True).click()

    expect(card.get_by_role("status")).to_contain_text("completed", timeout=20_000)
