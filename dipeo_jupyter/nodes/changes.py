"""Changing what is in a file: by one node at a time, and by each of them once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from ..diagram.language.values import kind
from ..engine.node import Context
from ..engine.ports import Files
from ..errors import NodeError
from .dotted import new_values, put
from .formats import Format, appended, dump, load, structured

# Between reading a file and writing it again no other node of this loop may change it. A lock
# belongs to a loop, and nodes hold nothing of their own; hence this one table.
_CHANGES: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def changing() -> asyncio.Lock:
    """Held by whoever reads a file and writes it again."""
    return _CHANGES.setdefault(asyncio.get_running_loop(), asyncio.Lock())


async def append(
    path: str, value: Any, form: Format, request: Mapping[str, Any], ctx: Context
) -> Any:
    """Add a value to the end of a file; `request` says exactly what is done. Gives the path."""
    files = ctx.services.files
    planned: tuple[str, str] | None = None

    async def plan() -> tuple[str, str]:
        now = await files.read(path) if await files.exists(path) else ""
        return now, await asyncio.to_thread(appended, now, value, form)

    async def note(_: str) -> dict[str, Any]:
        nonlocal planned
        with about(path):
            planned = now, new = await plan()
        return {"from": len(now), "to": len(new), "digest": _digest(new)}

    async def add(_: str) -> str:
        with about(path):
            now, new = planned or await plan()
            if planned is None and _digest(now[: goal["to"]]) == goal["digest"]:
                return path
            if planned is None and form not in ("json", "yaml"):
                # Half of it may be there; json and yaml are always replaced at once.
                whole = await asyncio.to_thread(appended, now[: goal["from"]], value, form)
                if len(now) > goal["from"] and whole.startswith(now):
                    return await files.write(path, whole)
            if new.startswith(now):
                return await files.append(path, new.removeprefix(now))
            return await files.write(path, new)

    # What the file will be is an effect of its own, which is safe before the other begins: if
    # that is cut short and tried again, it tells whether the text had been added by then.
    goal = (await ctx.effect({"before": request}, note, name=" before")).value
    return (await ctx.effect(request, add)).value


async def update(path: str, keys: tuple[str, ...], value: Any, form: Format, files: Files) -> str:
    """Set keys in the object that a file holds. Gives the path."""
    if form not in ("json", "yaml"):
        raise NodeError(f"Only json and yaml can be updated, not {form}.", field="operation")
    whole = await asyncio.to_thread(load, await files.read(path), form)
    if not isinstance(whole, dict):
        raise NodeError(f"Only an object has keys to update, and the file holds {kind(whole)}.")
    for key, new in new_values(keys, structured(value)).items():
        put(whole, key, new)
    return await files.write(path, await asyncio.to_thread(dump, whole, form))


@contextmanager
def about(path: str) -> Iterator[None]:
    """Says of which file an error speaks."""
    try:
        yield
    except NodeError as error:
        message = f"{path!r}: {error}"
        raise NodeError(message, field=error.field, details=error.details) from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
