"""The `person_job` node: says something to a person and hands on the answer."""

from __future__ import annotations

from typing import ClassVar

from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, Result
from ..errors import NodeError, TemplateError
from ..protocol.events import Message
from .speech import Speaker


class PersonJob(Speaker):
    """One prompt, one answer, streamed; both become part of the conversation."""

    type: ClassVar[str] = "person_job"
    aliases: ClassVar[tuple[str, ...]] = ("llm", "agent")
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT, "first")

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        text, field = self.prompt_for(ctx)
        try:
            content = ctx.render(text)
        except TemplateError as error:
            raise NodeError(str(error), field=field) from error
        name = f"{ctx.node}[{ctx.activation}]"
        prompt = Message(id=f"{name}.0", recipient=self.person, content=content)
        call = await self.prepare(inputs, ctx, prompt)
        answer = await ctx.services.llm.chat(call.request, ctx.stream)
        reply = Message(id=f"{name}.1", sender=self.person, content=answer.text)
        return Result(
            {DEFAULT: answer.text},
            person=self.person,
            messages=(prompt, reply),
            seen=call.seen,
            usage=answer.usage,
        )
