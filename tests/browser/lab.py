"""A JupyterLab in a process of its own, and its pages in a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import expect

LONG = 20
"""Seconds until something that must come is missed."""
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "browser"  # noqa: S105 - of a server that lives as long as a test
READY = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget;
  await notebook.context.ready;
  await notebook.sessionContext.ready;
  await notebook.sessionContext.session?.kernel?.info;
}"""
RUN_CELL = """number => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = number;
  commands.execute("notebook:run-cell");
}"""
OPEN = """async path => {
  await window.jupyterapp.restored;
  await window.jupyterapp.commands.execute("docmanager:open", { path });
}"""
LEAVE = """async () => {
  const { shell } = window.jupyterapp;
  for (const { context, sessionContext } of shell.widgets("main")) {
    await context?.save();
    await sessionContext?.shutdown();
  }
  for (const widget of [...shell.widgets("main")]) widget.dispose();
}"""
UNGUARDED = {"DIPEO_SANDBOX": "off", "DIPEO_TRUST": "all"}
"""Jobs tell the tests how far they are, by files outside of any sandbox."""
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

PAGE = {"buildAvailable": False, "buildCheck": False}
"""JupyterLab need not see, with Node, on each page whether it should be built anew."""


class Lab:
    """A JupyterLab in a process of its own: `folder` is what it shows."""

    def __init__(self, folder: Path, port: int, browser, start: Callable[[], subprocess.Popen]):
        self.folder, self.browser = folder, browser
        self._opened = 0
        self.settings = folder.parent / ".home" / "config" / "lab" / "user-settings"
        self._port, self._start = port, start
        self.url = f"http://127.0.0.1:{port}"

    def begin(self) -> None:
        """Start it, as soon as it answers: for the first time, or again where it was."""
        self._process = self._start()
        until(lambda: _answers(self._port, self._process), 3 * LONG)

    def end(self) -> None:
        """Stop it. Its pages stay open."""
        self._process.terminate()
        self._process.wait(LONG)

    def page(self, path: str, **options):
        """A browser page of its own that shows this address of the Lab."""
        page = self.browser.new_context(
            viewport={"width": 1280, "height": 1000}, **options
        ).new_page()
        page.set_default_timeout(LONG * 1000)
        page.complaints = complaints_of(page)
        page.goto(f"{self.url}/{path}?token={TOKEN}")
        return page

    def set(self, plugin: str, **settings) -> None:
        """Have pages that are opened from now on keep to these settings of a plugin."""
        _settle(self.settings, {plugin: settings})

    def notebook(
        self, *cells: str, name: str = "card", kernel: str = "python3", **options
    ) -> Notebook:
        """Open a new notebook with these cells, as soon as its kernel is there."""
        book = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_code_cell(each) for each in cells]
        book.metadata["kernelspec"] = {"name": kernel, "display_name": kernel}
        path = self.folder / f"{name}.ipynb"
        nbformat.write(book, path)
        return self.open(path, **options)

    def desk(self):
        """A page for several notebooks, one after the other: its loading is most of the work."""
        page = self.page("lab/workspaces/desk")
        page.wait_for_function("window.jupyterapp")
        return page

    def open(self, path: Path, shell: str = "JupyterLab", *, desk=None, **options) -> Notebook:
        """Open a notebook that there is, in JupyterLab or in Notebook 7, or on a desk."""
        if desk is not None:
            desk.evaluate(OPEN, path.name)
            notebook = Notebook(desk, path)
            notebook.ready()
            return notebook
        self._opened += 1  # a workspace of its own, for Lab remembers what was open in the last one
        lab = f"lab/workspaces/test{self._opened}/tree"
        place = lab if shell == "JupyterLab" else "notebooks"
        page = self.page(f"{place}/{path.name}", **options)
        notebook = Notebook(page, path)
        notebook.ready()
        return notebook


