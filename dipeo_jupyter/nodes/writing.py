"""What nodes write into files, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.node import Context, Inputs
from ..errors import NodeError
from .formats import filled

_NAMED = ("generated_code", "content", "value", "default")


def to_write(data: Any, inputs: Inputs, render: Callable[[str], Any]) -> Any:
    """The node's own `data` filled in, or of what arrives the part that is meant to be written.

    Raises `NodeError` when there is neither.
    """
    if data is not None:
        return filled(data, render)
    for name in _NAMED:
        if name in inputs:
            return inputs[name]
    if not inputs:
        message = "There is nothing to write: connect a node that gives it, or set `data`."
        raise NodeError(message, field="data")
    return inputs.single()


async def save(path: str, text: str, ctx: Context) -> None:
    """Write a text into a file, at most once in a run, and tell where it is."""

    async def write(_: str) -> str:
        return await ctx.services.files.write(path, text)

    saved = await ctx.effect({"write": path, "text": text}, write)
    if not saved.reused:
        ctx.progress(f"saved as {saved.value}")
