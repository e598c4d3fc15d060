"""What can be done with a run by its id, wherever it is held.

A run that another process holds gets a letter, and goes on there. One that nobody holds is taken
over by what makes it go on, and followed in the foreground like `dipeo run`.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..client import add_budget, breakpoints, budget_in, changed, json_or_text
from ..diagram.model import Diagram
from ..diagram.source import Reading
from ..engine.engine import Engine
from ..errors import CommandError, DiagramError
from ..protocol import commands as c
from ..protocol import events as e
from .following import Follower, add_following, how_to_answer, how_to_go_on, pair, print_outputs
from .terminal import DONE, FAILED, build, opened, refuse, say
from .trusting import add_trust, send_trusted

_WRONG_USE = ("unknown_", "ambiguous_", "bad_", "untrusted")
"""The codes of what was never right; anything else is refused because of how the run stands."""

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - no other name


def add_steering(commands: Commands) -> None:
    """Make all commands known that go on with a run or change it."""
    each = _add(commands, "pause", _pause, "start nothing new in a run")
    each.add_argument("--now", action="store_true", help="stop what runs, to run it again later")
    each = _add(commands, "cancel", _cancel, "end a run")
    each = _add(commands, "resume", _resume, "go on with a run; what has failed is tried again")
    add_budget(each)
    add_following(each)
    each = _add(commands, "step", _step, "let activations of a run through, then pause again")
    each.add_argument("-n", dest="steps", type=_count, default=1, metavar="N", help="how many")
    add_following(each)
    each = _add(commands, "answer", _answer, "answer a question; the first valid answer wins")
    each.add_argument("node", metavar="NODE", help="the node that asks")
    each.add_argument("value", metavar="VALUE", type=json_or_text, help="JSON or text")
    add_following(each)
    each = _add(commands, "break", _break, "pause a run at these places only; without any, nowhere")
    each.add_argument("places", metavar="PLACE", nargs="*", help="argue, argue[2], after argue, …")
    each = _add(
        commands, "skip", _skip, "leave out the next firing of a node, or the one under way"
    )
    each.add_argument("node", metavar="NODE", help="the node that is left out")
    each = _add(commands, "edit", _edit, "change the diagram of a run, and go on with it")
    _add_changes(each)
    each.add_argument("--keep", action="store_true", help="all that has run keeps its result")
    each = _add(commands, "fork", _fork, "start a new run with the past of this one")
    each.add_argument(
        "--at", action="append", default=[], metavar="ACTIVATION", help="what is run anew: argue[2]"
    )
    _add_changes(each)


def _add(
    commands: Commands, name: str, command: Callable[..., Awaitable[int]], what: str
) -> argparse.ArgumentParser:
    each = commands.add_parser(name, help=what)
    each.set_defaults(command=command)
    each.add_argument("run", metavar="RUN", help="the id of a run; its beginning is enough")
    return each


def _add_changes(each: argparse.ArgumentParser) -> None:
    each.add_argument("file", metavar="FILE", nargs="?", help="the diagram as it shall be")
    each.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        type=pair,
        help="a property (verdict.prompt), a person's (Ada.model), or an output (argue[2])",
    )
    each.add_argument("--paused", action="store_true", help="do not go on yet")
    add_trust(each)
    add_following(each)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps")
    return int(text)


@dataclass(frozen=True)
class _Held:
    """A run that was found, and the engine that reaches it."""

    engine: Engine
    options: argparse.Namespace
    summary: c.ExecutionSummary

    @property
    def id(self) -> e.ExecutionId:
        return self.summary.execution_id

    async def send(self, command: c.Command) -> c.Ack:
        return await self.engine.send(command)

    async def said(self) -> int:
        """Say how the run stands now."""
        summary = (await self.send(c.GetExecution(execution_id=self.id))).result
        say(standing(summary))
        return DONE

    async def gone_on(self, *commands: c.Command, stepping: bool = False) -> int:
        """Go on: elsewhere if the run is held there, else here, in the foreground."""
        for command in commands:
            await self.send(command)
        if self.summary.live:
            return await self.said()
        return await self.followed(self.id, self.summary.events, stepping=stepping)

    async def followed(self, run: e.ExecutionId, after: int = 0, *, stepping: bool = False) -> int:
        answers = dict(self.options.answer)
        return await Follower(
            self.engine, run, self.options, answers=answers, after=after, stepping=stepping
        ).follow()

    async def begun(self) -> Diagram:
        """The diagram as it is now."""
        diagram = Diagram()
        async for entry in self.engine.events(self.id):
            if isinstance(entry.event, e.ExecutionStarted | e.ExecutionEdited):
                diagram = entry.event.diagram
            if entry.seq >= self.summary.events:
                break
        return diagram


@contextlib.asynccontextmanager
async def _held(options: argparse.Namespace) -> AsyncIterator[_Held]:
    engine = build()
    try:
        ack = await engine.send(c.GetExecution(execution_id=options.run))
        yield _Held(engine, options, ack.result)
    finally:
        await engine.close()


def _refusable(
    command: Callable[[_Held], Awaitable[int]],
) -> Callable[[argparse.Namespace], Awaitable[int]]:
    """A command on a run. What the run cannot do as it stands is a failure, not wrong use."""

    async def obey(options: argparse.Namespace) -> int:
        try:
            async with _held(options) as held:
                return await command(held)
        except CommandError as error:
            if error.code.startswith(_WRONG_USE):
                raise
            say(f"dipeo: {error}")
            return FAILED

    return obey


@_refusable
async def _pause(held: _Held) -> int:
    await held.send(c.PauseExecution(execution_id=held.id, now=held.options.now))
    return await held.said()


@_refusable
async def _cancel(held: _Held) -> int:
    await held.send(c.CancelExecution(execution_id=held.id))
    return await held.said()


@_refusable
async def _resume(held: _Held) -> int:
    if held.summary.status == "completed":
        return await _completed(held)
    budget = budget_in(held.options)
    return await held.gone_on(c.ResumeExecution(execution_id=held.id, budget=budget))


@_refusable
async def _step(held: _Held) -> int:
    if held.summary.status == "completed":
        return await _completed(held)
    command = c.StepExecution(execution_id=held.id, steps=held.options.steps)
    return await held.gone_on(command, stepping=True)


@_refusable
async def _answer(held: _Held) -> int:
    options = held.options
    command = c.UserResponse(execution_id=held.id, node=options.node, value=options.value)
    return await held.gone_on(command)


@_refusable
async def _break(held: _Held) -> int:
    points = breakpoints(held.options.places, await held.begun())
    await held.send(c.SetBreakpoints(execution_id=held.id, breakpoints=points))
    return await held.said()


@_refusable
async def _skip(held: _Held) -> int:
    await held.send(c.SkipNode(execution_id=held.id, node=held.options.node))
    return await held.said()


@_refusable
async def _edit(held: _Held) -> int:
    diagram, values, reading = await _changes(held)
    command = c.EditExecution(
        execution_id=held.id,
        diagram=diagram,
        values=values,
        keep=held.options.keep,
        foreign=reading is not None,
    )
    with _located(held.options.file, reading):
        await send_trusted(held.send, command, held.options, reading)
    if held.options.paused:
        return await held.said()
    return await held.gone_on(c.ResumeExecution(execution_id=held.id))


@_refusable
async def _fork(held: _Held) -> int:
    options = held.options
    diagram, values, reading = await _changes(held)
    command = c.ForkExecution(
        execution_id=held.id,
        at=tuple(options.at),
        diagram=diagram,
        values=values,
        paused=options.paused,
        foreign=reading is not None,
    )
    with _located(options.file, reading):
        ack = await send_trusted(held.send, command, options, reading)
    assert ack.execution_id is not None
    say(f"run {ack.execution_id}")
    if options.paused:
        say(how_to_go_on(ack.execution_id))
        return DONE
    return await held.followed(ack.execution_id)


async def _changes(held: _Held) -> tuple[Diagram, dict[str, Any], Reading | None]:
    """The diagram as it shall be, outputs given by hand, and the text that it is from."""
    options, reading = held.options, None
    diagram = await held.begun()
    if options.file:
        name = diagram.name
        reading = await opened(options.file, held.engine)
        diagram = reading.diagram.model_copy(update={"name": name or reading.diagram.name})
    return *changed(diagram, dict(options.set)), reading


@contextlib.contextmanager
def _located(file: str | None, reading: Reading | None) -> Any:
    try:
        yield
    except DiagramError as error:
        if file is None or reading is None:
            raise
        refuse(file, [reading.source.locate(problem) for problem in error.problems])


async def _completed(held: _Held) -> int:
    """There is nothing to go on with: the result is there."""
    say(standing(held.summary))
    async for entry in held.engine.events(held.id):
        if isinstance(entry.event, e.ExecutionCompleted) and entry.seq == held.summary.events:
            print_outputs(entry.event.outputs)
    return DONE


def standing(summary: c.ExecutionSummary) -> str:
    """A run in one line."""
    name = f" ({summary.name})" if summary.name else ""
    waits = f" for {', '.join(summary.waiting_for)}" if summary.status == "waiting" else ""
    return f"{summary.execution_id}{name}: {summary.status}{waits}"


def next_step(summary: c.ExecutionSummary) -> str | None:
    """What to type to go on with a run; None when it goes on by itself, or never more."""
    if summary.status == "waiting":
        return how_to_answer(summary.execution_id)
    if summary.status in ("paused", "failed"):
        return how_to_go_on(summary.execution_id)
    return None