class Notebook:
    """A notebook on a page. Cells are counted from 0."""

    def __init__(self, page, path: Path):
        self.page, self.path = page, path

    def ready(self) -> None:
        """Wait until cells can be run."""
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
        self.page.evaluate(READY)

    def run(self, number: int) -> None:
        """Run a cell, without waiting for its end."""
        self.page.evaluate(RUN_CELL, number)

    def cell(self, number: int):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def wait_busy(self, number: int) -> None:
        """Wait until the cell shows that it runs."""
        self._prompt(number, r"\[\*\]")

    def wait_done(self, number: int) -> None:
        """Wait until the cell has a number."""
        self._prompt(number, r"\[\d+\]")

    def is_busy(self, number: int) -> bool:
        return "*" in self.cell(number).locator(".jp-InputPrompt").inner_text()

    def save(self) -> dict:
        """Save it; what is in its file."""
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        return json.loads(self.path.read_text())

    def leave(self) -> None:
        """Clear the desk that it lies on: its kernel ends, and so does it."""
        self.page.evaluate(LEAVE)

    def shot(self, name: str) -> None:
        """Keep a picture of it where `DIPEO_SCREENSHOTS` says."""
        shot(self.page, name)

    def _prompt(self, number: int, pattern: str) -> None:
        prompt = self.cell(number).locator(".jp-InputPrompt")
        expect(prompt).to_have_text(re.compile(pattern), timeout=LONG * 1000)


def complaints_of(page) -> list[str]:
    """What goes wrong on a page from now on: errors it tells of, and what it is not given."""
    complaints: list[str] = []

    def hear(said: object) -> None:
        complaints.append(str(said))

    page.on("pageerror", hear)
    page.on("console", lambda said: said.type == "error" and hear(said.text))
    page.on("response", lambda given: given.status >= 400 and hear(f"{given.status} {given.url}"))
    page.on("websocket", lambda socket: socket.on("socketerror", hear))
    return complaints


def shot(page, name: str) -> None:
    """Keep a picture of a page where `DIPEO_SCREENSHOTS` says."""
    if folder := os.environ.get("DIPEO_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def until(reached, seconds: float = LONG):
    """Look again and again until it holds; what it then is."""
    end = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)
    return found


@contextmanager
def lab_in(folder: Path, browser, *options: str, app: str = "jupyterlab", **environ: str):
    """A JupyterLab (or `notebook`) that shows this folder, and nothing else of this user."""
    home = folder / ".home"
    work = folder / "work"
    work.mkdir(parents=True)
    _settle(home / "config" / "lab" / "user-settings", SETTINGS)
    _configure(home / "config" / "labconfig", PAGE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = {
        f"JUPYTER_{name}": str(home / name.partition("_")[0].lower())
        for name in ("DATA_DIR", "RUNTIME_DIR", "CONFIG_DIR")
    }
    paths["XDG_CONFIG_HOME"] = str(home / "config")
    command = [
        *(sys.executable, "-m", app, "--no-browser", "--allow-root"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={work}"),
        *(f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"),
        *options,
    ]
    paths["IPYTHONDIR"] = str(home / "ipython")
    environment = {**os.environ, **UNGUARDED, **paths, **environ}
    with (folder / "lab.log").open("w") as log:

        def start() -> subprocess.Popen:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=work)

        lab = Lab(work, port, browser, start)
        lab.begin()
        try:
            yield lab
        finally:
            lab.end()


def _answers(port: int, process: subprocess.Popen) -> bool:
    assert process.poll() is None, "JupyterLab has ended"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5):
            return True
    except OSError:
        return False


def _configure(folder: Path, page: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True)
    (folder / "page_config.json").write_text(json.dumps(page))


def _settle(folder: Path, all_settings: Mapping[str, Any]) -> None:
    for plugin, settings in all_settings.items():
        package, _, name = plugin.partition(":")
        place = folder / package
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.jupyterlab-settings").write_text(json.dumps(settings))
