"""The `user_response` node: asks a human."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, model_validator

from ..diagram.model import Diagram, Label
from ..engine.node import Context, Inputs, Node, Result
from ..errors import NodeError, Problem, TemplateError
from ..protocol.events import Question
from .checks import check_schema, check_template


class UserResponse(Node):
    """Asks, waits for a valid answer, and hands it on.

    Without more, any text is an answer. `choices` lists the answers to choose from; `schema` (JSON
    Schema) describes a number, a boolean, or a form. There is no time limit unless `timeout`
    (seconds) gives one.
    """

    type: ClassVar[str] = "user_response"

    prompt: str
    choices: tuple[str, ...] = Field((), validation_alias=AliasChoices("choices", "options"))
    answer_schema: dict[str, Any] | None = Field(
        None, validation_alias=AliasChoices("schema", "answer_schema")
    )

    @model_validator(mode="after")
    def _one_kind_of_answer(self) -> UserResponse:
        if self.choices and self.answer_schema is not None:
            raise ValueError("has `choices` and a `schema`: leave one of them out")
        return self

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from check_template(label, "prompt", self.prompt)
        yield from check_schema(label, "answer_schema", self.answer_schema)

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        try:
            prompt = ctx.render(self.prompt)
        except TemplateError as error:
            raise NodeError(str(error), field="prompt") from error
        question = Question(prompt=prompt, schema_=self._schema(), timeout=self.timeout)
        return Result.value(await ctx.ask(question))

    def _schema(self) -> dict[str, Any] | None:
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return self.answer_schema
