"""Lists whose items are worked on one by one: which list, and what comes of some failing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import AliasChoices, Field

from ..diagram.language.values import kind
from ..engine.names import layered
from ..engine.node import Context, Inputs, Node
from ..errors import DipeoError, ExpressionError, NodeError

T = TypeVar("T")

REPORTS = 100
"""How often a batch says how far it is, at most."""

KEYS = ("results", "failed", "total")
"""What a batch hands on when items may fail."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that failed. The error itself would keep alive all that was at work."""

    message: str
    field: str | None


class OverItems(Node):
    """Base of the node types that work on the items of a list."""

    expressions: ClassVar[tuple[str, ...]] = ("items",)

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
        description="How many items are worked on at the same time, at most.",
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

    async def each(
        self, items: Sequence[Any], ctx: Context, work: Callable[[int, Any], Awaitable[T]]
    ) -> Sequence[T | Failed]:
        """Do some work on each item, and return what came of it in the order of the items.

        A defect (anything but a `DipeoError`) ends it as soon as what is under way is done.
        """
        return await Batch(items, ctx, work).run(self.max_concurrency if self.parallel else 1)

    def collected(self, done: Sequence[T | Failed], output: Callable[[T], Any]) -> Any:
        """The list of outputs in the order of the items; with `partial`, also what failed.

        Raises `NodeError` for failures otherwise.
        """
        failed = {index: each for index, each in enumerate(done) if isinstance(each, Failed)}
        outputs = {
            index: output(each) for index, each in enumerate(done) if not isinstance(each, Failed)
        }
        if self.partial:
            return {
                "results": [{"index": index, "output": each} for index, each in outputs.items()],
                "failed": [{"index": index, "error": x.message} for index, x in failed.items()],
                "total": len(done),
            }
        for index, first in failed.items():
            message = (
                f"{len(failed)} of {len(done)} items failed; the first is item {index}: "
                f"{first.message.rstrip('.')}. With `partial: true` the others go on."
            )
            raise NodeError(message, field=first.field)
        return list(outputs.values())


FIELDS = tuple(name for name in OverItems.model_fields if name not in Node.model_fields)
"""The properties that are about a list."""


@dataclass(slots=True)
class Batch(Generic[T]):
    """Work on the items of a list, of which only so many are begun as are under way at once.

    When the run is paused no item is begun. The node is put off when the last one under way is
    done, and starts again with the run; what counts in the items that are done is known then.
    """

    items: Sequence[Any]
    ctx: Context
    work: Callable[[int, Any], Awaitable[T]]
    _done: dict[int, T | Failed] = field(default_factory=dict)
    _begun: int = 0
    _failed: int = 0
    _halted: bool = False

    async def run(self, at_once: int) -> Sequence[T | Failed]:
        total = len(self.items)
        while self._begun < total:
            self._halted = False
            workers = (self._worker() for _ in range(min(at_once, total - self._begun)))
            # Not a TaskGroup: a defect in one item is no reason to cut short a call in another.
            for ended in await asyncio.gather(*workers, return_exceptions=True):
                if isinstance(ended, BaseException):
                    raise ended
            if self._begun < total and self.ctx.paused:
                await self.ctx.put_off()
        return [self._done[index] for index in range(total)]

    async def _worker(self) -> None:
        while self._begun < len(self.items):
            self._halted = self._halted or self.ctx.paused
            if self._halted:
                return
            index = self._begun
            self._begun += 1
            try:
                self._done[index] = await self.work(index, self.items[index])
            except DipeoError as error:
                self._done[index] = Failed(str(error), getattr(error, "field", None))
                self._failed += 1
            except BaseException:
                self._halted = True
                raise
            await self._report()

    async def _report(self) -> None:
        """Say how far it is: by number, so that a run is always told the same way."""
        done, total = len(self._done), len(self.items)
        if done % -(-total // REPORTS) and done != total:
            return
        failed = f", {self._failed} of them failed" if self._failed else ""
        self.ctx.progress(f"{done} of {total} items done{failed}")
        # Items that were done before wait for nothing: let others have the event loop.
        await asyncio.sleep(0)


def items_in(inputs: Inputs, ctx: Context, expression: str | None) -> list[Any]:
    """The list that an expression gives; without one, `items`, else the one list that arrives."""
    if expression is None:
        lists = lists_among(inputs)
        if len(lists) != 1:
            raise NodeError(
                f"finds {len(lists)} lists among its inputs ({', '.join(inputs) or 'none'}). "
                "Name one with `items:`."
            )
        return lists[0]
    try:
        found = ctx.evaluate(expression)
    except ExpressionError as error:
        raise NodeError(str(error), field="items") from error
    if not isinstance(found, list):
        raise NodeError(f"`items: {expression}` is {kind(found)}, not a list.", field="items")
    return found


def lists_among(inputs: Inputs) -> Sequence[list[Any]]:
    """The lists that may be meant when none is named: what arrives as `items`, else all."""
    named = inputs.by_name().get("items")
    if isinstance(named, list):
        return [named]
    return [value for value in inputs.values() if isinstance(value, list)]


def names_for(ctx: Context, index: int, item: Any) -> Mapping[str, Any]:
    """What is seen of one item: itself, its number, and all that the node sees."""
    return layered({"item": item, "index": index}, ctx.names)
