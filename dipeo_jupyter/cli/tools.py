"""Python files whose functions are tools for models."""

from __future__ import annotations

import argparse
import runpy
import traceback
from collections.abc import Sequence
from pathlib import Path

from ..errors import CommandError


def add_tools(command: argparse.ArgumentParser) -> None:
    """The option of all commands for which it matters which tools there are."""
    command.add_argument(
        "--tools",
        action="append",
        default=[],
        metavar="FILE",
        help="a Python file that is run first; its functions with `@dipeo.tool` are tools",
    )


def load_tools(files: Sequence[str]) -> None:
    """Run the files; raises `CommandError` for one that fails."""
    for file in files:
        if not Path(file).is_file():
            raise CommandError(f"there is no file {file!r} with tools", code="bad_tools")
        try:
            runpy.run_path(file, run_name="dipeo_tools")
        except Exception as error:
            places = traceback.extract_tb(error.__traceback__)
            own = [each for each in places if each.filename == file]
            line = f", line {own[-1].lineno}" if own else ""
            why = f"{type(error).__name__}: {error}"
            raise CommandError(f"the tools in {file!r}{line}: {why}", code="bad_tools") from error
