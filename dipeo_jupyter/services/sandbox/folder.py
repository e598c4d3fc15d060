"""The folder of one job: made for it alone, and removed whatever the job has built in it."""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from pathlib import Path

_log = logging.getLogger(__name__)
# O_NOFOLLOW: a job may have put a link where a folder was.
_OPEN = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


class JobFolder:
    """`work` is the job's working directory; a script lies beside it, as `job`.

    `make` and `remove` block: call them in a thread.
    """

    def __init__(self) -> None:
        # The name comes first: a job cancelled while its folder is made must still find it.
        self.path = Path(tempfile.gettempdir(), f"dipeo-job-{secrets.token_hex(8)}")
        self.work = self.path / "work"

    def make(self, script: bytes | None) -> None:
        self.path.mkdir(mode=0o700)
        self.work.mkdir(mode=0o700)
        if script is not None:
            (self.path / "job").write_bytes(script)

    def remove_if_empty(self) -> bool:
        """Remove it at once where the job has left nothing in it; whether it is gone."""
        try:
            self.work.rmdir()
            self.path.rmdir()
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Remove everything. What cannot be removed is told to the log: the job itself is over."""
        try:
            _remove(self.path)
        except FileNotFoundError:
            _log.debug("the folder of a job was never made, or is gone: %s", self.path)
        except OSError as error:
            _log.warning("the folder of a job could not be removed: %s", error)


def _remove(path: Path) -> None:
    """Remove a tree of any depth: the folders of a folder move up before it is removed.

    `shutil.rmtree` recurses, and paths have a greatest length; here no name is ever a path.
    """
    top = os.open(path, _OPEN)
    try:
        while folders := _clear(top):
            for name in folders:
                _dissolve(name, top)
    finally:
        os.close(top)
    path.rmdir()


def _dissolve(name: str, top: int) -> None:
    folder = os.open(name, _OPEN, dir_fd=top)
    try:
        for inner in _clear(folder):
            os.rename(inner, secrets.token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)


def _clear(folder: int) -> list[str]:
    """Unlink the files of a folder; give its folders, made accessible."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.name, 0o700, dir_fd=folder)
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return folders
