"""`%dipeo connect`: whether diagrams run in this kernel, or in a Jupyter server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from .session import default_session


def add_connect_command(commands: Any) -> None:
    """Make `%dipeo connect` known."""
    each = commands.add_parser("connect", help="say where diagrams run from now on")
    each.set_defaults(act=_connect)
    each.add_argument(
        "where",
        metavar="WHERE",
        help="embedded: in this kernel; auto: in the server that has started it, if it can; or the "
        "address of a server (its token in JUPYTER_TOKEN)",
    )


def _connect(words: argparse.Namespace, _: Mapping[str, Any]) -> None:
    print(default_session().connect(words.where))  # noqa: T201 - what came of it
