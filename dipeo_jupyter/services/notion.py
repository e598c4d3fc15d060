"""Notion, through its own client: reads and writes pages, blocks and databases."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..diagram.suggest import did_you_mean
from ..errors import ServiceError

Arguments: TypeAlias = Mapping[str, Any]

API_VERSION = "2025-09-03"
"""Named, because the default of the client changes with its releases, and the paths with it."""
TIMEOUT_MS = 60_000
PAGE_SIZE = 100
"""What Notion gives, and takes, at most at once."""
DEFAULT_LIMIT = 1_000

_HOW_TO_SIGN_IN = (
    "Notion needs a token: set NOTION_TOKEN (or NOTION_API_KEY). Make an integration at "
    "notion.so/profile/integrations, copy its secret, and share the page with it "
    "(••• → Connections)."
)
_UNKNOWN = "It is not known whether Notion did it: look there before running this again."
_ID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE
)
_OWN_PAGES = ("child_page", "child_database")
"""Blocks whose content is a page of its own."""


class NotionService:
    """Fulfils the port `Notion`.

    `token` is asked at each call, so that a new one takes effect at once. Operations: `read_page`,
    `list_blocks`, `append_blocks`, `update_block`, `query_database`, `create_page` and
    `extract_text`. Lists are read page by page, up to the argument `limit` (1000).
    """

    def __init__(self, token: Callable[[], str | None], base_url: str | None = None) -> None:
        self._token = token
        self._base_url = base_url
        self._tls: ssl.SSLContext | None = None

    async def call(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Do one operation and return Notion's JSON (`extract_text`: text).

        Raises `ServiceError`; `retryable` when Notion surely did nothing, or nothing can happen
        twice.
        """
        work = _OPERATIONS.get(operation)
        if work is None:
            hint = did_you_mean(operation, _OPERATIONS) or ""
            raise ServiceError(f"Notion has no operation {operation!r}. {hint}".strip())
        # In a thread, because the first time takes a while.
        client, token = await asyncio.to_thread(self._open)
        async with aclosing(client):
            return await work(_Session(client, token), arguments)

    def _open(self) -> tuple[Any, str]:
        # Both are slow to import, and many runs need no Notion.
        import httpx  # noqa: PLC0415
        import notion_client.client as notion  # noqa: PLC0415

        token = (self._token() or "").strip()
        if not token:
            raise ServiceError(_HOW_TO_SIGN_IN)
        if not re.fullmatch("[!-~]+", token):
            # The error of the HTTP library would show it.
            raise ServiceError("NOTION_TOKEN is no token: it holds spaces or odd characters.")
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


