"""The `person_batch_job` node: says the same to a person about each item of a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import JsonValue

from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, Refusal, Result
from ..protocol.events import Message
from .batches import FIELDS, KEYS, Failed, OverItems, items_in, names_for
from .structured import Form, Structured
from .talk import Talk

_NUMBERS = 10_000
"""Uses of tools that one item may have."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An item that is done."""

    messages: tuple[Message, ...]
    value: Any

    @property
    def seen(self) -> tuple[Message, ...]:
        """All but what was said at last."""
        return self.messages[:-1]


class PersonBatchJob(OverItems, Structured):
    """Asks a person about each item of a list, and hands on the list of answers.

    Each item is asked about on its own: `{{item}}` and `{{index}}` are the prompt's variables.
    `items` names the list (a path such as `load.rows`); without it, what arrives as `items` is
    taken, else the one list that arrives. At most `max_concurrency` calls are under way at once,
    and with `parallel: false` one. The result is the list of
    answers in the order of the items; when items fail, the node fails after all others are done,
    unless `partial` is set: then the result is `{results: [{index, output}], failed: [{index,
    error}], total}`.
    """

    type: ClassVar[str] = "person_batch_job"
    keeps_inputs: ClassVar[bool] = True
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT, "first")
    own_names: ClassVar[tuple[str, ...]] = ("item", "index")
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"batch_size", "batchSize", "aggregationMethod", "batchPrompt", "customAggregationPrompt"}
    )
    refused: ClassVar[Mapping[str, Refusal]] = {
        **Structured.refused,
        "batch": Refusal(
            "For one prompt without a list write `type: person_job`.", harmless=(True, "true", None)
        ),
    }
    example: ClassVar[Mapping[str, JsonValue]] = {
        "person": "Critic",
        "items": "drafts",
        "prompt": "Judge: {{item}}",
    }

    @property
    def output_keys(self) -> Collection[str]:
        return KEYS if self.partial else ()

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        items = items_in(inputs, ctx, self.items)
        saying = await self.prompt_in(ctx)
        talk, form = await self.talk(inputs, ctx), await self.form(ctx)

        async def one(index: int, item: Any) -> Answered:
            names = names_for(ctx, index, item)
            prompt = Message(
                id=f"{ctx.name}.{index}.0",
                recipient=self.person,
                content=saying.filled(names),
                images=await self.images_in(names, ctx),
            )
            own = replace(talk, tools=talk.tools.numbered(index * _NUMBERS))
            return await self._ask(own, form, ctx, prompt, index)

        return self._collect(talk, await self.each(items, ctx, one))

    async def _ask(
        self, talk: Talk, form: Form | None, ctx: Context, prompt: Message, index: int
    ) -> Answered:
        answer = await ctx.attempt(
            lambda: self.answer(talk, form, prompt, ctx, lambda _: None, f".{index}")
        )
        said = (prompt, *answer.uses)
        last = answer.message(f"{ctx.name}.{index}.{len(said)}", self.person)
        return Answered((*said, last), answer.value)

    def _collect(self, talk: Talk, done: Sequence[Answered | Failed]) -> Result:
        value = self.collected(done, lambda each: each.value)
        answered = [each for each in done if isinstance(each, Answered)]
        said = [message for each in answered for message in each.messages]
        return Result(
            {DEFAULT: value},
            person=self.person,
            messages=(*talk.heard, *said),
            seen=tuple(x.id for x in (*talk.shown, *(y for each in answered for y in each.seen))),
        )


BATCH_NAMES = frozenset(name for field in FIELDS for name in PersonBatchJob.names_of(field))
"""How the properties that are about a list may be written."""
