"""Writing a file so that at any moment, and after a crash too, it is the old one or the new one."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path


def write_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Put `data` in the place of what the file held.

    A file that is there keeps its permissions; with `private`, nobody but the owner may read it.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(draft, flags, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private and path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
