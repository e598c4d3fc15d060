"""The `person_batch_job` node: says the same to a person about each item of a list."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from pydantic import AliasChoices, Field

from ..diagram.language.values import kind
from ..diagram.model import DEFAULT, Diagram, Label
from ..engine.node import Context, Inputs, Result
from ..errors import DipeoError, ExpressionError, NodeError, Problem
from ..protocol.events import Message, Usage
from .checks import check_expression
from .speech import Speaker, Talk


@dataclass(frozen=True, slots=True)
class Answered:
    """An item that is done."""

    prompt: Message
    reply: Message
    usage: Usage


class PersonBatchJob(Speaker):
    """Each item is asked about on its own: `{{item}}` and `{{index}}` are the loop's variables.

    `items` names the list (a path such as `load.rows`); without it, the one list among the inputs
    is taken. At most `max_concurrency` calls are under way at once. The result is the list of
    answers in the order of the items; when items fail, the node fails after all others are done,
    unless `partial` is set: then the result is `{results: [{index, output}], failed: [{index,
    error}], total}`.
    """

    type: ClassVar[str] = "person_batch_job"
    inputs: ClassVar[tuple[str, ...]] = (DEFAULT, "first")
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"batch", "batch_parallel", "batch_size", "parallelProcessing", "aggregationMethod"}
    )

    items: str | None = Field(
        None, validation_alias=AliasChoices("items", "over", "batch_input_key")
    )
    max_concurrency: int = Field(
        10, ge=1, validation_alias=AliasChoices("max_concurrency", "max_concurrent")
    )
    partial: bool = False

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from super().check(label, diagram)
        yield from check_expression(label, "items", self.items)

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        items = self._items(inputs, ctx)
        talk = await self.talk(inputs, ctx)
        gate = asyncio.Semaphore(self.max_concurrency)

        async def one(index: int, item: Any) -> Answered:
            async with gate:
                return await self._ask(talk, ctx, index, item)

        calls = (one(index, item) for index, item in enumerate(items))
        return self._collect(talk, await asyncio.gather(*calls, return_exceptions=True))

    def _items(self, inputs: Inputs, ctx: Context) -> list[Any]:
        if self.items is None:
            lists = [value for value in inputs.values() if isinstance(value, list)]
            if len(lists) != 1:
                raise NodeError(
                    f"finds {len(lists)} lists among its inputs ({', '.join(inputs) or 'none'}). "
                    "Name one with `items:`."
                )
            return lists[0]
        try:
            found = ctx.evaluate(self.items)
        except ExpressionError as error:
            raise NodeError(str(error), field="items") from error
        if not isinstance(found, list):
            raise NodeError(f"`items: {self.items}` is {kind(found)}, not a list.", field="items")
        return found

    async def _ask(self, talk: Talk, ctx: Context, index: int, item: Any) -> Answered:
        # ChainMap asks for mutable maps, but only writes to the first.
        names = cast("MutableMapping[str, Any]", ctx.names)
        content = self.prompt_of(ctx, ChainMap({"item": item, "index": index}, names))
        name = f"{ctx.node}[{ctx.activation}].{index}"
        prompt = Message(id=f"{name}.0", recipient=self.person, content=content)
        llm, request = ctx.services.llm, talk.request(prompt)
        answer = await ctx.attempt(lambda: llm.chat(request, lambda _: None))
        ctx.progress(f"item {index} is done")
        return Answered(
            prompt, Message(id=f"{name}.1", sender=self.person, content=answer.text), answer.usage
        )

    def _collect(self, talk: Talk, done: Sequence[Answered | BaseException]) -> Result:
        failed = {index: each for index, each in enumerate(done) if isinstance(each, BaseException)}
        answered = {index: each for index, each in enumerate(done) if isinstance(each, Answered)}
        for index, error in failed.items():
            if not isinstance(error, DipeoError):
                raise error
            if not self.partial:
                message = (
                    f"{len(failed)} of {len(done)} items failed; the first is item {index}: "
                    f"{str(error).rstrip('.')}. With `partial: true` the others go on."
                )
                raise NodeError(message, field=getattr(error, "field", None))
        value: Any = [each.reply.content for each in answered.values()]
        if self.partial:
            value = {
                "results": [{"index": i, "output": x.reply.content} for i, x in answered.items()],
                "failed": [{"index": i, "error": str(x)} for i, x in failed.items()],
                "total": len(done),
            }
        said = [message for each in answered.values() for message in (each.prompt, each.reply)]
        return Result(
            {DEFAULT: value},
            person=self.person,
            messages=(*talk.heard, *said),
            seen=tuple(x.id for x in (*talk.shown, *(each.prompt for each in answered.values()))),
            usage=sum((each.usage for each in answered.values()), Usage()),
        )
