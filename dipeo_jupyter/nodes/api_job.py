"""`api_job`: sends a request by HTTP and hands on what comes back."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, NamedTuple
from urllib.parse import urlencode

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    JsonValue,
)

from ..diagram.template import value as value_of
from ..engine.node import Context, EffectPolicy, Inputs, Node, Result, RetryPolicy
from ..engine.ports.web import WebRequest
from ..engine.powers import Power
from ..errors import NodeError
from .checks import writing_power
from .formats import load, structured
from .request_parts import AuthConfigOrNone, AuthType, Headers, header_name, headers_in, map_or_none
from .url import fault_in, filled_in, host_of, pairs_of, with_params

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
BodyFormat = Literal["json", "form", "text"]
_ONCE = ("POST", "PATCH")
"""What a server does again when it is asked again."""
_WITHOUT_BODY = ("GET", "HEAD")
_TYPES: Mapping[BodyFormat, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


class Content(NamedTuple):
    """What is sent, and of which type it is."""

    data: bytes
    type: str


def _or_none(value: Any) -> Any:
    """Older files have empty text for nothing."""
    return None if value == "" else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _hosts(value: Any) -> Any:
    return value.replace(",", " ").split() if isinstance(value, str) else value


class ApiJob(Node):
    """Sends a request by HTTP and hands on what comes back: JSON as its value, else text.

    Values in the address are quoted, and never decide which host it goes to. Only public addresses
    are reached. A status beside 200 to 299 is a failure. GET, PUT, DELETE and HEAD are sent again
    after failures that may pass; POST and PATCH only when they were surely not done.
    """

    type: ClassVar[str] = "api_job"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("url", "headers", "params", "body", "save_to")
    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()
    example: ClassVar[Mapping[str, JsonValue]] = {"url": "https://example.org/cities/{{city}}"}

    url: str = Field(
        description="Where to. `{{name}}` is filled in and quoted, behind the host alone.",
        examples=["https://api.example.org/v1/cities?name={{city}}"],
    )
    method: Annotated[Method, BeforeValidator(_upper)] = Field(
        "GET", description="What the server is to do."
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Further headers. Keys do not belong there, but to `auth_config`.",
        examples=[{"Accept-Language": "de"}],
    )
    params: Annotated[dict[str, Any], BeforeValidator(map_or_none)] = Field(
        default_factory=dict,
        description="What is added to the query of the address; a list is a name several times.",
        examples=[{"q": "{{topic}}", "limit": 10}],
    )
    body: Annotated[Any, BeforeValidator(_or_none)] = Field(
        None,
        description=(
            "What is sent: a value as JSON, or text. Texts in it are templates, and `{{name}}` "
            "alone stands for the whole value."
        ),
        examples=[{"title": "{{topic}}", "tags": "{{tags}}"}],
    )
    body_format: BodyFormat | None = Field(
        None,
        validation_alias=AliasChoices("body_format", "bodyFormat"),
        description="How the body is sent. By default text as text and all else as JSON.",
    )
    auth_type: AuthType = Field(
        "none",
        description="How the key in `auth_config` is sent, if one is.",
    )
    auth_config: AuthConfigOrNone = Field(
        None,
        description="Which key is sent: the name of its variable, never the key.",
        examples=[{"api_key_id": "WEATHER_API_KEY"}],
    )
    hosts: Annotated[tuple[str, ...], BeforeValidator(_hosts)] = Field(
        (),
        description=(
            "The request, and what it is redirected to, go to these hosts alone. With them, the "
            "host in `url` may be filled in, too. `*.example.org` is all below."
        ),
        examples=[["api.example.org"]],
    )
    accept: tuple[int, ...] = Field(
        (),
        description="Statuses beside 200 to 299 that are no failure.",
        examples=[[404]],
    )
    response: Literal["auto", "json", "text", "full"] = Field(
        "auto",
        description=(
            "What is handed on. By default JSON as its value and all else as text; `full` is an "
            "object with `status`, `url`, `headers` and `body`."
        ),
    )
    save_to: str | None = Field(
        None,
        validation_alias=AliasChoices("save_to", "saveTo"),
        description="A file below the run's root for what comes back; its path is the value then.",
        examples=["images/{{city}}.png"],
    )
    request_timeout: float = Field(
        30.0, gt=0, le=3600, description="Seconds for one attempt, until all of it is there."
    )
    redirects: int = Field(
        5, ge=0, le=20, description="How many redirects are followed; each is looked at anew."
    )
    max_bytes: int = Field(
        5_000_000, ge=1, le=50_000_000, description="How much may come back, unpacked."
    )
    idempotency_header: Annotated[str, AfterValidator(header_name)] | None = Field(
        None,
        description=(
            "A header by which the server knows a request that it has done already. With it, POST "
            "and PATCH are sent again, too."
        ),
        examples=["Idempotency-Key"],
    )

    def contradictions(self) -> Iterator[str]:
        if fault := fault_in(self.url.strip(), self.hosts):
            yield f"`url`: {fault}"
        if (self.auth_type == "none") != (self.auth_config is None):
            yield (
                "`auth_type` and `auth_config` belong together: write for instance `auth_type: "
                "bearer` and `auth_config: {api_key_id: WEATHER_API_KEY}`."
            )
        if self.body is not None and self.method in _WITHOUT_BODY:
            yield f"{self.method} sends no `body`: use `params`, or another `method`."
        text = self.body.strip() if isinstance(self.body, str) else ""
        if self.body_format != "text" and text.startswith(("{", "[")):
            alone = text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1
            if isinstance(structured(text), str) and not alone:
                yield (
                    "`body` begins like JSON and is none: put each {{name}} in quotes (it is "
                    "the whole value if it is alone there), or write `body_format: text`."
                )

    def powers(self) -> Iterator[Power]:
        says = f"sends a request to {host_of(self.url)}"
        hint = "Look at where it goes, and at what is sent there, before you run it."
        key = self.auth_config.api_key_id if self.auth_config else None
        what: dict[str, JsonValue] = {"method": self.method, "url": self.url, "key": key}
        what["hosts"] = list[JsonValue](self.hosts)
        yield Power("uses_network", says, hint, what, "url")
        if self.save_to:
            yield writing_power("write", self.save_to, "save_to")

    @property
    def sent_keys(self) -> Collection[tuple[str, str]]:
        host = host_of(self.url).rpartition("@")[2].partition(":")[0]
        if self.auth_config is None or "{{" in host:
            return ()
        return ((self.auth_config.api_key_id, host),)

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return await self.send(ctx, self._content(ctx))

    async def send(self, ctx: Context, content: Content | None) -> Result:
        """Send a request with this content, and hand on what comes back."""
        request = self._request(ctx, content)
        saved_to = ctx.render(self.save_to).strip() if self.save_to else None

        async def work(key: str) -> Any:
            marked = request
            if self.idempotency_header:
                mark = hashlib.sha256(key.encode()).hexdigest()[:32]
                marked = replace(
                    request, headers={**request.headers, self.idempotency_header: mark}
                )
            answer = await ctx.services.web.send(marked)
            text, saved = answer.text, None
            if saved_to:
                text, saved = None, await ctx.services.files.write_bytes(saved_to, answer.content)
            return {
                "status": answer.status,
                "url": answer.url,
                "headers": dict(answer.headers),
                "text": text,
                "size": len(answer.content),
                "saved": saved,
            }

        what = f"The request {self.method} to {host_of(request.url)}"
        policy = EffectPolicy(unknown="repeat" if request.repeatable else "ask", what=what)
        asked = {**_asked(request), "save_to": saved_to}
        answer = (await ctx.effect(asked, work, policy)).value
        # People have said that it is done: then nobody has what came back.
        return Result.value(None if answer is None else await self._value(answer))

    def _request(self, ctx: Context, content: Content | None) -> WebRequest:
        headers = headers_in(self.headers, ctx)
        if content is not None and "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = content.type
        params = {name: _filled(each, ctx) for name, each in self.params.items()}
        return WebRequest(
            method=self.method,
            url=with_params(filled_in(self.url.strip(), ctx.names), params),
            headers=headers,
            content=content.data if content else None,
            credential=self.auth_config.credential(self.auth_type) if self.auth_config else None,
            hosts=self.hosts,
            accepted=self.accept,
            redirects=self.redirects,
            timeout=self.request_timeout,
            most_bytes=self.max_bytes,
            repeatable=self.method not in _ONCE or self.idempotency_header is not None,
        )

    def _content(self, ctx: Context) -> Content | None:
        if self.body is None:
            return None
        written = self.body if self.body_format == "text" else structured(self.body)
        value = _filled(written, ctx)
        form = self.body_format or ("text" if isinstance(value, str) else "json")
        match form:
            case "form":
                if not isinstance(value, dict):
                    raise NodeError("A form is an object: names and texts.", field="body")
                return Content(
                    urlencode(pairs_of(value, "body"), errors="replace").encode(), _TYPES["form"]
                )
            case "text" if isinstance(value, str):
                return Content(value.encode("utf-8", "replace"), _TYPES["text"])
            case _:
                return json_content(value)

    async def _value(self, answer: Mapping[str, Any]) -> Any:
        if answer["saved"] is not None:
            body = answer["saved"]
        elif answer["text"] is None:
            kind = answer["headers"].get("content-type") or "it says not of which kind"
            message = f"What came back is no text ({kind}, {answer['size']:,} bytes)."
            raise NodeError(f"{message} Name a file for it in `save_to`.", field="response")
        else:
            content_type = answer["headers"].get("content-type", "")
            # Large answers take long, and the event loop must not wait for them.
            body = await asyncio.to_thread(self._body, answer["text"], content_type)
        if self.response != "full":
            return body
        return {**{name: answer[name] for name in ("status", "url", "headers")}, "body": body}

    def _body(self, text: str, content_type: str) -> Any:
        named = content_type.partition(";")[0].strip().lower()
        is_json = named == "application/json" or named.endswith("+json")
        if self.response == "text" or (self.response != "json" and not is_json):
            return text
        if not text.strip() and self.response != "json":
            return None  # many servers say so of an answer without content
        try:
            return load(text, "json")
        except NodeError as error:
            raise NodeError(f"What came back: {error}", field="response", details=text) from None


def json_content(value: Any) -> Content:
    """A value as it is sent."""
    return Content(json.dumps(value).encode(), _TYPES["json"])


def _filled(value: Any, ctx: Context) -> Any:
    """The same value with its texts filled in; one that is `{{name}}` alone is the whole value."""
    match value:
        case str():
            return value_of(value, ctx.names)
        case list():
            return [_filled(each, ctx) for each in value]
        case dict():
            return {key: _filled(each, ctx) for key, each in value.items()}
        case _:
            return value


def _asked(request: WebRequest) -> dict[str, Any]:
    """What says exactly what is done. Nothing in it is secret, and how long it may take is not."""
    content = request.content
    key = request.credential
    return {
        "request": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "content": None if content is None else content.decode("utf-8", "replace"),
        "key": None if key is None else [key.api_key_id, key.sent, key.name],
        "accepted": list(request.accepted),
    }
