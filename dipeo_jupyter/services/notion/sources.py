"""The tables of a database, which Notion calls its data sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ServiceError
from .arguments import id_in
from .session import Session


async def source_of(session: Session, database: str) -> str:
    """The one table of a database; the id of a table itself (a "data source") is taken too."""
    found = await session.find(f"databases/{database}")
    if found is None:
        return database
    sources = found.get("data_sources") or []
    if len(sources) != 1:
        names = ", ".join(f"{each.get('name')} ({each.get('id')})" for each in sources)
        raise ServiceError(
            f"The Notion database has {len(sources)} data sources: {names or 'none at all'}. "
            "Give the id of one of them as `database_id`."
        )
    return id_in({"data source": sources[0].get("id")}, "data source")


async def rows_of(
    session: Session, source: str, wanted: Mapping[str, Any], limit: int
) -> dict[str, Any]:
    """The rows of a table that are `wanted`, in the order that is."""
    path = f"data_sources/{source}/query"
    return await session.pages(lambda page: session.post("POST", path, {**wanted, **page}), limit)
