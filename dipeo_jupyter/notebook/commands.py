"""`%dipeo check|convert|diff|draw|schema|explain`: what is done with diagrams in one line.

What is done with runs is in `run_commands.py`, with keys in `key_commands.py`, with
cassettes in `cassette_commands.py`; `connect_command.py` says where all of it is done, and
`doctor_command.py` whether it can be.

Whatever names a diagram is a variable of the notebook (a `Run`, a `Diagram`, a text), else a file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..diagram.diff import Diff
from ..diagram.files import FORMATS, Readable, format_for, load, save
from ..diagram.mermaid import mermaid, picture_kind
from ..diagram.model import Diagram
from ..diagram.picture import draw
from ..diagram.problems import explain
from ..diagram.suggest import did_you_mean
from ..errors import CommandError
from ..protocol.commands import Describe
from . import api
from .cassette_commands import add_cassette_commands
from .connect_command import add_connect_command
from .doctor_command import add_doctor_command
from .key_commands import add_key_commands
from .options import Options
from .problems import Problems
from .run import Run
from .run_commands import add_run_commands
from .session import default_session


def obey(line: str, variables: Mapping[str, Any]) -> Any:
    """Do what the line says; the result is what the notebook displays."""
    words = command_options().parse_line(line)
    if "act" in words:
        return words.act(words, variables)
    return words.command(_Commands(variables), words)


def command_options() -> Options:
    """All commands and their options."""
    options = Options(prog="%dipeo", add_help=False, allow_abbrev=False)
    commands = options.add_subparsers(
        required=True, metavar="COMMAND", parser_class=Options, title="commands of %dipeo"
    )
    what: dict[str, Any] = {
        "metavar": "DIAGRAM",
        "help": "a variable (a run, a diagram, a text) or a file",
    }
    force: dict[str, Any] = {"action": "store_true", "help": "replace the file when it is there"}

    each = commands.add_parser("help", help="show this text")
    each.set_defaults(command=_Commands.help)
    each = commands.add_parser("check", help="find all problems of a diagram; runs nothing")
    each.set_defaults(command=_Commands.check)
    each.add_argument("diagram", **what)
    each = commands.add_parser("explain", help="say what a problem's code means")
    each.set_defaults(command=_Commands.explain)
    each.add_argument("code", nargs="?", metavar="CODE", help="without it, all codes are listed")
    each = commands.add_parser("convert", help="write a diagram in another format")
    each.set_defaults(command=_Commands.convert)
    each.add_argument("diagram", **what)
    each.add_argument("file", nargs="?", metavar="FILE", help="the new file, else it is printed")
    each.add_argument("--to", choices=FORMATS, help="the format, when FILE does not say it")
    each.add_argument("--force", **force)
    each = commands.add_parser("diff", help="say what the second diagram does differently")
    each.set_defaults(command=_Commands.diff)
    each.add_argument("before", **what)
    each.add_argument("after", **what)
    each.add_argument("--positions", action="store_true", help="nodes that moved count too")
    each = commands.add_parser("draw", help="show a diagram, or write its picture to a file")
    each.set_defaults(command=_Commands.draw)
    each.add_argument("diagram", **what)
    each.add_argument("file", nargs="?", metavar="FILE", help="the picture, as .svg or .mmd")
    each.add_argument("--as", dest="kind", choices=("svg", "mermaid"), help="text for Mermaid")
    each.add_argument("--force", **force)
    each = commands.add_parser("schema", help="write the JSON Schema of the light format")
    each.set_defaults(command=_Commands.schema)
    each.add_argument("file", nargs="?", metavar="FILE", help="a file, else it is printed")
    each.add_argument("--force", **force)
    add_run_commands(commands)
    add_key_commands(commands)
    add_cassette_commands(commands)
    add_connect_command(commands)
    add_doctor_command(commands)
    return options


@dataclass(frozen=True)
class _Commands:
    """What is done; the variables are those of the notebook."""

    variables: Mapping[str, Any]

    def help(self, words: argparse.Namespace) -> None:
        print(command_options().format_help())  # noqa: T201 - what was asked for

    def check(self, words: argparse.Namespace) -> Problems:
        return api.check(self._diagram(words.diagram))

    def explain(self, words: argparse.Namespace) -> None:
        print(explain(words.code))  # noqa: T201 - what was asked for

    def convert(self, words: argparse.Namespace) -> None:
        to = format_for(words.file, words.to)
        _put(words, api.convert(self._diagram(words.diagram), to))

    def diff(self, words: argparse.Namespace) -> Diff:
        before, after = (self._diagram(each) for each in (words.before, words.after))
        return api.diff(before, after, positions=words.positions)

    def draw(self, words: argparse.Namespace) -> Run | Diagram | None:
        what = self._diagram(words.diagram)
        kind = picture_kind(words.file, words.kind)
        drawn = what if isinstance(what, Run) else load(what)
        if kind == "svg" and not words.file:
            return drawn
        if isinstance(drawn, Run):
            _put(words, drawn.mermaid() if kind == "mermaid" else drawn.picture())
        else:
            _put(words, mermaid(drawn) if kind == "mermaid" else draw(drawn))
        return None

    def schema(self, words: argparse.Namespace) -> None:
        session = default_session()
        schema = session.loop.run(session.engine.send(Describe())).result["schema"]
        _put(words, json.dumps(schema, ensure_ascii=False, indent=2) + "\n")

    def _diagram(self, word: str) -> Readable | Run:
        return find_diagram(word, self.variables)


def find_diagram(word: str, variables: Mapping[str, Any]) -> Readable | Run:
    """What a word names: a variable that holds a diagram, else a file."""
    value = variables.get(word)
    if isinstance(value, Run | Diagram | Path) or (isinstance(value, str) and "\n" in value):
        return value
    path = Path(word)
    if not path.exists():
        runs = [
            name
            for name, value in variables.items()
            if isinstance(value, Run | Diagram) and not name.startswith("_")
        ]
        hint = did_you_mean(word, runs) or ""
        message = (
            f"There is neither a diagram in a variable {word!r} nor a file of this name. {hint}"
        )
        raise CommandError(message.strip(), code="unknown_diagram")
    return path


def _put(words: argparse.Namespace, text: str) -> None:
    if words.file is None:
        print(text, end="")  # noqa: T201 - what was asked for
    else:
        save(Path(words.file), text, overwrite=words.force)
