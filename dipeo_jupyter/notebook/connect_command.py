"""`%dipeo connect`: whether diagrams run in this kernel, or in a Jupyter server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..client.discovery import servers_for
from ..client.remote import Server, with_token
from ..errors import CommandError
from .session import Session, default_session

HERE = "Diagrams run in this process."


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
    print(connect(words.where, default_session()))  # noqa: T201 - what came of it


def connect(where: str, session: Session) -> str:
    """Connect a session, and say in words to what. Raises `CommandError`."""
    if where == "embedded":
        session.connect(None)
        return HERE
    if where == "auto":
        return _to_the_server_of_this_kernel(session)
    server = with_token(where, session.settings.environ.get("JUPYTER_TOKEN"))
    session.connect(server)
    return _there(server)


def _to_the_server_of_this_kernel(session: Session) -> str:
    file = _connection_file()
    for server in servers_for(file, session.settings.environ) if file else ():
        try:
            session.connect(server, as_kernel=True)
        except CommandError:
            continue  # it is another one's
        return _there(server)
    session.connect(None)
    return f"No server was found that has started this kernel. {HERE}"


def _connection_file() -> Path | None:
    from ipykernel.connect import get_connection_file  # noqa: PLC0415 - only kernels have one

    try:
        return Path(get_connection_file())
    except RuntimeError:
        return None


def _there(server: Server) -> str:
    return f"Diagrams run in the Jupyter server at {server.url}, with its files and its keys."
