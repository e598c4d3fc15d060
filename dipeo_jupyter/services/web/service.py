"""Sends a request and follows where it leads, with its key only as far as the key may go."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ...engine.ports.web import Credential, WebAnswer, WebRequest
from ...errors import ServiceError
from ..addresses import look_up
from .answers import PACKED, TooLargeError, UnreadableError, content_of, headers_of, text_of
from .failures import lost, not_reached, status_failure, unfit

if TYPE_CHECKING:
    import httpcore
    import httpx

    from .connecting import Door, LookUp
    from .steps import Step

KeyFor = Callable[[str, str], str]
"""The key of this name, for a host; raises `ServiceError`."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_HEADERS = frozenset({"set-cookie", "authorization", "proxy-authenticate"})
_SUCCESS = range(200, 300)


class _Raw(NamedTuple):
    """What one request brings."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class _Journey(NamedTuple):
    """What all steps of a request have in common."""

    door: Door
    tls: ssl.SSLContext


class WebService:
    """Fulfils the port `Web`.

    With `private`, it also speaks with this machine and those around it. Proxies that variables of
    the environment name are not used: they would look up names themselves. `redact` takes keys out
    of what comes back.
    """

    def __init__(
        self,
        key_for: KeyFor,
        redact: Callable[[str], str] = str,
        *,
        private: bool = False,
        look_up: LookUp = look_up,
    ) -> None:
        self._key_for = key_for
        self._redact = redact
        self._private = private
        self._look_up = look_up
        self._beyond: httpcore.AsyncNetworkBackend | None = None
        self._tls: ssl.SSLContext | None = None

    def find_key(self, api_key_id: str, host: str) -> object:
        """Raise `ServiceError` when there is no such key, or when it does not go to this host."""
        return self._key_for(api_key_id, host)

    async def send(self, request: WebRequest) -> WebAnswer:
        """Send it once, and follow its redirects. Raises `ServiceError`."""
        journey = await asyncio.to_thread(self._begin)
        try:
            async with asyncio.timeout(request.timeout):
                return await self._follow(request, journey)
        except TimeoutError:
            host = request.url.partition("://")[2].partition("/")[0]
            message = f"{host} gave no whole answer within {request.timeout:g} s."
            if journey.door.passed:
                raise lost(request, message, "timeout") from None
            raise ServiceError(message, retryable=True, kind="timeout") from None

    def _begin(self) -> _Journey:
        # Both are slow to import, and many runs send nothing.
        import httpx  # noqa: PLC0415

        from .connecting import Door  # noqa: PLC0415

        self._tls = self._tls or httpx.create_ssl_context()
        door = Door(self._look_up, private=self._private, beyond=self._beyond)
        return _Journey(door, self._tls)

    async def _follow(self, request: WebRequest, journey: _Journey) -> WebAnswer:
        from .steps import REDIRECTS, first_step, redirected  # noqa: PLC0415 - imports httpx

        step = first_step(request)
        raw = await self._once(step, request, journey)
        for _ in range(request.redirects):
            location = raw.headers.get("location")
            if raw.status not in REDIRECTS or location is None:
                break
            step = redirected(step, raw.status, location, request)
            try:
                raw = await self._once(step, request, journey)
            except ServiceError as error:
                # Whoever redirected may have done it by then.
                raise (error if request.repeatable else unfit(request, str(error))) from None
        else:
            if request.redirects and raw.status in REDIRECTS:
                message = f"{step.host} was the last of {request.redirects} redirects, and has one."
                raise unfit(request, message)
        return await asyncio.to_thread(self._judged, raw, step, request)

    async def _once(self, step: Step, request: WebRequest, journey: _Journey) -> _Raw:
        import httpcore  # noqa: PLC0415 - as slow as httpx, with which it comes

        url, headers = await asyncio.to_thread(self._sealed, step)
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        try:
            async with (
                httpcore.AsyncConnectionPool(journey.tls, network_backend=journey.door) as pool,
                pool.stream(step.method, target, headers=headers, content=step.content) as answer,
            ):
                found = headers_of(answer.headers)
                content = await content_of(answer.aiter_stream(), found, request.most_bytes)
                return _Raw(answer.status, found, content)
        except (TooLargeError, UnreadableError) as error:
            problem = unfit(request, _unread(step.host, error, request.most_bytes))
        except httpcore.ConnectError as error:
            problem = not_reached(step.host, error)
        except httpcore.LocalProtocolError:
            problem = ServiceError("The request cannot be sent: its headers have odd characters.")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            problem = lost(request, f"{step.host} hung up before it had answered.")
        # Not inside `except`: the foreign error may hold the request, and the request the key.
        raise problem

    def _sealed(self, step: Step) -> tuple[httpx.URL, list[tuple[str, str]]]:
        """The address and the headers as they go out: with the key, if there is one."""
        headers = {"Accept": "*/*", "User-Agent": "dipeo_jupyter", **step.headers}
        headers |= {"Host": step.url.netloc.decode("ascii"), "Accept-Encoding": PACKED}
        url, credential = step.url, step.credential
        if credential is not None:
            if url.scheme != "https" and step.host not in _HERE:
                raise ServiceError(f"A key goes by https alone: write https://{step.host}/…")
            key = self._key_for(credential.api_key_id, step.host)
            if credential.sent == "query":
                url = url.copy_set_param(credential.name, key)
            else:
                headers |= _as_header(credential, key)
        return url, list(headers.items())

    def _judged(self, raw: _Raw, step: Step, request: WebRequest) -> WebAnswer:
        """The answer without any key in it, if its status is one that is wanted."""
        text = text_of(raw.content, raw.headers)
        content = raw.content
        if text is not None:
            clean = self._redact(text)
            content, text = (raw.content if clean == text else clean.encode()), clean
        headers = {
            name: self._redact(value)
            for name, value in raw.headers.items()
            if name not in _SECRET_HEADERS
        }
        if raw.status not in _SUCCESS and raw.status not in request.accepted:
            raise status_failure(request, step.host, raw.status, headers, text)
        return WebAnswer(raw.status, self._redact(str(step.url)), headers, content, text)


def _as_header(credential: Credential, key: str) -> dict[str, str]:
    if not (key.isascii() and key.isprintable()):
        # The error of the HTTP library would show it.
        raise ServiceError(f"{credential.api_key_id} is no key: it holds odd characters.")
    match credential.sent:
        case "basic":
            both = base64.b64encode(f"{credential.name}:{key}".encode()).decode()
            return {"Authorization": f"Basic {both}"}
        case "header":
            return {credential.name: key}
        case _:
            return {"Authorization": f"Bearer {key}"}


def _unread(host: str, error: Exception, most: int) -> str:
    if isinstance(error, TooLargeError):
        return f"The answer of {host} is larger than {most:,} bytes: see `max_bytes`."
    return f"The answer of {host} cannot be read: it is {error}."
