"""Puts an answer together from its pieces, and counts what it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...engine.chat import ChatAnswer
from ...engine.ports import Embedded
from ...protocol.events import ToolCall, Usage
from .call import Call
from .failures import (
    ANSWER_LIMIT,
    IMAGES_LIMIT,
    broken,
    no_answer,
    nothing_drawn,
    too_large,
    too_long,
)


async def collect(stream: Any, show: Callable[[str], Any], call: Call) -> ChatAnswer:
    """Read a stream of litellm to its end, showing each piece; raises `ServiceError`."""
    parts, usage = _Parts(), Usage()
    async for chunk in stream:
        call.heard()
        usage = usage_of(chunk) or usage
        for choice in chunk.choices[:1]:
            parts.add(choice.delta, show)
    # litellm says "stop" by itself when a stream merely ended; these say what the model said.
    reason = stream.received_finish_reason or stream.intermittent_finish_reason
    if not (parts.pieces or parts.calls or parts.images):
        raise no_answer(reason)
    if reason is None or not call.whole:
        raise broken()
    calls = tuple(ToolCall(**parts.calls[index]) for index in sorted(parts.calls))
    return ChatAnswer("".join(parts.pieces), usage, calls=calls, images=(*parts.images,))


class _Parts:
    """What came of an answer so far."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.calls: dict[int, dict[str, str]] = {}
        self.images: list[str] = []
        self._size = self._images_size = 0

    def add(self, delta: Any, show: Callable[[str], Any]) -> None:
        if text := delta.content:
            self._count(text)
            self.pieces.append(text)
            show(text)
        for piece in getattr(delta, "tool_calls", None) or ():
            call = self.calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
            call["id"] = call["id"] or piece.id or ""
            call["name"] += piece.function.name or ""
            arguments = piece.function.arguments or ""
            self._count(arguments)
            call["arguments"] += arguments
        for image in getattr(delta, "images", None) or ():
            self.images.append(image["image_url"]["url"])
            self._images_size += len(self.images[-1])
            if self._images_size > IMAGES_LIMIT:
                raise too_large()

    def _count(self, text: str) -> None:
        self._size += len(text.encode())
        if self._size > ANSWER_LIMIT:
            raise too_long()


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
        image_tokens=getattr(taken, "image_tokens", None) or 0,
    )


def drawn_at(answer: Any) -> Sequence[str]:
    """Where the images in an answer of litellm are, as URLs; raises `ServiceError` for none."""
    found = [
        f"data:image/*;base64,{each.b64_json}" if each.b64_json else each.url
        for each in answer.data or ()
        if each.b64_json or each.url
    ]
    if not found:
        raise nothing_drawn()
    if sum(map(len, found)) > IMAGES_LIMIT:
        raise too_large()
    return found


def drawing_usage(answer: Any) -> Usage:
    """What images took. All that came out are images, unless it is said how many tokens are."""
    counts = answer.usage
    if counts is None:
        return Usage()
    taken = getattr(counts, "output_tokens_details", None) or {}
    details = taken if isinstance(taken, Mapping) else vars(taken)
    output = counts.output_tokens or 0
    images = details.get("image_tokens")
    return Usage(
        input_tokens=counts.input_tokens or 0,
        output_tokens=output,
        image_tokens=output if images is None else images,
    )


def embedded(answer: Any, count: int) -> Embedded:
    """The vectors in an answer of litellm, in the order of the texts; raises `ServiceError`."""
    found = {each["index"]: each["embedding"] for each in answer.data or ()}
    vectors = [found.get(index) for index in range(count)]
    if len({len(each) if isinstance(each, list) else 0 for each in vectors}) != 1 or not vectors[0]:
        raise no_answer()
    tokens = answer.usage.prompt_tokens if answer.usage else 0
    return Embedded([[*map(float, each)] for each in vectors if each], Usage(input_tokens=tokens))
