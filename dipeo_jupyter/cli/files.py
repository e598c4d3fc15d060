"""What can be done with diagram files without running them: check, convert, compare."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from ..client import check
from ..diagram.diff import compare
from ..diagram.files import FORMATS, converted, format_for, save
from ..diagram.problems import explain
from ..errors import Problem
from .terminal import (
    DONE,
    FAILED,
    STDIN,
    WRONG,
    build,
    opened,
    read_file,
    say,
    say_problems,
    tell,
)
from .tools import add_tools

_COMMENT = re.compile(r"(^|\s)# ", re.MULTILINE)
_SHOWN = ("code", "severity", "line", "column", "node", "message", "hint")


def add_files(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Make `dipeo check`, `explain`, `convert` and `diff` known."""
    each = commands.add_parser("check", help="find the problems of diagrams; runs nothing")
    each.set_defaults(command=_check)
    each.add_argument("file", metavar="FILE", nargs="+", help="a diagram in any format")
    each.add_argument("--json", action="store_true", help="print the problems as JSON")
    add_tools(each)
    each = commands.add_parser("explain", help="say what a problem's code means, with an example")
    each.set_defaults(command=_explain)
    each.add_argument("code", metavar="CODE", nargs="?", help="without it, all codes are listed")
    each = commands.add_parser("convert", help="write a diagram in another format")
    each.set_defaults(command=_convert)
    each.add_argument("file", metavar="A", help="a diagram in any format; - is standard input")
    each.add_argument("target", metavar="B", nargs="?", help="the new file, else standard output")
    each.add_argument("--to", choices=FORMATS, help="the format, when B's name does not say it")
    each.add_argument("--force", action="store_true", help="overwrite B")
    each = commands.add_parser("diff", help="say what a diagram does differently from another")
    each.set_defaults(command=_diff)
    each.add_argument("before", metavar="A", help="a diagram in any format")
    each.add_argument("after", metavar="B", help="a diagram in any format")
    each.add_argument("--positions", action="store_true", help="nodes that moved count too")
    each.add_argument("-v", "--verbose", action="store_true", help="show the words that changed")
    each.add_argument("--json", action="store_true", help="print the changes as JSON")


async def _check(options: argparse.Namespace) -> int:
    engine = build(kept=False)
    found: dict[str, list[Problem]] = {}
    for file in options.file:
        found[file] = await check(engine, read_file(file))
        say_problems(file, found[file])
        if not found[file] and not options.json:
            tell(f"{file}: no problems")
    if options.json:
        rows = [
            {"file": file} | {name: getattr(problem, name) for name in _SHOWN}
            for file, problems in found.items()
            for problem in problems
        ]
        tell(json.dumps(rows, ensure_ascii=False, indent=2))
    wrong = any(each.severity == "error" for problems in found.values() for each in problems)
    return WRONG if wrong else DONE


async def _explain(options: argparse.Namespace) -> int:
    print(explain(options.code))
    return DONE


async def _convert(options: argparse.Namespace) -> int:
    to = format_for(None if options.target == STDIN else options.target, options.to)
    reading = await opened(options.file, named=False)
    text = converted(reading.diagram, to)
    if _COMMENT.search(reading.source.text):
        say(f"{options.file}: its comments are not carried over")
    if options.target in (None, STDIN):
        print(text, end="")
    else:
        save(Path(options.target), text, overwrite=options.force)
        say(f"{options.target}: written in the {to} format")
    return DONE


async def _diff(options: argparse.Namespace) -> int:
    before, after = [await opened(file, named=False) for file in (options.before, options.after)]
    diff = compare(before.diagram, after.diagram, positions=options.positions)
    if options.json:
        print(json.dumps(diff.to_dict(), ensure_ascii=False, indent=2))
    elif diff:
        print(diff.details() if options.verbose else diff)
    return FAILED if diff else DONE
