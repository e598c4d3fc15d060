"""`dipeo run`: run a diagram, show what happens, ask what it asks, and print its result."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from ..client import Conversation, check_answers, explain, in_thread, in_words, json_or_text
from ..diagram.source import Source
from ..errors import CommandError, DiagramError, NoAnswerError
from ..protocol import events as e
from ..protocol.commands import ExecuteDiagram
from .terminal import DONE, FAILED, build, opened, refuse, say


def add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Make `dipeo run` known."""
    run = commands.add_parser("run", help="run a diagram and print its result")
    run.set_defaults(command=_run)
    run.add_argument("file", metavar="FILE", help="a diagram in any format; - is standard input")
    run.add_argument(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        type=_pair,
        help="an input of the run; the value is JSON or text",
    )
    run.add_argument("--inputs-json", metavar="FILE", help="inputs from a JSON file")
    run.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="NODE=VALUE",
        type=_pair,
        help="an answer to a user_response node; the value is JSON or text",
    )
    run.add_argument(
        "--no-interactive", action="store_true", help="ask nobody: without an answer, exit with 3"
    )
    run.add_argument("--json", action="store_true", help="print every event as a line of JSON")


async def _run(options: argparse.Namespace) -> int:
    engine, terminal = build(), _Terminal()
    reading = await opened(options.file, engine)
    diagram, source = reading.diagram, reading.source
    answers = dict(options.answer)
    check_answers(answers, diagram)
    command = ExecuteDiagram(diagram=diagram, inputs=_inputs(options))
    try:
        ack = await engine.send(command)
        assert ack.execution_id is not None
        ask = None if options.no_interactive else terminal.ask
        conversation = Conversation(engine, ack.execution_id, answers, ask)
        return await _show(conversation, source, as_json=options.json)
    except DiagramError as error:
        refuse(options.file, [source.locate(problem) for problem in error.problems])
    finally:
        terminal.close()
        await engine.close()


async def _show(conversation: Conversation, source: Source | None, *, as_json: bool) -> int:
    code = FAILED
    async with contextlib.aclosing(conversation.entries()) as entries:
        async for entry in entries:
            if as_json:
                print(json.dumps(entry.to_wire(), ensure_ascii=False), flush=True)
            _say_event(entry.event, source)
            if isinstance(entry.event, e.ExecutionCompleted):
                code = DONE
                if not as_json:
                    _print_outputs(entry.event.outputs)
    return code


def _say_event(event: e.AnyEvent, source: Source | None) -> None:
    match event:
        case e.NodeStarted(node=node, activation=number):
            say(f"▶ {node}[{number}]")
        case e.NodeProgress(node=node, message=message):
            say(f"  {node}: {message}")
        case e.NodeSkipped(node=node, reason=reason):
            say(f"- {node} skipped ({reason.replace('_', ' ')})")
        case e.NodeFailed(error=error):
            say(f"✗ {explain(error, source)}")
        case e.ExecutionFailed(error=error) if error.activation is None:  # else it has been said
            say(f"✗ {explain(error, source)}")
        case _:
            pass


class _Terminal:
    """Asks on standard error and reads the answers from standard input."""

    def __init__(self) -> None:
        self._line: asyncio.Future[bytes] | None = None

    async def ask(self, node: str, question: e.Question, problem: str | None) -> str:
        say(in_words(node, question, problem).rstrip())
        # When a question is over before it is answered, the line being read is for the next one.
        self._line = self._line or in_thread(_read_line)
        line = await asyncio.shield(self._line)
        self._line = None
        if not line:
            message = f"Node {node!r} asks {question.prompt!r}, and there is no more input."
            raise NoAnswerError(message)
        return line.decode(errors="replace").rstrip("\r\n")

    def close(self) -> None:
        if self._line is not None:
            self._line.cancel()


def _read_line() -> bytes:
    # Unbuffered: a thread that waits in `sys.stdin` would hold its lock when the program ends.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stdin:
        return stdin.readline()


def _inputs(options: argparse.Namespace) -> dict[str, Any]:
    inputs: Any = {}
    if options.inputs_json:
        try:
            path = Path(options.inputs_json)
            if path.exists() and not path.is_file():  # a pipe or a device may never end
                raise _bad_inputs(options.inputs_json, "it is no file")
            inputs = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise _bad_inputs(options.inputs_json, error.strerror) from None
        except ValueError as error:
            raise _bad_inputs(options.inputs_json, error) from None
        if not isinstance(inputs, dict):
            raise _bad_inputs(options.inputs_json, "it is no JSON object of inputs by name")
    return {**inputs, **dict(options.input)}


def _bad_inputs(file: str, reason: object) -> CommandError:
    return CommandError(f"the inputs in {file!r} cannot be read: {reason}", code="bad_input")


def _pair(text: str) -> tuple[str, Any]:
    name, given, value = text.partition("=")
    if not given or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, json_or_text(value)


def _print_outputs(outputs: dict[str, Any]) -> None:
    """One result as it is; several as JSON by name."""
    value = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))
