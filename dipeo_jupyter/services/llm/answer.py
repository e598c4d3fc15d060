"""Puts an answer together from its pieces, and counts what it took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.ports import ChatAnswer, Embedded
from ...protocol.events import Usage
from .call import Call
from .failures import ANSWER_LIMIT, broken, no_answer, too_long


async def collect(stream: Any, show: Callable[[str], Any], call: Call) -> ChatAnswer:
    """Read a stream of litellm to its end, showing each piece; raises `ServiceError`."""
    pieces: list[str] = []
    size, usage = 0, Usage()
    async for chunk in stream:
        call.heard()
        usage = usage_of(chunk) or usage
        for text in [choice.delta.content for choice in chunk.choices[:1] if choice.delta.content]:
            size += len(text.encode())
            if size > ANSWER_LIMIT:
                raise too_long()
            pieces.append(text)
            show(text)
    # litellm says "stop" by itself when a stream merely ended; these say what the model said.
    reason = stream.received_finish_reason or stream.intermittent_finish_reason
    if not pieces:
        raise no_answer(reason)
    if reason is None or not call.whole:
        raise broken()
    return ChatAnswer("".join(pieces), usage)


def usage_of(chunk: Any) -> Usage | None:
    """What the tokens of a chunk are, if it says so."""
    counts = getattr(chunk, "usage", None)
    if counts is None:
        return None
    given, taken = counts.prompt_tokens_details, counts.completion_tokens_details
    return Usage(
        input_tokens=counts.prompt_tokens or 0,
        output_tokens=counts.completion_tokens or 0,
        cached_tokens=getattr(given, "cached_tokens", None) or 0,
        cache_write_tokens=getattr(given, "cache_write_tokens", None) or 0,
        reasoning_tokens=getattr(taken, "reasoning_tokens", None) or 0,
    )


def embedded(answer: Any, count: int) -> Embedded:
    """The vectors in an answer of litellm, in the order of the texts; raises `ServiceError`."""
    found = {each["index"]: each["embedding"] for each in answer.data or ()}
    vectors = [found.get(index) for index in range(count)]
    if len({len(each) if isinstance(each, list) else 0 for each in vectors}) != 1 or not vectors[0]:
        raise no_answer()
    tokens = answer.usage.prompt_tokens if answer.usage else 0
    return Embedded([[*map(float, each)] for each in vectors if each], Usage(input_tokens=tokens))
