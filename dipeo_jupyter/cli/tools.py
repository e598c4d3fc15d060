"""Python files whose functions are tools for models."""

from __future__ import annotations

import argparse
import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import CommandError
from .terminal import results_apart


def add_tools(command: argparse.ArgumentParser) -> None:
    """The option of all commands for which it matters which tools there are."""
    command.add_argument(
        "--tools",
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file that is run first; its functions with `@dipeo.tool` are tools",
    )


@contextmanager
def tools_of(files: Sequence[str]) -> Iterator[None]:
    """Run the files, and keep what their functions print out of the results.

    Raises `CommandError` for one that fails.
    """
    if not files:
        yield
        return
    with results_apart():
        for file in files:
            _load(file)
        yield


def _load(file: str) -> None:
    path = Path(file)
    if not path.is_file():
        raise CommandError(f"there is no file {file!r} with tools", code="bad_tools")
    sys.path.insert(0, str(path.resolve().parent))  # as Python does for a file that it runs
    try:
        runpy.run_path(file, run_name="dipeo_tools")
    except (Exception, SystemExit) as error:
        places = traceback.extract_tb(error.__traceback__)
        own = [each for each in places if each.filename == file]
        line = f", line {own[-1].lineno}" if own else ""
        why = f"{type(error).__name__}: {error}"
        raise CommandError(f"the tools in {file!r}{line}: {why}", code="bad_tools") from error
