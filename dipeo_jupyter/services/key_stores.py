"""Where keys are kept besides the environment: `.env` files, and the keyring of the system.

Both are read anew at every question, so that a key that is exchanged counts at once. Nothing of
them gets into the environment, and only what `keys` asks for by name is used: a `.env` that came
with somebody's diagrams cannot redirect requests.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..atomic import write_file
from ..errors import ServiceError

SERVICE = "dipeo_jupyter"
"""Under this name keys are in the keyring: `keyring get dipeo_jupyter OPENAI_API_KEY`."""
INSTALL = "pip install 'dipeo_jupyter[keyring]'"

_LIST = "(names)"
"""The entry with the names of all others: a keyring does not tell what is in it."""
_LARGEST = 1 << 20
_PROJECT = (".git", "pyproject.toml")


def dotenv_files(root: Path) -> list[DotEnv]:
    """The `.env` in this folder, and the one of the project that it belongs to."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - links in it stay as they are
    folders = [root]
    project = next(
        (
            each
            for each in (root, *root.parents)
            if any((each / name).exists() for name in _PROJECT)
        ),
        root,
    )
    if project != root and _owner(project) == _owner(root):  # a stranger's `/tmp/.env` is not ours
        folders.append(project)
    return [DotEnv(folder / ".env") for folder in folders]


def _owner(folder: Path) -> int | None:
    return folder.stat().st_uid if folder.exists() else None


class DotEnv(Mapping[str, str]):
    """What a `.env` file says now; nothing when it is not there or cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[bytes, Mapping[str, str]] = (b"", {})

    def __getitem__(self, name: str) -> str:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return f"DotEnv({str(self.path)!r})"

    def trouble(self) -> str | None:
        """Why the file that is there cannot be read."""
        try:
            self._content()
        except OSError as error:
            return f"{self.path} cannot be read: {error.strerror or error}."
        return None

    def is_open_to_others(self) -> bool:
        """Whether other people of this machine may read the file."""
        try:
            return os.name == "posix" and bool(self.path.stat().st_mode & 0o077)
        except OSError:
            return False

    def put(self, name: str, value: str) -> None:
        """Write or replace one line. All others stay; nobody but the owner may read the file."""
        try:
            old = self._content().decode("utf-8-sig")
            write_file(self.path.resolve(), _with(old, name, value).encode(), private=True)
        except UnicodeDecodeError:
            raise ServiceError(f"{self.path} is no UTF-8 text; it is left as it is.") from None
        except OSError as error:
            reason = error.strerror or error
            raise ServiceError(f"{self.path} cannot be written: {reason}.") from None

    def _values(self) -> Mapping[str, str]:
        try:
            content = self._content()
        except OSError:  # `trouble` tells
            return {}
        read, values = self._read
        if content != read:
            values = _parsed(content.decode("utf-8-sig", "replace"))
            self._read = (content, values)
        return values

    def _content(self) -> bytes:
        try:
            kind = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return b""
        if not stat.S_ISREG(kind.st_mode) or kind.st_size > _LARGEST:
            raise OSError(0, "it is no file of text")
        return self.path.read_bytes()


def _parsed(text: str) -> dict[str, str]:
    from dotenv import dotenv_values  # noqa: PLC0415 - only where there is such a file

    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value}


def _with(text: str, name: str, value: str) -> str:
    from dotenv.parser import parse_stream  # noqa: PLC0415 - as above

    line = "{}='{}'\n".format(name, re.sub(r"([\\'])", r"\\\1", value))
    pieces: list[str] = []
    written = False
    for binding in parse_stream(io.StringIO(text)):
        original = binding.original.string
        if binding.key != name:
            pieces.append(original)
        elif not written:  # a second one would win over the first
            before = re.match(r"\s*(?:export\s+)?", original)
            pieces.append((before[0] if before else "") + line)
            written = True
    if written:
        return "".join(pieces)
    return text + ("\n" if text and not text.endswith("\n") else "") + line


class Keyring:
    """The keyring of the system, through the package `keyring` where that is installed."""

    def get(self, name: str, default: str = "") -> str:
        """What is kept under this name; the default when nothing is, or there is no keyring."""
        if not self.is_installed():
            return default
        try:
            return self._backend().get_password(SERVICE, name) or default
        except Exception:  # noqa: BLE001 - backends are plug-ins; `trouble` tells
            return default

    def names(self, usual: Iterable[str] = ()) -> list[str]:
        """The usual names, and those that were put here."""
        if not self.is_installed():
            return []
        try:
            listed = json.loads(self.get(_LIST, "[]"))
        except ValueError:
            listed = []
        ours = listed if isinstance(listed, list) else []
        return list(dict.fromkeys([*usual, *(each for each in ours if isinstance(each, str))]))

    def put(self, name: str, value: str) -> None:
        """Keep a key; raises `ServiceError` when that cannot be."""
        if not self.is_installed():
            raise ServiceError(f"Keyrings are used by a package that is not installed: {INSTALL}.")
        try:
            self._backend().set_password(SERVICE, name, value)
            self._backend().set_password(SERVICE, _LIST, json.dumps(sorted({*self.names(), name})))
        except Exception as error:  # noqa: BLE001 - as above
            reason = _reason(error)
        else:
            if self.get(name) == value:
                return
            reason = "it does not keep what it is given"
        # Not inside `except`: a backend's error may quote what it could not keep.
        raise ServiceError(f"The keyring of this system cannot be used: {reason}.")

    def trouble(self) -> str | None:
        """Why the keyring that is there does not answer."""
        if not self.is_installed():
            return None
        try:
            self._backend().get_password(SERVICE, _LIST)
        except Exception as error:  # noqa: BLE001 - as above
            absent = type(error).__name__ == "NoKeyringError"
            return None if absent else f"The keyring does not answer: {_reason(error)}."
        return None

    def is_installed(self) -> bool:
        """Whether the package is there; whether the system has a keyring, is another question."""
        return importlib.util.find_spec("keyring") is not None

    def _backend(self) -> Any:
        import keyring  # noqa: PLC0415 - an extra, and slow: it looks at all backends

        return keyring.get_keyring()


def _reason(error: Exception) -> str:
    if type(error).__name__ == "NoKeyringError":
        return "there is none here, as on most servers"
    return type(error).__name__
