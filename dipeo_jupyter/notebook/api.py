"""Diagrams from Python: `run`, `run_sync` and `start` them; `check`, `convert` and `diff` them.

All of these work in the same notebook, in any cell, and in ordinary programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..client import Place, budget_of
from ..diagram.diff import Diff, compare
from ..diagram.files import Format, Readable, converted, is_file, survey
from ..diagram.source import Reading
from ..errors import DiagramError, Problem
from ..settings import CassetteMode
from .card.cell import cell_here
from .interrupts import Stopped, StoppedTask, stopped
from .listing import Plan, Runs
from .problems import Problems
from .run import Run
from .session import default_session

_NAMES_ITS_FILE = ("unreadable", "too_large")


def start(  # noqa: PLR0913 - all that can be said of a run
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
    paused: bool = False,
    breakpoints: Iterable[Place] = (),
    fresh: bool = False,
    since: Run | str | None = None,
    thread: str | None = None,
    budget_usd: float | None = None,
    max_calls: int | None = None,
    max_tokens_total: int | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode | None = None,
    trust: bool = False,
) -> Run:
    """Start a diagram and return its `Run` at once.

    `diagram` is a `Diagram`, a file's path, or light YAML. `inputs` are what the start node hands
    on; `answers` are given to `user_response` nodes, by label (`approve`) or activation
    (`approve[2]`). Other questions stay open until `run.answer(…)`, or until somebody waits for the
    run, who is then asked by `input()`. With `paused`, nothing runs before `run.step()` or
    `run.resume()`; at `breakpoints` (`"argue[2]"`, `"after argue"`, `when(…)`) it pauses by itself.

    Models are not asked again what the same activation has asked before, in any run that is kept,
    unless the run is `fresh`. The results of the run `since` (or its id) hold too, jobs and files
    included, where nothing they depend on has changed; without `inputs` it has those of that run.

    A run with a `thread` begins with the conversation that the last completed run of this thread
    has ended with. Without one, it begins as the run `since` has begun.

    Before a call to a model that would make the run cost more than `budget_usd`, or take more than
    `max_calls` or `max_tokens_total`, it pauses; `run.resume(budget_usd=…)` goes on with more.

    With a `cassette`, a file, models are asked through it: in the mode `auto` for what is not
    recorded there, in `record` for everything, in `replay` not at all.

    A file may have come from elsewhere. When it asks for more than a sandbox gives (`check` says
    for what), people are asked once, and where nobody can be, `UntrustedError` is raised; with
    `trust` it runs all the same.
    """
    return default_session().start(
        diagram,
        inputs,
        answers=answers or {},
        paused=paused,
        breakpoints=breakpoints,
        fresh=fresh,
        since=since,
        thread=thread,
        budget=budget_of(budget_usd, max_calls, max_tokens_total),
        cassette=cassette,
        cassette_mode=cassette_mode,
        trust=trust,
    )


async def run(  # noqa: PLR0913 - as above
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
    breakpoints: Iterable[Place] = (),
    fresh: bool = False,
    since: Run | str | None = None,
    thread: str | None = None,
    budget_usd: float | None = None,
    max_calls: int | None = None,
    max_tokens_total: int | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode | None = None,
    trust: bool = False,
    show: bool = True,
) -> Run:
    """Run a diagram to its end; raises `ExecutionFailedError`, whose `run` holds what was done.

    What `answers` do not answer is asked by `input()`; where that cannot be, `NoAnswerError` is
    raised, and its `run` still waits for an answer. At a breakpoint the run is returned as it
    stands: `run.stopped_at` says where, `run.resume()` goes on. For the rest see `start`.

    When the waiting is cancelled (the notebook's stop button), the run is paused, and
    `run.resume()` goes on with it. A cell of a notebook shows it by a card meanwhile, unless
    `show` is false.
    """
    try:
        begun = start(
            diagram,
            inputs,
            answers=answers,
            breakpoints=breakpoints,
            fresh=fresh,
            since=since,
            thread=thread,
            budget_usd=budget_usd,
            max_calls=max_calls,
            max_tokens_total=max_tokens_total,
            cassette=cassette,
            cassette_mode=cassette_mode,
            trust=trust,
        )
    except Stopped as stop:
        if cell_here() is None:
            raise
        raise StoppedTask(*stop.args) from None
    if not show or cell_here() is None:
        return await begun
    from .card.showing import showing  # noqa: PLC0415 - only who looks pays for it

    with showing(begun):
        return await begun


def run_sync(  # noqa: PLR0913 - as above
    diagram: Readable,
    inputs: Mapping[str, Any] | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
    breakpoints: Iterable[Place] = (),
    fresh: bool = False,
    since: Run | str | None = None,
    thread: str | None = None,
    budget_usd: float | None = None,
    max_calls: int | None = None,
    max_tokens_total: int | None = None,
    cassette: str | Path | None = None,
    cassette_mode: CassetteMode | None = None,
    trust: bool = False,
    show: bool = True,
) -> Run:
    """The same as `run`, from code that cannot await."""
    begun = start(
        diagram,
        inputs,
        answers=answers,
        breakpoints=breakpoints,
        fresh=fresh,
        since=since,
        thread=thread,
        budget_usd=budget_usd,
        max_calls=max_calls,
        max_tokens_total=max_tokens_total,
        cassette=cassette,
        cassette_mode=cassette_mode,
        trust=trust,
    )
    try:
        if not show or cell_here() is None:
            return begun.wait()
        from .card.showing import wait  # noqa: PLC0415 - as above

        return wait(begun)
    except KeyboardInterrupt:
        raise stopped(begun) from None


def get(run: str) -> Run:
    """The run with this id, which may be shortened (`exec_7f3a`); it does not go on by this.

    Raises `CommandError` when there is none, or when it could be several.
    """
    return default_session().get(run)


def attach(run: str) -> Run:
    """The run with this id, which goes on in the server that has started this kernel.

    What it needs from a notebook (jobs with `kernel: true`, functions that are tools) it asks this
    kernel for from now on. Else it is as with `get`.
    """
    return default_session().attach(run)


def resume(run: str) -> Run:
    """Go on with a run, wherever and whenever it was left, and return it at once.

    The process that it ran in may have ended long ago; what was done then is not done again.
    """
    found = get(run)
    found.resume()
    return found


def runs() -> Runs:
    """All runs that are kept, the newest first, those of other processes too."""
    return default_session().runs()


def plan(
    diagram: Readable | Run,
    inputs: Mapping[str, Any] | None = None,
    *,
    set: Mapping[str, Any] | None = None,  # noqa: A002 - as in `Run.edit`
    fresh: bool = False,
    since: Run | str | None = None,
    thread: str | None = None,
) -> Plan:
    """What a run would do, reuse and cost, before it does anything; `plan.run()` does it.

    See `start` for `since`, `fresh` and `thread`, `Run.edit` for `set`. A `Run` as the diagram is
    its diagram as it is now, planned since that very run.
    """
    drawn: Readable = diagram.diagram if isinstance(diagram, Run) else diagram
    if isinstance(diagram, Run):
        since = since or diagram
    return default_session().plan(
        drawn, inputs, changes=set or {}, fresh=fresh, since=since, thread=thread
    )


def prune(keep_last: int = 50) -> int:
    """Forget finished runs, the oldest first, but the last so many; how many were forgotten."""
    return default_session().prune(keep_last)


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

    The name of a run is none of its diagram's, so with a run names do not count. Raises
    `DiagramError` for what cannot be read; it says in which of the two.
    """
    readings = _reading(before), _reading(after)
    if any(each.errors for each in readings):
        named = zip(("first", "second"), (before, after), readings, strict=True)
        raise DiagramError(*(each for one in named for each in _errors_in(*one)))
    first, second = (each.checked().diagram for each in readings)
    if isinstance(before, Run) or isinstance(after, Run):
        first, second = (each.model_copy(update={"name": None}) for each in (first, second))
    return compare(first, second, positions=positions)


def _reading(diagram: Readable | Run) -> Reading:
    # A file's name is none of its content.
    return survey(diagram.diagram if isinstance(diagram, Run) else diagram, named=False)


def _errors_in(which: str, diagram: Readable | Run, reading: Reading) -> Iterator[Problem]:
    """The errors of one diagram of two; each says which it is."""
    called = (
        f", {reading.source.name!r}" if not isinstance(diagram, Run) and is_file(diagram) else ""
    )
    for each in reading.errors:
        if each.code in _NAMES_ITS_FILE:
            yield each
        else:
            yield replace(each, message=f"In the {which} diagram{called}: {each.message}")
