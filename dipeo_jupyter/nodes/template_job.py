"""`template_job`: fills in a text, and writes it into a file if one is named."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue

from ..diagram.template import render
from ..engine.names import layered
from ..engine.node import Context, Inputs, Node, Refusal, Result
from ..engine.powers import Power
from ..errors import NodeError, TemplateError
from .checks import writing_power
from .formats import structured
from .writing import save


class TemplateJob(Node):
    """Fills in a text: `{{name}}`, filters, `{{#if}}` and `{{#each}}`, as in prompts.

    The text is the value. With `output_path` it is written into that file, too. What is put in is
    text from then on, and never filled in again.
    """

    type: ClassVar[str] = "template_job"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("template_content", "template_path", "output_path")
    example: ClassVar[Mapping[str, JsonValue]] = {
        "template_content": "# {{topic}}\n{{#each points}}\n- {{this}}{{/each}}\n"
    }
    # There is one language of templates; `check` finds what is of another.
    ignored: ClassVar[frozenset[str]] = frozenset({"engine"})
    refused: ClassVar[Mapping[str, Refusal]] = {
        "preprocessor": Refusal("Do what it did in a `job` before, and lead its value here.")
    }

    template_content: str | None = Field(
        None,
        validation_alias=AliasChoices("template_content", "templateContent", "template"),
        description="The text itself.",
        examples=["Dear {{name}},\n\n{{text}}"],
    )
    template_path: str | None = Field(
        None,
        validation_alias=AliasChoices("template_path", "templatePath"),
        description="A file with the text, instead of `template_content`, below the run's root.",
        examples=["templates/report.md"],
    )
    output_path: str | None = Field(
        None,
        validation_alias=AliasChoices("output_path", "outputPath"),
        description="The file to write, below the run's root. Without it nothing is written.",
        examples=["reports/{{topic}}.md"],
    )
    variables: Annotated[dict[str, Any], BeforeValidator(structured)] = Field(
        default_factory=dict,
        description="Further names for the text, with their values; what arrives counts before.",
        examples=[{"language": "en"}],
    )

    def contradictions(self) -> Iterator[str]:
        if (self.template_content is None) == (self.template_path is None):
            yield ("A template_job has `template_content` or `template_path`: one of them.")

    @property
    def given_names(self) -> Collection[str]:
        return tuple(self.variables)

    def powers(self) -> Iterator[Power]:
        if self.output_path:
            yield writing_power("write", self.output_path, "output_path")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        text, field = await self._text(ctx)
        # The inputs first, then these, then all that every node sees.
        names = layered(ctx.named_inputs, self.variables, ctx.names)
        try:
            filled = render(text, names)
        except TemplateError as error:
            where = f" (line {error.line} of {self._path(ctx)})" if self.template_path else ""
            raise NodeError(f"{error}{where}", field=field) from error
        if self.output_path is not None:
            await save(ctx.render(self.output_path).strip(), filled, ctx)
        return Result.value(filled)

    async def _text(self, ctx: Context) -> tuple[str, str]:
        if self.template_content is not None:
            return self.template_content, "template_content"
        path = self._path(ctx)

        async def read(_: str) -> str:
            return await ctx.services.files.read(path)

        done = await ctx.effect({"template": path}, read, name=" template")
        return str(done.value), "template_path"

    def _path(self, ctx: Context) -> str:
        return ctx.render(self.template_path or "").strip()
