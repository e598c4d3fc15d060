"""The `person_batch_job` node: says the same to a person about each item of a list."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import AliasChoices, Field

from ..diagram import template
from ..diagram.model import DEFAULT
from ..engine.node import Context, Inputs, Result
from ..engine.ports import ChatAnswer
from ..errors import NodeError, TemplateError
from ..protocol.events import Message, Usage
from .speech import Speaker


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

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        items = self._items(inputs, ctx)
        gate = asyncio.Semaphore(self.max_concurrency)

        async def one(index: int, item: Any) -> tuple[Message, ChatAnswer]:
            async with gate:
                return await self._ask(inputs, ctx, index, item)

        calls = (one(index, item) for index, item in enumerate(items))
        return self._collect(await asyncio.gather(*calls, return_exceptions=True))

    async def _ask(
        self, inputs: Inputs, ctx: Context, index: int, item: Any
    ) -> tuple[Message, ChatAnswer]:
        text, field = self.prompt_for(ctx)
        # ChainMap asks for mutable maps, but only writes to the first.
        names = cast("MutableMapping[str, Any]", ctx.names)
        try:
            content = template.render(text, ChainMap({"item": item, "index": index}, names))
        except TemplateError as error:
            raise NodeError(f"item {index}: {error}", field=field) from error
        name = f"{ctx.node}[{ctx.activation}].{index}"
        prompt = Message(id=f"{name}.0", recipient=self.person, content=content)
        call = await self.prepare(inputs, ctx, prompt)
        llm = ctx.services.llm
        answer = await ctx.attempt(lambda: llm.chat(call.request, lambda _: None))
        ctx.progress(f"item {index} is done")
        return prompt, answer

    def _items(self, inputs: Inputs, ctx: Context) -> list[Any]:
        if self.items is None:
            lists = [value for value in inputs.values() if isinstance(value, list)]
            if len(lists) != 1:
                raise NodeError(
                    f"finds {len(lists)} lists among its inputs ({', '.join(inputs) or 'none'}). "
                    "Name one with `items:`."
                )
            return lists[0]
        found = ctx.evaluate(self.items)
        if not isinstance(found, list):
            raise NodeError(
                f"`items: {self.items}` is {type(found).__name__}, not a list", field="items"
            )
        return found

    def _collect(self, done: Sequence[tuple[Message, ChatAnswer] | BaseException]) -> Result:
        failed = [
            {"index": index, "error": str(each)}
            for index, each in enumerate(done)
            if isinstance(each, BaseException)
        ]
        answered = [
            (index, *each) for index, each in enumerate(done) if not isinstance(each, BaseException)
        ]
        if failed and not self.partial:
            first = failed[0]
            raise NodeError(
                f"{len(failed)} of {len(done)} items failed; the first is item {first['index']}: "
                f"{first['error']}. With `partial: true` the others go on."
            )
        messages: list[Message] = []
        usage = Usage()
        for _, prompt, answer in answered:
            reply = prompt.id.removesuffix(".0") + ".1"
            messages += [prompt, Message(id=reply, sender=self.person, content=answer.text)]
            usage += answer.usage
        results = [{"index": index, "output": answer.text} for index, _, answer in answered]
        value: Any = [each["output"] for each in results]
        if self.partial:
            value = {"results": results, "failed": failed, "total": len(done)}
        return Result({DEFAULT: value}, self.person, tuple(messages), usage=usage)
