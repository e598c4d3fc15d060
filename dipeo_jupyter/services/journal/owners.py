"""Which processes live: an open journal holds a lock, which the system takes from the dead."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout
from ulid import ULID


class Owners:
    """The journals that are open on a file, in this process and in others; `id` is this one."""

    def __init__(self, home: Path) -> None:
        self.id = str(ULID())
        self._folder = home / "owners"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._lock = self._lock_of(self.id)
        self._lock.acquire(timeout=0)

    def alive(self, owner: str | None) -> str | None:
        """The same owner if it lives; a dead one's file is removed."""
        if owner is None or owner == self.id:
            return owner
        # The name comes from the file, which anybody may have written.
        if not owner.isalnum() or not self._path(owner).exists():
            return None
        lock = self._lock_of(owner)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return owner
        self._drop(owner, lock)
        return None

    def close(self) -> None:
        self._drop(self.id, self._lock)

    def _drop(self, owner: str, lock: FileLock) -> None:
        lock.release()
        with suppress(OSError):  # another may have been faster
            self._path(owner).unlink()

    def _path(self, owner: str) -> Path:
        return self._folder / f"{owner}.lock"

    def _lock_of(self, owner: str) -> FileLock:
        return FileLock(self._path(owner), mode=0o600, thread_local=False)
