"""A real PostgreSQL on a socket of its own, for as long as a session of tests needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

_PLACES = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
_WHERE = os.pathsep.join([*_PLACES, os.environ.get("PATH", "")])
_INITDB = shutil.which("initdb", path=_WHERE)
_POSTGRES = shutil.which("postgres", path=_WHERE)
NEEDS_POSTGRES = pytest.mark.skipif(
    _INITDB is None or os.name == "nt",
    reason="THERE IS NO POSTGRESQL on this machine: collections are tested with SQLite alone",
)
PASSWORD = "pg-canary-0123456789"  # noqa: S105 - of no other server
_READY = "ready to accept connections"


class PostgresServer:
    """`url` is how SQLAlchemy reaches it; it has no port, and its files are gone afterwards."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # paths of sockets are short
        self._user = _unprivileged()
        if self._user:
            shutil.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        data, secret = self._folder / "data", self._folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["-D", str(data), "-U", "me", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run(str(_INITDB), *options, "--auth=scram-sha-256", f"--pwfile={secret}")
        self._process = self._start(data)
        self.url = f"postgresql://me:{PASSWORD}@/postgres?host={self._folder}"

    def forget(self) -> None:
        """Drop all that was put into it."""
        with psycopg.connect(self.url) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, data: Path) -> subprocess.Popen[str]:
        settings = {
            "unix_socket_directories": self._folder,
            "listen_addresses": "",
            "fsync": "off",
            "max_connections": 30,
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        process = subprocess.Popen(
            [str(_POSTGRES), "-D", str(data), *words],
            stderr=subprocess.PIPE,
            text=True,
            **self._as_user(),
        )
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if _READY in line:
                return process
        raise AssertionError("".join(said))

    def _run(self, *words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True, check=False, **self._as_user())
        assert done.returncode == 0, done.stdout + done.stderr

    def _as_user(self) -> dict[str, object]:
        common = {"cwd": self._folder, "env": {"PATH": _WHERE, "LC_ALL": "C"}}
        if not self._user:
            return common
        return {**common, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom it is started as: root may not."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None
