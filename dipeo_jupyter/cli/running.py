"""`dipeo run` and `dipeo plan`: run a diagram, or tell beforehand what that would do."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..app import with_cassette
from ..client import add_budget, breakpoints, budget_in, check_answers
from ..client.tables import plan_text
from ..diagram.source import Reading
from ..engine.engine import Engine
from ..errors import CommandError, DiagramError
from ..protocol import commands as c
from ..protocol import events as e
from ..settings import CASSETTE_MODES
from .following import Follower, add_following, pair
from .terminal import DONE, build, opened, read_settings, refuse, say, tell
from .tools import add_tools
from .trusting import Send, add_trust, send_trusted


def add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Make `dipeo run` and `dipeo plan` known."""
    run = commands.add_parser("run", help="run a diagram and print its result")
    run.set_defaults(command=_run)
    _add_inputs(run)
    run.add_argument(
        "--break",
        dest="breakpoints",
        action="append",
        default=[],
        metavar="PLACE",
        help="pause there: argue, argue[2], after argue, argue if len(topic) > 3",
    )
    run.add_argument(
        "--cassette", metavar="FILE", help="record the answers of models there, or replay them"
    )
    run.add_argument(
        "--cassette-mode", choices=CASSETTE_MODES, help="auto: ask for what is not recorded"
    )
    add_budget(run)
    add_trust(run)
    add_following(run)
    plan = commands.add_parser("plan", help="say what a run would do, reuse and cost")
    plan.set_defaults(command=_plan)
    _add_inputs(plan)
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    add_tools(plan)


def _add_inputs(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "file", metavar="FILE", help="a diagram in any format; - is standard input"
    )
    command.add_argument(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=pair,
        help="an input of the run; the value is JSON or text",
    )
    command.add_argument("--inputs-json", metavar="FILE", help="inputs from a JSON file")
    command.add_argument("--fresh", action="store_true", help="ask models anew, whatever is known")
    command.add_argument(
        "--since", metavar="RUN", help="a run whose results hold where nothing changes"
    )
    command.add_argument(
        "--thread", metavar="NAME", help="go on with the conversation of the last run so named"
    )


async def _run(options: argparse.Namespace) -> int:
    settings = with_cassette(read_settings(), options.cassette, options.cassette_mode)
    engine = build(settings)
    try:
        reading = await opened(options.file, engine)
        diagram = reading.diagram
        answers = dict(options.answer)
        check_answers(answers, diagram)
        since = await _since(engine, options)
        command = c.ExecuteDiagram(
            diagram=diagram,
            inputs=await _inputs(engine, options, since),
            breakpoints=breakpoints(options.breakpoints, diagram),
            fresh=options.fresh or settings.taped,
            origin=e.Origin(execution_id=since) if since else None,
            thread=options.thread,
            budget=budget_in(options) or e.Budget(),
            foreign=True,
        )
        ack = await send_trusted(_sender(engine, options.file, reading), command, options, reading)
        assert ack.execution_id is not None
        say(f"run {ack.execution_id}")
        return await Follower(
            engine, ack.execution_id, options, answers=answers, source=reading.source
        ).follow()
    finally:
        await engine.close()


async def _plan(options: argparse.Namespace) -> int:
    engine = build()
    try:
        reading = await opened(options.file, engine)
        since = await _since(engine, options)
        command = c.PlanExecution(
            diagram=reading.diagram,
            inputs=await _inputs(engine, options, since),
            since=since,
            fresh=options.fresh,
            thread=options.thread,
        )
        plan: c.Plan = (await _send(engine, command, options.file, reading)).result
    finally:
        await engine.close()
    if options.json:
        tell(json.dumps(plan.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        tell(plan_text(plan))
    return DONE


async def _send(engine: Engine, command: c.Command, file: str, reading: Reading) -> c.Ack:
    try:
        return await engine.send(command)
    except DiagramError as error:
        refuse(file, [reading.source.locate(problem) for problem in error.problems])


def _sender(engine: Engine, file: str, reading: Reading) -> Send:
    return lambda command: _send(engine, command, file, reading)


async def _since(engine: Engine, options: argparse.Namespace) -> e.ExecutionId | None:
    if options.since is None:
        return None
    ack = await engine.send(c.GetExecution(execution_id=options.since))
    return ack.execution_id


async def _inputs(
    engine: Engine, options: argparse.Namespace, since: e.ExecutionId | None
) -> dict[str, Any]:
    """Those of the file and of the line; without any, those of the run `since`."""
    given: Any = {}
    if options.inputs_json:
        given = _read_inputs(options.inputs_json)
    elif since and not options.input:
        given = await _inputs_of(engine, since)
    return {**given, **dict(options.input)}


async def _inputs_of(engine: Engine, run: e.ExecutionId) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    ack = await engine.send(c.GetExecution(execution_id=run))
    async for entry in engine.events(run):
        if isinstance(entry.event, e.ExecutionStarted | e.ExecutionEdited):
            inputs = dict(entry.event.inputs)
        if entry.seq >= ack.seq:
            break
    return inputs


def _read_inputs(file: str) -> dict[str, Any]:
    try:
        path = Path(file)
        if path.exists() and not path.is_file():  # a pipe or a device may never end
            raise _bad_inputs(file, "it is no file")
        inputs = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _bad_inputs(file, error.strerror) from None
    except ValueError as error:
        raise _bad_inputs(file, error) from None
    if not isinstance(inputs, dict):
        raise _bad_inputs(file, "it is no JSON object of inputs by name")
    return inputs


def _bad_inputs(file: str, reason: object) -> CommandError:
    return CommandError(f"the inputs in {file!r} cannot be read: {reason}", code="bad_input")
