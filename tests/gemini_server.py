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
        return self.request.body["contents"][-1]["parts"][-1]["text"]

    @property
    def streams(self) -> bool:
        return ":streamGenerateContent" in self.request.path

    def events(self, pieces: Sequence[str], ending: str | None) -> Iterator[str]:
        # The counts grow with every event here; the last ones hold.
        so_far = {"promptTokenCount": 1, "totalTokenCount": 1}
        for piece in pieces:
            yield json.dumps(self._content(piece, None, so_far))
        if ending:
            yield json.dumps(self._content("", ENDINGS[ending], self.usage))

    def whole(self, text: str, ending: str) -> str:
        return json.dumps(self._content(text, ENDINGS[ending], self.usage))

    def refusal(self, status: int, message: str) -> str:
        named = STATUSES.get(status, "UNKNOWN")
        return json.dumps({"error": {"code": status, "message": message, "status": named}})

    def _content(
        self, text: str, reason: str | None, usage: dict[str, Any] | None
    ) -> dict[str, Any]:
        content = {"role": "model", "parts": [{"text": text}]}
        candidate = {"content": content, "index": 0} | ({"finishReason": reason} if reason else {})
        answer = {"candidates": [candidate], "modelVersion": "m", "responseId": "r1"}
        return answer | ({"usageMetadata": usage} if usage else {})


class GeminiServer(ModelServer):
    exchange = Exchange
    path = "/v1beta"
