"""How a kernel finds the server that has started it: by a file in Jupyter's runtime folder."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..atomic import write_file
from .address import Server
from .kernel_proof import HEADER, prove

PATIENCE = 1.0
"""Seconds for each server that may be it."""


class Notice(BaseModel):
    """What a server says about itself. There is no token in it."""

    url: str
    root: str
    pid: int
    instance: str
    certificates: str | None = None


def notice_of(folder: Path, pid: int) -> Path:
    """Where the server with this process id has its notice."""
    return folder / f"dipeo-{pid}.json"


def put_up(folder: Path, notice: Notice) -> Path:
    """Write a notice that only its owner can read."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = notice_of(folder, notice.pid)
    write_file(path, notice.model_dump_json().encode(), private=True)
    return path


def servers_for(connection_file: Path, environ: Mapping[str, str]) -> Iterator[Server]:
    """The servers that may have started the kernel with this connection file, the likeliest first.

    Only the right one lets it in.
    """
    try:
        key = str(json.loads(connection_file.read_text(encoding="utf-8"))["key"]).encode()
    except (OSError, ValueError, KeyError, TypeError):
        return
    kernel_id = connection_file.stem.removeprefix("kernel-")
    if not key:  # everybody knows that one
        return
    for notice in _notices(connection_file.parent, environ.get("JPY_PARENT_PID", "")):
        yield _server(notice, key, kernel_id)


def _server(notice: Notice, key: bytes, kernel_id: str) -> Server:
    return Server(
        notice.url,
        lambda: {HEADER: prove(key, kernel_id, notice.instance)},
        notice.certificates,
        PATIENCE,
        notice.root,
    )


def _notices(folder: Path, parent: str) -> Iterator[Notice]:
    likeliest = folder / f"dipeo-{parent}.json"
    others = sorted(folder.glob("dipeo-*.json"), key=_age, reverse=True)
    for path in [likeliest, *(each for each in others if each != likeliest)]:
        notice = _read(path)
        if notice is not None and _lives(notice.pid):
            yield notice


def _read(path: Path) -> Notice | None:
    """A notice, if it is one that only its owner, who is ours, could have put up."""
    try:
        state = path.lstat()
        private = not hasattr(os, "getuid") or (
            state.st_uid == os.getuid() and not state.st_mode & 0o077
        )
        if not private or not stat.S_ISREG(state.st_mode):
            return None
        text: Any = path.read_text(encoding="utf-8")
        return Notice.model_validate_json(text)
    except (OSError, ValidationError, UnicodeDecodeError):
        return None


def _age(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _lives(pid: int) -> bool:
    if os.name == "nt":  # there, a signal would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return False
    return True
