"""The `person_batch_job` node: says the same to a person about each item of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue

from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, Refusal, Result
from ..protocol.events import Message
from .batches import collected, items_in, names_for
from .speech import Speaker, Talk


@dataclass(frozen=True, slots=True)
class Answered:
    """An item that is done."""

    prompt: Message
    reply: Message


class PersonBatchJob(Speaker):
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
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT, "first")
    expressions: ClassVar[tuple[str, ...]] = ("items",)
    own_names: ClassVar[tuple[str, ...]] = ("item", "index")
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"batch_size", "batchSize", "aggregationMethod", "batchPrompt", "customAggregationPrompt"}
    )
    refused: ClassVar[Mapping[str, Refusal]] = {
        **Speaker.refused,
        "batch": Refusal(
            "For one prompt without a list write `type: person_job`.", harmless=(True, "true", None)
        ),
    }
    example: ClassVar[Mapping[str, JsonValue]] = {
        "person": "Critic",
        "items": "drafts",
        "prompt": "Judge: {{item}}",
    }

    items: str | None = Field(
        None,
        validation_alias=AliasChoices("items", "over", "batch_input_key", "batchInputKey"),
        description=(
            "The list, as an expression over what the node sees. By default what arrives as "
            "`items`, else the one list that arrives."
        ),
        examples=["rows", "load.rows[:10]"],
    )
    max_concurrency: int = Field(
        10,
        ge=1,
        validation_alias=AliasChoices("max_concurrency", "max_concurrent", "maxConcurrent"),
        description="How many items are asked about at the same time, at most.",
    )
    parallel: bool = Field(
        default=True,
        validation_alias=AliasChoices(
            "parallel", "batch_parallel", "batchParallel", "parallelProcessing"
        ),
        description="With `false`, one item after the other.",
    )
    partial: bool = Field(
        default=False,
        description=(
            "Go on when items fail, and hand on `{results, failed, total}`. By default the node "
            "fails when an item does."
        ),
    )

    @property
    def output_keys(self) -> Collection[str]:
        return ("results", "failed", "total") if self.partial else ()

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        items = items_in(inputs, ctx, self.items)
        saying = await self.prompt_in(ctx)
        talk = await self.talk(inputs, ctx)
        gate = asyncio.Semaphore(self.max_concurrency if self.parallel else 1)

        async def one(index: int, item: Any) -> Answered:
            async with gate:
                return await self._ask(talk, ctx, saying.filled(names_for(ctx, index, item)), index)

        calls = (one(index, item) for index, item in enumerate(items))
        return self._collect(talk, await asyncio.gather(*calls, return_exceptions=True))

    async def _ask(self, talk: Talk, ctx: Context, content: str, index: int) -> Answered:
        name = f"{ctx.name}.{index}"
        prompt = Message(id=f"{name}.0", recipient=self.person, content=content)
        answer = await ctx.attempt(lambda: talk.say(prompt, ctx, lambda _: None, f".{index}"))
        ctx.progress(f"item {index} is done")
        return Answered(prompt, Message(id=f"{name}.1", sender=self.person, content=answer))

    def _collect(self, talk: Talk, done: Sequence[Answered | BaseException]) -> Result:
        value = collected(done, lambda each: each.reply.content, partial=self.partial)
        answered = [each for each in done if isinstance(each, Answered)]
        said = [message for each in answered for message in (each.prompt, each.reply)]
        return Result(
            {DEFAULT: value},
            person=self.person,
            messages=(*talk.heard, *said),
            seen=tuple(x.id for x in (*talk.shown, *(each.prompt for each in answered))),
        )


BATCH_NAMES = frozenset(
    name
    for field in ("items", "max_concurrency", "parallel", "partial")
    for name in PersonBatchJob.names_of(field)
)
"""How the properties that are about a list may be written."""
