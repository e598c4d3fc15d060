"""The HTTP sessions that litellm is given, one for each provider."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import ServiceError
from ..redaction import Redactor
from .call import CALL, Call
from .failures import (
    ANSWER_LIMIT,
    IMAGES_LIMIT,
    REFUSED_FOR_GOOD,
    kind_of_status,
    too_large,
    too_long,
)
from .loading import load_litellm

if TYPE_CHECKING:
    import aiohttp
    from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

WIRE_LIMIT = 20 * ANSWER_LIMIT
"""Bytes that may travel for it: a streamed token of four letters comes in 200 bytes of JSON."""

_TAKES_CLIENT = frozenset(
    {"anthropic", "azure_ai", "databricks", "deepseek", "fireworks_ai", "gemini", "groq"}
    | {"hosted_vllm", "huggingface", "mistral", "ollama_chat", "openrouter", "together_ai", "xai"}
)
"""Providers whose requests litellm sends by a client that one may hand in; most others take a
session. A few take neither (azure, bedrock, cohere, vertex_ai): they go unguarded."""

_ADVICE = {
    400: "Change the request.",
    401: "Check the key.",
    403: "Check what the key allows.",
    404: "Check the model's name.",
    429: "Too many requests, or the quota is used up.",
}

_REDIRECTS = range(300, 400)

_ENOUGH = 10_000  # bytes of a refusal
_PIECE = 65_536  # bytes of an image at once


class RefusalError(ServiceError):
    """A provider has answered, and not with what was asked for."""

    def __init__(self, message: str, status: int, **more: Any) -> None:
        super().__init__(message, **more)
        self.status = status


class Guard:
    """The sessions that litellm gets: they refuse for us, in our words, and never redirect.

    Each provider has one, and so a pool of connections of its own.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._access: dict[str, dict[str, Any]] = {}
        self._handlers: dict[str, AsyncHTTPHandler] = {}

    def access(self, route: str) -> Mapping[str, Any]:
        """The arguments by which litellm comes to use a session of ours."""
        if route not in self._access:
            self._access[route] = self._open(route)
        return self._access[route]

    def _open(self, route: str) -> dict[str, Any]:
        access: dict[str, Any] = {"shared_session": self._session(route)}
        if route in _TAKES_CLIENT:
            access["client"] = self._handler(route)
        return access

    def drawing_access(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same for images: there litellm takes no session, but a client of those like OpenAI.

        Others (azure, bedrock, recraft, vertex_ai) go unguarded.
        """
        from openai import AsyncOpenAI  # noqa: PLC0415 - slow, and litellm needs it anyway

        litellm = load_litellm()
        model, given = arguments["model"], arguments.get("api_base")
        _, route, _, base = litellm.get_llm_provider(model, api_base=given)
        alike = {"openai", *litellm.openai_compatible_providers} - {"azure_ai"}
        if route not in alike:
            return {}
        http_client: Any = self._handler(route).client  # litellm's and OpenAI's types differ
        key = arguments.get("api_key") or "none"  # a server at home wants none, but the client does
        client = AsyncOpenAI(api_key=key, base_url=base, http_client=http_client, max_retries=0)
        return {"client": client}

    def _handler(self, route: str) -> AsyncHTTPHandler:
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler  # noqa: PLC0415

        if route not in self._handlers:
            self._handlers[route] = AsyncHTTPHandler(shared_session=self._session(route))
        return self._handlers[route]

    def _session(self, route: str) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - slow, as litellm is

        if route not in self._sessions:
            self._sessions[route] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # `Turns` are the limit
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=[self._watch],
            )
        return self._sessions[route]

    async def fetch(self, url: str, headers: Mapping[str, str], seconds: float) -> str:
        """The beginning of what is at an address, without litellm.

        Raises `RefusalError`, `TimeoutError`, and what aiohttp raises.
        """
        call = Call(seconds, seconds)
        CALL.set(call)
        async with call.patience(), self._session("").get(url, headers=headers) as response:
            return await _beginning(response.content)

    async def image_at(self, url: str, base: str | None) -> bytes:
        """What is at the address that a provider gives for an image; raises what `fetch` does.

        It must be one of https, or of the provider itself where that is somewhere else.
        """
        place, own = urlsplit(url), urlsplit(base or "")
        if not (place.scheme == "https" or (base and place[:2] == own[:2])):
            raise ServiceError(f"The image is at an address that is not asked: {url:.100}")
        image = bytearray()
        async with self._session("").get(url) as response:
            async for piece in response.content.iter_chunked(_PIECE):
                image += piece
                if len(image) > IMAGES_LIMIT:
                    raise too_large()
        return bytes(image)

    async def close(self) -> None:
        sessions, self._sessions, self._access, self._handlers = self._sessions, {}, {}, {}
        for session in sessions.values():
            await session.close()

    async def _watch(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        call = CALL.get()
        if call.failures:  # for some providers litellm tries again all the same
            raise call.failures[0]
        try:
            return await self._send(request, handler, call)
        except Exception as error:
            call.failures.append(error)
            raise

    async def _send(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType, call: Call
    ) -> aiohttp.ClientResponse:
        request.headers["Accept-Encoding"] = "identity"  # what is counted is what it takes
        response = await handler(request)
        if response.status < _REDIRECTS.start:
            response.content = _Watched(response.content, call)  # type: ignore[assignment]
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
            return RefusalError(
                f"{host} sends the request on to another address, and the key would go with it. "
                "Set the right address: DIPEO_<PROVIDER>_API_BASE.",
                status,
            )
        said = " ".join(self._redactor.redact(_message_in(body) or "no reason given").split())
        said = f"{host} refused ({status}): {said.rstrip('.'):.300}. {_ADVICE.get(status, '')}"
        return RefusalError(
            said.strip(),
            status,
            retryable=status not in REFUSED_FOR_GOOD,
            kind=kind_of_status(status),
            retry_after=_seconds(headers.get("Retry-After")),
        )


class _Watched:
    """A response's body that tells when something came, and breaks off when it grows too long."""

    def __init__(self, content: aiohttp.StreamReader, call: Call) -> None:
        self._content = content
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        async for piece in self._content.iter_chunked(size):
            self._call.received(piece)
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
