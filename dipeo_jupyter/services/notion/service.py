"""`NotionService`: opens a client for each call, and does one operation with it."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from ...diagram.suggest import with_nearest
from ...engine.ports import Steps, Write
from ...errors import ServiceError
from .operations import OPERATIONS
from .session import Session

T = TypeVar("T")

API_VERSION = "2025-09-03"
"""Named, because the default of the client changes with its releases, and the paths with it."""
TIMEOUT_MS = 60_000

_HOW_TO_SIGN_IN = (
    "Notion needs a token: set NOTION_TOKEN (or NOTION_API_KEY). Make an integration at "
    "notion.so/profile/integrations, copy its secret, and share the page with it "
    "(••• → Connections)."
)


class NotionService:
    """Fulfils the port `Notion`.

    `token` is asked at each call, so that a new one takes effect at once. Operations: `read_page`,
    `list_blocks`, `append_blocks`, `update_block`, `query_database`, `create_page` and
    `extract_text`. Lists are read page by page, up to the argument `limit` (1000). What is written
    may be longer than Notion takes at once: it is cut into as many requests as it takes.
    """

    def __init__(self, token: Callable[[], str | None], base_url: str | None = None) -> None:
        self._token = token
        self._base_url = base_url
        self._tls: ssl.SSLContext | None = None

    def look(self) -> object:
        """Raise `ServiceError` when there is no token."""
        return self._signature()

    async def call(
        self, operation: str, arguments: Mapping[str, Any], steps: Steps | None = None
    ) -> Any:
        """Do one operation and return Notion's JSON (`extract_text`: text).

        Raises `ServiceError`; `retryable` when Notion surely did nothing, or nothing can happen
        twice.
        """
        work = OPERATIONS.get(operation)
        if work is None:
            message = f"Notion has no operation {operation!r}."
            raise ServiceError(with_nearest(message, operation, OPERATIONS))
        # In a thread, because the first time takes a while.
        client, token = await asyncio.to_thread(self._open)
        async with aclosing(client):
            return await work(Session(client, steps or _Once(), token), arguments)

    def _open(self) -> tuple[Any, str]:
        # Both are slow to import, and many runs need no Notion.
        import httpx  # noqa: PLC0415
        import notion_client.client as notion  # noqa: PLC0415

        token = self._signature()
        options: dict[str, Any] = {
            "auth": token,
            "timeout_ms": TIMEOUT_MS,
            "notion_version": API_VERSION,
            # Errors are told by us, once; a logger of its own so that nobody else's is changed.
            "logger": logging.getLogger(f"{__name__}.client"),
            "log_level": logging.CRITICAL,
        }
        if self._base_url:
            options["base_url"] = self._base_url.rstrip("/")
        if hasattr(notion, "RetryOptions"):  # since 3.0
            options["retry"] = False  # the node's own `retry` decides
        # Certificates take long to read; a connection lasts no longer than the call.
        self._tls = self._tls or httpx.create_ssl_context()
        return notion.AsyncClient(client=httpx.AsyncClient(verify=self._tls), **options), token

    def _signature(self) -> str:
        token = (self._token() or "").strip()
        if not token:
            raise ServiceError(_HOW_TO_SIGN_IN)
        if not re.fullmatch("[!-~]+", token):
            # The error of the HTTP library would show it.
            raise ServiceError("NOTION_TOKEN is no token: it holds spaces or odd characters.")
        return token


class _Once:
    """Fulfils `Steps` where nobody tries anything again and nothing is kept."""

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        return await work()

    async def once(self, write: Write) -> Any:
        return await write.work("")
