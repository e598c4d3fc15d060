"""The `person_job` node: says something to a person and hands on the answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from pydantic import Field

from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, NodeType, Refusal, Result
from ..protocol.events import Message
from .person_batch_job import BATCH_NAMES, PersonBatchJob
from .structured import Structured


class PersonJob(Structured):
    """Says a prompt to a person and hands on the answer; both join the conversation.

    With `batch: true` it is a `person_batch_job`: it asks about each item of a list.
    """

    type: ClassVar[str] = "person_job"
    keeps_inputs: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("llm", "agent", "person")
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT, "first")
    forms: ClassVar[tuple[NodeType, ...]] = (PersonBatchJob,)
    refused: ClassVar[Mapping[str, Refusal]] = {
        **Structured.refused,
        **dict.fromkeys(BATCH_NAMES, Refusal("It is for lists: add `batch: true`.")),
    }

    batch: bool = Field(
        default=False,
        description="Ask about each item of a list, as a `person_batch_job` does.",
    )

    @classmethod
    def for_settings(cls, props: Mapping[str, Any]) -> NodeType:
        return PersonBatchJob if props.get("batch") in (True, "true") else cls

    @classmethod
    def settings_in(cls, props: Mapping[str, Any]) -> dict[str, Any]:
        """Without what is about lists, where `batch: false` says that there is none."""
        unused = BATCH_NAMES if "batch" in props else ()
        return super().settings_in({name: props[name] for name in props if name not in unused})

    @property
    def output_keys(self) -> Collection[str] | None:
        return self.keys_of_answer()

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        name = ctx.name
        content = (await self.prompt_in(ctx)).filled(ctx.names)
        images = await self.images_in(ctx.names, ctx)
        prompt = Message(id=f"{name}.0", recipient=self.person, content=content, images=images)
        talk = await self.talk(inputs, ctx)
        answer = await self.answer(talk, await self.form(ctx), prompt, ctx, ctx.stream)
        said = (prompt, *answer.uses)
        return Result(
            {DEFAULT: answer.value},
            person=self.person,
            messages=(*talk.heard, *said, answer.message(f"{name}.{len(said)}", self.person)),
            seen=tuple(message.id for message in (*talk.shown, *said)),
        )
