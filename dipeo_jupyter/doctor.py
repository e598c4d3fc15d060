"""Whether everything is there that is needed, and what to do about what is not.

Nothing is changed, nobody is asked by the network, and no key is shown.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Literal, TypeAlias

from packaging.requirements import Requirement

from .app import build_key_desk
from .client.tables import as_columns
from .errors import NodeError, ServiceError
from .services.cassettes import Cassette
from .services.journal.storage import far_file_system
from .services.sandbox.walls import Walls
from .settings import Settings

Verdict = Literal["ok", "note", "broken"]
COLUMNS = ("check", "verdict", "found")
NAME = "dipeo_jupyter"
OLDEST = (3, 11)
_SHOWN = ("ipykernel", "ipython", "ipywidgets", "jupyter-server", "litellm")
"""Of these the versions are shown; of the others, only what is wrong with them."""
_OURS = ("dev", "test")
_MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and `mend`: what to do, where something can be done.

    What is `broken` keeps diagrams from running; a `note` is good to know.
    """

    check: str
    verdict: Verdict
    found: str
    mend: str = ""


class Examination(tuple[Finding, ...]):
    """All that was found."""

    __slots__ = ()

    @property
    def broken(self) -> bool:
        """Whether something is."""
        return any(each.verdict == "broken" for each in self)

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each finding."""
        return [asdict(each) for each in self]

    def advice(self) -> list[str]:
        """What to do, the most important first."""
        told = sorted((each for each in self if each.mend), key=lambda each: each.verdict)
        return [f"{each.check}: {each.mend}" for each in told]

    def __repr__(self) -> str:
        lines = [as_columns(COLUMNS, self.to_records()), *self.advice()]
        return "\n".join(lines)


Findings: TypeAlias = Iterator[Finding]


def examine(mode: str, environ: Mapping[str, str] | None = None) -> Examination:
    """Look at everything; `mode` says where diagrams run, and why.

    The settings are those of `environ`, by default of this process.
    """
    found = [*_versions(requires(NAME) or ()), *_extras(requires(NAME) or ()), *_extension()]
    found.append(Finding("mode", "ok", mode))
    try:
        settings = Settings.from_environment(environ)
    except ValueError as error:
        found.append(Finding("settings", "broken", str(error), "Correct it, or remove it."))
        return Examination(found)
    checks: Iterable[Callable[[Settings], Findings]]
    checks = (_journal, _keys, _sandbox, _cassette, _response_cache, _collections, _tracing)
    return Examination([*found, *(finding for check in checks for finding in check(settings))])


def _versions(required: Sequence[str]) -> Findings:
    yield Finding(NAME, "ok", _version(NAME) or "not installed")
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        yield Finding("python", "broken", here, f"Use Python {needed} or newer.")
    else:
        yield Finding("python", "ok", here)
    for each in map(Requirement, required):
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            yield from _package(each)


def _package(wanted: Requirement) -> Findings:
    there = _version(wanted.name)
    plain = f"{wanted.name}{wanted.specifier}"
    if there is None:
        yield Finding(wanted.name, "broken", "missing", f"pip install '{plain}'")
    elif not wanted.specifier.contains(there, prereleases=True):
        said = f"{there} is not supported ({wanted.specifier})"
        yield Finding(wanted.name, "broken", said, f"pip install --upgrade '{plain}'")
    elif wanted.name in _SHOWN:
        yield Finding(wanted.name, "ok", there)


def _extras(required: Sequence[str]) -> Findings:
    """What can be installed for more; nobody needs all of it."""
    wanted: dict[str, list[Requirement]] = {}
    for each in map(Requirement, required):
        if each.marker is None or each.marker.evaluate({"extra": ""}):
            continue
        extra = str(each.marker).rpartition("extra == ")[2].strip("'\" ")
        if extra not in _OURS:
            wanted.setdefault(extra, []).append(each)
    for extra, requirements in sorted(wanted.items()):
        lacking = [each.name for each in requirements if not _fits(each)]
        if lacking:
            mend = f"If you want it: pip install '{NAME}[{extra}]'"
            yield Finding(f"extra {extra}", "note", f"without {', '.join(lacking)}", mend)
        else:
            there = ", ".join(f"{each.name} {_version(each.name)}" for each in requirements)
            yield Finding(f"extra {extra}", "ok", there)


def _fits(wanted: Requirement) -> bool:
    there = _version(wanted.name)
    return there is not None and wanted.specifier.contains(there, prereleases=True)


def _extension() -> Findings:
    from jupyter_core.paths import jupyter_config_path  # noqa: PLC0415 - only who asks pays for it
    from jupyter_server.extension.config import (  # noqa: PLC0415 - as above
        ExtensionConfigManager,
    )

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    if manager.get_jpserver_extensions().get(NAME):
        yield Finding("server extension", "ok", "enabled")
    else:
        mend = f"To run diagrams in the Jupyter server: jupyter server extension enable {NAME}"
        yield Finding("server extension", "note", "not enabled", mend)


def _journal(settings: Settings) -> Findings:
    home = settings.home
    assert home is not None
    there = next((each for each in (home, *home.absolute().parents) if each.exists()), home)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = (
            "Make it writable, or set DIPEO_HOME to another folder. Until then runs are not kept."
        )
        yield Finding("runs", "broken", f"{home} cannot be written", mend)
    elif (far := far_file_system(home, _MOUNTS)) is not None:
        mend = "Set DIPEO_HOME to a folder on a local disk: recording runs is slow there."
        yield Finding("runs", "note", f"{home} lies on {far}", mend)
    else:
        yield Finding("runs", "ok", f"are kept in {home}")


def _keys(settings: Settings) -> Findings:
    desk = build_key_desk(settings)
    for trouble in desk.troubles():
        yield Finding("keys", "note", trouble)
    names = list(dict.fromkeys(str(each["name"]) for each in desk.rows()))
    if names:
        yield Finding("keys", "ok", ", ".join(names))
    else:
        mend = "Real models need one: `dipeo keys set openai`, for instance. The demo needs none."
        yield Finding("keys", "note", "none", mend)


def _sandbox(settings: Settings) -> Findings:
    if os.name != "posix":
        mend = "`job` nodes run on Linux and macOS only, for now."
        yield Finding("sandbox", "note", "none", mend)
        return
    walls = Walls(settings.sandbox, more=settings.sandbox_read, pyodide=settings.pyodide)
    try:
        with ThreadPoolExecutor(1) as pool:  # a notebook's own loop is running already
            name = pool.submit(asyncio.run, walls.find()).result().name
    except NodeError as error:
        yield Finding("sandbox", "note", "none that holds", str(error))
        return
    if name == "deno":
        python = ", python by Pyodide" if settings.pyodide else ""
        steps = [] if python else ["For Python, set DIPEO_PYODIDE to a folder with Pyodide."]
        steps += [f"For a stronger sandbox: {each}: {why}." for each, why in walls.reasons.items()]
        yield Finding("sandbox", "note", f"{_WALLS[name]}; javascript{python}", " ".join(steps))
        return
    languages = {"python": sys.executable, "javascript": "node", "bash": "bash"}
    there = [each for each, program in languages.items() if program and shutil.which(program)]
    steps = [f"{_INSTALL[each]} to run jobs in {each}." for each in languages if each not in there]
    steps += [f"For a stronger sandbox: {each}: {why}." for each, why in walls.reasons.items()]
    said = f"{_WALLS[name]}; {', '.join(there)}"
    yield Finding("sandbox", "note" if steps or name == "none" else "ok", said, " ".join(steps))


_WALLS = {
    "bubblewrap": "bubblewrap",
    "landlock": "Landlock, without a network",
    "deno": "Deno, without a network",
    "none": "off: jobs have all rights of this user",
}
_INSTALL = {"javascript": "Install Node.js", "bash": "Install Bash", "python": "Start Python anew"}


def _cassette(settings: Settings) -> Findings:
    if settings.cassette is None or not settings.taped:
        yield Finding("cassette", "ok", "none: models are asked")
        return
    name, mode = str(settings.cassette), settings.cassette_mode
    try:
        answers = len(Cassette(settings.cassette))
    except ServiceError as error:
        yield Finding("cassette", "broken", str(error), "Correct DIPEO_CASSETTE, or remove it.")
        return
    if mode == "replay" and not answers:
        mend = "Record it first, with DIPEO_CASSETTE_MODE=auto."
        yield Finding("cassette", "broken", f"nothing to replay in {name}", mend)
    else:
        yield Finding("cassette", "ok", f"{mode}, {answers} answers in {name}")


def _response_cache(settings: Settings) -> Findings:
    if not settings.response_cache:
        yield Finding("response cache", "ok", "off")
    elif settings.redis_url is None:
        yield Finding("response cache", "ok", "on, in the folder of the runs")
    elif _version("redis") is None:
        mend = f"pip install '{NAME}[redis]', or remove DIPEO_REDIS_URL"
        yield Finding("response cache", "broken", "in Redis, which is not installed", mend)
    else:
        yield Finding("response cache", "ok", "on, in Redis")


def _collections(settings: Settings) -> Findings:
    usual = (
        "where DIPEO_DATABASE_URL says" if "" in settings.databases else "in a file of each root"
    )
    named = [each for each in settings.databases if each]
    found = ", ".join([f"collections are {usual}", *(f"and in {each!r}" for each in named)])
    if _version("sqlalchemy") is None and settings.databases:
        yield Finding("databases", "broken", "SQLAlchemy is missing", f"pip install '{NAME}[sql]'")
    else:
        yield Finding("databases", "ok", found)


def _tracing(settings: Settings) -> Findings:
    if not settings.traces:
        yield Finding("traces", "ok", "go nowhere: OTEL_EXPORTER_OTLP_ENDPOINT is not set")
    elif _version("opentelemetry-exporter-otlp-proto-http") is None:
        mend = f"pip install '{NAME}[otel]'"
        yield Finding("traces", "broken", "asked for, but OpenTelemetry is not installed", mend)
    else:
        content = "with" if settings.traced_content else "without"
        yield Finding("traces", "ok", f"by OTLP, {content} what is said")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