@dataclass(frozen=True, slots=True)
class _Session:
    """One open client, and how its errors are told."""

    client: Any
    token: str = field(repr=False)

    async def get(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        return _found(await self.send("GET", path, query=query), path)

    async def post(
        self, method: str, path: str, body: dict[str, Any], *, repeatable: bool = False
    ) -> dict[str, Any]:
        return _found(await self.send(method, path, body=body, repeatable=repeatable), path)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        repeatable: bool = True,
    ) -> dict[str, Any] | None:
        """Notion's answer; None when there is no such thing.

        A request that is not `repeatable` is never called retryable once it may have been obeyed.
        """
        import httpx  # noqa: PLC0415 - slow; it came with the client by now
        from notion_client.errors import HTTPResponseError, RequestTimeoutError  # noqa: PLC0415

        try:
            answer = await self.client.request(path=path, method=method, query=query, body=body)
        except HTTPResponseError as error:
            if error.status == 404:  # noqa: PLR2004
                return None
            problem = self._refusal(error, repeatable=repeatable)
        except (httpx.ConnectError, httpx.ProxyError):
            problem = ServiceError(
                "Notion cannot be reached. Is there a network?", retryable=True, kind="connection"
            )
        except (RequestTimeoutError, httpx.HTTPError) as error:
            said = "gave no answer" if isinstance(error, RequestTimeoutError) else "hung up"
            problem = _uncertain(f"Notion {said}.", repeatable=repeatable)
        except ValueError:
            problem = _uncertain("Notion's answer is not JSON.", repeatable=repeatable)
        else:
            if isinstance(answer, dict):
                return answer
            problem = _uncertain("Notion's answer is no object.", repeatable=repeatable)
        # Not inside `except`: the foreign error holds the request, and the request the token.
        raise problem

    def _refusal(self, error: Any, *, repeatable: bool) -> ServiceError:
        match error.status:
            case 401:
                return ServiceError(
                    "Notion does not accept the token. Copy it again from "
                    "notion.so/profile/integrations into NOTION_TOKEN."
                )
            case 403:
                return ServiceError(
                    "The Notion integration has no right to do this. Give it the capability at "
                    "notion.so/profile/integrations."
                )
            case 409:
                return ServiceError("Notion was changing the same thing.", retryable=True)
            case 429:
                seconds = str(error.headers.get("retry-after", ""))
                wait = float(seconds) if seconds.isdecimal() else None
                message = "Notion asks for fewer requests" + (f" for {wait:g} s." if wait else ".")
                return ServiceError(message, retryable=True, retry_after=wait, kind="rate_limit")
            case status if status >= 500:  # noqa: PLR2004
                return _uncertain(f"Notion has trouble (status {status}).", repeatable=repeatable)
            case status:
                told = str(error).replace(self.token, "…")[:500]
                return ServiceError(f"Notion refuses (status {status}): {told}")

    async def pages(
        self, ask: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], limit: int
    ) -> dict[str, Any]:
        """The last page of a list, with the results of all pages; `has_more` beyond the limit."""
        results: list[Any] = []
        cursor = None
        while True:
            page = {"page_size": min(PAGE_SIZE, limit - len(results))}
            answer = await ask({**page, "start_cursor": cursor} if cursor else page)
            found = answer.get("results") or []
            results += found
            cursor = answer.get("next_cursor")
            if not (found and cursor and answer.get("has_more")) or len(results) >= limit:
                return {**answer, "results": results}

    async def children(self, block: str, limit: int) -> dict[str, Any]:
        return await self.pages(lambda page: self.get(f"blocks/{block}/children", page), limit)


def _found(answer: dict[str, Any] | None, path: str) -> dict[str, Any]:
    if answer is None:
        what, _, rest = path.partition("/")
        name = f"the {what.removesuffix('s').replace('_', ' ')} {rest.partition('/')[0]}".strip()
        raise ServiceError(
            f"Notion does not find {name}, or it is not shared with the integration: open it in "
            "Notion, choose ••• → Connections and add the integration."
        )
    return answer


def _uncertain(message: str, *, repeatable: bool) -> ServiceError:
    if repeatable:
        return ServiceError(f"{message} Try again later.", retryable=True, kind="server_error")
    return ServiceError(f"{message} {_UNKNOWN}")


# -- the operations -------------------------------------------------------------------------------


async def _read_page(session: _Session, arguments: Arguments) -> Any:
    return await session.get(f"pages/{_id(arguments, 'page_id')}")


async def _list_blocks(session: _Session, arguments: Arguments) -> Any:
    return await session.children(_id(arguments, "block_id", "page_id"), _limit(arguments))


async def _append_blocks(session: _Session, arguments: Arguments) -> Any:
    blocks = _given(arguments, "blocks")
    path = f"blocks/{_id(arguments, 'block_id', 'page_id')}/children"
    answer: dict[str, Any] = {"object": "list", "results": []}
    for start in range(0, len(blocks), PAGE_SIZE):
        body = {"children": blocks[start : start + PAGE_SIZE]}
        try:
            more = await session.post("PATCH", path, body)
        except ServiceError as error:
            if start == 0:
                raise
            # Not retryable any more: the first ones would be added twice.
            added = f"The first {start} of {len(blocks)} blocks were added."
            raise ServiceError(f"{error} {added}") from error
        answer = {**more, "results": answer["results"] + more.get("results", [])}
    return answer


async def _update_block(session: _Session, arguments: Arguments) -> Any:
    path = f"blocks/{_id(arguments, 'block_id')}"
    return await session.post("PATCH", path, _given(arguments, "block_data"), repeatable=True)


