"""The `user_response` node: asks a human."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, model_validator

from ..diagram import template
from ..diagram.model import Diagram, Label
from ..engine.node import Context, Inputs, Node, Result
from ..engine.schemas import fault_in
from ..errors import NodeError, Problem, TemplateError
from ..protocol.events import Question


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
        try:
            template.check(self.prompt)
        except TemplateError as error:
            path = ("nodes", label, "prompt")
            yield Problem("bad_template", f"Node {label!r}: {error}", label, path)
        if self.answer_schema is not None and (fault := fault_in(self.answer_schema)):
            message = f"Node {label!r}: `schema` is no JSON Schema: {fault}."
            yield Problem("bad_schema", message, label, ("nodes", label, "answer_schema"))

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
