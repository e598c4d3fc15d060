"""The `person_job` node: says something to a person and hands on the answer."""

from __future__ import annotations

from typing import ClassVar

from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, Result
from ..protocol.events import Message
from .speech import Speaker


class PersonJob(Speaker):
    """One prompt, one answer, streamed; both become part of the conversation."""

    type: ClassVar[str] = "person_job"
    aliases: ClassVar[tuple[str, ...]] = ("llm", "agent")
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT, "first")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        name = f"{ctx.node}[{ctx.activation}]"
        content = self.prompt_of(ctx, ctx.names)
        prompt = Message(id=f"{name}.0", recipient=self.person, content=content)
        talk = await self.talk(inputs, ctx)
        answer = await ctx.services.llm.chat(talk.request(prompt), ctx.stream)
        reply = Message(id=f"{name}.1", sender=self.person, content=answer.text)
        return Result(
            {DEFAULT: answer.text},
            person=self.person,
            messages=(*talk.heard, prompt, reply),
            seen=(*(message.id for message in talk.shown), prompt.id),
            usage=answer.usage,
        )
