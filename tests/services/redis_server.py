"""A real Redis on a socket of its own, for as long as a test needs it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PROGRAM = shutil.which("redis-server")
NEEDS_REDIS = pytest.mark.skipif(PROGRAM is None, reason="there is no redis-server on this machine")


class RedisServer:
    """`url` is how it is reached; it has no file, and no port."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="redis")  # paths of sockets are short
        socket = Path(self._folder, "redis.sock")
        self.url = f"unix://{socket}"
        quiet = ["--save", "", "--appendonly", "no", "--dir", self._folder]
        self._process = subprocess.Popen(
            [str(PROGRAM), "--port", "0", "--unixsocket", str(socket), *quiet],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert any("eady to accept connections" in line for line in self._process.stdout)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)
