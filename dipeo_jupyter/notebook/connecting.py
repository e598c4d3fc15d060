"""Where diagrams of a notebook run: in its own process, or in a Jupyter server."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..client.address import Server
from ..client.discovery import servers_for

HERE = "Diagrams run in this process."
ELSEWHERE = f"The server that has started this kernel does not serve this folder. {HERE}"
NOT_FOUND = f"No server was found that has started this kernel. {HERE}"
SOON = 1.0
"""Seconds within which the server that has started a kernel must have let it in."""


def servers_of_this_kernel(environ: Mapping[str, str]) -> Iterator[Server]:
    """The servers that may have started this kernel; none when this is no kernel."""
    file = _connection_file()
    return servers_for(file, environ) if file is not None else iter(())


def folder_in(server: Server, root: Path) -> str | None:
    """Where below a server's root this folder is; None when it is not, or is hidden there."""
    if server.root is None:
        return None
    try:
        below = root.resolve().relative_to(Path(server.root).resolve())
    except (OSError, ValueError):
        return None
    hidden = any(each.startswith(".") for each in below.parts)
    return None if hidden else "/".join(below.parts)


def there(server: Server, folder: str | None = None) -> str:
    """What people are told when a server does it, in a folder of theirs or in its own."""
    whose = "with its files and its keys" if folder is None else "with the files and keys of here"
    return f"Diagrams run in the Jupyter server at {server.url}, {whose}."


def _connection_file() -> Path | None:
    if "ipykernel" not in sys.modules:  # who is no kernel does not load it
        return None
    from ipykernel.connect import get_connection_file  # noqa: PLC0415 - only kernels have one

    try:
        return Path(get_connection_file())
    except RuntimeError:
        return None
