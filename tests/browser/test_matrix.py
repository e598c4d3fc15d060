"""The card obeys at once while its cell keeps the kernel busy: in every kernel, shell and setting.

How widgets are heard by a busy kernel changes from release to release, so all of it is tried by
`DIPEO_MATRIX=all pytest tests/browser/test_matrix.py`, and what tells most whenever tests run.
"""

from __future__ import annotations

import os
from itertools import chain, count, product
from statistics import median
from typing import NamedTuple

import pytest

from dipeo_jupyter.built import SCRIPT
from tests.browser.kernels import INSTALLED, RELEASES, kernel_with
from tests.browser.lab import lab_in

pytest.importorskip("notebook", minversion="7")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not SCRIPT.is_file(), reason="The JavaScript of the card is not built."),
]
DIAGRAM = """nodes:
- {label: name, type: user_response, prompt: "Who are you?"}
- {label: age, type: user_response, prompt: "How old?"}
- {label: end, type: endpoint}
edges: [name -> age, age -> end]
"""
CELLS = {
    "awaited": f"%%dipeo ask\n{DIAGRAM}",
    "blocking": f"import dipeo_jupyter as dipeo\ndipeo.run_sync('''{DIAGRAM}''')",
}
"""The kernel's loop goes on while a cell awaits; nothing in it does while one blocks."""
SUBSHELLS = ("disabled", "perCommTarget", "perComm")
"""JupyterLab's setting of how messages of widgets get to a kernel."""
GENEROUS = 5.0
"""Seconds for a reaction on a busy machine; the table has what it took."""
WATCH = """([cell, place, pattern]) => {
  let began = Number.NaN;
  const click = { capture: true, once: true };
  document.addEventListener("click", () => { began = performance.now(); }, click);
  window.reaction = new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no ${pattern} in ${cell.textContent}`));
    const timer = setTimeout(late, 15_000);
    const observer = new MutationObserver(() => {
      if (!new RegExp(pattern).test(cell.querySelector(place)?.textContent ?? "")) return;
      observer.disconnect();
      clearTimeout(timer);
      resolve(performance.now() - began);
    });
    observer.observe(cell, { subtree: true, childList: true, characterData: true });
  });
}"""
"""Measure, in the page, from the next click to what shall come of it."""


class Page(NamedTuple):
    """One place where cards can be."""

    ipykernel: str
    subshells: str
    shell: str


class Row(NamedTuple):
    """What makes a difference, if anything does."""

    ipykernel: str
    where: str
    cell: str


EMBEDDED, SERVER = "embedded", "auto"
ALL = [Page(*each) for each in product(RELEASES, SUBSHELLS, ("JupyterLab", "Notebook"))]
TELLING = [
    Page(INSTALLED, "disabled", "JupyterLab"),
    Page(INSTALLED, "perCommTarget", "Notebook"),
]
PAGES = ALL if os.environ.get("DIPEO_MATRIX") == "all" else TELLING
numbers = count(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def lab(browser, folder):
    """One server for both shells."""
    with lab_in(folder, browser, "--JupyterNotebookApp.expose_app_in_browser=True") as lab:
        yield lab


@pytest.fixture(scope="module")
def table(request):
    """What the reactions took, in milliseconds; printed in the end."""
    rows: dict[Row, list[dict[str, float]]] = {}
    yield rows
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{written(rows)}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids="-".join)
def test_buttons_and_forms_obey_while_the_cell_is_busy(page, lab, folder, table):
    kernel = kernel_with(page.ipykernel, folder / ".home" / "data")
    lab.set("@jupyterlab/apputils-extension:kernels-settings", commsOverSubshells=page.subshells)
    walks = list(product((EMBEDDED, SERVER), CELLS))
    cells = [[f"%dipeo connect {where}", CELLS[cell]] for where, cell in walks]
    name = f"matrix{next(numbers)}"
    notebook = lab.notebook(
        "%load_ext dipeo_jupyter", *chain(*cells), name=name, kernel=kernel, shell=page.shell
    )
    notebook.run(0)
    for number, (where, cell) in enumerate(walks):
        notebook.run(2 * number + 1)
        took = walk(notebook, 2 * number + 2)
        table.setdefault(Row(page.ipykernel, where, cell), []).append(took)
        assert max(took.values()) < GENEROUS * 1000, (where, cell, took)
    notebook.shot(f"matrix-{'-'.join(page)}")
    its_own = page.shell == "Notebook"  # whose pages complain of settings without us, too
    assert [each for each in notebook.page.complaints if not its_own or "dipeo" in each] == []
    notebook.page.context.close()


def test_a_page_that_the_server_gives_no_card_has_it_from_a_busy_kernel(lab):
    lab.set("@jupyterlab/apputils-extension:kernels-settings", commsOverSubshells="disabled")
    cells = ("%load_ext dipeo_jupyter", f"%dipeo connect {SERVER}", CELLS["blocking"])
    notebook = lab.notebook(*cells, name="no_card")
    notebook.page.route("**/dipeo/card/**", lambda route: route.abort())
    for number in range(len(cells)):
        notebook.run(number)

    notebook.cell(2).locator(".dipeo-run form").get_by_text("Who are you?").wait_for()
    assert notebook.is_busy(2)
    notebook.page.context.close()


def walk(notebook, number: int) -> dict[str, float]:
    """Pause, go on, answer and stop; what each of these took, in milliseconds."""
    notebook.run(number)
    cell = notebook.cell(number)
    cell.locator(".dipeo-run form").get_by_text("Who are you?").wait_for()

    def reaction(button, place, pattern):
        notebook.page.evaluate(WATCH, [cell.element_handle(), place, pattern])
        button.click()
        return notebook.page.evaluate("() => window.reaction")

    def press(name):
        return cell.get_by_role("button", name=name, exact=True)

    took = {"pause": reaction(press("Pause"), "[role=status]", "paused")}
    took["resume"] = reaction(press("Resume"), "[role=status]", "waiting")
    cell.locator("form :is(input, textarea)").fill("Ada")
    took["answer"] = reaction(press("Answer"), "form", "How old")
    assert notebook.is_busy(number)
    stop = notebook.page.get_by_role("button", name="Interrupt the kernel")
    took["■"] = reaction(stop, "[role=status]", "paused")
    notebook.wait_done(number)
    return took


def written(rows: dict[Row, list[dict[str, float]]]) -> str:
    """A table in Markdown: the median of all settings and shells, and the slowest."""
    head = "| ipykernel | runs in | cell | tried | pause | resume | answer | ■ |"
    lines = [head, "|---" * 8 + "|"]
    for row, walks in rows.items():
        where = {EMBEDDED: "the kernel", SERVER: "the server"}[row.where]
        cells = [_told([each[name] for each in walks]) for name in walks[0]]
        lines.append(
            " | ".join(["| " + row.ipykernel, where, row.cell, str(len(walks)), *cells, ""])
        )
    return "\n".join(lines)


def _told(times: list[float]) -> str:
    return f"{median(times):.0f} ({max(times):.0f}) ms"
