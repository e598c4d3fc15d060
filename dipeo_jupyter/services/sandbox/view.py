"""What a job may read of the machine: the system's programs, and the notebook's Python packages."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
"""Programs and libraries; whatever is secret has no business there."""
HARMLESS = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/timezone",
)
"""Of the system's settings those that programs need and that say nothing about anybody."""


def readable(more: Iterable[Path]) -> tuple[Path, ...]:
    """The files and folders that a job may read, none inside of another; `more` are among them."""
    return _outermost([*map(Path, (*SYSTEM, *HARMLESS, *_of_python())), *more])


def _of_python() -> Iterator[str]:
    """The folders of the environment that this Python runs in.

    A project that is installed as editable lies elsewhere, often beside its secrets: it is not
    among them.
    """
    yield from {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    yield from (sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib"))
    yield str(Path(sys.executable).resolve().parent)


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Those that exist, by both of their names when there is a link on the way."""
    found: set[Path] = set()
    for path in paths:
        if path.exists():
            found |= {Path(os.path.abspath(path)), path.resolve()}  # noqa: PTH100 - keeps its links
    kept = {each for each in found if not _too_much(each)}
    return tuple(sorted(each for each in kept if not kept.intersection(each.parents)))


def _too_much(path: Path) -> bool:
    """Whether somebody's home lies in it: an odd place for a Python, and full of secrets."""
    home = Path.home().resolve()
    return path in (path.parent, home) or path in home.parents
