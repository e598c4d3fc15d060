"""An OpenAI-compatible model provider on loopback.

It takes `POST …/chat/completions`, `…/responses`, `…/embeddings` and `…/images/generations`.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from .model_server import ModelExchange, ModelServer, Request, Step

LETTERS = "abcdefghijklmnopqrstuvwxyz"
__all__ = ["GARBAGE", "Exchange", "OpenAIServer", "Request", "completion"]


def completion(choice: dict[str, Any] | None, **more: Any) -> str:
    choices = [] if choice is None else [{"index": 0, **choice}]
    return json.dumps({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": choices, **more})


NOTHING = {"message": {"content": None}, "delta": {"content": None}, "finish_reason": "stop"}


RESPONSES = "/v1/responses"
EMBEDDINGS = "/v1/embeddings"
IMAGES = "/v1/images/generations"
PICTURE = "/v1/picture.png"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)
"""One pixel."""


def embeddings(texts: Sequence[str]) -> str:
    """Texts are alike that use the same letters; they come back in another order than they went."""
    vectors = [[float(text.lower().count(each)) for each in LETTERS] for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return json.dumps({"object": "list", "data": data[::-1], "model": "m", "usage": usage})


def images(*found: dict[str, str], usage: dict[str, Any] | None = None) -> str:
    return json.dumps({"created": 1, "data": found} | ({"usage": usage} if usage else {}))


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


class ResponsesExchange(Exchange):
    """The same in the words of OpenAI's newer interface."""

    @property
    def said(self) -> str:
        content = self.request.body["input"][-1]["content"]
        return content if isinstance(content, str) else content[0].get("text", "")

    def events(self, pieces: Sequence[str], ending: str | None) -> Iterator[str]:
        yield _response_event("response.created", response=self._response("in_progress", []))
        yield from self._searched()
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        part = {"type": "output_text", "text": "", "annotations": []}
        yield _item_event("added", {**message, "content": []})
        yield _response_event("response.content_part.added", **place, part=part)
        for piece in pieces:
            yield _response_event("response.output_text.delta", **place, delta=piece)
        if ending:
            text = "".join(pieces)
            yield _response_event("response.output_text.done", **place, text=text)
            whole = {**message, "content": [{**part, "text": text}]}
            yield _item_event("done", whole)
            yield from self._end(ending, [whole])

    def calling(self, text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        yield from self.events([text], None) if text else ()
        wanted = []
        for index, (name_of_call, name, arguments) in enumerate(calls, bool(text)):
            call = {"type": "function_call", "id": f"fc_{index}", "call_id": name_of_call}
            begun = {**call, "name": name, "arguments": "", "status": "in_progress"}
            yield _item_event("added", begun, index)
            place = {"item_id": call["id"], "output_index": index}
            for half in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
                kind = "response.function_call_arguments.delta"
                yield _response_event(kind, **place, delta=half)
            wanted.append({**begun, "arguments": arguments, "status": "completed"})
            yield _item_event("done", wanted[-1], index)
        yield from self._end("stop", wanted)

    def whole(self, text: str, ending: str) -> str:
        *_, last = self.events([text], ending)
        return json.dumps(json.loads(last)["response"])

    def _searched(self) -> Iterator[str]:
        if any(each["type"] == "web_search" for each in self.request.body.get("tools", ())):
            search = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
            yield _item_event("added", search)
            yield _response_event("response.web_search_call.searching", item_id="ws_1")
            yield _item_event("done", {**search, "status": "completed"})

    def _end(self, ending: str, output: Sequence[dict[str, Any]]) -> Iterator[str]:
        status = "incomplete" if ending == "length" else "completed"
        yield _response_event(f"response.{status}", response=self._response(status, output))

    def _response(self, status: str, output: Sequence[dict[str, Any]]) -> dict[str, Any]:
        reason = {"reason": "max_output_tokens"} if status == "incomplete" else None
        head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m"}
        usage = None if status == "in_progress" else self.usage
        rest = {"incomplete_details": reason, "output": list(output), "usage": usage}
        return {**head, "status": status, **rest, "tools": [], "tool_choice": "auto", "error": None}

    def event_head(self, data: str) -> str:
        return f"event: {json.loads(data).get('type', 'error')}\n"


def _response_event(kind: str, **more: Any) -> str:
    return json.dumps({"type": kind, "sequence_number": 0, **more})


def _item_event(what: str, item: dict[str, Any], index: int = 0) -> str:
    return _response_event(f"response.output_item.{what}", output_index=index, item=item)


class OpenAIServer(ModelServer):
    exchange = Exchange
    scripted_models = False
    """Whether the list of models is part of the script."""
    scripted_embeddings = False
    """The same for embeddings."""
    scripted_images = False
    """The same for images: they are one pixel each."""
    image_usage: ClassVar[dict[str, Any]] = {
        "input_tokens": 10,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 0},
        "output_tokens": 272,
        "total_tokens": 282,
    }

    @classmethod
    def garbages(cls) -> dict[str, str]:
        return {**super().garbages(), "empty_choices": completion(None)}

    @property
    def embedded(self) -> list[list[str]]:
        """The texts of each request for embeddings."""
        return [each.body["input"] for each in self.requests if each.path == EMBEDDINGS]

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The bodies of the requests for images."""
        return [each.body for each in self.requests if each.path == IMAGES]

    def draw_as(self, **found: str) -> None:
        """Answer with an image as it is found there: at a `url`, or in `b64_json`."""
        self._then(lambda exchange: exchange.send(200, images(found)))

    def picture(self, body: str = "", **headers: Any) -> None:
        """Answer with an image, or with whatever that is said to be."""

        async def step(exchange: Any) -> None:
            data = body.encode() or b64decode(PNG)
            await exchange.head(200, content_length=len(data), **headers)
            exchange.writer.write(data)
            await exchange.writer.drain()

        self._then(step)

    def exchange_for(self, request: Request) -> type[ModelExchange]:
        return ResponsesExchange if request.path == RESPONSES else self.exchange

    def _next_step(self, request: Request) -> Step:
        if request.path == EMBEDDINGS and not self.scripted_embeddings:
            return lambda exchange: exchange.send(200, embeddings(request.body["input"]))
        if request.path == IMAGES and not self.scripted_images:
            found = [{"b64_json": PNG}] * request.body.get("n", 1)
            return lambda exchange: exchange.send(200, images(*found, usage=self.image_usage))
        if request.path == "/v1/models" and not self.scripted_models:
            return lambda exchange: exchange.send(
                200, '{"data": [{"id": "loopback", "object": "model"}]}'
            )
        return super()._next_step(request)


GARBAGE = tuple(OpenAIServer.garbages())