async def _query_database(session: _Session, arguments: Arguments) -> Any:
    source = await _source(session, _id(arguments, "database_id"))
    wanted = {name: arguments[name] for name in ("filter", "sorts") if arguments.get(name)}

    async def ask(page: dict[str, Any]) -> dict[str, Any]:
        path = f"data_sources/{source}/query"
        return await session.post("POST", path, {**wanted, **page}, repeatable=True)

    return await session.pages(ask, _limit(arguments))


async def _source(session: _Session, database: str) -> str:
    """The one table of a database; the id of a table itself (a "data source") is taken too."""
    found = await session.send("GET", f"databases/{database}")
    if found is None:
        return database
    sources = found.get("data_sources") or []
    if len(sources) != 1:
        names = ", ".join(f"{each.get('name')} ({each.get('id')})" for each in sources)
        raise ServiceError(
            f"The Notion database has {len(sources)} data sources: {names or 'none at all'}. "
            "Give the id of one of them as `database_id`."
        )
    return _id({"data source": sources[0].get("id")}, "data source")


async def _create_page(session: _Session, arguments: Arguments) -> Any:
    body = {name: _given(arguments, name) for name in ("parent", "properties")}
    if arguments.get("children"):
        body["children"] = arguments["children"]
    return await session.post("POST", "pages", body)


async def _extract_text(session: _Session, arguments: Arguments) -> Any:
    """One line for each block, nested ones indented below it, subpages by their title alone."""
    limit = _limit(arguments)
    first = await session.children(_id(arguments, "page_id", "block_id"), limit)
    todo = [(0, block) for block in reversed(first["results"])]
    seen, cut, lines = len(todo), bool(first.get("has_more")), []
    while todo:
        level, block = todo.pop()
        text = _text_of(block)
        if text:
            lines.append("  " * level + text)
        if not block.get("has_children") or block.get("type") in _OWN_PAGES:
            continue
        if seen >= limit:
            cut = True
            continue
        inner = await session.children(_id(block, "id"), limit - seen)
        seen += len(inner["results"])
        cut = cut or bool(inner.get("has_more"))
        todo += [(level + bool(text), each) for each in reversed(inner["results"])]
    if cut:
        lines.append(f"[There is more; {limit} blocks were read.]")
    return "\n".join(lines)


def _text_of(block: Mapping[str, Any]) -> str:
    inside = block.get(str(block.get("type"))) or {}
    if block.get("type") == "table_row":
        return " | ".join(_joined(cell) for cell in inside.get("cells", []))
    text = _joined(inside.get("rich_text") or inside.get("caption") or [])
    return text or str(inside.get("title") or inside.get("expression") or inside.get("url") or "")


def _joined(pieces: Any) -> str:
    return "".join(str(piece.get("plain_text", "")) for piece in pieces)


def _given(arguments: Arguments, *names: str) -> Any:
    """The first of these arguments that is given."""
    for name in names:
        if arguments.get(name) is not None:
            return arguments[name]
    raise ServiceError(f"Notion needs `{names[0]}`.")


def _id(arguments: Arguments, *names: str) -> str:
    """The id in the first of these arguments that is given; links from Notion hold it too."""
    given = str(_given(arguments, *names))
    found = _ID.findall(re.split("[?#]", given)[0])
    if not found:
        raise ServiceError(
            f"{given[:100]!r} is no id of Notion (`{names[0]}`). An id has 32 letters and digits; "
            "the link that Notion copies ends with it."
        )
    return str(found[-1])


def _limit(arguments: Arguments) -> int:
    return int(arguments.get("limit") or DEFAULT_LIMIT)


_OPERATIONS: Mapping[str, Callable[[_Session, Arguments], Awaitable[Any]]] = {
    "read_page": _read_page,
    "list_blocks": _list_blocks,
    "append_blocks": _append_blocks,
    "update_block": _update_block,
    "query_database": _query_database,
    "create_page": _create_page,
    "extract_text": _extract_text,
}
