"""In a notebook a file is asked for before it does more than a sandbox gives."""

from __future__ import annotations

import asyncio

import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter import UntrustedError

from .page import kernel_in

BOTH_MODES = True
ASKS = """
version: light
nodes:
- {label: start, type: start, custom_data: {x: 1}}
- {label: end, type: endpoint, save_to_file: true, file_path: made.py}
connections: [{from: start, to: end}]
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.delenv("DIPEO_TRUST")
    monkeypatch.delenv("DIPEO_SANDBOX")
    path = tmp_path / "asks.light.yaml"
    path.write_text(ASKS)
    return path


@pytest.fixture
def kernel(file, kernel):
    """The settings are read after the file's."""


def test_a_text_is_ones_own(kernel):
    assert dipeo.run_sync(ASKS).status == "completed"


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["name", "path"])
def test_a_file_is_refused_where_nobody_can_be_asked(kernel, file, kind):
    with pytest.raises(UntrustedError, match="line 5: Node 'end' writes"):
        dipeo.run_sync(kind(file))

    assert not file.with_name("made.py").exists()
    assert dipeo.run_sync(kind(file), trust=True).status == "completed"


def test_what_was_planned_from_a_file_is_asked_for_when_it_is_run(kernel, file):
    plan = dipeo.plan(file)

    with pytest.raises(UntrustedError):
        asyncio.run(plan.run())


def test_a_run_of_ones_own_does_not_take_a_file_as_it_is(kernel, file):
    run = dipeo.start("nodes:\n- {label: start, type: start}\n", paused=True)

    with pytest.raises(UntrustedError):
        run.edit(file)
    with pytest.raises(UntrustedError):
        run.fork(diagram=file)
    run.edit(file, trust=True)
    run.resume()
    assert run.wait().status == "completed"


@pytest.mark.parametrize(
    ("typed", "ends"), [("o", ["done", "asked"]), ("a", ["done", "done"]), ("", ["asked", "asked"])]
)
def test_a_cell_asks_whoever_runs_it(file, typed, ends):
    with kernel_in(file.parent, DIPEO_SANDBOX="auto", DIPEO_TRUST="ask") as page:
        page.run(f"import dipeo_jupyter as dipeo\nfile = {str(file)!r}")
        first = page.cell("await dipeo.run(file, show=False)")
        asked = page.asked()
        page.client.input(typed)
        page.end(first)
        refused = [len(page.errors)]
        page.run("dipeo.run_sync(file, show=False)", stdin=False)
        refused.append(len(page.errors) - refused[0])

    assert "- line 5: Node 'end' writes the file 'made.py'." in asked
    assert ["asked" if each else "done" for each in refused] == ends
    assert all("UntrustedError" in each for each in page.errors)


def test_a_cell_with_a_diagram_in_a_file_says_trust(file):
    cell = "%%dipeo {}\nnodes:\n- {{label: it, type: sub_diagram, diagram_name: asks}}\n"
    with kernel_in(file.parent, DIPEO_SANDBOX="auto", DIPEO_TRUST="ask") as page:
        page.run("%load_ext dipeo_jupyter")
        page.run(cell.format(""), stdin=False)
        assert "asks.light.yaml, line 5: Node 'it/end' writes" in page.errors[0]
        page.run(cell.format("--trust"), stdin=False)

    assert len(page.errors) == 1
