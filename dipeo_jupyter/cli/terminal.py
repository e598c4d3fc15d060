"""What all commands of the terminal share: exit codes, where things are said, opening a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TextIO

from ..app import build_engine
from ..client import Client, check
from ..diagram.files import MOST_BYTES, survey, survey_text
from ..diagram.source import Reading
from ..engine.engine import Engine
from ..errors import CommandError, Problem
from ..settings import Settings

DONE, FAILED, WRONG, WAITING, INTERRUPTED = 0, 1, 2, 3, 130
STDIN = "-"
_RESULTS: ContextVar[TextIO] = ContextVar("results")


class RefusedError(Exception):
    """A diagram is wrong, and why has been said."""


async def opened(file: str, client: Client | None = None, *, named: bool = True) -> Reading:
    """A diagram that can be read; else its problems are said, those that a client finds too.

    With `named`, a diagram without a name is called as its file.
    """
    reading = read_file(file, named=named)
    if reading.errors:
        problems = await check(client, reading) if client else reading.problems
        refuse(file, (problem for problem in problems if problem.severity == "error"))
    return reading


def read_file(file: str, *, named: bool = True) -> Reading:
    """What can be read of a file, or of standard input."""
    if file == STDIN:
        try:
            return survey_text(_typed())
        except UnicodeDecodeError:
            message = "what comes by standard input is no text"
            raise CommandError(message, code="unreadable") from None
    return survey(Path(file), named=named)


def _typed() -> str:
    """What comes from standard input; raises `CommandError` for what cannot be a diagram."""
    text = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        message = f"standard input has more than {MOST_BYTES:,} bytes"
        raise CommandError(message, code="too_large")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError("standard input is no UTF-8 text", code="unreadable") from None


def refuse(file: str, problems: Iterable[Problem]) -> NoReturn:
    """Say what is wrong with a file, and give up."""
    say_problems(file, problems)
    raise RefusedError


def build(settings: Settings | None = None, *, kept: bool = True) -> Engine:
    """An engine with the settings of the environment; one that runs nothing has nothing to keep."""
    settings = settings or read_settings()
    return build_engine(settings if kept else replace(settings, home=None))


def read_settings() -> Settings:
    """The settings of the environment; raises `CommandError` for those that cannot be."""
    try:
        return Settings.from_environment()
    except ValueError as error:
        raise CommandError(str(error), code="bad_setting") from None


def say_problems(file: str, problems: Iterable[Problem]) -> None:
    """One line for each problem."""
    for problem in problems:
        say(f"{file}: {problem.severity}: {problem}")


def say(text: str) -> None:
    """Tell people something, on standard error."""
    print(text, file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """Print a result, or a part of one, on standard output."""
    print(text, file=_RESULTS.get(sys.stdout), flush=True)


@contextmanager
def results_apart() -> Iterator[None]:
    """Have all that others print read by people: what is told is the only thing among results."""
    token = _RESULTS.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _RESULTS.reset(token)
