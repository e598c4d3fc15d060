"""What is said to a person, in which turn: the properties that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import AliasChoices, Field, field_validator

from ..diagram import template
from ..diagram.model import Label
from ..engine.node import Context, Node
from ..errors import NodeError, ServiceError, TemplateError


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be said, and the property that says so."""

    field: str
    template: str

    def filled(self, names: Mapping[str, Any]) -> str:
        """The text, with the names in it filled in."""
        try:
            return template.render(self.template, names)
        except TemplateError as error:
            raise NodeError(str(error), field=self.field) from error


class Prompted(Node):
    """Base of the node types that say something to a person.

    `prompt` is said in every turn; with `first_only_prompt`, that is said in the first one instead
    (beside a `default_prompt`, `prompt` is the first one).
    """

    person: Label = Field(
        validation_alias=AliasChoices("person", "personId", "person_id"),
        description="Who is spoken to: the label of one of the `persons`.",
        examples=["Writer"],
    )
    prompt: str | None = Field(
        None,
        description=(
            "What is said in every turn; `{{name}}` is filled in. Beside a `default_prompt` it is "
            "what is said in the first turn."
        ),
        examples=["Write a haiku about {{topic}}."],
    )
    default_prompt: str | None = Field(
        None,
        validation_alias=AliasChoices("default_prompt", "defaultPrompt"),
        description="What is said in every turn but the first, if that has a prompt of its own.",
        examples=["Improve it: {{default}}"],
    )
    first_only_prompt: str | None = Field(
        None,
        validation_alias=AliasChoices("first_only_prompt", "firstOnlyPrompt"),
        description="What is said in the first turn.",
        examples=["Begin with a haiku about {{topic}}."],
    )
    prompt_file: str | None = Field(
        None,
        validation_alias=AliasChoices("prompt_file", "promptFile"),
        description="A file with the `default_prompt`; relative to the run's root.",
        examples=["prompts/improve.md"],
    )
    first_prompt_file: str | None = Field(
        None,
        validation_alias=AliasChoices("first_prompt_file", "firstPromptFile"),
        description="A file with the `first_only_prompt`; relative to the run's root.",
        examples=["prompts/begin.md"],
    )

    @field_validator("person", mode="before", json_schema_input_type=Label)
    @classmethod
    def _by_label(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            raise ValueError("write the label of a person here, and the person under `persons:`")  # noqa: TRY004 - for pydantic
        return value

    def contradictions(self) -> Iterator[str]:
        every, first = self._prompts()
        for fields in (every, first):
            if len(fields) > 1:
                both = " and ".join(f"`{field}`" for field in fields)
                yield f"has {both} for the same turns: leave one of them out"
        if not every and not first:
            yield "needs a `prompt`"

    def _prompts(self) -> tuple[list[str], list[str]]:
        """The properties with what is said in every turn, and with what is said in the first."""
        every = self._one_of("default_prompt", "prompt_file")
        first = self._one_of("first_only_prompt", "first_prompt_file")
        if self.prompt is not None:
            (first if every else every).append("prompt")
        return every, first

    def _one_of(self, *names: str) -> list[str]:
        """Those that are given; forms that have both leave one of them empty, which means none."""
        given = [name for name in names if getattr(self, name) is not None]
        return [name for name in given if getattr(self, name)] or given[:1]

    async def prompt_in(self, ctx: Context) -> Prompt:
        """What is said in this turn."""
        every, first = self._prompts()
        (field,) = first if first and (ctx.turn == 1 or not every) else every
        text: str = getattr(self, field)
        if not field.endswith("_file"):
            return Prompt(field, text)
        try:
            return Prompt(field, await ctx.services.files.read(text))
        except ServiceError as error:
            raise NodeError(f"cannot read the prompt: {error}", field=field) from error
