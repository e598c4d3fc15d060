"""The terminal's face: `dipeo run FILE`, `dipeo check FILE`.

Results go to standard output, what people read on the way to standard error. Exit codes: 0 done,
1 failed, 2 wrong use or wrong diagram, 3 waiting for an answer that nobody gave, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .app import build_engine
from .client import Conversation, check_answers, explain, in_thread, in_words, json_or_text
from .diagram.files import read
from .diagram.source import Source
from .engine.engine import Engine
from .errors import CommandError, DiagramError, NoAnswerError, Problem
from .protocol import events as e
from .protocol.commands import CheckDiagram, ExecuteDiagram
from .settings import Settings

DONE, FAILED, WRONG, WAITING, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = asyncio.run(options.command(options))
        sys.stdout.flush()
    except DiagramError as error:
        _say_problems(options.file, error.problems)
        return WRONG
    except CommandError as error:
        _say(f"dipeo: {error}")
        return WRONG
    except NoAnswerError as error:
        _say(f"dipeo: {error} (--answer NODE=VALUE)")
        return WAITING
    except BrokenPipeError:
        # Whoever reads has seen enough; what is still buffered must not complain at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        _say("dipeo: interrupted")
        return INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dipeo", description="Run agent-workflow diagrams.")
    parser.add_argument("--version", action="version", version=f"dipeo {version('dipeo_jupyter')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a diagram and print its result")
    run.set_defaults(command=_run)
    run.add_argument("file", metavar="FILE", help="a diagram (.light.yaml)")
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
    check = commands.add_parser("check", help="find the problems of a diagram; runs nothing")
    check.set_defaults(command=_check)
    check.add_argument("file", metavar="FILE", help="a diagram (.light.yaml)")
    check.add_argument("--json", action="store_true", help="print the problems as JSON")
    return parser


async def _run(options: argparse.Namespace) -> int:
    diagram, source = read(Path(options.file))
    answers = dict(options.answer)
    check_answers(answers, diagram)
    command = ExecuteDiagram(diagram=diagram, inputs=_inputs(options))
    engine, terminal = _engine(), _Terminal()
    try:
        ack = await engine.send(command)
        assert ack.execution_id is not None
        ask = None if options.no_interactive else terminal.ask
        conversation = Conversation(engine, ack.execution_id, answers, ask)
        return await _show(conversation, source, as_json=options.json)
    except DiagramError as error:
        assert source is not None
        raise DiagramError(*(source.locate(problem) for problem in error.problems)) from None
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
            _say(f"▶ {node}[{number}]")
        case e.NodeProgress(node=node, message=message):
            _say(f"  {node}: {message}")
        case e.NodeSkipped(node=node, reason=reason):
            _say(f"- {node} skipped ({reason.replace('_', ' ')})")
        case e.NodeFailed(error=error):
            _say(f"✗ {explain(error, source)}")
        case e.ExecutionFailed(error=error) if error.activation is None:  # else it has been said
            _say(f"✗ {explain(error, source)}")
        case _:
            pass


async def _check(options: argparse.Namespace) -> int:
    diagram, source = read(Path(options.file))
    assert source is not None
    engine = _engine()
    ack = await engine.send(CheckDiagram(diagram=diagram))
    problems = [source.locate(problem) for problem in ack.result]
    _say_problems(options.file, problems)
    if options.json:
        fields = ("code", "severity", "line", "column", "node", "message", "hint")
        rows = [{name: getattr(problem, name) for name in fields} for problem in problems]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif not problems:
        print(f"{options.file}: no problems")
    return WRONG if any(problem.severity == "error" for problem in problems) else DONE


def _engine() -> Engine:
    try:
        return build_engine(Settings.from_environment())
    except ValueError as error:
        raise CommandError(str(error), code="bad_setting") from None


class _Terminal:
    """Asks on standard error and reads the answers from standard input."""

    def __init__(self) -> None:
        self._line: asyncio.Future[bytes] | None = None

    async def ask(self, node: str, question: e.Question, problem: str | None) -> str:
        _say(in_words(node, question, problem).rstrip())
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
            inputs = json.loads(Path(options.inputs_json).read_text(encoding="utf-8-sig"))
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


def _say_problems(file: str, problems: Sequence[Problem]) -> None:
    for problem in problems:
        _say(f"{file}: {problem.severity}: {problem}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
