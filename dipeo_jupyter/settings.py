"""What can be set from outside. Nobody else reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

CassetteMode = Literal["auto", "record", "replay", "off"]
CASSETTE_MODES: tuple[CassetteMode, ...] = get_args(CassetteMode)
SandboxMode = Literal["auto", "bubblewrap", "landlock", "deno", "off"]
SANDBOX_MODES: tuple[SandboxMode, ...] = get_args(SandboxMode)
TrustMode = Literal["ask", "all"]
TRUST_MODES: tuple[TrustMode, ...] = get_args(TrustMode)

TRACED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_CAPTURED = ("true", "span_only", "span_and_event")


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """How much models are asked: calls `at_once` and `per_minute`, by the provider's name.

    Without a number for it, a provider is asked `usually_at_once`, and as often as there is need.
    An answer that has begun and is silent for `silence` seconds is given up.
    """

    at_once: Mapping[str, int] = field(default_factory=dict)
    per_minute: Mapping[str, int] = field(default_factory=dict)
    usually_at_once: int = 100
    silence: float = 60.0


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """How long the response cache keeps an answer, and how much room all may take."""

    seconds: int = 7 * 24 * 3600
    megabytes: int = 250


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a run may read and write, how much may go on at once, and where keys come from.

    `root` is the folder that `db`, `endpoint` and `job` files live in; `environ` is asked for keys
    at every call, so that a new key takes effect at once. `api_bases` says where a provider is
    reached (by provider name); it never comes from a diagram. `home` is the folder in which runs
    are kept; without it they are forgotten when the process ends. Of finished runs, the last
    `keep_last` are kept. A notebook's diagrams run where `connect` says: `embedded`, `auto` or the
    address of a server. What models answer is on the `cassette`, if there is one. With a
    `response_cache` it is kept for whoever asks the same: in the Redis at `redis_url`, else in
    `home`.
    """

    root: Path
    max_concurrency: int = 20
    max_rounds: int = 100
    home: Path | None = None
    keep_last: int = 200
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_bases: Mapping[str, str] = field(default_factory=dict)
    models: ModelLimits = field(default_factory=ModelLimits)
    cassette: Path | None = None
    cassette_mode: CassetteMode = "auto"
    connect: str = "embedded"
    response_cache: bool = False
    responses: ResponseLimits = field(default_factory=ResponseLimits)
    redis_url: str | None = field(default=None, repr=False)
    """May have a password in it."""
    metrics: bool = False
    """Whether what happens in runs is counted, for Prometheus."""
    traces: bool = False
    """Whether spans of runs go to where OpenTelemetry's own variables say."""
    sandbox: SandboxMode = "auto"
    """What stands around jobs: the strongest that holds, one kind alone, or `off` for nothing."""
    sandbox_read: tuple[Path, ...] = ()
    """Files and folders that jobs may read besides the system's programs and Python's packages."""
    sandbox_private_network: bool = False
    """Whether jobs with a network, and requests, also reach this machine and those around it."""
    pyodide: Path | None = None
    """Where Pyodide lies, the Python of jobs where only Deno holds."""
    sandbox_memory: int = 2048
    """How much memory one job may use, in MB."""
    databases: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The URLs of the databases that a diagram may name; they may have passwords in them."""
    trust: TrustMode = "ask"
    """Whether people are asked before a diagram from elsewhere does what it asks for."""
    trust_file: Path | None = None
    """What they have trusted for good; not in the root, or a diagram could bring it along."""
    traced_content: bool = False
    """Whether spans have in them what is said to models and tools, and what they say."""

    @property
    def taped(self) -> bool:
        """Whether models are asked through a cassette.

        It then takes the place of the answers that are known from earlier runs: what is not asked
        could not be recorded, and what is replayed shall be what is on the cassette.
        """
        return self.cassette is not None and self.cassette_mode != "off"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the `DIPEO_…` variables; raises `ValueError` for one that cannot be.

        `DIPEO_CONNECT` (`auto`, which is the default, `embedded` or an address);
        `DIPEO_ROOT`, `DIPEO_HOME` (default: `.dipeo` in the root), `DIPEO_KEEP_LAST`,
        `DIPEO_MAX_CONCURRENCY`, `DIPEO_MAX_ROUNDS`, `DIPEO_IDLE_TIMEOUT` (seconds);
        `DIPEO_<PROVIDER>_API_BASE` for each provider that is reached elsewhere;
        `DIPEO_<PROVIDER>_MAX_CONCURRENCY` and `DIPEO_<PROVIDER>_RPM` (requests per minute) for
        each that must not be asked too much; `DIPEO_DATABASE_URL` and `DIPEO_<NAME>_DATABASE_URL`
        for the databases of collections; `DIPEO_CASSETTE` and `DIPEO_CASSETTE_MODE`;
        `DIPEO_RESPONSE_CACHE` (`on` or `sqlite`; `off`), `DIPEO_RESPONSE_CACHE_TTL` (seconds),
        `DIPEO_RESPONSE_CACHE_SIZE` (MB), `DIPEO_REDIS_URL`; `DIPEO_METRICS` (`on` or `off`);
        `DIPEO_SANDBOX` (`auto`, `bubblewrap`, `landlock`, `deno` or `off`), `DIPEO_SANDBOX_READ`
        (paths, separated as in `PATH`), `DIPEO_SANDBOX_MEMORY` (MB),
        `DIPEO_SANDBOX_PRIVATE_NETWORK` (`on` or `off`) and `DIPEO_PYODIDE` (a whole path);
        `DIPEO_TRUST` (`ask`, or `all` where every diagram is trusted), beside what is in
        `dipeo/trusted.json` in the user's folder for configuration (`XDG_CONFIG_HOME`, `APPDATA`,
        else `~/.config`). Of OpenTelemetry's own, `OTEL_EXPORTER_OTLP_ENDPOINT` and
        `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, and what switches tracing off.
        """
        environ = os.environ if environ is None else environ
        models = ModelLimits(
            at_once=_counts(environ, "MAX_CONCURRENCY"),
            per_minute=_counts(environ, "RPM"),
            silence=float(_count(environ, "DIPEO_IDLE_TIMEOUT", 60)),
        )
        usual = ResponseLimits()
        root = Path(environ.get("DIPEO_ROOT") or Path.cwd())
        return cls(
            root=root,
            home=Path(environ.get("DIPEO_HOME") or root / ".dipeo"),
            keep_last=_count(environ, "DIPEO_KEEP_LAST", 200),
            connect=environ.get("DIPEO_CONNECT") or "auto",
            max_concurrency=_count(environ, "DIPEO_MAX_CONCURRENCY", 20),
            max_rounds=_count(environ, "DIPEO_MAX_ROUNDS", 100),
            environ=environ,
            api_bases=api_bases_in(environ),
            models=models,
            cassette=Path(cassette) if (cassette := environ.get("DIPEO_CASSETTE")) else None,
            cassette_mode=_cassette_mode(environ.get("DIPEO_CASSETTE_MODE") or "auto"),
            response_cache=_switch(environ, "DIPEO_RESPONSE_CACHE"),
            responses=ResponseLimits(
                seconds=_count(environ, "DIPEO_RESPONSE_CACHE_TTL", usual.seconds),
                megabytes=_count(environ, "DIPEO_RESPONSE_CACHE_SIZE", usual.megabytes),
            ),
            redis_url=environ.get("DIPEO_REDIS_URL") or None,
            metrics=_switch(environ, "DIPEO_METRICS"),
            sandbox=_sandbox_mode(environ.get("DIPEO_SANDBOX") or "auto"),
            sandbox_read=_paths(environ.get("DIPEO_SANDBOX_READ") or ""),
            sandbox_private_network=_switch(environ, "DIPEO_SANDBOX_PRIVATE_NETWORK"),
            pyodide=next(iter(_paths(environ.get("DIPEO_PYODIDE") or "", "DIPEO_PYODIDE")), None),
            sandbox_memory=_count(environ, "DIPEO_SANDBOX_MEMORY", 2048),
            databases=_databases(environ),
            trust=_trust_mode(environ.get("DIPEO_TRUST") or "ask"),
            trust_file=_config_folder(environ) / "dipeo" / "trusted.json",
            traces=_traces(environ),
            traced_content=environ.get(CAPTURE, "").lower() in _CAPTURED,
        )


