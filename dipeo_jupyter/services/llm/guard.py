"""The HTTP session that litellm is given."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ...errors import ServiceError
from ..keys import Keys
from .failures import ANSWER_LIMIT, REFUSED_FOR_GOOD, kind_of_status, too_long
from .loading import load_litellm

if TYPE_CHECKING:
    import aiohttp

WIRE_LIMIT = 20 * ANSWER_LIMIT
"""Bytes that may travel for it: a streamed token of four letters comes in 200 bytes of JSON."""

_TAKES_CLIENT = frozenset(
    {"anthropic", "azure_ai", "databricks", "deepseek", "fireworks_ai", "gemini", "groq"}
    | {"hosted_vllm", "huggingface", "mistral", "ollama_chat", "openrouter", "together_ai", "xai"}
)
"""Providers whose requests litellm sends by a client that one may hand in; most others take a
session. A few take neither (azure, bedrock, cohere, vertex_ai): they go unguarded."""

FAILURES: ContextVar[list[Exception]] = ContextVar("failures")
"""What went wrong in this call so far."""

_ADVICE = {
    400: "Change the request.",
    401: "Check the key.",
    403: "Check what the key allows.",
    404: "Check the model's name.",
    429: "Too many requests, or the quota is used up.",
}

_REDIRECTS = range(300, 400)

_ENOUGH = 10_000  # bytes of a refusal


class Guard:
    """The HTTP session that litellm gets: it refuses for us, in our words, and never redirects."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._session: aiohttp.ClientSession | None = None

    def access(self, route: str) -> dict[str, Any]:
        """The arguments by which litellm comes to use this session."""
        import aiohttp  # noqa: PLC0415 - slow, as litellm is
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler  # noqa: PLC0415

        if self._session is None:
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(cookie_jar=jar, middlewares=[self._watch])
            self._client = AsyncHTTPHandler(shared_session=self._session)
        access: dict[str, Any] = {"shared_session": self._session}
        return access | {"client": self._client} if route in _TAKES_CLIENT else access

    async def close(self) -> None:
        if self._session is None:
            return
        await self._session.close()
        self._session = None
        # litellm keeps clients by the id of their loop, and the next loop may get the same one.
        kept, loop = load_litellm().in_memory_llm_clients_cache, asyncio.get_running_loop()
        for key in [key for key in kept.cache_dict if key.endswith(f"-{id(loop)}")]:
            closing = kept.cache_dict[key].close()
            kept.delete_cache(key)
            if closing is not None:
                await closing

    async def _watch(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if failures := FAILURES.get():  # for some providers litellm tries again all the same
            raise failures[0]
        try:
            return await self._send(request, handler)
        except Exception as error:
            failures.append(error)
            raise

    async def _send(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        request.headers["Accept-Encoding"] = "identity"  # what is counted is what it takes
        response = await handler(request)
        if response.status < _REDIRECTS.start:
            response.content = _Counted(response.content)  # type: ignore[assignment]
            return response
        body = await _beginning(response.content)
        response.close()
        raise self._refusal(response.url.host, response.status, response.headers, body)

    def refusal_in(self, error: Any) -> ServiceError:
        """Say what a provider said that was asked without this session."""
        response = error.response
        body = response.text if response.is_stream_consumed else ""
        return self._refusal(error.request.url.host, response.status_code, response.headers, body)

    def _refusal(
        self, host: str | None, status: int, headers: Mapping[str, str], body: str
    ) -> ServiceError:
        if status in _REDIRECTS:
            return ServiceError(
                f"{host} sends the request on to another address, and the key would go with it. "
                "Set the right address: DIPEO_<PROVIDER>_API_BASE."
            )
        said = " ".join(self._keys.redact(_message_in(body) or "no reason given").split())
        said = f"{host} refused ({status}): {said.rstrip('.'):.300}. {_ADVICE.get(status, '')}"
        return ServiceError(
            said.strip(),
            retryable=status not in REFUSED_FOR_GOOD,
            kind=kind_of_status(status),
            retry_after=_seconds(headers.get("Retry-After")),
        )


class _Counted:
    """A response's body that breaks off when it grows beyond all measure."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        async for piece in self._content.iter_chunked(size):
            if self._content.total_bytes > WIRE_LIMIT:
                raise too_long()
            yield piece


async def _beginning(content: aiohttp.StreamReader) -> str:
    body = b""
    while len(body) < _ENOUGH and (piece := await content.readany()):
        body += piece
    return body.decode(errors="replace")


def _message_in(body: str) -> str:
    """What a provider says in a refusal, wherever it puts it; nothing for a page of HTML."""
    try:
        found = json.loads(body)
    except ValueError:
        return "" if body.lstrip().startswith("<") else body
    for name in ("error", "message", "detail"):
        found = found[0] if isinstance(found, list) and found else found
        found = found.get(name, found) if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""


def _seconds(retry_after: str | None) -> float | None:
    """How long to wait, from a `Retry-After` header: a number of seconds, or a date."""
    text = retry_after or ""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
