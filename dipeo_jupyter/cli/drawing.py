"""What can be made of a diagram or of the language: pictures, and the JSON Schema for editors."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..diagram.files import save
from ..diagram.mermaid import mermaid, picture_kind
from ..diagram.picture import draw
from ..protocol.commands import Describe
from .terminal import DONE, STDIN, build, opened, say

_KINDS = ("svg", "mermaid")


def add_drawing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Make `dipeo draw` and `dipeo schema` known."""
    each = commands.add_parser("draw", help="draw a diagram as SVG, or as Mermaid text")
    each.set_defaults(command=_draw)
    each.add_argument("file", metavar="FILE", help="a diagram in any format; - is standard input")
    each.add_argument("target", metavar="OUT", nargs="?", help="a file, else standard output")
    each.add_argument("--as", dest="kind", choices=_KINDS, help="else as OUT's name says, or SVG")
    each.add_argument("--force", action="store_true", help="overwrite OUT")
    each = commands.add_parser("schema", help="print the JSON Schema of the light format")
    each.set_defaults(command=_schema)
    each.add_argument("target", metavar="OUT", nargs="?", help="a file, else standard output")
    each.add_argument("--force", action="store_true", help="overwrite OUT")


async def _draw(options: argparse.Namespace) -> int:
    diagram = (await opened(options.file)).diagram
    kind = picture_kind(options.target, options.kind)
    _put(options, mermaid(diagram) if kind == "mermaid" else draw(diagram))
    return DONE


async def _schema(options: argparse.Namespace) -> int:
    ack = await build(kept=False).send(Describe())
    _put(options, json.dumps(ack.result["schema"], ensure_ascii=False, indent=2) + "\n")
    return DONE


def _put(options: argparse.Namespace, text: str) -> None:
    if options.target in (None, STDIN):
        print(text, end="")
    else:
        save(Path(options.target), text, overwrite=options.force)
        say(f"{options.target}: written")
