"""`endpoint`: a named result of the run, optionally written to a file."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from ..engine.node import Context, Inputs, Node, Result
from ..engine.powers import Power
from ..errors import NodeError, TemplateError
from .checks import writing_power
from .formats import dump, format_named, format_of
from .spellings import spelled
from .writing import save

FileFormat = Literal["text", "json", "csv", "yaml", "markdown"]
_SUFFIXES = {"text": ".txt", "markdown": ".md"}


class Endpoint(Node):
    """Ends a way through the diagram: the value that arrives is a result of the run.

    Of several values it takes all, by name. It has no outputs, but hands its value on under
    `default`, where the run's result is looked up.
    """

    type: ClassVar[str] = "endpoint"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("file_path", "content_format")
    aliases: ClassVar[tuple[str, ...]] = ("end", "finish")
    handles: ClassVar[tuple[str, ...]] = ()
    ignored: ClassVar[frozenset[str]] = frozenset({"custom_data"})
    example: ClassVar[Mapping[str, JsonValue]] = {"save_to_file": True, "file_path": "result.md"}

    save_to_file: bool = Field(
        default=False,
        validation_alias=AliasChoices("save_to_file", "saveToFile"),
        description="Also write the result into a file. By default nothing is written.",
    )
    content_format: str | None = Field(
        None,
        validation_alias=AliasChoices("content_format", "contentFormat"),
        description="A template; the text it gives is the result, instead of what arrives.",
        examples=["# {{topic}}\n\n{{default}}"],
    )
    file_path: str | None = Field(
        None,
        validation_alias=AliasChoices("file_path", "file_name", "filePath", "fileName"),
        description=(
            "Where to save, relative to the run's root; `{{name}}` is filled in. "
            "The default is the label of the node with a suffix."
        ),
        examples=["results/{{topic}}.md"],
    )
    file_format: Annotated[
        FileFormat | None,
        BeforeValidator(format_named),
        spelled(get_args(FileFormat), ["txt", "md", "yml"], optional=True),
    ] = Field(
        None,
        validation_alias=AliasChoices("file_format", "fileFormat"),
        description="How the result is written. By default the suffix of the file tells.",
    )

    def without_effect(self) -> Mapping[str, str]:
        if self.save_to_file:
            return {}
        return dict.fromkeys(("file_path", "file_format"), "counts only with `save_to_file: true`")

    def powers(self) -> Iterator[Power]:
        if self.save_to_file and self.file_path:  # by default it is a file of data
            yield writing_power("write", self.file_path, "file_path")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        value = inputs.single() if self.content_format is None else self._text(ctx)
        if self.save_to_file:
            path = ctx.render(self.file_path or "").strip() or self._name(ctx.node, value)
            text = await asyncio.to_thread(dump, value, self.file_format or format_of(path))
            await save(path, text, ctx)
        return Result.value(value)

    def _text(self, ctx: Context) -> str:
        try:
            return ctx.render(self.content_format or "")
        except TemplateError as error:
            raise NodeError(str(error), field="content_format") from error

    def _name(self, label: str, value: Any) -> str:
        form = self.file_format or ("text" if isinstance(value, str) else "json")
        stem = re.sub(r"[^\w~.-]+", "_", label).strip("._") or "output"
        return stem + _SUFFIXES.get(form, f".{form}")
