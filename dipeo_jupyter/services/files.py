"""Files below one root. Nothing outside it is ever read or written.

A path is walked folder by folder, each opened relative to the one before and never through a link:
whoever swaps a folder for a link in between gains nothing, which checking first and opening
afterwards cannot promise. The price is that links below the root are refused, harmless ones too.
Hidden names (`.git`, `.env`, `.dipeo`, …) are refused as well, as Jupyter does.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import BinaryIO, TypeAlias, TypeVar

from ..diagram.suggest import did_you_mean
from ..errors import CommandError, ServiceError

Parts: TypeAlias = tuple[str, ...]
"""A path below the root, normalised: `("data", "a.json")`."""
T = TypeVar("T")

MAX_READ = 50 * 1024 * 1024
MAX_MATCHES = 10_000
RUN_BY_OTHERS = ("*.pth", "jupyter_*_config.*", "sitecustomize.py", "usercustomize.py")
"""Names that Python or Jupyter execute by themselves when they find them."""
KERNEL_FOLDERS = ("/proc", "/sys")
"""What looks like a file there is a door to the system."""
HAS_DIR_FD = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# Non-blocking: opening a named pipe would otherwise wait for its other end.
_READ = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)


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
            with self._folder(parts[:-1]) as folder, folder.opened(parts[-1], _READ) as fd:
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
        with self._folder(parts[:-1]) as folder, folder.opened(parts[-1], _READ) as fd:
            _expect_regular(parts, os.fstat(fd))
            with open(fd, "rb", closefd=False) as file:
                data = file.read(MAX_READ + 1)
        if len(data) > MAX_READ:
            raise ServiceError(f"{_shown(parts)!r} is larger than {MAX_READ >> 20} MB.")
        return data

    def _write(self, parts: Parts, data: bytes) -> None:
        temporary = f".dipeo-{secrets.token_hex(8)}.tmp"
        with self._folder(parts[:-1], create=True) as folder:
            old = folder.stat(parts[-1])
            _expect_writable(parts, old)
            try:
                with folder.opened(temporary, _CREATE) as fd:
                    _fill(fd, data)
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
            with folder.opened(parts[-1], _APPEND) as fd:
                now = os.fstat(fd)
                _expect_regular(parts, now)
                if now.st_nlink > 1:
                    raise ServiceError(
                        f"{_shown(parts)!r} has a second name elsewhere (a hard link), which would "
                        "change with it. Make a copy and append to that."
                    )
                _add(fd, data)
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
        """A walk over pairs (folder, rest of the pattern), each seen once."""
        todo: set[tuple[Parts, Parts]] = {((), pattern)}
        seen: set[tuple[Parts, Parts]] = set()
        found: set[str] = set()
        while todo:
            seen.add(state := todo.pop())
            at, rest = state
            files, folders = self._names(at)
            found.update(_shown((*at, name)) for name in _matching(files, rest))
            if len(found) > MAX_MATCHES:
                raise ServiceError(f"More than {MAX_MATCHES} files match {_shown(pattern)!r}.")
            todo |= set(_deeper(at, folders, rest)) - seen
        return sorted(found)

    def _names(self, at: Parts) -> tuple[list[str], list[str]]:
        """The files and the folders in a folder; without hidden ones, links and devices."""
        try:
            with self._folder(at) as folder:
                return folder.names()
        except (FileNotFoundError, NotADirectoryError):
            return [], []

    @contextmanager
    def _folder(self, parts: Parts, *, create: bool = False) -> Iterator[_Folder]:
        if not self._by_descriptor:
            yield _Folder(None, self._resolved(parts, create=create))
            return
        fd = os.open(self.root, _FOLDER)
        try:
            for name in parts:
                deeper = _step(fd, name, create=create)
                os.close(fd)
                fd = deeper
            yield _Folder(fd, self.root)
        finally:
            os.close(fd)

    def _resolved(self, parts: Parts, *, create: bool) -> Path:
        path = self.root.joinpath(*parts)
        if not path.resolve().is_relative_to(self.root):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if create:
            path.mkdir(parents=True, exist_ok=True)
        return path

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


@dataclass(frozen=True, slots=True)
class _Folder:
    """An open folder. Without a descriptor, its path stands for it."""

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


def _fill(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _add(fd: int, data: bytes) -> None:
    """One write, so that nobody else's lands inside it; half a one (a full disk) is taken back."""
    written = os.write(fd, data)
    if written < len(data):
        end = os.lseek(fd, 0, os.SEEK_CUR)
        if os.fstat(fd).st_size == end:  # else somebody has appended since
            os.ftruncate(fd, end - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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


def _matching(files: list[str], pattern: Parts) -> list[str]:
    while pattern[0] == "**" and len(pattern) > 1:
        pattern = pattern[1:]
    return [name for name in files if fnmatchcase(name, pattern[0])] if len(pattern) == 1 else []


def _deeper(at: Parts, folders: list[str], pattern: Parts) -> Iterator[tuple[Parts, Parts]]:
    """Where to look next: one folder down, or here with the `**` taken as nothing."""
    head, rest = pattern[0], pattern[1:]
    if head == "**" and rest:
        yield at, rest
    for name in folders:
        if head == "**":
            yield (*at, name), pattern
        elif rest and fnmatchcase(name, head):
            yield (*at, name), rest


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


def _is_text(name: str) -> bool:
    """A name in another encoding cannot travel as JSON."""
    return os.fsencode(name).decode("utf-8", "ignore") == name


def _shown(parts: Parts) -> str:
    return "/".join(parts)
