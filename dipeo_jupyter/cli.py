"""The terminal's face: `dipeo run FILE`, `dipeo check FILE`.

Results go to standard output, what people read on the way to standard error. Exit codes: 0 done,
1 failed, 2 wrong use or wrong diagram, 3 waiting for an answer that nobody gave, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .app import build_engine
from .client import Conversation
from .diagram.files import read
from .diagram.source import Source
from .errors import CommandError, DiagramError, NoAnswerError
from .protocol import events as e
from .protocol.commands import CheckDiagram, ExecuteDiagram
from .settings import Settings

DONE, FAILED, WRONG, WAITING, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(options.command(options))
    except DiagramError as error:
        for problem in error.problems:
            _say(f"{options.file}: {problem.severity}: {problem}")
        return WRONG
    except (CommandError, argparse.ArgumentTypeError) as error:
        _say(f"dipeo: {error}")
        return WRONG
    except NoAnswerError as error:
        _say(f"dipeo: {error} (--answer NODE=VALUE)")
        return WAITING
    except KeyboardInterrupt:
        _say("dipeo: interrupted")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dipeo", description="Run agent-workflow diagrams.")
    parser.add_argument("--version", action="version", version=f"dipeo {__version__}")
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
    check.add_argument("file", metavar="FILE")
    check.add_argument("--json", action="store_true", help="print the problems as JSON")
    return parser


async def _run(options: argparse.Namespace) -> int:
    diagram, source = read(Path(options.file))
    engine = build_engine(Settings.from_environment())
    try:
        command = ExecuteDiagram(diagram=diagram, inputs=_inputs(options))
        ack = await engine.send(command)
        assert ack.execution_id is not None
        ask = None if options.no_interactive else _ask
        conversation = Conversation(engine, ack.execution_id, dict(options.answer), ask)
        return await _show(conversation, source, as_json=options.json)
    except DiagramError as error:
        assert source is not None
        raise DiagramError(*(source.locate(problem) for problem in error.problems)) from None
    finally:
        await engine.close()


async def _show(conversation: Conversation, source: Source | None, *, as_json: bool) -> int:
    code = FAILED
    async for entry in conversation.entries():
        if as_json:
            print(json.dumps(entry.to_wire(), ensure_ascii=False), flush=True)
        match entry.event:
            case e.NodeStarted(node=node, activation=number):
                _say(f"▶ {node}[{number}]")
            case e.NodeProgress(node=node, message=message):
                _say(f"  {node}: {message}")
            case e.NodeSkipped(node=node, reason=reason):
                _say(f"- {node} skipped ({reason.replace('_', ' ')})")
            case e.NodeFailed(error=error) | e.ExecutionFailed(error=error):
                _say(f"✗ {_where(error, source)}{error.message}")
            case e.ExecutionCompleted(outputs=outputs):
                code = DONE
                if not as_json:
                    _print_outputs(outputs)
            case _:
                pass
    return code


async def _check(options: argparse.Namespace) -> int:
    diagram, source = read(Path(options.file))
    assert source is not None
    engine = build_engine(Settings.from_environment())
    ack = await engine.send(CheckDiagram(diagram=diagram))
    problems = [source.locate(problem) for problem in ack.result]
    for problem in problems:
        _say(f"{options.file}: {problem.severity}: {problem}")
    if options.json:
        fields = ("code", "severity", "line", "column", "node", "message", "hint")
        rows = [{name: getattr(problem, name) for name in fields} for problem in problems]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif not problems:
        print(f"{options.file}: no problems")
    return WRONG if any(problem.severity == "error" for problem in problems) else DONE


async def _ask(node: str, question: e.Question, problem: str | None) -> str:
    if problem:
        _say(problem)
    choices = (question.schema_ or {}).get("enum")
    _say(f"? [{node}] {question.prompt}" + (f" ({' / '.join(choices)})" if choices else ""))
    line = await asyncio.to_thread(sys.stdin.readline)
    if not line:
        raise NoAnswerError(f"node {node!r} asks {question.prompt!r}, and there is no more input")
    return line.rstrip("\n")


def _inputs(options: argparse.Namespace) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    if options.inputs_json:
        try:
            inputs = json.loads(Path(options.inputs_json).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise argparse.ArgumentTypeError(f"{options.inputs_json}: {error}") from None
    return {**inputs, **dict(options.input)}


def _pair(text: str) -> tuple[str, Any]:
    name, given, value = text.partition("=")
    if not given or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _where(error: e.ErrorInfo, source: Source | None) -> str:
    if error.node is None or source is None:
        return ""
    line = source.line_of("nodes", error.node, *([error.field] if error.field else []))
    return f"line {line}, node {error.node!r}: " if line else f"node {error.node!r}: "


def _print_outputs(outputs: dict[str, Any]) -> None:
    """One result as it is; several as JSON by name."""
    value = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
