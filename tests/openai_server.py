"""An OpenAI-compatible model provider on loopback: `POST …/chat/completions`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from .model_server import ModelExchange, ModelServer, Request, Step

__all__ = ["GARBAGE", "Exchange", "OpenAIServer", "Request", "completion"]


def completion(choice: dict[str, Any] | None, **more: Any) -> str:
    choices = [] if choice is None else [{"index": 0, **choice}]
    return json.dumps({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": choices, **more})


NOTHING = {"message": {"content": None}, "delta": {"content": None}, "finish_reason": "stop"}


class Exchange(ModelExchange):
    """A request as OpenAI takes it, and the means to answer it."""

    nothing: ClassVar[str] = completion(NOTHING)

    @property
    def said(self) -> str:
        return self.request.body["messages"][-1]["content"]

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

    def whole(self, text: str, ending: str) -> str:
        message = {"role": "assistant", "content": text}
        return completion({"message": message, "finish_reason": ending}, usage=self.usage)

    def refusal(self, status: int, message: str) -> str:
        return json.dumps({"error": {"message": message, "code": status}})


class OpenAIServer(ModelServer):
    exchange = Exchange
    scripted_models = False
    """Whether the list of models is part of the script."""

    @classmethod
    def garbages(cls) -> dict[str, str]:
        return {**super().garbages(), "empty_choices": completion(None)}

    def _next_step(self, request: Request) -> Step:
        if request.path == "/v1/models" and not self.scripted_models:
            return lambda exchange: exchange.send(
                200, '{"data": [{"id": "loopback", "object": "model"}]}'
            )
        return super()._next_step(request)


GARBAGE = tuple(OpenAIServer.garbages())
