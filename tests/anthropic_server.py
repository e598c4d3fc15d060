"""A model provider on loopback that speaks as Anthropic does: `POST …/v1/messages`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from .model_server import ModelExchange, ModelServer

ENDINGS = {"stop": "end_turn", "length": "max_tokens", "tools": "tool_use"}
ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
FIRST = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation")
"""The counts that are known when the answer begins."""


class Exchange(ModelExchange):
    """A request as Anthropic takes it, and the means to answer it."""

    nothing: ClassVar[str] = json.dumps({"type": "message", "content": [], "usage": {}})

    @property
    def said(self) -> str:
        content = self.request.body["messages"][-1]["content"]
        return content if isinstance(content, str) else content[-1].get("text", "")

    @property
    def streams(self) -> bool:
        return bool(self.request.body.get("stream"))

    def events(self, pieces: Sequence[str], ending: str | None) -> Iterator[str]:
        yield self._start()
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield _event("ping")
        for piece in pieces:
            delta = {"type": "text_delta", "text": piece}
            yield _event("content_block_delta", index=0, delta=delta)
        if ending:
            yield _event("content_block_stop", index=0)
            yield from self._end(ending)

    def calling(self, text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        yield self._start()
        if text:
            yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
            yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
            yield _event("content_block_stop", index=0)
        for index, (name_of_call, name, arguments) in enumerate(calls, bool(text)):
            block = {"type": "tool_use", "id": name_of_call, "name": name, "input": {}}
            yield _event("content_block_start", index=index, content_block=block)
            for half in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
                delta = {"type": "input_json_delta", "partial_json": half}
                yield _event("content_block_delta", index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        yield from self._end("tools")

    def _start(self) -> str:
        first = {name: count for name, count in (self.usage or {}).items() if name in FIRST}
        message = _message([], None, {"input_tokens": 0, **first, "output_tokens": 1})
        return _event("message_start", message=message)

    def _end(self, ending: str) -> Iterator[str]:
        last = {name: count for name, count in (self.usage or {}).items() if name not in FIRST}
        delta = {"stop_reason": ENDINGS[ending], "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage={"output_tokens": 1, **last})
        yield _event("message_stop")

    def whole(self, text: str, ending: str) -> str:
        content = [{"type": "text", "text": text}]
        return json.dumps(_message(content, ENDINGS[ending], self.usage or {}))

    def refusal(self, status: int, message: str) -> str:
        error = {"type": ERRORS.get(status, "api_error"), "message": message}
        return _event("error", error=error, request_id="req_1")

    def event_head(self, data: str) -> str:
        return f"event: {json.loads(data)['type']}\n"


class AnthropicServer(ModelServer):
    exchange = Exchange
    path = ""


def _event(kind: str, **more: Any) -> str:
    return json.dumps({"type": kind, **more})


def _message(content: list[Any], reason: str | None, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }
