"""Where a request goes: what is no address is refused, and so is a redirect that goes astray."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import httpx

from ...engine.ports.web import Credential, WebRequest
from ...errors import ServiceError
from ..addresses import is_one_of
from .failures import unfit

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER, _KEEPS_METHOD = 303, (307, 308)
_KEPT = frozenset({"accept", "accept-language", "user-agent"})
"""Headers that another host gets, too."""
_LONGEST = 8_000
_PORTS = (None, *range(1, 65_536))


@dataclass(frozen=True, slots=True)
class Step:
    """One request on the way to the answer."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None = field(repr=False)
    credential: Credential | None

    @property
    def host(self) -> str:
        return self.url.host


def first_step(request: WebRequest) -> Step:
    """Where a request goes first; raises `ServiceError`."""
    url = _address(request.url, request)
    return Step(request.method, url, request.headers, request.content, request.credential)


def redirected(step: Step, status: int, location: str, request: WebRequest) -> Step:
    """Where a redirect leads. Nothing secret goes to another place, and no content."""
    try:
        url = _address(str(step.url.join(location)), request)
    except (httpx.InvalidURL, ValueError):
        raise unfit(request, f"{step.host} redirects to what is no address.") from None
    if step.url.scheme == "https" and url.scheme != "https":
        raise unfit(request, f"{step.host} redirects from https to http, which is not followed.")
    turned = status == _SEE_OTHER or (status not in _KEEPS_METHOD and step.method == "POST")
    if turned and step.method != "HEAD":
        step = replace(step, method="GET", content=None, headers=_without_content(step.headers))
    if _origin(url) == _origin(step.url):
        return replace(step, url=url)
    if step.method not in ("GET", "HEAD"):
        message = f"{step.host} redirects {step.method} to {url.host}, which is not followed."
        raise unfit(request, f"{message} Send it there if it belongs there.")
    kept = {name: text for name, text in step.headers.items() if name.lower() in _KEPT}
    return replace(step, url=url, headers=kept, credential=None)


def _address(text: str, request: WebRequest) -> httpx.URL:
    if len(text) > _LONGEST or "\\" in text or not text.isprintable() or " " in text:
        message = f"{text[:60]!r} is no address: it is too long, or has odd characters in it."
        raise ServiceError(message)
    try:
        url = httpx.URL(text)
        port = url.port
    except (httpx.InvalidURL, ValueError):
        raise ServiceError(f"{text[:60]!r} is no address.") from None
    if url.scheme not in ("http", "https") or not url.host or port not in _PORTS:
        raise ServiceError(f"{text[:60]!r} is no address: write https://…")
    if url.userinfo:
        raise ServiceError("An address has no name or password in it: use `auth_type`.")
    if request.hosts and not any(is_one_of(url.host, each) for each in request.hosts):
        allowed = ", ".join(request.hosts)
        raise ServiceError(f"The request may go to {allowed} alone, not to {url.host}.")
    return url


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _without_content(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name.lower() != "content-type"}
