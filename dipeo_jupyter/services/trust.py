"""The powers of diagrams that people have trusted for good: a file in their own configuration."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from ..diagram.suggest import did_you_mean
from ..engine.powers import Power
from ..errors import CommandError

MOST = 2_000
"""Powers that are kept; the oldest are forgotten first."""
MOST_BYTES = 2_000_000
LONGEST = 300
"""Characters of what is said of each."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class TrustedPower:
    """One power, when it was trusted (Unix time), and in words what it is."""

    digest: str
    says: str
    since: float


class Trusted:
    """Fulfils the port `Trust` by a file that only its owner can read and write.

    Without a `file` nothing is kept. A file that others could have written is not believed. With
    `everything`, all is trusted; without `walls`, people are asked for every piece of code.
    """

    def __init__(self, file: Path | None, *, everything: bool = False, walls: bool = True) -> None:
        self._file = file
        self._everything = everything
        self._walls = walls
        self._known: frozenset[str] = frozenset()
        self._read_at: tuple[int, int, int, int] | None = None

    def minds(self, power: Power) -> bool:
        if self._everything:
            return False
        return power.asks and not (power.walled and self._walls)

    def knows(self, digest: str) -> bool:
        """The file is read again when it has changed, so that what is forgotten counts at once."""
        if self._file is None:
            return False
        try:
            now = self._file.stat()
        except OSError:
            return False
        read_at = (now.st_ino, now.st_mtime_ns, now.st_size, now.st_mode)
        if read_at != self._read_at:
            self._known = frozenset(each.digest for each in self.list())
            self._read_at = read_at
        return digest in self._known

    def list(self) -> list[TrustedPower]:
        """All of them, the oldest first. What is no such file, or not believed, has none."""
        if self._file is None:
            return []
        try:
            with self._file.open("rb") as file:
                if not _is_own(os.fstat(file.fileno())):
                    return []
                content = json.loads(file.read(MOST_BYTES))
        except (OSError, ValueError):
            return []
        rows = content.get("trusted") if isinstance(content, dict) else None
        found = map(_power, rows if isinstance(rows, list) else ())
        return [power for power in found if power is not None]

    def remember(self, powers: Mapping[str, str]) -> None:
        now = time.time()
        with self._changing() as file:
            kept = [each for each in self.list() if each.digest not in powers]
            new = [TrustedPower(digest, says[:LONGEST], now) for digest, says in powers.items()]
            _write(file, [*kept, *new][-MOST:])

    def forget(self, beginning: str | None = None) -> int:
        """Trust one power no more, of which the beginning is enough, or all; how many these are.

        Raises `CommandError` when there is none, or several begin so.
        """
        with self._changing() as file:
            known = self.list()
            gone = [each for each in known if each.digest.startswith(beginning or "")]
            if beginning is not None and len(gone) != 1:
                hint = did_you_mean(beginning, [each.digest[:12] for each in known])
                which = "No trusted power begins" if not gone else f"{len(gone)} powers begin"
                message = f"{which} with {beginning!r}."
                raise CommandError(message, code="unknown_power", hint=hint)
            _write(file, [each for each in known if each not in gone])
        return len(gone)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Path]:
        if self._file is None:
            message = "Nothing is kept here, and so nothing can be trusted for good."
            raise CommandError(message, code="no_trust")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{self._file}.lock", mode=0o600):
                yield self._file
        except OSError as error:
            message = f"{str(self._file)!r} cannot be written: {error.strerror}."
            raise CommandError(message, code="no_trust") from None


def _is_own(found: os.stat_result) -> bool:
    if os.name != "posix":
        return True
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & _WRITABLE_BY_OTHERS


def _power(row: object) -> TrustedPower | None:
    match row:
        case {"digest": str(digest), "says": str(says), "since": int() | float() as since}:
            return TrustedPower(digest, says, since) if _DIGEST.fullmatch(digest) else None
    return None


def _write(file: Path, powers: Collection[TrustedPower]) -> None:
    text = json.dumps({"trusted": [asdict(each) for each in powers]}, indent=1)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
