"""What adds to Notion: each request is a step of its own, so that none is done twice.

Notion does not know whether it has seen a request before. What became of one that was cut short is
found out by looking: at how many blocks there are where we alone add some, at those behind the last
block we know of, and at the row that carries the marker. Where nothing tells, people are asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ...engine.ports import Write
from ...errors import ServiceError
from .arguments import Arguments, given, id_in
from .blocks import Block, Portion, fitted, fitted_blocks, kind_of, portions
from .markdown import blocks_of
from .session import Session
from .sources import rows_of, source_of

_MANY = 100_000
_PARENTS = ("data_source_id", "database_id")


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where blocks are added: at the end of a block, or of one at these positions below it.

    `held` says how many blocks are there, if that is known, `last` which one is the last.
    """

    root: str
    path: tuple[int, ...] = ()
    held: int | None = None
    last: str | None = None

    @property
    def is_known(self) -> bool:
        return self.held is not None or self.last is not None


@dataclass(frozen=True, slots=True)
class _Writer:
    """The writes of one operation, numbered in their order."""

    session: Session
    whole: Mapping[str, Any]
    """What the operation was asked for: the first write stands for it."""
    numbers: Any = field(default_factory=count)

    async def write(
        self,
        request: Mapping[str, Any],
        send: Callable[[str], Awaitable[Any]],
        what: str,
        look: Callable[[str], Awaitable[Any]] | None = None,
    ) -> Any:
        number = next(self.numbers)

        async def work(key: str) -> Any:
            cut_short = False

            async def attempt() -> Any:
                nonlocal cut_short
                if cut_short and look is not None:
                    found = await look(key)
                    if found is not None:
                        return found
                try:
                    return await send(key)
                except ServiceError as error:
                    cut_short = error.perhaps_done
                    # Who can look may try again.
                    error.retryable = error.retryable or (cut_short and look is not None)
                    raise

            return await self.session.steps.attempt(attempt)

        name = f".{number}" if number else ""
        return await self.session.steps.once(
            Write(name, self.whole if number == 0 else request, work, what, look)
        )

    async def add(self, spot: _Spot, blocks: Sequence[Block]) -> list[Any]:
        """Add blocks, in as many requests as it takes; those of the first level, as they became."""
        results: list[Any] = []
        for portion in portions(blocks):
            try:
                made = await self._send(spot, portion)
            except ServiceError as error:
                if results:
                    added = f"The first {len(results)} of {len(blocks)} blocks were added."
                    error.args = (f"{error} {added}",)
                    error.retryable = False
                raise
            results += made
            for missing in portion.missing:
                top, *path = missing.path
                below = _Spot(made[top]["id"], tuple(path), missing.held)
                await self.add(below, missing.children)
            spot = _Spot(spot.root, spot.path, last=made[-1].get("id"))
        return results

    async def _send(self, spot: _Spot, portion: Portion) -> list[Any]:
        async def send(_: str) -> Any:
            block = await self._block(spot)
            body = {"children": portion.blocks}
            return await self.session.change("PATCH", f"blocks/{block}/children", body)

        async def look(_: str) -> Any:
            return await self._added(spot, portion.blocks)

        request = {
            "notion": "append_blocks",
            "below": [spot.root, *spot.path],
            "blocks": portion.blocks,
        }
        what = f"Adding {len(portion.blocks)} blocks in Notion"
        answer = await self.write(request, send, what, look if spot.is_known else None)
        if answer is not None:
            return list(answer["results"])
        # People say that they are there.
        found = await self.session.children(await self._block(spot), _MANY)
        return list(found["results"][-len(portion.blocks) :])

    async def _added(self, spot: _Spot, blocks: Sequence[Block]) -> Any:
        """What Notion would have answered if these were added; None if nothing was."""
        found = await self.session.children(await self._block(spot), _MANY)
        there: list[Any] = found["results"]
        ids = [each.get("id") for each in there]
        start = ids.index(spot.last) + 1 if spot.last in ids else spot.held
        new = there[start:] if start is not None else []
        if not new and start is not None:
            return None
        if [each.get("type") for each in new] == [kind_of(each) for each in blocks]:
            return {**found, "results": new}
        raise ServiceError(
            "Somebody else has changed what we were adding to in Notion, so nobody knows whether "
            "all of it is there. Look there before running this again.",
            perhaps_done=True,
        )

    async def _block(self, spot: _Spot) -> str:
        block = spot.root
        for position in spot.path:
            found = await self.session.children(block, position + 1)
            if len(found["results"]) <= position:
                raise ServiceError(f"The block that was added below {block} is gone from Notion.")
            block = found["results"][position]["id"]
        return block


async def append_blocks(session: Session, arguments: Arguments) -> Any:
    """Add blocks at the end of a page or block: Notion's list of those of the first level."""
    target = id_in(arguments, "block_id", "page_id")
    blocks = _content(arguments, "blocks")
    if not blocks:
        return {"object": "list", "results": []}
    writer = _Writer(session, {"notion": "append_blocks", **arguments})
    return {"object": "list", "results": await writer.add(_Spot(target), blocks)}


async def create_page(session: Session, arguments: Arguments) -> Any:
    """Make a page, then add what was too much for one request: Notion's page."""
    parent, properties = (given(arguments, name) for name in ("parent", "properties"))
    marker = arguments.get("marker_property")
    content = _content(arguments, "children")
    first, *rest = portions(content)
    body = {"parent": parent, "properties": fitted(properties)}
    if first.blocks:
        body["children"] = first.blocks
    source = await _marked_source(session, parent) if marker else None

    async def send(key: str) -> Any:
        marked = {marker: {"rich_text": [{"text": {"content": key}}]}} if marker else {}
        sent = {**body, "properties": {**body["properties"], **marked}}
        return await session.change("POST", "pages", sent)

    async def look(key: str) -> Any:
        wanted = {"filter": {"property": marker, "rich_text": {"equals": key}}}
        rows = await rows_of(session, str(source), wanted, 1)
        return rows["results"][0] if rows["results"] else None

    writer = _Writer(session, {"notion": "create_page", **arguments})
    page = await writer.write({}, send, "Making a page in Notion", look if source else None)
    if page is None:
        return None  # people say that it is there; which one it is, nobody knows
    for missing in first.missing:
        await writer.add(_Spot(page["id"], missing.path, missing.held), missing.children)
    if rest:
        left = content[len(first.blocks) :]
        await writer.add(_Spot(page["id"], held=len(first.blocks)), left)
    return page


async def _marked_source(session: Session, parent: Mapping[str, Any]) -> str:
    for name in _PARENTS:
        if parent.get(name):
            found = id_in(parent, name)
            return found if name == "data_source_id" else await source_of(session, found)
    raise ServiceError(
        "A marker needs a database: give a `database_id` or `data_source_id` as `parent`, or leave "
        "`marker_property` out."
    )


def _content(arguments: Arguments, name: str) -> list[Any]:
    """The blocks that are given, then those that the given Markdown makes."""
    written = arguments.get(name) or []
    if arguments.get("markdown"):
        written = [*written, *blocks_of(arguments["markdown"])]
    elif name == "blocks":
        given(arguments, name, "markdown")
    return fitted_blocks(written)
