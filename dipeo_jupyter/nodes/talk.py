"""A person about to be spoken to, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..diagram.model import Label, Person
from ..engine.node import Context, EffectPolicy
from ..engine.ports import ChatMessage, ChatRequest
from ..engine.prices import FREE, Billed, Quote, billed
from ..protocol.events import Message
from .views import as_chat


class Said(NamedTuple):
    """What a person answered. It may have done so before, and in a plan it is not known yet."""

    text: str
    is_new: bool = True
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Talk:
    """A person about to be spoken to, with all that it knows.

    `shown` is what it sees before the prompt, in order. `heard` are those of them that an edge
    brought from outside the conversation; they become part of it.
    """

    me: Label
    person: Person
    system: str | None
    shown: Sequence[Message]
    heard: Sequence[Message]
    timeout: float
    cache: bool = True

    def request(self, prompt: Message, aside: Sequence[ChatMessage] = ()) -> ChatRequest:
        """What the model gets."""
        system = [ChatMessage("system", self.system)] if self.system else []
        said = [as_chat(message, self.me) for message in (*self.shown, prompt)]
        return ChatRequest(self.person, [*system, *said, *aside], self.timeout, self.cache)

    async def say(
        self,
        prompt: Message,
        ctx: Context,
        show: Callable[[str], None],
        name: str = "",
        aside: Sequence[ChatMessage] = (),
    ) -> Said:
        """Ask the model, or take the answer that it gave to exactly the same before, which is free.

        `name` tells apart what is said in one activation. What is said `aside` comes behind the
        prompt, and is no part of the conversation.
        """
        request, llm, asked = self.request(prompt, aside), ctx.services.llm, False
        price = llm.price(self.person)
        characters = sum(len(each.content) for each in request.messages)

        async def ask(_: str) -> Billed:
            nonlocal asked
            asked = True
            answer = await llm.chat(request, show)
            usage = billed(answer.usage, FREE if answer.replayed else price)
            return Billed({"text": answer.text}, usage)

        done = await ctx.effect(
            {
                "chat": [[each.role, each.content] for each in request.messages],
                "with": llm.identity(self.person),
            },
            ask,
            EffectPolicy(reuse=True),
            name,
            Quote(characters, price, self.person.parameters.get("max_tokens")),
        )
        return Said(done.value["text"], asked, is_known=done.value.get("known", True))
