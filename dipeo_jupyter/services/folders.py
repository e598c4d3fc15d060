"""Folders that are walked one by one, each opened relative to the one before, never through a link.

Whoever swaps a folder for a link in between gains nothing, which checking first and opening
afterwards cannot promise.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Parts: TypeAlias = tuple[str, ...]
"""A path below the root, normalised: `("data", "a.json")`."""

HAS_DIR_FD = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# Non-blocking: opening a named pipe would otherwise wait for its other end.
READ = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)


@contextmanager
def opened_folder(root: Path, parts: Parts, *, create: bool = False) -> Iterator[Folder]:
    """The folder at a path below a root; `OSError` where the way leads through a link or a file."""
    fd = os.open(root, _FOLDER)
    try:
        for name in parts:
            deeper = _step(fd, name, create=create)
            os.close(fd)
            fd = deeper
        yield Folder(fd, root)
    finally:
        os.close(fd)


@contextmanager
def resolved_folder(root: Path, parts: Parts, *, create: bool = False) -> Iterator[Folder]:
    """The same where nothing can be opened relative to a folder: it is looked at beforehand."""
    path = root.joinpath(*parts)
    if not path.resolve().is_relative_to(root):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if create:
        path.mkdir(parents=True, exist_ok=True)
    yield Folder(None, path)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder. Without a descriptor, its path stands for it."""

    fd: int | None
    path: Path

    def at(self, name: str) -> str:
        return name if self.fd is not None else str(self.path / name)

    @contextmanager
    def opened(self, name: str, flags: int) -> Iterator[int]:
        if self.fd is None and (found := self.stat(name)) and stat.S_ISLNK(found.st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        fd = os.open(self.at(name), flags, 0o666, dir_fd=self.fd)
        try:
            yield fd
        finally:
            os.close(fd)

    def stat(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(self.at(name), dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def names(self) -> tuple[list[str], list[str]]:
        files, folders = [], []
        with os.scandir(self.path if self.fd is None else self.fd) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not _is_text(entry.name):
                    continue
                if entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
        return files, folders

    def replace(self, old: str, new: str) -> None:
        os.replace(self.at(old), self.at(new), src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def remove(self, name: str) -> None:
        os.unlink(self.at(name), dir_fd=self.fd)

    def sync(self) -> None:
        """Without it a rename may be lost when the power fails."""
        if self.fd is not None:
            os.fsync(self.fd)


def _step(fd: int, name: str, *, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=fd)
            os.fsync(fd)
    return os.open(name, _FOLDER | _NOFOLLOW, dir_fd=fd)


def fill(fd: int, data: bytes) -> None:
    """Write all of it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def add(fd: int, data: bytes) -> None:
    """One write, so that nobody else's lands inside it; half a one (a full disk) is taken back."""
    written = os.write(fd, data)
    if written < len(data):
        end = os.lseek(fd, 0, os.SEEK_CUR)
        if os.fstat(fd).st_size == end:  # else somebody has appended since
            os.ftruncate(fd, end - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_text(name: str) -> bool:
    """A name in another encoding cannot travel as JSON."""
    return os.fsencode(name).decode("utf-8", "ignore") == name
