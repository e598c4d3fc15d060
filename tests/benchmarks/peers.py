"""LangGraph on the same graphs as we: installed into an environment made for the purpose.

It runs in a process beside ours and is asked in turn with us, so that one works at a time and the
noise of the machine hits all of them.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphs import SHAPES, TYPES, case
from measuring import Table, measure, ratio, ways

import dipeo_jupyter
from dipeo_jupyter.engine.compile import compile_diagram

PACKAGES = ("langgraph", "langgraph-checkpoint-sqlite")
SCRIPT = Path(__file__).with_name("langgraph_side.py")
TRACING = ("LANGSMITH_", "LANGCHAIN_")
MOST_ROUNDS = 5
MOST_SECONDS = 240.0
"""After this no new round begins."""


class Peer:
    """LangGraph in its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.versions: dict[str, str] = json.loads(self._line())

    def measure(self, how: str, name: str, size: int) -> float:
        """Microseconds per activation."""
        assert self._process.stdin is not None
        print(name, size, how, file=self._process.stdin, flush=True)
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("LangGraph's side ended early; what it said is above.")
        return line


@contextmanager
def environment(folder: str | None) -> Iterator[Path]:
    """A Python with LangGraph: in `folder`, or in one that is thrown away."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="langgraph-venv-") as made, environment(made) as it:
            yield it
        return
    python = Path(folder) / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*install, *PACKAGES], check=True)
    yield python


@contextmanager
def langgraph(python: Path) -> Iterator[Peer]:
    """LangGraph, ready to be asked, and tracing to nobody."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(TRACING)}
    # -P: this folder's modules are not LangGraph's.
    with subprocess.Popen(
        [python, "-P", SCRIPT],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Peer(process)
        assert process.stdin is not None
        process.stdin.close()


def show(size: int, repeat: int, folder: str | None) -> None:
    """Print both sides, and how often each takes what raw asyncio takes."""
    with environment(folder) as python, langgraph(python) as peer:
        samples = compare(size, min(repeat, MOST_ROUNDS), peer)
        versions = {"dipeo_jupyter": dipeo_jupyter.__version__, **peer.versions}
    own = platform.python_version()
    print(f"µs per activation, and times raw asyncio; {size:,} nodes, Python {own} on our side")
    print(", ".join(f"{name} {number}" for name, number in versions.items()), end="\n\n")
    columns = list(next(iter(samples.values())))
    table = Table("graph", *columns, width=15)
    for name, found in samples.items():
        cells = [
            f"{statistics.median(each):.1f} ({ratio(each, found['raw']):.1f}×)"
            for each in found.values()
        ]
        table.row(name, *cells)


def compare(size: int, repeat: int, peer: Peer) -> dict[str, dict[str, list[float]]]:
    """All samples by graph and column; the first round warms up and does not count."""
    cases = [case(name, size) for name in SHAPES]
    programs = {this.name: compile_diagram(this.diagram, TYPES) for this in cases}
    theirs = {"langgraph": "plain", "langgraph + sqlite": "sqlite"}
    samples: dict[str, dict[str, list[float]]] = {}
    began = time.monotonic()
    for turn in range(repeat + 1):
        if turn > 1 and time.monotonic() - began > MOST_SECONDS:
            break
        for this in cases:
            found = {
                "raw" if way == "raw" else f"ours, {way}": measure(way, this, programs[this.name])
                for way in ways()
            } | {title: peer.measure(how, this.name, size) for title, how in theirs.items()}
            if turn:
                for title, value in found.items():
                    samples.setdefault(this.name, {}).setdefault(title, []).append(value)
    return samples
