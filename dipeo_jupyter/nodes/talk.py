"""A person about to be spoken to, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..diagram.model import Label, Person
from ..engine.chat import ChatMessage, ChatRequest
from ..engine.node import Context, EffectPolicy
from ..engine.ports import LLM
from ..engine.prices import FREE, Billed, Quote, billed
from ..protocol.events import Message, Usage
from .views import as_chat

_LIMITS = ("max_tokens", "max_completion_tokens")
"""What a person may set so that no answer is longer."""


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

        async def ask(_: str) -> Billed:
            nonlocal asked
            asked = True
            text, usage = await answer_to(request, llm, show)
            return Billed({"text": text}, usage)

        done = await ctx.effect(
            {
                **request.said(),
                "with": llm.identity(self.person),
            },
            ask,
            EffectPolicy(reuse=True),
            name,
            quote_for(request, llm),
        )
        return Said(done.value["text"], asked, is_known=done.value.get("known", True))


async def answer_to(
    request: ChatRequest, llm: LLM, show: Callable[[str], None]
) -> tuple[str, Usage]:
    """What a model says, and what that took; raises `ServiceError`."""
    answer = await llm.chat(request, show)
    price = FREE if answer.replayed else llm.price(request.person)
    return answer.text, billed(answer.usage, price)


def quote_for(request: ChatRequest, llm: LLM) -> Quote:
    """What a request will take, as far as that shows beforehand."""
    limits = [request.person.parameters.get(name) for name in _LIMITS]
    # What is no number, its provider refuses.
    most = min((limit for limit in limits if type(limit) is int and limit > 0), default=None)
    characters = sum(len(each.content) for each in request.messages)
    return Quote(characters, llm.price(request.person), most)
