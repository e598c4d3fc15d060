"""Lists whose items are worked on one by one: which list, and what comes of some failing."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar, cast

from ..diagram.language.values import kind
from ..engine.node import Context, Inputs
from ..errors import DipeoError, ExpressionError, NodeError

T = TypeVar("T")


def items_in(inputs: Inputs, ctx: Context, expression: str | None) -> list[Any]:
    """The list that an expression gives; without one, `items`, else the one list that arrives."""
    if expression is None:
        named = inputs.by_name().get("items")
        if isinstance(named, list):
            return named
        lists = [value for value in inputs.values() if isinstance(value, list)]
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


def names_for(ctx: Context, index: int, item: Any) -> Mapping[str, Any]:
    """What is seen of one item: itself, its number, and all that the node sees."""
    # ChainMap asks for mutable maps, but only writes to the first.
    return ChainMap({"item": item, "index": index}, cast("MutableMapping[str, Any]", ctx.names))


def collected(
    done: Sequence[T | BaseException], output: Callable[[T], Any], *, partial: bool
) -> Any:
    """The list of outputs in the order of the items; with `partial`, also what failed.

    Raises `NodeError` for failures otherwise.
    """
    failed = {index: each for index, each in enumerate(done) if isinstance(each, BaseException)}
    outputs = {
        index: output(each)
        for index, each in enumerate(done)
        if not isinstance(each, BaseException)
    }
    for index, error in failed.items():
        if not isinstance(error, DipeoError):
            raise error
        if not partial:
            message = (
                f"{len(failed)} of {len(done)} items failed; the first is item {index}: "
                f"{str(error).rstrip('.')}. With `partial: true` the others go on."
            )
            raise NodeError(message, field=getattr(error, "field", None))
    if not partial:
        return list(outputs.values())
    return {
        "results": [{"index": index, "output": output} for index, output in outputs.items()],
        "failed": [{"index": index, "error": str(error)} for index, error in failed.items()],
        "total": len(done),
    }
