"""The terminal's face: `dipeo run`, whatever can be done with runs, and with diagram files.

Results go to standard output, what people read on the way to standard error. Exit codes: 0 done,
1 failed (or, of `dipeo diff`, different), 2 wrong use or wrong diagram, 3 paused, or waiting for an
answer that nobody gave, 130 interrupted. A module for each group of commands; `terminal.py` is
what they share.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from ..diagram.typed import long_options, reworded
from ..errors import CommandError, DiagramError
from .doctor import add_doctor
from .drawing import add_drawing
from .files import add_files
from .keys import add_keys
from .listing import add_listing
from .running import add_run
from .steering import add_steering
from .terminal import FAILED, INTERRUPTED, WRONG, RefusedError, say
from .tools import tools_of
from .trusting import add_trusting


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        with tools_of(getattr(options, "tools", ())):
            code: int = asyncio.run(options.command(options))
        sys.stdout.flush()
    except RefusedError:
        return WRONG
    except (CommandError, DiagramError) as error:
        say(f"dipeo: {error}")
        return WRONG
    except BrokenPipeError:
        _forget_output()  # whoever reads has seen enough
        return FAILED
    except OSError as error:
        _forget_output()
        say(f"dipeo: the output cannot be written: {error.strerror}")
        return FAILED
    except KeyboardInterrupt:
        say("dipeo: interrupted")
        return INTERRUPTED
    return code


class _Parser(argparse.ArgumentParser):
    """Says which word was meant."""

    def error(self, message: str) -> NoReturn:
        message, hint = reworded(message, long_options(self))
        super().error(f"{message}. {hint}" if hint else message)


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    words: argparse.ArgumentParser = _Parser(
        prog="dipeo", description="Run agent-workflow diagrams."
    )
    words.add_argument("--version", action="version", version=f"dipeo {version('dipeo_jupyter')}")
    commands = words.add_subparsers(required=True, metavar="COMMAND")
    for add in (add_run, add_steering, add_listing, add_files, add_drawing):
        add(commands)
    for add in (add_trusting, add_keys, add_doctor):
        add(commands)
    return words


def _forget_output() -> None:
    """What is still buffered must not complain at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
