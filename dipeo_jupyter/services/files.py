"""Files below one root. Nothing outside it is ever read or written.

A path is walked as `folders.py` says, and the price of that is that links below the root are
refused, harmless ones too. Hidden names (`.git`, `.env`, `.dipeo`, …) are refused as well, as
Jupyter does.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import BinaryIO, TypeVar

from ..diagram.suggest import did_you_mean
from ..errors import CommandError, ServiceError
from .folders import (
    APPEND,
    CREATE,
    HAS_DIR_FD,
    READ,
    Folder,
    Parts,
    add,
    fill,
    opened_folder,
    resolved_folder,
)
from .patterns import files_matching

T = TypeVar("T")

MAX_READ = 50 * 1024 * 1024
MAX_MATCHES = 10_000
RUN_BY_OTHERS = ("*.pth", "jupyter_*_config.*", "sitecustomize.py", "usercustomize.py")
"""Names that Python or Jupyter execute by themselves when they find them."""
KERNEL_FOLDERS = ("/proc", "/sys")
"""What looks like a file there is a door to the system."""


def folder_below(root: Path, folder: str) -> Path:
    """A folder below a root, or the root when it is empty; it need not be there.

    Raises `CommandError` for one that leads out, is hidden, or is reached by a link.
    """
    if not folder:
        return root
    parts = PurePath(folder).parts
    odd = any(each.startswith(".") for each in parts) or "\0" in folder
    there = root.resolve()
    if odd or PurePath(folder).anchor or (there / folder).resolve() != there / folder:
        message = f"{folder!r} is no folder below the root of this server."
        hint = "Name it from the root on, with / between its parts; hidden ones are not used."
        raise CommandError(message, code="bad_folder", hint=hint)
    return there / folder


class LocalFiles:
    """Fulfils the port `Files` for the files of this machine.

    Paths are relative to `root`; absolute ones are taken when they lie in it. All work is done in
    threads. `by_descriptor=False` is for systems that cannot open relative to a folder (Windows):
    there a path is resolved and checked before it is opened.
    """

    def __init__(self, root: Path, *, by_descriptor: bool = HAS_DIR_FD) -> None:
        self.root = root.resolve()
        self._roots = (self.root, Path(os.path.abspath(root)))  # noqa: PTH100 - keeps its links
        self._by_descriptor = by_descriptor

    async def read(self, path: str) -> str:
        """The text of a file of at most 50 MB in UTF-8; a byte order mark is dropped."""
        parts = self._parts(path)
        return await self._in_thread(parts, lambda: _decoded(parts, self._read(parts)))

    async def read_bytes(self, path: str) -> bytes:
        """What a file of at most 50 MB holds."""
        parts = self._parts(path)
        return await self._in_thread(parts, lambda: self._read(parts))

    @contextmanager
    def opened(self, path: str) -> Iterator[BinaryIO]:
        """A file of any size, to be read piece by piece in a thread."""
        parts = self._parts(path)
        try:
            with self._folder(parts[:-1]) as folder, folder.opened(parts[-1], READ) as fd:
                _expect_regular(parts, os.fstat(fd))
                with open(fd, "rb", closefd=False) as file:
                    yield file
        except OSError as error:
            raise ServiceError(self._sentence(parts, error)) from error

    async def write(self, path: str, text: str) -> str:
        """Replace the whole file at once, making its folders; return its path."""
        return await self.write_bytes(path, _encoded(path, text))

    async def write_bytes(self, path: str, data: bytes) -> str:
        """The same for what is no text."""
        parts = self._writable(path)
        await self._in_thread(parts, lambda: self._write(parts, data))
        return _shown(parts)

    async def append(self, path: str, text: str) -> str:
        """Add to the end in one step: appenders never mix, and a failed one leaves no trace."""
        parts, data = self._writable(path), _encoded(path, text)
        await self._in_thread(parts, lambda: self._append(parts, data))
        return _shown(parts)

    async def exists(self, path: str) -> bool:
        """Whether there is a regular file; a link is none."""
        parts = self._parts(path)
        return await self._in_thread(parts, lambda: self._exists(parts))

    async def glob(self, pattern: str) -> list[str]:
        """The files that match, sorted. `**` stands for any number of folders."""
        parts = self._parts(pattern)
        return await self._in_thread(parts, lambda: self._glob(parts))

    # -- which paths are allowed ------------------------------------------------------------------

    def _parts(self, path: str) -> Parts:
        below = self._below(path)
        if below is None:
            raise ServiceError(
                f"{path!r} leads out of the run's folder; only files below it can be used."
            )
        if not below.parts:
            raise ServiceError(f"{path!r} is a folder: name a file.")
        if any(name.startswith(".") for name in below.parts):
            raise ServiceError(
                f"{path!r} is hidden; files and folders with a leading dot are not used."
            )
        return below.parts

    def _below(self, path: str) -> PurePath | None:
        if "\0" in path or (os.name == "nt" and ":" in Path(path).name):  # an alternate stream
            return None
        for root in self._roots:
            whole = PurePath(os.path.normpath(root / path))
            if any(whole.is_relative_to(folder) for folder in KERNEL_FOLDERS):
                return None
            if whole.is_relative_to(root):
                return whole.relative_to(root)
        return None

    def _writable(self, path: str) -> Parts:
        parts = self._parts(path)
        for name in parts:
            if any(fnmatchcase(name.lower().rstrip(". "), each) for each in RUN_BY_OTHERS):
                raise ServiceError(
                    f"{path!r} is not written: Python or Jupyter would run it. Use another name."
                )
        return parts

    # -- the work, in threads ---------------------------------------------------------------------

    async def _in_thread(self, parts: Parts, work: Callable[[], T]) -> T:
        def explained() -> T:
            try:
                return work()
            except OSError as error:
                raise ServiceError(self._sentence(parts, error)) from error

        return await asyncio.to_thread(explained)

    def _read(self, parts: Parts) -> bytes:
        with self._folder(parts[:-1]) as folder, folder.opened(parts[-1], READ) as fd:
            _expect_regular(parts, os.fstat(fd))
            with open(fd, "rb", closefd=False) as file:
                data = file.read(MAX_READ + 1)
        if len(data) > MAX_READ:
            raise ServiceError(
                f"{_shown(parts)!r} is larger than {MAX_READ >> 20} MB. A `db` reads `rows` or "
                "`lines` of a file of any size, or imports it into a collection."
            )
        return data

    def _write(self, parts: Parts, data: bytes) -> None:
        temporary = f".dipeo-{secrets.token_hex(8)}.tmp"
        with self._folder(parts[:-1], create=True) as folder:
            old = folder.stat(parts[-1])
            _expect_writable(parts, old)
            try:
                with folder.opened(temporary, CREATE) as fd:
                    fill(fd, data)
                    if old is not None and hasattr(os, "fchmod"):
                        os.fchmod(fd, stat.S_IMODE(old.st_mode))
                    os.fsync(fd)
                folder.replace(temporary, parts[-1])
            except BaseException:
                with suppress(FileNotFoundError):
                    folder.remove(temporary)
                raise
            folder.sync()

    def _append(self, parts: Parts, data: bytes) -> None:
        with self._folder(parts[:-1], create=True) as folder:
            old = folder.stat(parts[-1])
            _expect_writable(parts, old)
            with folder.opened(parts[-1], APPEND) as fd:
                now = os.fstat(fd)
                _expect_regular(parts, now)
                if now.st_nlink > 1:
                    raise ServiceError(
                        f"{_shown(parts)!r} has a second name elsewhere (a hard link), which would "
                        "change with it. Make a copy and append to that."
                    )
                add(fd, data)
                os.fsync(fd)
            if old is None:
                folder.sync()

    def _exists(self, parts: Parts) -> bool:
        try:
            with self._folder(parts[:-1]) as folder:
                found = folder.stat(parts[-1])
        except (FileNotFoundError, NotADirectoryError):
            return False
        return found is not None and stat.S_ISREG(found.st_mode)

    def _glob(self, pattern: Parts) -> list[str]:
        found: set[str] = set()
        for parts in files_matching(pattern, self._names):
            found.add(_shown(parts))
            if len(found) > MAX_MATCHES:
                raise ServiceError(f"More than {MAX_MATCHES} files match {_shown(pattern)!r}.")
        return sorted(found)

    def _names(self, at: Parts) -> tuple[list[str], list[str]]:
        """The files and the folders in a folder; without hidden ones, links and devices."""
        try:
            with self._folder(at) as folder:
                return folder.names()
        except (FileNotFoundError, NotADirectoryError):
            return [], []

    def _folder(self, parts: Parts, *, create: bool = False) -> AbstractContextManager[Folder]:
        way = opened_folder if self._by_descriptor else resolved_folder
        return way(self.root, parts, create=create)

    # -- what went wrong, in words ----------------------------------------------------------------

    def _sentence(self, parts: Parts, error: OSError) -> str:
        path = _shown(parts)
        match error.errno:
            case errno.ENOENT:
                return " ".join(filter(None, [f"There is no file {path!r}.", self._nearest(parts)]))
            case errno.EISDIR:
                return f"{path!r} is a folder: name a file."
            case errno.ENOTDIR | errno.ELOOP | errno.EEXIST:
                return f"{path!r} leads through a link or a file, where only folders are followed."
            case errno.ENXIO:
                return f"{path!r} is not a regular file."
            case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
                return f"There is no room left to write {path!r}; it is as it was before."
            case errno.EACCES | errno.EPERM | errno.EROFS:
                return f"{path!r} cannot be used: the file system does not permit it."
            case _:
                return f"{path!r} cannot be used: {error.strerror}."

    def _nearest(self, parts: Parts) -> str | None:
        """A hint at the first name on the way that does not exist."""
        with suppress(OSError):  # a folder that may not be listed yields no hint
            for depth, name in enumerate(parts):
                files, folders = self._names(parts[:depth])
                if name not in files + folders:
                    near = [_shown((*parts[:depth], each)) for each in files + folders]
                    return did_you_mean(_shown(parts[: depth + 1]), near)
        return None


def _expect_regular(parts: Parts, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise ServiceError(f"{_shown(parts)!r} is not a regular file.")


def _expect_writable(parts: Parts, found: os.stat_result | None) -> None:
    if found is None:
        return
    _expect_regular(parts, found)
    if not found.st_mode & 0o222:
        # Replacing needs no right to write the old file; whoever took it away meant something.
        raise ServiceError(f"{_shown(parts)!r} is read-only; it is left as it is.")


def _encoded(path: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ServiceError(
            f"{path!r} is not written: its text holds half a character (position {error.start})."
        ) from error


def _decoded(parts: Parts, data: bytes) -> str:
    try:
        text = data.decode()  # ten times as fast as the codec that drops the mark by itself
    except UnicodeDecodeError as error:
        raise ServiceError(
            f"{_shown(parts)!r} is not text in UTF-8 (byte {data[error.start]:#04x} at position "
            f"{error.start}). Save it as UTF-8."
        ) from error
    return text.removeprefix("\ufeff")


def _shown(parts: Parts) -> str:
    return "/".join(parts)
