"""One open client of Notion: its requests, its lists, and how its errors are told."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ...engine.ports import Steps
from ...errors import ServiceError

PAGE_SIZE = 100
"""What Notion gives at most at once."""
_UNKNOWN = "It is not known whether Notion did it: look there before running this again."
_OVERLOADED = 529
_IN_TRASH = re.compile(r"archived|in[_ ]trash", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Session:
    """`steps` says how often a request is tried again, and keeps what was done."""

    client: Any
    steps: Steps
    token: str = field(repr=False)

    async def get(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        return found(await self.find(path, query), path)

    async def find(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """None when there is no such thing."""
        return await self.steps.attempt(lambda: self._send("GET", path, query=query))

    async def post(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send what may be sent twice."""
        return found(
            await self.steps.attempt(lambda: self._send(method, path, body=body)),
            path,
        )

    async def change(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send what must not be sent twice, once; an error says whether it is `perhaps_done`."""
        return found(await self._send(method, path, body=body, repeatable=False), path)

    async def _send(
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
                return _later("Notion asks for fewer requests", error, "rate_limit")
            case status if status == _OVERLOADED:
                return _later("Notion has too much to do", error, "server_error")
            case status if status >= 500:  # noqa: PLR2004
                return _uncertain(f"Notion has trouble (status {status}).", repeatable=repeatable)
            case status:
                told = str(error).replace(self.token, "…")[:500]
                if _IN_TRASH.search(told):
                    told += " It is in Notion's trash: restore it there first."
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
            more = answer.get("results") or []
            results += more
            cursor = answer.get("next_cursor")
            if not (more and cursor and answer.get("has_more")) or len(results) >= limit:
                return {**answer, "results": results}

    async def listed(self, path: str, limit: int) -> dict[str, Any]:
        return await self.pages(lambda page: self.get(path, page), limit)

    async def children(self, block: str, limit: int) -> dict[str, Any]:
        return await self.listed(f"blocks/{block}/children", limit)


def found(answer: dict[str, Any] | None, path: str) -> dict[str, Any]:
    """The answer, or an error that says what is not there and how to share it."""
    if answer is None:
        what, _, rest = path.partition("/")
        name = f"the {what.removesuffix('s').replace('_', ' ')} {rest.partition('/')[0]}".strip()
        if not rest:
            name = "the parent of the new page"
        raise ServiceError(
            f"Notion does not find {name}, or it is not shared with the integration: open it in "
            "Notion, choose ••• → Connections and add the integration."
        )
    return answer


def _later(message: str, error: Any, kind: Any) -> ServiceError:
    """It was not done; Notion may say how long to wait."""
    seconds = str(error.headers.get("retry-after", ""))
    wait = float(seconds) if seconds.isdecimal() else None
    message += f" for {wait:g} s." if wait and kind == "rate_limit" else "."
    return ServiceError(message, retryable=True, retry_after=wait, kind=kind)


def _uncertain(message: str, *, repeatable: bool) -> ServiceError:
    if repeatable:
        return ServiceError(f"{message} Try again later.", retryable=True, kind="server_error")
    return ServiceError(f"{message} {_UNKNOWN}", kind="server_error", perhaps_done=True)