def _traces(environ: Mapping[str, str]) -> bool:
    wanted = any(environ.get(name) for name in TRACED)
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return wanted and not disabled and environ.get("OTEL_TRACES_EXPORTER", "otlp") != "none"


def _cassette_mode(text: str) -> CassetteMode:
    for mode in CASSETTE_MODES:
        if mode == text:
            return mode
    known = ", ".join(CASSETTE_MODES)
    raise ValueError(f"DIPEO_CASSETTE_MODE is {text!r}; it must be one of {known}")


def _sandbox_mode(text: str) -> SandboxMode:
    for mode in SANDBOX_MODES:
        if mode == text:
            return mode
    known = ", ".join(SANDBOX_MODES)
    raise ValueError(f"DIPEO_SANDBOX is {text!r}; it must be one of {known}")


def _trust_mode(text: str) -> TrustMode:
    for mode in TRUST_MODES:
        if mode == text:
            return mode
    raise ValueError(f"DIPEO_TRUST is {text!r}; it must be one of ask, all")


def _config_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's programs keep what they are told: never below a folder with diagrams."""
    known = environ.get("XDG_CONFIG_HOME") or environ.get("APPDATA")
    return Path(known) if known else Path("~/.config").expanduser()


def _paths(text: str, variable: str = "DIPEO_SANDBOX_READ") -> tuple[Path, ...]:
    paths = tuple(Path(each) for each in text.split(os.pathsep) if each)
    for path in paths:
        if not path.is_absolute():
            raise ValueError(f"{variable} has {str(path)!r}; write whole paths")
    return paths


def _switch(environ: Mapping[str, str], name: str) -> bool:
    match (environ.get(name) or "off").lower():
        case "off":
            return False
        case "on" | "sqlite":
            return True
        case text:
            raise ValueError(f"{name} is {text!r}; it must be one of on, sqlite, off")


def api_bases_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Where providers are reached, as far as it is not where they usually are."""
    return _by_provider(environ, "API_BASE")


def _databases(environ: Mapping[str, str]) -> dict[str, str]:
    """By the name that diagrams use; the usual one has none."""
    usual = environ.get("DIPEO_DATABASE_URL")
    return {**({"": usual} if usual else {}), **_by_provider(environ, "DATABASE_URL")}


def _by_provider(environ: Mapping[str, str], what: str) -> dict[str, str]:
    """The values of `DIPEO_<PROVIDER>_<what>`, by the provider's name."""
    named = ((re.fullmatch(rf"DIPEO_(\w+)_{what}", name), value) for name, value in environ.items())
    return {match[1].lower(): value for match, value in named if match and value}


def _counts(environ: Mapping[str, str], what: str) -> dict[str, int]:
    return {
        provider: _whole(f"DIPEO_{provider.upper()}_{what}", text)
        for provider, text in _by_provider(environ, what).items()
    }


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    return _whole(name, environ.get(name) or str(default))


def _whole(name: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}; it must be a whole number, 1 or more")
    return int(text)
