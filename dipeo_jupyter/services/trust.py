"""The powers of diagrams that people have trusted for good: a file in their own configuration."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from ..atomic import write_file
from ..diagram.suggest import did_you_mean
from ..engine.powers import Power
from ..errors import CommandError

MOST = 2_000
"""Powers that are kept; the oldest are forgotten first."""
MOST_BYTES = 2_000_000
MOST_RUNS = 5_000
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


@dataclass(frozen=True)
class _Content:
    """What is in the file: the powers, and which runs were begun by this user."""

    powers: tuple[TrustedPower, ...] = ()
    runs: tuple[str, ...] = ()

    @cached_property
    def digests(self) -> frozenset[str]:
        return frozenset(each.digest for each in self.powers)

    @classmethod
    def read(cls, text: bytes) -> _Content:
        try:
            content = json.loads(text)
        except ValueError:
            return cls()
        whole = content if isinstance(content, dict) else {}
        powers, runs = whole.get("trusted"), whole.get("runs")
        found = map(_power, powers if isinstance(powers, list) else ())
        return cls(
            tuple(power for power in found if power is not None),
            tuple(run for run in runs if isinstance(run, str)) if isinstance(runs, list) else (),
        )


class Trusted:
    """Fulfils the port `Trust` by a file that only its owner can read and write.

    Without a `file` nothing is kept. A file that others could have written is not believed. With
    `everything`, all is trusted; without `walls`, people are asked for every piece of code.
    """

    def __init__(self, file: Path | None, *, everything: bool = False, walls: bool = True) -> None:
        self._file = file
        self._everything = everything
        self._walls = walls
        self._now = _Content()
        self._read_at: tuple[int, int, int, int] | None = None

    def minds(self, power: Power) -> bool:
        if self._everything:
            return False
        return power.asks and not (power.walled and self._walls)

    def knows(self, digest: str) -> bool:
        return digest in self._content().digests

    def knows_run(self, execution_id: str) -> bool:
        return self._file is None or execution_id in self._content().runs

    def list(self) -> list[TrustedPower]:
        """All powers, the oldest first. What is no such file, or not believed, has none."""
        return list(self._content().powers)

    def remember_run(self, execution_id: str) -> None:
        with contextlib.suppress(CommandError), self._changing() as file:
            now = self._content()
            _write(file, replace(now, runs=(*now.runs, execution_id)[-MOST_RUNS:]))

    def remember(self, powers: Mapping[str, str]) -> None:
        now = time.time()
        with self._changing() as file:
            content = self._content()
            kept = [each for each in content.powers if each.digest not in powers]
            new = [TrustedPower(digest, says[:LONGEST], now) for digest, says in powers.items()]
            _write(file, replace(content, powers=tuple([*kept, *new][-MOST:])))

    def forget(self, beginning: str | None = None) -> int:
        """Trust one power no more, of which the beginning is enough, or all; how many these are.

        Raises `CommandError` when there is none, or several begin so.
        """
        with self._changing() as file:
            content = self._content()
            known = content.powers
            gone = [each for each in known if each.digest.startswith(beginning or "")]
            if beginning is not None and len(gone) != 1:
                hint = did_you_mean(beginning, [each.digest[:12] for each in known])
                which = "No trusted power begins" if not gone else f"{len(gone)} powers begin"
                message = f"{which} with {beginning!r}."
                raise CommandError(message, code="unknown_power", hint=hint)
            left = tuple(each for each in known if each not in gone)
            _write(file, replace(content, powers=left))
        return len(gone)

    def _content(self) -> _Content:
        """The file is read again when it has changed, so that what is forgotten counts at once."""
        if self._file is None:
            return _Content()
        try:
            with self._file.open("rb") as file:
                found = os.fstat(file.fileno())
                read_at = (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)
                if read_at != self._read_at:
                    self._now = (
                        _Content.read(file.read(MOST_BYTES)) if _is_own(found) else _Content()
                    )
                    self._read_at = read_at
        except OSError:
            return _Content()
        return self._now

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


def _write(file: Path, content: _Content) -> None:
    powers = [asdict(each) for each in content.powers]
    text = json.dumps({"trusted": powers, "runs": content.runs}, indent=1)
    write_file(file, text.encode(), private=True)
