"""A model provider on loopback that speaks as Gemini does: `POST …:streamGenerateContent`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from .model_server import ModelExchange, ModelServer

ENDINGS = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Exchange(ModelExchange):
    """A request as Gemini takes it, and the means to answer it."""

    nothing: ClassVar[str] = json.dumps({"candidates": [{"finishReason": "STOP", "index": 0}]})

    @property
    def said(self) -> str:
        return self.request.body["contents"][-1]["parts"][-1].get("text", "")

    @property
    def streams(self) -> bool:
        return ":streamGenerateContent" in self.request.path

    def events(self, pieces: Sequence[str], ending: str | None) -> Iterator[str]:
        # The counts grow with every event here; the last ones hold.
        so_far = {"promptTokenCount": 1, "totalTokenCount": 1}
        for piece in pieces:
            yield self._content([{"text": piece}], None, so_far)
        if ending:
            yield self._content([{"text": ""}], ENDINGS[ending], self.usage)

    def calling(self, text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[str]:
        said = [{"text": text}] if text else []
        wanted = [
            {"functionCall": {"name": name, "args": json.loads(arguments)}}
            for _, name, arguments in calls
        ]
        yield self._content([*said, *wanted], ENDINGS["stop"], self.usage)

    def drawing(self, text: str, png: str) -> Iterator[str]:
        said = [{"text": text}] if text else []
        image = {"inlineData": {"mimeType": "image/png", "data": png}}
        yield self._content([*said, image], ENDINGS["stop"], self.usage)

    def whole(self, text: str, ending: str) -> str:
        return self._content([{"text": text}], ENDINGS[ending], self.usage)

    def refusal(self, status: int, message: str) -> str:
        named = STATUSES.get(status, "UNKNOWN")
        return json.dumps({"error": {"code": status, "message": message, "status": named}})

    def _content(
        self, parts: Sequence[Any], reason: str | None, usage: dict[str, Any] | None
    ) -> str:
        content = {"role": "model", "parts": list(parts)}
        candidate = {"content": content, "index": 0} | ({"finishReason": reason} if reason else {})
        answer = {"candidates": [candidate], "modelVersion": "m", "responseId": "r1"}
        return json.dumps(answer | ({"usageMetadata": usage} if usage else {}))


class GeminiServer(ModelServer):
    exchange = Exchange
    path = "/v1beta"
