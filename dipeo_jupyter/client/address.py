"""Where a server is, and how to come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CommandError


@dataclass(frozen=True, slots=True)
class Server:
    """`headers` are asked for at every try.

    With `certificates` (a file) its own certificate is trusted. Who does not reach it for
    `patience` seconds gives up. Its runs work below the folder `root`, as far as that is known.
    """

    url: str
    headers: Callable[[], Mapping[str, str]] = dict
    certificates: str | None = None
    patience: float = 30.0
    root: str | None = None


def with_token(url: str, token: str | None = None, **options: Any) -> Server:
    """The server at the address that Jupyter prints (`http://localhost:8888/lab?token=…` too).

    >>> with_token("http://localhost:8888/lab?token=abc").url
    'ws://localhost:8888/dipeo/ws'
    """
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415 - nobody else needs it

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.netloc:
        message = f"{url.partition('?')[0]!r} is no address of a Jupyter server."
        hint = "Write it as Jupyter prints it: http://localhost:8888/?token=…"
        raise CommandError(message, code="bad_address", hint=hint)
    secret = token or next(iter(parse_qs(parts.query).get("token", [])), None)
    scheme = "wss" if parts.scheme in ("https", "wss") else "ws"
    path = parts.path.removesuffix("/dipeo/ws").rstrip("/")
    for page in ("/lab", "/tree", "/notebooks"):
        path = path.removesuffix(page)
    headers = {"Authorization": f"token {secret}"} if secret else {}
    return Server(f"{scheme}://{parts.netloc}{path}/dipeo/ws", lambda: headers, **options)
