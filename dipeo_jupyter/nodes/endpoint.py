"""`endpoint`: a named result of the run, optionally written to a file."""

from __future__ import annotations

import asyncio
import re
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from ..engine.node import Context, Inputs, Node, Result
from .formats import dump, format_of

FileFormat = Literal["text", "json", "csv", "yaml", "markdown"]
_SUFFIXES = {"text": ".txt", "markdown": ".md"}


class Endpoint(Node):
    """A named result of the run: the value that arrives, or all of them by name.

    It has no outputs, but hands its value on under `default`, where the run's result is looked up.
    """

    type: ClassVar[str] = "endpoint"
    handles: ClassVar[tuple[str, ...]] = ()

    save_to_file: bool = Field(
        default=False, validation_alias=AliasChoices("save_to_file", "saveToFile")
    )
    file_path: str | None = Field(
        None,
        validation_alias=AliasChoices("file_path", "file_name", "filePath", "fileName"),
        description="Relative to the run's root; after the label of the node when not given.",
    )
    file_format: FileFormat | None = Field(
        None,
        validation_alias=AliasChoices("file_format", "fileFormat"),
        description="By suffix when not given.",
    )

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        value = inputs.single()
        if self.save_to_file:
            path = ctx.render(self.file_path or "").strip() or self._name(ctx.node, value)
            text = await asyncio.to_thread(dump, value, self.file_format or format_of(path))
            ctx.progress(f"saved as {await ctx.services.files.write(path, text)}")
        return Result.value(value)

    def _name(self, label: str, value: Any) -> str:
        form = self.file_format or ("text" if isinstance(value, str) else "json")
        stem = re.sub(r"[^\w~.-]+", "_", label).strip("._") or "output"
        return stem + _SUFFIXES.get(form, f".{form}")
