"""Diagrams from Python: `run`, `run_sync` and `start` them; `check`, `convert` and `diff` them.

All of these work in the same notebook, in any cell, and in ordinary programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagram.diff import Diff, compare
from ..diagram.files import Format, Readable, converted, survey
from ..diagram.source import Reading
from .problems import Problems
from .run import Run
from .session import default_session


def start(
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
    paused: bool = False,
) -> Run:
    """Start a diagram and return its `Run` at once.

    `diagram` is a `Diagram`, a file's path, or light YAML. `inputs` are what the start node hands
    on; `answers` are given to `user_response` nodes, by label (`approve`) or activation
    (`approve[2]`). Other questions stay open until `run.answer(…)`, or until somebody waits for the
    run, who is then asked by `input()`. With `paused`, nothing runs before `run.step()` or
    `run.resume()`.
    """
    return default_session().start(diagram, inputs, answers=answers, paused=paused)


async def run(
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
) -> Run:
    """Run a diagram to its end; raises `ExecutionFailedError`, whose `run` holds what was done.

    What `answers` do not answer is asked by `input()`; where that cannot be, `NoAnswerError` is
    raised, and its `run` still waits for an answer.

    When the waiting is cancelled (the notebook's stop button), the run is paused, and
    `run.resume()` goes on with it.
    """
    return await start(diagram, inputs, answers=answers)


def run_sync(
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
) -> Run:
    """The same as `run`, from code that cannot await."""
    return start(diagram, inputs, answers=answers).wait()


def check(diagram: Readable | Run) -> Problems:
    """All problems of a diagram at once: errors, warnings and hints. Runs nothing, asks nobody."""
    return Problems(default_session().check(_reading(diagram)))


def convert(diagram: Readable | Run, to: Format = "light") -> str:
    """The diagram as text in a format; reading it gives the same diagram back.

    Raises `DiagramError` for a diagram that is wrong, and for one that the format cannot hold.
    """
    return converted(_reading(diagram).checked().diagram, to)


def diff(before: Readable | Run, after: Readable | Run, *, positions: bool = False) -> Diff:
    """What the second diagram does differently; where nodes stand counts with `positions` only.

    The name of a run is none of its diagram's, so with a run names do not count.
    """
    first, second = (_reading(each).checked().diagram for each in (before, after))
    if isinstance(before, Run) or isinstance(after, Run):
        first, second = (each.model_copy(update={"name": None}) for each in (first, second))
    return compare(first, second, positions=positions)


def _reading(diagram: Readable | Run) -> Reading:
    # A file's name is none of its content.
    return survey(diagram.diagram if isinstance(diagram, Run) else diagram, named=False)
