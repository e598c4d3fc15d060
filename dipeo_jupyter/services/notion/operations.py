"""The operations of Notion, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .arguments import Arguments, given, id_in, limit_in
from .blocks import fitted
from .session import Session
from .sources import rows_of, source_of
from .writing import append_blocks, create_page

_OWN_PAGES = ("child_page", "child_database")
"""Blocks whose content is a page of its own."""
_LISTS = ("title", "rich_text", "relation", "people")
"""Properties of which a page holds only the first ones."""
_FIRST = 25
_ALL = 10_000


async def _read_page(session: Session, arguments: Arguments) -> Any:
    """The page, with all that its properties hold."""
    page = await session.get(f"pages/{id_in(arguments, 'page_id')}")
    properties = page.get("properties")
    if not isinstance(properties, dict):
        return page
    whole = {name: await _whole(session, page["id"], each) for name, each in properties.items()}
    return {**page, "properties": whole}


async def _whole(session: Session, page: str, written: Any) -> Any:
    match written:
        case {"type": str(kind), "id": str(name)} if kind in _LISTS:
            held = written.get(kind) or []
            if len(held) < _FIRST and not written.get("has_more"):
                return written
        case _:
            return written
    answer = await session.listed(f"pages/{page}/properties/{name}", _ALL)
    values = [each.get(kind) for each in answer["results"]]
    return {**written, kind: values, **({"has_more": False} if "has_more" in written else {})}


async def _list_blocks(session: Session, arguments: Arguments) -> Any:
    return await session.children(id_in(arguments, "block_id", "page_id"), limit_in(arguments))


async def _update_block(session: Session, arguments: Arguments) -> Any:
    path = f"blocks/{id_in(arguments, 'block_id')}"
    return await session.post("PATCH", path, fitted(given(arguments, "block_data")))


async def _query_database(session: Session, arguments: Arguments) -> Any:
    source = await source_of(session, id_in(arguments, "database_id"))
    wanted = {name: arguments[name] for name in ("filter", "sorts") if arguments.get(name)}
    return await rows_of(session, source, wanted, limit_in(arguments))


async def _extract_text(session: Session, arguments: Arguments) -> Any:
    """One line for each block, nested ones indented below it, subpages by their title alone."""
    limit = limit_in(arguments)
    first = await session.children(id_in(arguments, "page_id", "block_id"), limit)
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
        inner = await session.children(id_in(block, "id"), limit - seen)
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


OPERATIONS: Mapping[str, Callable[[Session, Arguments], Awaitable[Any]]] = {
    "read_page": _read_page,
    "list_blocks": _list_blocks,
    "append_blocks": append_blocks,
    "update_block": _update_block,
    "query_database": _query_database,
    "create_page": create_page,
    "extract_text": _extract_text,
}
