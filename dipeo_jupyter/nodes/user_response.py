"""The `user_response` node: asks a human."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue

from ..diagram.model import Diagram, Label
from ..engine.node import Context, Inputs, Node, Result
from ..errors import NodeError, Problem, TemplateError
from ..protocol.events import Question
from .checks import check_schema


class UserResponse(Node):
    """Asks a human, waits for a valid answer, and hands it on.

    Without more, any text is an answer. `choices` lists the answers to choose from; `schema` (JSON
    Schema) describes a number, a boolean, or a form. There is no time limit unless `timeout`
    (seconds) gives one.
    """

    type: ClassVar[str] = "user_response"
    keeps_inputs: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("prompt",)

    example: ClassVar[Mapping[str, JsonValue]] = {"prompt": "Shall I go on?"}

    prompt: str = Field(
        description="The question; `{{name}}` is filled in.",
        examples=["What do you think of {{draft}}?"],
    )
    choices: tuple[str, ...] = Field(
        (),
        validation_alias=AliasChoices("choices", "options"),
        description="The answers to choose from. Without them any text is an answer.",
        examples=[["yes", "no"]],
    )
    answer_schema: dict[str, Any] | None = Field(
        None,
        validation_alias=AliasChoices("schema", "answer_schema"),
        description="JSON Schema of the answer, for a number, a yes or no, or a form.",
        examples=[{"type": "integer", "minimum": 1}],
    )

    def contradictions(self) -> Iterator[str]:
        if self.choices and self.answer_schema is not None:
            yield "has `choices` and a `schema`: leave one of them out"

    @property
    def output_keys(self) -> Collection[str] | None:
        form = (self.answer_schema or {}).get("properties")
        return tuple(form) if isinstance(form, dict) else None if self.answer_schema else ()

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from check_schema(label, "answer_schema", self.answer_schema)

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        try:
            prompt = ctx.render(self.prompt)
        except TemplateError as error:
            raise NodeError(str(error), field="prompt") from error
        question = Question(prompt=prompt, schema_=self._schema(), timeout=self.timeout)

        async def ask(_: str) -> Any:
            return await ctx.ask(question)

        asked = {"question": prompt, "schema": question.schema_}
        return Result.value((await ctx.effect(asked, ask)).value)

    def _schema(self) -> dict[str, Any] | None:
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return self.answer_schema
