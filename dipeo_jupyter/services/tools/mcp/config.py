"""Which MCP servers there are, and how each is reached: the file `.mcp.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....diagram.suggest import did_you_mean
from ....errors import ServiceError
from ...redaction import SHORTEST

FILE = ".mcp.json"
TIMEOUT_MS = 60_000

_HOW = f'Write `{{"mcpServers": {{"NAME": {{"command": "…"}}}}}}` into {FILE}.'
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|(^|_)(PAT|AUTH)(_|$)", re.IGNORECASE)
_HTTP = ("http", "streamable-http", "streamablehttp", "streamable_http")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that the file names. `timeout` is in seconds, for the start and for each use.

    `secrets` are what it is given that nobody else may see.
    """

    name: str
    timeout: float
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Server):
    """A program that is started, and spoken with by its stdin and stdout."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Server):
    """A server that runs already, and speaks HTTP."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def place(self) -> str:
        """The address as it may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Entry(BaseModel):
    """What the file says of one server. Other programs read it, too, and have fields of their own.

    `timeout` is in milliseconds.
    """

    model_config = ConfigDict(extra="ignore")

    type: str | None = None
    command: str | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str = "."
    url: str | None = None
    headers: dict[str, str] = {}
    timeout: int = Field(TIMEOUT_MS, ge=1)


class McpConfig:
    """The servers of the `.mcp.json` in a folder; variables are those of `environ`.

    The file is read at every question, so that a change counts from the next one on.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = environ

    def server(self, name: str) -> Server:
        """The server of this name; raises `ServiceError` when there is none, or it is not clear."""
        written = self._named(name)
        where = f"{FILE}: the server {name!r}"
        try:
            entry = _Entry.model_validate(self._filled(written, where))
        except ValidationError as error:
            fault = error.errors(include_input=False)[0]
            place = ".".join(map(str, fault["loc"]))
            raise ServiceError(f"{where}: `{place}`: {fault['msg']}") from None
        return self._read(name, entry, where)

    def written(self, name: str) -> str:
        """What the file says of this server, as JSON, its variables not filled in.

        Raises `ServiceError` when it says nothing.
        """
        return json.dumps(self._named(name), sort_keys=True)

    def _named(self, name: str) -> Any:
        servers = self._servers()
        if name not in servers:
            hint = did_you_mean(name, servers) or _HOW
            raise ServiceError(f"There is no MCP server {name!r} in {FILE}. {hint}")
        return servers[name]

    def _read(self, name: str, entry: _Entry, where: str) -> Server:
        seconds = entry.timeout / 1000
        kind = (entry.type or ("http" if entry.url else "stdio")).lower()
        if kind == "stdio" and entry.command:
            return Command(
                name=name,
                timeout=seconds,
                secrets=_long(value for key, value in entry.env.items() if _SECRET.search(key)),
                command=entry.command,
                args=entry.args,
                env=entry.env,
                folder=(self._root / entry.cwd).absolute(),
            )
        if kind in _HTTP and entry.url:
            if urlsplit(entry.url).scheme not in ("http", "https"):
                raise ServiceError(f"{where}: `url` begins with http:// or https://.")
            words = (word for value in entry.headers.values() for word in value.split())
            return Address(
                name=name,
                timeout=seconds,
                secrets=_long([*words, *_in_address(entry.url)]),
                url=entry.url,
                headers=entry.headers,
            )
        if kind == "stdio" or kind in _HTTP:
            missing = "command" if kind == "stdio" else "url"
            raise ServiceError(f"{where} needs `{missing}`.")
        raise ServiceError(
            f"{where} has the type {kind!r}; it must be `stdio` or `http` (streamable HTTP)."
        )

    def _servers(self) -> Mapping[str, Any]:
        try:
            content = json.loads((self._root / FILE).read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise ServiceError(f"There is no {FILE} in {self._root}. {_HOW}") from None
        except json.JSONDecodeError as error:
            raise ServiceError(
                f"{FILE}, line {error.lineno}, is no JSON: {error.msg} (column {error.colno})."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"{FILE} cannot be read: {error}") from None
        servers = content.get("mcpServers") if isinstance(content, dict) else None
        if not isinstance(servers, dict):
            raise ServiceError(f"{FILE} has no object `mcpServers`. {_HOW}")
        return servers

    def _filled(self, value: Any, where: str) -> Any:
        """The value with `${NAME}` and `${NAME:-default}` replaced in all of its texts."""

        def variable(found: re.Match[str]) -> str:
            name, default = found.groups()
            known = self._environ.get(name) or default
            if known is None:
                raise ServiceError(
                    f"{where} needs the variable {name}, which is not set. Set it, or write "
                    f"`${{{name}:-…}}` to say what to take without it."
                )
            return known

        match value:
            case str():
                return _VARIABLE.sub(variable, value)
            case list():
                return [self._filled(each, where) for each in value]
            case dict():
                return {key: self._filled(each, where) for key, each in value.items()}
            case _:
                return value


def _in_address(url: str) -> list[str]:
    parts = urlsplit(url)
    return [value for _, value in parse_qsl(parts.query)] + [parts.password or ""]


def _long(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({each for each in values if len(each) >= SHORTEST}, key=len, reverse=True))
