"""Files below the root of a run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol


class Files(Protocol):
    """Reads and writes files below one root; paths that lead out of it are refused.

    Every method raises `ServiceError` when it cannot do its work.
    """

    async def read(self, path: str) -> str: ...

    async def read_bytes(self, path: str) -> bytes: ...

    def opened(self, path: str) -> AbstractContextManager[BinaryIO]:
        """A file of any size, to be read piece by piece; it blocks, so read it in a thread."""
        ...

    async def write(self, path: str, text: str) -> str:
        """Replace the whole file at once (old or new, never half); return its path."""
        ...

    async def write_bytes(self, path: str, data: bytes) -> str:
        """The same for what is no text."""
        ...

    async def append(self, path: str, text: str) -> str: ...

    async def exists(self, path: str) -> bool: ...

    async def glob(self, pattern: str) -> list[str]:
        """The files that match, relative to the root, sorted."""
        ...
