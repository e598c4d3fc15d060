"""An OpenAI-compatible model provider on loopback: `POST …/chat/completions`, `…/embeddings`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from .model_server import ModelExchange, ModelServer, Request, Step

LETTERS = "abcdefghijklmnopqrstuvwxyz"
__all__ = ["GARBAGE", "Exchange", "OpenAIServer", "Request", "completion"]


def completion(choice: dict[str, Any] | None, **more: Any) -> str:
    choices = [] if choice is None else [{"index": 0, **choice}]
    return json.dumps({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": choices, **more})


NOTHING = {"message": {"content": None}, "delta": {"content": None}, "finish_reason": "stop"}


EMBEDDINGS = "/v1/embeddings"


def embeddings(texts: Sequence[str]) -> str:
    """Texts are alike that use the same letters; they come back in another order than they went."""
    vectors = [[float(text.lower().count(each)) for each in LETTERS] for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return json.dumps({"object": "list", "data": data[::-1], "model": "m", "usage": usage})


class Exchange(ModelExchange):
    """A request as OpenAI takes it, and the means to answer it."""

    nothing: ClassVar[str] = completion(NOTHING)

    @property
    def said(self) -> str:
        content = self.request.body["messages"][-1]["content"]
        return content if isinstance(content, str) else content[0].get("text", "")

    @property
    def streams(self) -> bool:
        return bool((self.request.body or {}).get("stream"))

    def events(self, pieces: Sequence[str], ending: str | None) -> Iterator[str]:
        for piece in pieces:
            yield completion({"delta": {"content": piece}})
        if ending:
            yield completion({"delta": {}, "finish_reason": ending})
            if self.usage and self.request.body.get("stream_options", {}).get("include_usage"):
                yield completion(None, usage=self.usage)
            yield "[DONE]"

    def calling(self, text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        if text:
            yield completion({"delta": {"content": text}})
        for index, (name_of_call, name, arguments) in enumerate(calls):
            function: dict[str, str] = {"name": name, "arguments": ""}
            call = {"index": index, "id": name_of_call, "type": "function", "function": function}
            yield completion({"delta": {"tool_calls": [call]}})
            for half in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
                piece = {"index": index, "function": {"arguments": half}}
                yield completion({"delta": {"tool_calls": [piece]}})
        yield from self.events((), "tool_calls")

    def drawing(self, text: str, png: str) -> Iterator[str]:
        url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}}
        yield completion({"delta": {"content": text, "images": [{"index": 0, **url}]}})
        yield from self.events((), "stop")

    def whole(self, text: str, ending: str) -> str:
        message = {"role": "assistant", "content": text}
        return completion({"message": message, "finish_reason": ending}, usage=self.usage)

    def refusal(self, status: int, message: str) -> str:
        return json.dumps({"error": {"message": message, "code": status}})


class OpenAIServer(ModelServer):
    exchange = Exchange
    scripted_models = False
    """Whether the list of models is part of the script."""
    scripted_embeddings = False
    """The same for embeddings."""

    @classmethod
    def garbages(cls) -> dict[str, str]:
        return {**super().garbages(), "empty_choices": completion(None)}

    @property
    def embedded(self) -> list[list[str]]:
        """The texts of each request for embeddings."""
        return [each.body["input"] for each in self.requests if each.path == EMBEDDINGS]

    def _next_step(self, request: Request) -> Step:
        if request.path == EMBEDDINGS and not self.scripted_embeddings:
            return lambda exchange: exchange.send(200, embeddings(request.body["input"]))
        if request.path == "/v1/models" and not self.scripted_models:
            return lambda exchange: exchange.send(
                200, '{"data": [{"id": "loopback", "object": "model"}]}'
            )
        return super()._next_step(request)


GARBAGE = tuple(OpenAIServer.garbages())
