"""Run diagrams from Python: `await run(…)`, `run_sync(…)`, `start(…)`.

All three work in the same notebook, in any cell, and in ordinary programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagram.files import Readable
from .asking import ask_by_input
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
    (`approve[2]`). With `paused`, nothing runs before `run.step()` or `run.resume()`.
    """
    return default_session().start(diagram, inputs, answers=answers, paused=paused)


async def run(
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
) -> Run:
    """Run a diagram to its end; raises `ExecutionFailedError`, whose `run` holds what was done.

    What `answers` do not answer is asked by `input()`.

    When the waiting is cancelled (the notebook's stop button), the run is paused, and
    `run.resume()` goes on with it.
    """
    session = default_session()
    return await session.start(diagram, inputs, answers=answers, ask=ask_by_input)


def run_sync(
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
) -> Run:
    """The same as `run`, from code that cannot await."""
    session = default_session()
    return session.start(diagram, inputs, answers=answers, ask=ask_by_input).wait()
