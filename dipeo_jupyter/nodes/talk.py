"""A person about to be spoken to, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from ..diagram.model import Label, Person
from ..engine.chat import ChatAnswer, ChatMessage, ChatRequest
from ..engine.node import Context, EffectPolicy
from ..engine.ports import LLM
from ..engine.prices import FREE, Billed, Quote, billed
from ..errors import NodeError
from ..protocol.events import Message, ToolCall, Usage
from .tools import DRAW
from .toolset import Toolset
from .views import as_chat

DEFAULT_TIMEOUT = 120.0
"""Seconds for one call to a model, when the node gives no `timeout`."""
_LIMITS = ("max_tokens", "max_completion_tokens")
"""What a person may set so that no answer is longer."""


class Said(NamedTuple):
    """What a person answered. It may have done so before, and in a plan it is not known yet.

    `uses` are the messages in which it used tools before that.
    """

    text: str
    is_new: bool = True
    is_known: bool = True
    images: tuple[str, ...] = ()
    uses: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """A person about to be spoken to, with all that it knows.

    `shown` is what it sees before the prompt, in order. `heard` are those of them that an edge
    brought from outside the conversation; they become part of it. With its `tools` it may come
    back `rounds` times before it has to answer.
    """

    me: Label
    person: Person
    system: str | None
    shown: Sequence[Message]
    heard: Sequence[Message]
    timeout: float
    cache: bool = True
    tools: Toolset = field(default_factory=Toolset)
    rounds: int = 0

    def request(self, prompt: Message, aside: Sequence[ChatMessage] = ()) -> ChatRequest:
        """What the model gets."""
        system = [ChatMessage("system", self.system)] if self.system else []
        said = [chat for each in (*self.shown, prompt) for chat in as_chat(each, self.me)]
        messages = [*system, *said, *aside]
        return ChatRequest(self.person, messages, self.timeout, self.cache, self.tools.tools)

    async def say(
        self,
        prompt: Message,
        ctx: Context,
        show: Callable[[str], None],
        name: str = "",
        aside: Sequence[ChatMessage] = (),
        used: Sequence[Message] = (),
    ) -> Said:
        """Ask the model, or take the answer that it gave to exactly the same before, which is free.

        `name` tells apart what is said in one activation. What is said `aside` comes behind the
        prompt, and is no part of the conversation; those `used` tools before that.
        """
        uses, chat, is_new = [*used], [*aside], False
        for number in count():
            effect = f"{name}.after{number}" if number else name
            answer = await self._ask(self.request(prompt, chat), ctx, show, effect)
            is_new = is_new or answer.is_new
            if not answer.calls:
                images = (*(image for each in uses for image in made_in(each)), *answer.images)
                return Said(answer.text, is_new, answer.is_known, images, (*uses,))
            if number == self.rounds:
                raise NodeError(
                    f"{self.me} still wants to use tools after {number} rounds. Raise "
                    "`max_tool_rounds`, or tell it to come to an end.",
                    field="max_tool_rounds",
                )
            message = Message(
                id=f"{prompt.id.rpartition('.')[0]}.{len(uses) + 1}",
                sender=self.me,
                content=answer.text,
                images=answer.images,
                uses=await self.tools.use(answer.calls, ctx, f"{name}.tool{number}"),
            )
            uses.append(message)
            chat += as_chat(message, self.me)
        raise AssertionError("counting has no end")

    async def _ask(
        self, request: ChatRequest, ctx: Context, show: Callable[[str], None], effect: str
    ) -> _Answer:
        llm, asked = ctx.services.llm, False

        async def ask(_: str) -> Billed:
            nonlocal asked
            asked = True
            answer, usage = await answer_to(request, llm, show)
            value: dict[str, Any] = {"text": answer.text}
            if answer.calls:
                value["calls"] = [each.model_dump() for each in answer.calls]
            if answer.images:
                value["images"] = list(answer.images)
            return Billed(value, usage, answer.replayed)

        done = await ctx.effect(
            {**request.said(), "with": llm.identity(self.person)},
            ask,
            EffectPolicy(reuse=True),
            effect,
            quote_for(request, llm),
        )
        return _Answer(
            done.value["text"],
            tuple(ToolCall.model_validate(each) for each in done.value.get("calls", ())),
            tuple(done.value.get("images", ())),
            asked,
            done.value.get("known", True),
        )


class _Answer(NamedTuple):
    text: str
    calls: tuple[ToolCall, ...]
    images: tuple[str, ...]
    is_new: bool
    is_known: bool


def made_in(message: Message) -> tuple[str, ...]:
    """The images that a person made while it used tools: the answer has them too."""
    return (
        *message.images,
        *(image for use in message.uses if use.name == DRAW for image in use.images),
    )


async def answer_to(
    request: ChatRequest, llm: LLM, show: Callable[[str], None]
) -> tuple[ChatAnswer, Usage]:
    """What a model says, and what that took; raises `ServiceError`."""
    answer = await llm.chat(request, show)
    price = FREE if answer.replayed else llm.price(request.person)
    return answer, billed(answer.usage, price, len(answer.images))


def quote_for(request: ChatRequest, llm: LLM) -> Quote:
    """What a request will take, as far as that shows beforehand."""
    limits = [request.person.parameters.get(name) for name in _LIMITS]
    # What is no number, its provider refuses.
    most = min((limit for limit in limits if type(limit) is int and limit > 0), default=None)
    characters = sum(len(each.content) for each in request.messages)
    characters += sum(len(call.arguments) for each in request.messages for call in each.calls)
    characters += sum(len(json.dumps(each.as_json())) for each in request.tools)
    return Quote(characters, llm.price(request.person), most)
