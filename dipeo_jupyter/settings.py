"""What can be set from outside. Nobody else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a run may read and write, how much may go on at once, and where keys come from.

    `root` is the folder that `db`, `endpoint` and `job` files live in; `environ` is asked for keys
    at every call, so that a new key takes effect at once. `api_bases` says where a provider is
    reached (by provider name); it never comes from a diagram. `home` is the folder in which runs
    are kept; without it they are forgotten when the process ends. Of finished runs, the last
    `keep_last` are kept.
    """

    root: Path
    max_concurrency: int = 20
    max_rounds: int = 100
    home: Path | None = None
    keep_last: int = 200
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_bases: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the `DIPEO_…` variables; raises `ValueError` for one that cannot be.

        `DIPEO_ROOT`, `DIPEO_HOME` (default: `.dipeo` in the root), `DIPEO_KEEP_LAST`,
        `DIPEO_MAX_CONCURRENCY`, `DIPEO_MAX_ROUNDS`, and `DIPEO_<PROVIDER>_API_BASE`
        for each provider that is reached elsewhere.
        """
        environ = os.environ if environ is None else environ
        prefix, suffix = "DIPEO_", "_API_BASE"
        bases = {
            name.removeprefix(prefix).removesuffix(suffix).lower(): value
            for name, value in environ.items()
            if name.startswith(prefix) and name.endswith(suffix)
        }
        root = Path(environ.get("DIPEO_ROOT") or Path.cwd())
        return cls(
            root=root,
            home=Path(environ.get("DIPEO_HOME") or root / ".dipeo"),
            keep_last=_count(environ, "DIPEO_KEEP_LAST", 200),
            max_concurrency=_count(environ, "DIPEO_MAX_CONCURRENCY", 20),
            max_rounds=_count(environ, "DIPEO_MAX_ROUNDS", 100),
            environ=environ,
            api_bases=bases,
        )


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}; it must be a whole number, 1 or more")
    return int(text)
